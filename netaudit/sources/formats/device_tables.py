"""Tables that switches, routers, firewalls and hosts print, of any maker: MAC, ARP, neighbours, leases.

One saved session may hold several. A table is a moment, which the source's ``taken_at`` declares; ages
and times left are relative to it. The prompt names the device; where the file has none, the source's
``nas`` option does.

* MAC tables: a MAC stands on every switch of a path; the access port is the one with few of them.
* ARP and neighbour tables: addresses that were never resolved are kept without a MAC.
* DHCP snooping tables and bindings: address, MAC, VLAN and port in one row. Those of Huawei and H3C are
  read as their manuals print them; nobody's own were seen.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample
from netaudit.intake.times import Context
from netaudit.records.addresses import parse_ip
from netaudit.sources.formats._neighbours import neighbour, only_ipv6
from netaudit.sources.formats._printed_table import Titles
from netaudit.sources.formats._table_records import parsed
from netaudit.sources.formats._table_rows import HEADLESS, Cells, TableReader
from netaudit.sources.formats._values import mask

TITLES = Titles(
    ip=(
        "ip address,ipv4 address,ipv6 address,ip addr,ip-address,ip_address,ipaddress,internet address,ip,address,"
        "neighbor,neighbor address,destination,host,inet address,network layer address,internet 地址,ip地址,网络地址"
    ),
    mac=(
        "mac address,mac-address,mac_address,mac addr,macaddress,mac addresses,mac,destination address,"
        "hardware address,hardware addr,hw address,hwaddress,link-layer addr,link-layer address,link-layer,"
        "linklayer address,linklayer addr,link layer address,physical address,ethernet address,station address,"
        "hardware,lladdr,物理地址,mac地址,硬件地址"
    ),
    client="client-id/ hardware address/ user name,client-id,client-identifier,client id,client identifier",
    vlan=(
        "vid,vlan id,vlan-id,vlanid,exter vlanid,vlan,vlan/vsi/bd,vlan/vsi,vlan/vsi/si,vlan/bd,vlan/srvcid,"
        "vlan/srvcid[:id],vlan/srvcid[isid/vnid],vlan/vni,vlan name( tag),vlan name (tag),vlan/cevlan,vsi/vlan,"
        "brg vlan,vlan/vsi name"
    ),
    port=(
        "port,ports,destination port,destination ports,physical port,learned-from,learned from,port index,"
        "port/nickname,port name,port / virtual port list,ports/swid.ssid.lid,f /s /p,f/s/p,circuit,logical interface,interface,"
        "interfaces,interface(s),interface/link id,interface name,if name,iface,device,intf,netif,nameif,dev,i/f,"
        "source,outgoing interface,lport,端口,接口"
    ),
    type="type,address type,entry type,hwtype,mac type,类型",
    state="state,status,lease state,st,s,状态",
    flags="mac flags,flags",
    age=(
        "age,age(min),age (min),age(mins),age(sec),age (sec),age(s),age(m),aging,aging time(s),aging time,expire(m),"
        "expire,expires,ttl,timer,exp,老化时间"
    ),
    lease=(
        "lease expiration,lease expires,expiration,lease(sec),leasesec,lease remaining,remaining,time left,time-left,"
        "lease left,left,lease time"
    ),
    term="lease",
    start="lease start",
    pool="pool",
    level="prlvl",
    name="client name,hostname,host name",
    skip=(
        "last move,nh index,rtr id,vlan name,bridge domain,vpi,vci,srv-p,bundle,is local,if index,learn,secure,"
        "vpn-instance,vrf,vrf name,no.,is router,vpn name,secure flag,inter vlanid,sub interface,cpu,protocol,"
        "flags mask,mask,rtr,pref,vr,live time,sublabel,user name,probe-timeout"
    ),
    unwanted=(
        "method,session,session id,ssid,username,ap name,ap,wlan,rssi,chassis,chassis id,capability,holdtime,"
        "hold-time,role,device id,authorized,owner,radio,system name,netmask,description,hw type"
    ),
)
_BSD = re.compile(
    r"\S{1,255} \((?P<ip>[^\s()]{2,60})\) at (?P<mac>\S{1,30})(?: \[(?P<type>\w+)\])?(?: +[^\s\[]{1,20}){0,3}?"
    r" +on (?P<port>\S{1,64})(?P<rest>.{0,200})"
)
_OTHERS = re.compile(r"\s*(?:ethernet vendor: |#\s+(?:MAC-)?ADDRESS\b)")
"""Lines of arpwatch's mails and of RouterOS, which look alike and have formats of their own."""
_ASA = re.compile(
    r"\s*(?P<port>[A-Za-z][\w.-]{0,47}) (?P<ip>[0-9a-fA-F.:]{3,45}) (?P<mac>[0-9a-f]{4}(?:\.[0-9a-f]{4}){2})"
    r"(?:\s+(?P<age>\d+|-))?(?:\s+alias)?\s*\Z"
)


def _sentence(line: str) -> Cells | None:
    """An entry that needs no header: of ``arp -a``, of an ASA, of ``ip -6 neigh``."""
    if found := _BSD.match(line):
        cells = found.groupdict("")
        kind = re.search(r"\[(\w+)\]", cells.pop("rest"))
        cells["type"] = cells["type"] or (kind[1] if kind else "")
    elif found := _ASA.match(line):
        cells = found.groupdict("")
    else:
        return neighbour(line)
    return {role: text for role, text in cells.items() if text} if parse_ip(cells["ip"]) else None


def _kind_of(roles: frozenset[str]) -> str:
    """What a table with these columns is."""
    if "ip" not in roles:
        return "fdb" if "mac" in roles and roles & {"vlan", "port"} else ""
    if roles & {"lease", "term"} and "level" not in roles:
        return "dhcp"
    return "arp" if "mac" in roles and not roles & {"name", "pool"} else ""


def _reader() -> TableReader:
    return TableReader(TITLES, _kind_of, _sentence)


def _open(context: Context) -> Parse:
    reader = _reader()

    def parse(chunk: Chunk) -> Parsed:
        return parsed(reader.read(chunk.lines.to_pylist()), context)

    return parse


def _sniff(lines: list[str]) -> float:
    """Sure where most lines with an address are rows of a table; hosts' `ip neigh` has its own format."""
    if any(_OTHERS.match(line) for line in lines) or (any(map(neighbour, lines)) and not only_ipv6(lines)):
        return 0.0
    entries = _reader().read(lines)
    foreign = len(entries.refused.get(HEADLESS, ()))
    return 0.9 * len(entries.found) / (len(entries.found) + foreign) if entries.found else 0.0


_ADDRESS = (
    r"[0-9A-Fa-f]{4}[.-][0-9A-Fa-f]{4}[.-][0-9A-Fa-f]{2}|[0-9A-Fa-f]{6}-[0-9A-Fa-f]{6}"
    r"|[0-9A-Fa-f]{1,2}[:-][0-9A-Fa-f]{1,2}[:-][0-9A-Fa-f]{1,2}[:-]|\d+\.\d+\.\d+\.\d+|:[0-9A-Fa-f]*:"
)


def _starts(lines: pa.StringArray) -> np.ndarray:
    """Entries begin with an address; a line that is all indent before it may belong to one."""
    inside = mask(pc.match_substring_regex(lines, r"^\s*(?i:link-?layer)|^\s{20}"))
    begins: np.ndarray = mask(pc.match_substring_regex(lines, _ADDRESS)) & ~inside
    return begins


FORMAT = LogFormat(
    title="Tables of switches and routers: MAC addresses, ARP and neighbours, DHCP bindings (printed by commands)",
    kinds=("fdb", "arp", "dhcp"),
    reference="the titles that are known are those of netaudit/sources/formats/device_tables.py",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    numbered=False,
    samples=(
        Sample(
            "SW-3F#show mac address-table\n"
            "          Mac Address Table\n"
            "-------------------------------------------\n"
            "\n"
            "Vlan    Mac Address       Type        Ports\n"
            "----    -----------       --------    -----\n"
            " All    0180.c200.000f    STATIC      CPU\n"
            " --More-- \b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\b   2    c869.cd54.1f71    DYNAMIC     Gi1/0/7\n"
            "Total Mac Addresses for this criterion: 2",
            (
                {"kind": "fdb", "ts": None, "vlan": None, "nas_port": "CPU", "message": "STATIC"},
                {
                    "kind": "fdb",
                    "client_mac": "c8:69:cd:54:1f:71",
                    "vlan": 2,
                    "nas": "SW-3F",
                    "nas_port": "Gi1/0/7",
                    "message": "DYNAMIC",
                },
            ),
            note="the prompt names the switch; a pager's leftovers",
        ),
        Sample(
            "MAC ADDR       VLAN ID  STATE          PORT INDEX               AGING TIME(s)\n"
            "fedc-ba09-8765 10       Learned        GigabitEthernet1/0/20    NOAGED",
            (
                {
                    "kind": "fdb",
                    "client_mac": "fe:dc:ba:09:87:65",
                    "vlan": 10,
                    "nas": None,
                    "nas_port": "GigabitEthernet1/0/20",
                    "message": "Learned",
                    "age": "NOAGED",
                },
            ),
        ),
        Sample(
            "<core-1>display arp all\n"
            "IP ADDRESS      MAC ADDRESS     EXPIRE(M) TYPE        INTERFACE   VPN-INSTANCE\n"
            "                                    VLAN/CEVLAN(SIP/DIP)\n"
            "------------------------------------------------------------------------------\n"
            "192.168.1.253   b076-1b65-6a40            I -         MEth0/0/1\n"
            "10.10.10.2      b8d6-f6ff-739b  17        D-0         XGE0/0/1\n"
            "                                            10/-\n"
            "------------------------------------------------------------------------------\n"
            "Total:2         Dynamic:1       Static:0     Interface:1",
            (
                {"kind": "arp", "client_ip": "192.168.1.253", "message": "I -", "nas_port": "MEth0/0/1"},
                {
                    "kind": "arp",
                    "client_ip": "10.10.10.2",
                    "client_mac": "b8:d6:f6:ff:73:9b",
                    "nas": "core-1",
                    "nas_port": "XGE0/0/1",
                    "vlan": 10,
                    "message": "D-0",
                    "age": "17",
                },
            ),
            note="the VLAN stands on a line of its own; I is the device's own address",
        ),
        Sample(
            "IP ADDRESS      MAC ADDRESS    EXPIRE(M) TYPE  INTERFACE           \n"
            "                                    VLAN/CEVLAN(SIP/DIP)      PVC\n"
            "------------------------------------------------------------------------------\n"
            "192.168.1.118   a078-17b2-7bc0 20        D-0   Wlan-Bss7              1/-      ",
            (
                {
                    "kind": "arp",
                    "client_ip": "192.168.1.118",
                    "nas_port": "Wlan-Bss7",
                    "vlan": 1,
                    "message": "D-0",
                    "age": "20",
                },
            ),
            note="the VLAN stands behind the port although its title does not",
        ),
        Sample(
            "? (192.168.10.100) at <incomplete> on eth1.10\nesxi (192.168.13.5) at 00:e0:67:05:9d:5a [ether] on eth1.100",
            (
                {"kind": "arp", "client_ip": "192.168.10.100", "client_mac": None, "nas_port": "eth1.10"},
                {"kind": "arp", "client_ip": "192.168.13.5", "nas_port": "eth1.100", "message": "ether"},
            ),
        ),
        Sample(
            "IPv6 Address : FC00:1::2\n"
            "Link-layer   : 0025-9e01-020a                     State   : STALE\n"
            "Interface    : 10GE4/17/6                          Age     : 75\n"
            "VLAN         : 35                                 CEVLAN  : -",
            (
                {
                    "kind": "arp",
                    "client_ip": "fc00:1::2",
                    "client_mac": "00:25:9e:01:02:0a",
                    "vlan": 35,
                    "nas_port": "10GE4/17/6",
                    "message": "STALE",
                    "age": "75",
                },
            ),
        ),
        Sample(
            "  MacAddress          IpAddress        Lease(sec)  Type           VLAN  Interface\n"
            "  ------------------  ---------------  ----------  -------------  ----  --------------------\n"
            "  4A:20:93:E5:FA:23   172.16.92.198    1512        dhcp-snooping   1     GigabitEthernet0/5",
            (
                {
                    "kind": "dhcp",
                    "ts_end": None,
                    "client_ip": "172.16.92.198",
                    "client_mac": "4a:20:93:e5:fa:23",
                    "message": "snooping",
                    "vlan": 1,
                    "nas_port": "GigabitEthernet0/5",
                },
            ),
            note="1512 seconds are left from the moment of the print, which is not declared here",
        ),
        Sample(
            "IP address          Client-ID/              Lease expiration        Type\n"
            "                    Hardware address/\n"
            "                    User name\n"
            "10.16.173.5         01aa.aaaa.aaaa.ab       Mar 02 2026 12:01 AM    Automatic\n"
            "10.100.88.26        01aa.aaaa.aaaa.aa       Infinite                Manual\n",
            (
                {
                    "kind": "dhcp",
                    "client_mac": "aa:aa:aa:aa:aa:ab",
                    "ts_end": "2026-03-01T16:01:00.000000000Z",
                },
                {"kind": "dhcp", "message": "binding", "client_id": "01aa.aaaa.aaaa.aa", "ts_end": None},
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            "Vlan    Mac Address       Type        Ports\n   2    c869.cd54.1fg1    DYNAMIC     Gi1/0/7",
            note="a digit that is none",
        ),
        Sample(
            "Address           Age(min)   Hardware Addr      Interface\n192.168.1.400     0          b0:a8:6e:01:61:81 lan",
            note="no address",
        ),
    ),
)
