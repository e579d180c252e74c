"""``netaudit show``: one packet or line in full."""

import contextlib
import os
import sqlite3

import pytest
from command import netaudit
from frames import client_hello, dns_query, pcap, tcp, udp


@pytest.fixture
def capture(tmp_path):
    request = b"GET / HTTP/1.1\r\nHost: example.net\r\nCookie: SECRET\x1b[31m\r\n\r\n"
    path = tmp_path / "mirror.pcap"
    path.write_bytes(
        pcap(
            udp(dns_query("www.example.org")),
            tcp(client_hello("example.com") + b"SECRET"),
            tcp(request, sport=5001, dport=80),
        )
    )
    return path


def test_a_packet_its_time_and_its_events(capture, tmp_path):
    run = netaudit("show", capture, 1, cwd=tmp_path)
    assert run.returncode == 0
    assert "2023-11-14 22:13:20.000000000 UTC" in run.stdout
    assert "SHA-256 " in run.stdout
    assert "###[ DNS ]###" in run.stdout
    assert "www.example.org" in run.stdout
    assert "dns  ts=" in run.stdout
    assert "name=www.example.org" in run.stdout
    assert "not shown" not in run.stdout


@pytest.mark.parametrize(("ordinal", "name"), [(2, "example.com"), (3, "example.net")])
def test_content_only_where_it_is_asked_for(capture, tmp_path, ordinal, name):
    run = netaudit("show", capture, ordinal, cwd=tmp_path)
    assert name in run.stdout
    assert "SECRET" not in run.stdout
    assert "are not shown (--payload shows them)" in run.stdout
    whole = netaudit("show", capture, ordinal, "--payload", cwd=tmp_path)
    assert "SECRET" in whole.stdout
    assert "\x1b" not in whole.stdout
    assert "not shown" not in whole.stdout


def test_a_packet_of_an_unknown_link_type(tmp_path):
    (tmp_path / "odd.pcap").write_bytes(pcap(b"\x1b]52;c;x\x07" * 3, link=147))
    run = netaudit("show", "odd.pcap", 1, "--payload", cwd=tmp_path)
    assert run.returncode == 0
    assert "link type 147" in run.stdout
    assert "\x1b" not in run.stdout
    assert "none begins here" in run.stdout


def test_a_line_of_a_log(tmp_path):
    (tmp_path / "dns.log").write_text(
        "Nov  3 14:05:09 dnsmasq[1]: query[A] example.org from 10.0.0.7\n"
        "Nov  3 14:05:10 dnsmasq[1]: query[A] example.\x1bnet from 10.0.0.7\n"
    )
    run = netaudit("show", "dns.log", 1, "--tz", "Asia/Shanghai", cwd=tmp_path)
    assert run.returncode == 0
    assert "query[A] example.org from 10.0.0.7" in run.stdout
    assert "name=example.org" in run.stdout
    assert "\\u001b" in netaudit("show", "dns.log", 2, "--tz", "Asia/Shanghai", cwd=tmp_path).stdout


def test_a_row_of_a_database(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "pihole-FTL.db")) as database, database:
        database.execute("CREATE TABLE queries (id, timestamp, type, status, domain, client)")
        database.execute("INSERT INTO queries VALUES (1, 1700000000, 1, 2, 'example.org', '10.0.0.7')")
    run = netaudit("show", "pihole-FTL.db", 1, cwd=tmp_path)
    assert '"domain":"example.org"' in run.stdout
    assert "name=example.org" in run.stdout


@pytest.mark.parametrize(
    ("argument", "ordinal", "code"),
    [
        ("mirror.pcap", 4, "ordinal-outside"),
        ("dns.log", 9, "ordinal-outside"),
        ("missing.pcap", 1, "cannot-read"),
        ("pipe", 1, "not-a-file"),
        ("-", 1, "needs-file"),
        (".", 1, "needs-one-file"),
        ("picture.png", 1, "not-evidence"),
    ],
)
def test_what_cannot_be_shown(capture, tmp_path, argument, ordinal, code):
    (tmp_path / "dns.log").write_text("Nov  3 14:05:09 dnsmasq[1]: query[A] example.org from 10.0.0.7\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    os.mkfifo(tmp_path / "pipe")
    run = netaudit("show", argument, ordinal, cwd=tmp_path)
    assert run.returncode == 2
    assert f"[{code}]" in run.stderr
