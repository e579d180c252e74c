"""Proxies and web servers: declared layouts, hostile requests, what may be kept of a URL."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_reading import accounted, read

from netaudit.errors import ConfigError
from netaudit.records.printed import text as printed
from netaudit.records.schemas import IP
from netaudit.sources.formats import meraki, squid, web_access
from netaudit.sources.formats._urls import destinations, visited

EVERY = (squid, web_access)


@pytest.mark.parametrize(
    ("url", "name", "address", "port"),
    [
        ("http://user:secret@www.corp.test:8000/a?b#c", "www.corp.test", None, 8000),
        ("https://WWW.Corp.Test./x", "www.corp.test", None, 443),
        ("http://[2001:db8::1]:81/", None, "2001:db8::1", 81),
        ("[2001:db8::1]:443", None, "2001:db8::1", 443),
        ("10.0.0.1:443", None, "10.0.0.1", 443),
        ("www.corp.test:443", "www.corp.test", None, 443),
        ("http://www.corp.test:/", "www.corp.test", None, 80),
        ("gopher://www.corp.test/", "www.corp.test", None, None),
        ("http://www.corp.test\\@other.test/", None, None, None),
        ("http://a@b@www.corp.test/", None, None, None),
        ("http://[::1/", None, None, None),
        (None, None, None, None),
        ("http://www.corp.test:99999/", "www.corp.test", None, None),
        ("/path/http://other.test/", None, None, None),
        ("error:invalid-request", None, None, None),
        ("*", None, None, None),
        ("http://", None, None, None),
    ],
)
def test_destinations(url, name, address, port):
    found = destinations(pa.array([url], pa.string()))
    assert found["name"].to_pylist() == [name]
    assert found["server_ip"].type == IP
    assert printed(found["server_ip"]).to_pylist() == [address]
    assert found["name_source"].to_pylist() == ["host" if name else None]
    assert found["server_port"].to_pylist() == [port]


@pytest.mark.parametrize(
    ("url", "name", "address", "port"),
    [
        ("www.corp.test/index.htm", "www.corp.test", None, None),
        ("www.corp.test:8000/", "www.corp.test", None, 8000),
        ("https://www.corp.test/", "www.corp.test", None, 443),
        ("10.0.0.1", None, "10.0.0.1", None),
        ("", None, None, None),
        (None, None, None, None),
    ],
)
def test_a_page_may_lack_a_scheme(url, name, address, port):
    found = visited(pa.array([url], pa.string()))
    assert found["name"].to_pylist() == [name]
    assert printed(found["server_ip"]).to_pylist() == [address]
    assert found["server_port"].to_pylist() == [port]


def test_no_path_and_no_password_is_kept():
    url = "http://lisi:secret@www.corp.test/private?token=1"
    text = f"1587042596.494   1717 10.1.0.39 TCP_MISS/200 3512 GET {url} - HIER_DIRECT/198.51.100.7 -"
    (row,), _ = read(squid, text)
    assert not any(word in str(row) for word in ("secret", "private", "token"))


@pytest.mark.parametrize("elapsed", ["0", "1717", "999999999999", "-5"])
def test_a_request_begins_before_it_is_logged(elapsed):
    text = f"1587042596.494 {elapsed:>6} 10.1.0.39 TCP_TUNNEL/200 3512 CONNECT a.test:443 - HIER_NONE/- -"
    (row,), _ = read(squid, text)
    assert row["ts_end"] == "2020-04-16T13:09:56.494000000Z"
    assert row["ts"] <= row["ts_end"]


def test_the_peer_is_the_destination_only_where_squid_went_there_itself():
    text = "1587042596.494 1 10.1.0.39 TCP_MISS/200 1 GET http://a.test/ - {}/198.51.100.7 -"
    for hierarchy, address in (
        ("HIER_DIRECT", "198.51.100.7"),
        ("ORIGINAL_DST", "198.51.100.7"),
        ("FIRSTUP_PARENT", None),
    ):
        (row,), _ = read(squid, text.format(hierarchy))
        assert row["server_ip"] == address


LAYOUT = '%ts.%03tu %>a:%>p %>A %un %rm %ru %>rd %<a:%<p %Ss/%03>Hs %<st "%{User-Agent}>h"'
CUSTOM = (
    "1795364506.696 10.20.30.11:36116 pc-11 wang GET http://www.corp.test:8000/ www.corp.test 127.0.0.1:8000 "
    'TCP_MISS/200 298 "curl \\"q\\" GET http://x.test/ y NONE/000 1"'
)


def test_a_declared_squid_layout():
    (row,), reasons = read(squid, CUSTOM, logformat=LAYOUT)
    assert (row["ts"], row["account"], row["client_port"]) == (
        "2026-11-22T16:21:46.696000000Z",
        "wang",
        36116,
    )
    assert (row["name"], row["server_port"], row["action"], row["status"]) == (
        "www.corp.test",
        8000,
        "TCP_MISS",
        200,
    )
    assert not reasons


def test_a_layout_that_is_not_declared_names_no_account():
    (row,), _ = read(squid, CUSTOM)
    assert row["account"] is None
    assert row["name"] == "www.corp.test"


def test_squid_through_a_system_log():
    text = "Nov 23 00:00:01 gw squid[12]: 1587042596.494 1 10.1.0.39 TCP_HIT/200 1 GET http://a.test/ - HIER_NONE/- -"
    (row,), _ = read(squid, text)
    assert row["name"] == "a.test"


NGINX = (
    '$remote_addr $host "$request" $status $body_bytes_sent [$time_local] $remote_user "$http_user_agent"'
)
APACHE = '%v:%p %h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"'


@pytest.mark.parametrize(
    ("layout", "line"),
    [
        (
            NGINX,
            '10.20.30.11 www.corp.test "GET /x HTTP/1.1" 200 3 [23/Nov/2026:00:56:26 +0800] lisi "cu \\x22 rl"',
        ),
        (
            APACHE,
            'www.corp.test:443 10.20.30.11 - lisi [23/Nov/2026:00:56:26 +0800] "GET /x HTTP/1.1" 200 3 "-" "c"',
        ),
    ],
)
def test_declared_layouts_of_web_servers(layout, line):
    (row,), reasons = read(web_access, line, logformat=layout)
    assert (row["ts"], row["client_ip"], row["name"], row["account"]) == (
        "2026-11-22T16:56:26.000000000Z",
        "10.20.30.11",
        "www.corp.test",
        "lisi",
    )
    assert (row["method"], row["status"], row["bytes_in"]) == ("GET", 200, 3)
    assert not reasons


@pytest.mark.parametrize("module", EVERY, ids=["squid", "web"])
def test_a_layout_without_a_time_or_a_client_is_refused(module):
    for layout in ("%rm %ru", "$request", "$remote_addr", "%h", "no code at all", "%ts"):
        with pytest.raises(ConfigError, match="names no time or no client"):
            read(module, "x", logformat=layout)


@pytest.mark.parametrize(
    "line",
    [
        '{"@timestamp":"2026-11-23T00:56:26+08:00","client_ip":"10.1.0.1","method":"GET","host":"a.test","status":"200"}',
        '{"ts":1795366586,"remote_addr":"10.1.0.1","request":"GET http://a.test/ HTTP/1.1","status":200}',
        '{"time":"23/Nov/2026:00:56:26 +0800","remote_addr":"10.1.0.1","method":"GET","uri":"http://a.test/","status":1}',
    ],
)
def test_json_of_several_writers(line):
    assert web_access.FORMAT.sniff([line]) == 1
    (row,), _ = read(web_access, line)
    assert (row["ts"], row["client_ip"], row["name"], row["method"]) == (
        "2026-11-22T16:56:26.000000000Z",
        "10.1.0.1",
        "a.test",
        "GET",
    )


def test_a_torn_named_host_is_no_host():
    line = '10.20.30.11 - - [23/Nov/2026:00:56:26 +0800] "GET / HTTP/1.1" 200 3 "-" "c" host="www.corp.te'
    (row,), _ = read(web_access, line, ends=False)
    assert row["name"] is None


@pytest.mark.parametrize(
    ("client", "address", "port"),
    [
        ("10.1.0.1:5000", "10.1.0.1", 5000),
        ("10.1.0.1:", "10.1.0.1", None),
        ("fd00:20:30::11", "fd00:20:30::11", None),
        ("fd00:20:30::11:46910", "fd00:20:30::11", 46910),
        ("[fd00::1]:5000", "fd00::1", 5000),
    ],
)
def test_clients_with_and_without_ports(client, address, port):
    (row,), _ = read(
        web_access, f'{client} - - [23/Nov/2026:00:56:26 +0800] "GET / HTTP/1.1" 200 3 "-" "c"'
    )
    assert (row["client_ip"], row["client_port"]) == (address, port)


def test_a_log_with_ports_has_them_behind_every_address():
    tail = '- - [23/Nov/2026:00:56:26 +0800] "GET / HTTP/1.1" 200 3 "-" "c"'
    rows, _ = read(web_access, f"fd00::11:8080 {tail}", f"10.1.0.1:5000 {tail}\nfd00::11:8080 {tail}")
    assert [row["client_ip"] for row in rows] == ["fd00::11:8080", "10.1.0.1", "fd00::11"]
    assert rows[2]["client_port"] == 8080


def test_urls_of_meraki_need_the_client_only():
    head = "1673277245.257656306 FW_MX_01 urls src=10.1.0.12:51960 dst=x mac=52:54:00:AA:00:06 request: GET"
    (row,), _ = read(meraki, f"{head} http://a.test/")
    assert (row["server_ip"], row["server_port"], row["client_mac"]) == (None, 80, "52:54:00:aa:00:06")


def test_sniffing_long_hostile_lines_is_quick():
    for piece in ('"', "[", "a ", "1.2.3.4 ", '\\"', "{"):
        assert web_access.FORMAT.sniff([piece * 30_000] * 20) <= 0.5
        assert squid.FORMAT.sniff([piece * 30_000] * 20) <= 0.5


FRAGMENTS = st.sampled_from(
    [line for module in EVERY for sample in module.FORMAT.samples for line in sample.text.split("\n")]
)
HOSTILE = st.one_of(FRAGMENTS, FRAGMENTS.map(lambda text: text[: len(text) * 2 // 3]), st.text(max_size=80))


@pytest.mark.parametrize("module", EVERY, ids=["squid", "web"])
@settings(max_examples=40, deadline=None)
@given(lines=st.lists(HOSTILE.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=12))
def test_any_lines_are_accounted_for(module, lines):
    held, count = accounted(module, "\n".join(lines))
    assert held == count
