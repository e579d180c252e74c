"""Inventories: tables that people keep, exports of their programs, scans."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_reading import accounted, chunk, context, read

from netaudit.errors import ConfigError
from netaudit.intake.lines import detect_encoding
from netaudit.sources.formats import asset_table, netbox, nmap_xml
from netaudit.sources.formats._delimited import header_cells
from netaudit.sources.formats._inventory_cells import addresses, network
from netaudit.sources.formats._inventory_titles import is_inventory


def notes(text, **options):
    ctx = context(**options)
    asset_table.FORMAT.open(ctx)(chunk(text))
    return ctx.notes


@pytest.mark.parametrize(
    ("cell", "first", "last", "count"),
    [
        ("10.1.1.5-20", "10.1.1.5", "10.1.1.20", 16),
        ("10.1.1.5 - 10.1.1.7", "10.1.1.5", "10.1.1.7", 3),
        ("10.1.1.5～10.1.1.6", "10.1.1.5", "10.1.1.6", 2),
        ("10.1.1.5至7", "10.1.1.5", "10.1.1.7", 3),
        ("10.1.1.0-255", "10.1.1.0", "10.1.1.255", 256),
        ("10.1.1.5，10.1.1.5、10.1.1.9", "10.1.1.5", "10.1.1.9", 2),
        ("10.1.1.5/24", "10.1.1.5", "10.1.1.5", 1),
        ("10.1.1.5 / 10.1.1.6", "10.1.1.5", "10.1.1.6", 2),
    ],
)
def test_several_addresses_in_a_cell(cell, first, last, count):
    rows, _ = read(asset_table, f'IP地址,使用人\n"{cell}",张三')
    assert [rows[0]["ip"], rows[-1]["ip"], len(rows)] == [first, last, count]


@pytest.mark.parametrize(
    "cell", ["10.1.1.20-5", "10.1.0.1-10.1.9.9", "10.1.1.5-300", "10.1.0.0/16", "10.1.1.x"]
)
def test_what_is_no_range_is_left_out_and_noted(cell):
    assert addresses(cell) is None
    text = f"IP地址,主机名\n{cell},pc-1"
    rows, _ = read(asset_table, text)
    assert [row["ip"] for row in rows] == [None]
    assert notes(text) == {asset_table.BAD_IP}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("10.1.2.0/24 - Office", "10.1.2.0/24"),
        ("10.1.2.7/24", None),
        ("10.1.2.7/32", None),
        ("x 2001:db8::/64", "2001:db8::/64"),
    ],
)
def test_networks(text, named):
    assert network(text) == named


@pytest.mark.parametrize(
    ("system", "cell", "day"),
    [("1900", "45000", "2023-03-15"), ("1904", "43538", "2023-03-15"), ("1900", "45000.5", "2023-03-15")],
)
def test_serial_dates(system, cell, day):
    text = f"资产编号,主机名,启用日期\n1001.0,pc-1,{cell}"
    (row,), _ = read(asset_table, text, date_system=system)
    assert row["ts"].startswith(day)
    assert row["asset"] == "1001"
    assert notes(text, date_system=system) == {
        asset_table.SERIAL if system == "1900" else asset_table.SERIAL_1904
    }


@pytest.mark.parametrize("cell", ["7", "99999", "2023", "去年"])
def test_what_is_no_date_is_noted(cell):
    text = f"资产编号,主机名,启用日期\nA1,pc-1,{cell}"
    (row,), _ = read(asset_table, text)
    assert row["ts"] is None
    assert notes(text) == {asset_table.BAD_DATE}


MERGED = "部门,IP地址,使用人\n办公室,10.1.1.1,张三\n,10.1.1.2,\n财务科,10.1.1.3,\n,10.1.1.4,李四"


def test_merged_cells_hold_downwards_only_where_that_is_declared():
    rows, _ = read(asset_table, MERGED)
    assert [row["department"] for row in rows] == ["办公室", None, "财务科", None]
    rows, _ = read(asset_table, MERGED, fill_down="department")
    assert [row["department"] for row in rows] == ["办公室", "办公室", "财务科", "财务科"]
    assert [row["owner"] for row in rows] == ["张三", None, None, "李四"]


@pytest.mark.parametrize("options", [{"fill_down": "ip"}, {"date_system": "1905"}])
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ConfigError, match="cannot be"):
        read(asset_table, MERGED, **options)


def test_ranges_cannot_fill_the_memory():
    text = "IP地址,主机名\n" + "\n".join(f"10.{n // 256}.{n % 256}.0-255,pc-{n}" for n in range(300))
    rows, _ = read(asset_table, text)
    assert len(rows) == 256 * 256 + 44
    assert notes(text) == {asset_table.TOO_MANY}
    assert addresses("10.1.1.1 " * 1000) is None
    assert addresses("10.1.1.0-255 10.1.2.0-255") is None


def test_a_subnet_line_tells_only_of_its_own_addresses():
    text = "10.1.2.0/24 - Office (vlan: 20 - Data)\nip address,hostname,mac,owner\n10.1.2.7,a,,\n10.9.9.9,b,,\n,c,,"
    rows, reasons = read(asset_table, text)
    assert [(row["segment"], row["vlan"]) for row in rows] == [
        ("10.1.2.0/24", 20),
        (None, None),
        (None, None),
    ]
    assert not reasons


@pytest.mark.parametrize(
    "header",
    [
        '"Name";"Entity";"Manufacturers";"Model";"Locations";"Network - IP";"Network - MAC";"User"',
        '"名称";"实体";"制造商";"型号";"位置";"网络 - IP";"网络 - MAC";"用户"',
        "ip address,hostname,description,mac,owner,switch,port,note",
        '"DistinguishedName","DNSHostName","Enabled","Name","ObjectClass","ObjectGUID","SamAccountName","SID"',
        '"Name","SamAccountName"',
        "name,device_role,tenant,manufacturer,device_type,serial,asset_tag,status,site,location",
        "Name,Status,Tenant,Site,Location,Rack,Role,Manufacturer,Type,IP Address",
        "终端名称,终端IP,终端MAC,接入设备名称,接入端口,用户姓名,终端厂商",
        "devMac,devName,devType,devVendor,devLastIP,devLocation",
        "dev_MAC,dev_Name,dev_LastIP",
    ],
)
def test_exports_of_programs_are_inventories(header):
    assert is_inventory(header_cells(header)[1])
    assert asset_table.FORMAT.sniff([header]) > 0.5


@pytest.mark.parametrize(
    "header",
    ["ts,te,td,sa,da,sp,dp,pr", "time,name,user", "address,hwaddr,expire", "name", "Name,Description"],
)
def test_logs_are_none(header):
    assert not is_inventory(header_cells(header)[1])


def test_glpi_parts_values_by_line_breaks():
    text = (
        '"Name";"Network - IP";"Network - MAC";"User"\n"pc-1";"10.1.1.1\n10.1.1.2";"52:54:00:aa:00:01";"li"'
    )
    rows, _ = read(asset_table, text)
    assert [(row["ip"], row["mac"]) for row in rows] == [
        ("10.1.1.1", "52:54:00:aa:00:01"),
        ("10.1.1.2", "52:54:00:aa:00:01"),
    ]


def test_a_redirected_export_is_utf_16():
    text = '#TYPE Microsoft.ActiveDirectory.Management.ADComputer\r\n"DNSHostName","Name","IPv4Address"\r\n'
    assert detect_encoding(text.encode("utf-16")) == "utf-16"


HOST = '<host><status state="up"/><address addr="{}" addrtype="ipv4"/>{}</host>'


def test_several_hosts_on_a_line_and_no_line_break_at_all():
    text = (
        '<nmaprun start="1607282135">'
        + HOST.format("10.1.1.1", "")
        + HOST.format("10.1.1.2", "")
        + "</nmaprun>"
    )
    rows, reasons = read(nmap_xml, text)
    assert [row["ip"] for row in rows] == ["10.1.1.1", "10.1.1.2"]
    assert not reasons


def test_an_aborted_scan_loses_its_last_host_only():
    text = f'<nmaprun start="1607282135">\n{HOST.format("10.1.1.1", "")}\n<host><address addr="10.1.1.2" addrtype="ipv4"/>'
    rows, reasons = read(nmap_xml, text)
    assert [row["ip"] for row in rows] == ["10.1.1.1"]
    assert reasons == [nmap_xml.CUT]


def test_entities_of_the_document_are_not_expanded():
    text = (
        '<!DOCTYPE nmaprun [<!ENTITY a "10.9.9.9"><!ENTITY b SYSTEM "file:///etc/passwd">]>\n<nmaprun start="1607282135">\n'
        + HOST.format("&a;", '<hostnames><hostname name="&b;&lt;x&gt;" type="PTR"/></hostnames>')
        + "\n"
        + HOST.format("10.1.1.2", '<hostnames><hostname name="&b;&lt;x&gt;" type="PTR"/></hostnames>')
    )
    rows, reasons = read(nmap_xml, text)
    assert [(row["ip"], row["hostname"]) for row in rows] == [("10.1.1.2", "&b;<x>")]
    assert reasons == [nmap_xml.NOBODY]


def test_scripts_cannot_pretend_to_be_a_host():
    script = '<ports><port><script output="&lt;address addr=&quot;10.6.6.6&quot; addrtype=&quot;ipv4&quot;/&gt;"/></port></ports>'
    rows, _ = read(nmap_xml, '<nmaprun start="1">\n' + HOST.format("10.1.1.1", script))
    assert [row["ip"] for row in rows] == ["10.1.1.1"]


def test_who_was_down_is_valid_at_the_scan_only():
    down = HOST.format("10.1.1.1", "").replace("up", "down")
    (row,), _ = read(nmap_xml, '<nmaprun start="1607282135">', down)
    assert row["ts"] == row["ts_end"] == "2020-12-06T19:15:35.000000000Z"
    rows, reasons = read(nmap_xml, down)
    assert not rows
    assert reasons == [nmap_xml.NOBODY]


def dumped(*objects):
    return json.dumps([{"model": m, "pk": n, "fields": f} for m, n, f in objects], indent=1)


def test_addresses_of_netbox_are_on_interfaces_of_devices_and_virtual_machines():
    text = dumped(
        ("dcim.macaddress", 1, {"mac_address": "52:54:00:AA:00:01", "assigned_object_type": ["dcim", "interface"], "assigned_object_id": 5}),
        ("ipam.ipaddress", 1, {"address": "10.1.1.1/24", "assigned_object_type": "dcim.interface", "assigned_object_id": 5}),
        ("ipam.ipaddress", 2, {"address": "10.1.1.2/24", "assigned_object_type": "virtualization.vminterface", "assigned_object_id": 5}),
        ("ipam.ipaddress", 3, {"address": "10.1.1.3/24", "dns_name": "free.corp.test"}),
        ("dcim.device", 1, {"name": "sw-1"}),
        ("dcim.interface", 5, {"device": 1, "name": "eth0"}),
        ("virtualization.virtualmachine", 1, {"name": "vm-1"}),
        ("virtualization.vminterface", 5, {"virtual_machine": 1, "name": "eth0"}),
        ("ipam.prefix", 1, {"prefix": "10.1.1.0/24", "scope_type": ["dcim", "site"], "scope_id": 1}),
        ("dcim.site", 1, {"name": "HQ"}),
    )  # fmt: skip
    rows, reasons = read(netbox, text)
    found = {(row["hostname"], row["ip"], row["mac"], row["segment"], row["site"]) for row in rows}
    assert found == {
        ("sw-1", "10.1.1.1", "52:54:00:aa:00:01", None, None),
        ("vm-1", "10.1.1.2", None, None, None),
        ("free.corp.test", "10.1.1.3", None, None, None),
        (None, None, None, "10.1.1.0/24", "HQ"),
    }
    assert not reasons


def test_several_pages_of_rest_in_one_file():
    page = '{"count": 1, "next": null, "results": [{"url": "https://n/api/dcim/devices/1/", "name": "pc-%d", "device_type": {}}]}'
    rows, reasons = read(netbox, f"{page % 1}\n{page % 2}")
    assert [(row["line"], row["hostname"]) for row in rows] == [(1, "pc-1"), (2, "pc-2")]
    assert not reasons


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        '{"results": [' + '{"a":' * 5000,
        '[{"model": "dcim.device", "pk": 1, "fields": {"name": "pc-1"',
        '[{"pk": ' + "9" * 5000 + "}]",
        '{"results": ',
        "[1, null, []]",
    ],
)
def test_broken_documents_are_counted(text):
    rows, reasons = read(netbox, text)
    assert not rows
    assert reasons


def test_a_dump_cannot_multiply_itself():
    devices = [("dcim.device", 1, {"name": "x"})] * 500
    cards = [("dcim.interface", n, {"device": 1, "mac_address": "52:54:00:AA:00:01"}) for n in range(500)]
    rows, _ = read(netbox, dumped(*devices, *cards))
    assert len(rows) == 999


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
MODELS = st.sampled_from(
    ["dcim.device", "dcim.interface", "ipam.ipaddress", "ipam.prefix", "dcim.macaddress", "ipam.vlan"]
)
NAMES = st.sampled_from(
    ["name", "device", "mac_address", "address", "assigned_object_type", "assigned_object_id", "prefix", "vlan", "site", "vid",
     "tenant", "device_type", "dns_name", "untagged_vlan", "assigned_object", "url", "mac_addresses", "connected_endpoints",
     "primary_ip4", "asset_tag", "scope_type"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    objects=st.lists(
        st.tuples(
            MODELS, st.integers(0, 3) | st.text(max_size=2), st.dictionaries(NAMES, VALUES, max_size=5)
        ),
        max_size=6,
    )
)
def test_any_objects_of_netbox_do_not_raise(objects):
    read(netbox, dumped(*objects))
    read(netbox, json.dumps({"results": [fields for _, _, fields in objects]}))


LINES = st.sampled_from(
    [
        line
        for module in (asset_table, nmap_xml)
        for s in module.FORMAT.samples
        for line in s.text.split("\n")
    ]
)
HOSTILE = st.one_of(LINES, LINES.map(lambda text: text[: len(text) * 2 // 3]), st.text(max_size=60))


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(HOSTILE.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=12))
def test_any_lines_do_not_raise(lines):
    for module in (asset_table, nmap_xml, netbox):
        held, count = accounted(module, "\n".join(lines))
        assert held <= max(count, len(lines))
