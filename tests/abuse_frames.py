"""Captures of many protocols and layers, small, to be damaged."""

from __future__ import annotations

import struct

from containers import enhanced, interface, pcapng, record, resolution, section
from frames import CLIENT, SERVER, client_hello, dns_query, dns_response, ipv4, pcap, tcp, udp

REQUEST = b"GET /a HTTP/1.1\r\nHost: web.example\r\nUser-Agent: x\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64"
HEADERS = b"\0\0\x13\1\5\0\0\0\1\x82\x84\x86\x41\x0dwww.example.hk"
INNER = udp(dns_query("inner.example.org"))[14:]
ETHER = b"\2\0\0\0\0\x0b\2\0\0\0\0\x0a"
DHCP = (
    b"\1\1\6\0" + b"\x12\x34\x56\x78" + b"\0" * 20 + b"\2\0\0\0\0\7" + b"\0" * 10 + b"\0" * 192
    + b"\x63\x82\x53\x63" + b"\x35\1\1" + b"\x0c\6laptop" + b"\x32\4\x0a\0\0\7" + b"\xff"
)  # fmt: skip
RADIUS = (
    b"\4\1\0\x3a" + b"a" * 16 + b"\1\6user" + b"\x08\6\x0a\0\0\7" + b"\x28\6\0\0\0\1" + b"\x1f\x13" + b"02-00-00-00-00-07"
    + b"\4\3x"
)  # fmt: skip
ARP = ETHER + b"\x08\6" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) + b"\2\0\0\0\0\7\x0a\0\0\7" + b"\0" * 10
QUIC = b"\xc3\0\0\0\1\x08abcdefgh\0\0\x44\xd0" + b"\x5a" * 1232
GQUIC = (
    b"\x0d"
    + b"c" * 8
    + b"Q043"
    + b"\1"
    + b"h" * 12
    + b"\xa0\1\0\0CHLO\1\0\0\0SNI\0\x0b\0\0\0"
    + b"example.org"
)


def ends(protocol, payload):
    return ipv4("10.9.0.1", "10.9.0.2", protocol, payload)


def over(port, payload):
    return udp(payload, 9999, port, "10.9.0.1", "10.9.0.2")


def tunnels():
    frame = ETHER + b"\x08\0" + INNER
    yield ETHER + b"\x81\0\0\7\x08\0" + INNER
    yield ETHER + b"\x88\x64\x11\0\0\1" + struct.pack("!H", len(INNER) + 2) + b"\0\x21" + INNER
    yield ETHER + b"\x88\x47\0\1\1\x40" + INNER
    yield ends(4, INNER)
    yield ends(47, b"\0\0\x08\0" + INNER)
    yield ends(
        47, b"\x30\x01\x88\x0b" + struct.pack("!HHI", len(INNER) + 4, 1, 2) + b"\xff\3\0\x21" + INNER
    )
    yield ends(47, b"\x10\0\x88\xbe\0\0\0\1" + b"\x10\0\0\0\0\0\0\0" + frame)
    yield ends(97, b"\x30\0" + frame)
    yield over(4789, b"\x08\0\0\0\0\0\7\0" + frame)
    yield over(6081, b"\1\0\x65\x58\0\0\7\0\0\0\0\0" + frame)
    yield over(2152, b"\x34\xff" + struct.pack("!HI", len(INNER) + 8, 1) + b"\0\0\0\x85\1\0\0\0" + INNER)
    yield over(1701, b"\0\2\0\1\0\1\xff\3\0\x21" + INNER)
    yield over(5247, b"\0\x10\2\0\0\0\0\0" + frame)
    yield over(5072, b"\x44\x52\x11\4" + b"\0" * 40 + INNER)
    yield over(3544, b"\0\0" + b"\1" * 6 + b"\x60" + b"\0" * 39)


def talk():
    """Frames of Ethernet that every protocol takes something out of."""
    hello, query = client_hello("tls.example.org", 700), dns_query("name.example.org")
    answers = [(5, b"\3cdn\xc0\x0c"), (1, b"\x0a\1\2\3"), (28, b"\x20" * 16), (65, b"\0\1\0\0\1\0\3\2h2")]
    yield udp(query)
    yield udp(dns_response("name.example.org", answers), 53, 5000, SERVER, CLIENT)
    yield tcp(b"", 0, 0x02)
    yield tcp(hello[:300])
    yield tcp(hello[300:], 301)
    yield tcp(b"", 9, 0x12, 443, 5000, SERVER, CLIENT)
    yield tcp(client_hello("records.example.org", 300, 60), sport=5009)
    yield tcp(REQUEST, sport=5001, dport=80)
    yield tcp(REQUEST[:20], sport=5002, dport=80)
    yield tcp(REQUEST[20:] + REQUEST, 21, sport=5002, dport=80)
    yield tcp(PREFACE + SETTINGS + HEADERS, sport=5003, dport=80)
    yield tcp(HEADERS, 1 + len(PREFACE + SETTINGS + HEADERS), sport=5003, dport=80)
    yield tcp(b"", 0, 0x02, sport=5004, dport=1080)
    yield tcp(b"\5\1\0", 1, sport=5004, dport=1080)
    yield tcp(b"\5\1\0\3\x0bexample.org\1\xbb", 4, sport=5004, dport=1080)
    yield tcp(struct.pack("!H", len(query)) + query[:9], sport=5005, dport=53)
    yield tcp(query[9:] + struct.pack("!H", len(query)) + query, 12, sport=5005, dport=53)
    yield udp(DHCP, 68, 67)
    yield udp(b"\1abc\0\1\0\x0a\0\3\0\1\2\0\0\0\0\7\0\x27\0\5\0\3pc1", 546, 547)
    yield udp(RADIUS, 3000, 1813)
    yield udp(QUIC, 6000, 443)
    yield udp(GQUIC, 6001, 443)
    yield udp(
        b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x3a\1\0\0\x2e\0\0\0\0\0\0\0\x2e\xfe\xfd" + b"r" * 44, 6002, 443
    )
    yield ARP
    datagram = struct.pack("!HHHH", 6003, 53, 8 + len(query), 0) + query
    yield ipv4(CLIENT, SERVER, 17, datagram[:16], 0x2000)
    yield ipv4(CLIENT, SERVER, 17, datagram[16:], 2)
    yield (
        ETHER
        + b"\x86\xdd\x60\0\0\0\0\x20\x3a\xff"
        + b"\xfe\x80" * 16
        + b"\x87\0\0\0"
        + b"\0" * 4
        + b"\xfe\x80" * 8
        + b"\1\1\2\0\0\0\0\7"
    )
    yield from tunnels()


def wireless():
    beacon = b"\x80\0\0\0" + b"\xff" * 6 + b"\2\0\0\0\0\3" * 2 + b"\0\0" + b"t" * 8 + b"\x64\0\1\4"
    beacon += b"\0\5guest\1\4\2\4\x0b\x16\3\1\6\x30\x14\1\0\0\x0f\xac\4\1\0\0\x0f\xac\4\1\0\0\x0f\xac\2\0\0"
    data = b"\x08\1\0\0\2\0\0\0\0\3\2\0\0\0\0\7\2\0\0\0\0\4\0\0\xaa\xaa\3\0\0\0\x08\0" + INNER
    return [b"\0\0\x0c\0\x08\0\0\0\x85\x09\0\0" + frame for frame in (beacon, data)]


def everything():
    """One capture a container and link layer."""
    frames = list(talk())
    packets = [frame[14:] for frame in frames[:12]]
    swapped = struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
    return [
        pcap(*frames),
        swapped + b"".join(record(frame, order=">") for frame in frames),
        pcapng(*frames),
        section(">")
        + interface(">", options=resolution(9, ">"))
        + b"".join(enhanced(f, order=">") for f in frames),
        pcap(*wireless(), link=127),
        pcap(*(one[12:] for one in wireless()), link=105),
        pcap(*packets, link=101),
        pcap(*(b"\0\0\0\1\0\6\2\0\0\0\0\7\0\0\x08\0" + one for one in packets), link=113),
        pcap(*(b"\x08\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\7\0\0" + one for one in packets), link=276),
        pcap(*(b"\2\0\0\0" + one for one in packets), link=0),
        pcap(*(b"\xff\3\0\x21" + one for one in packets), link=9),
        pcap(*(b"\x0f\0\x08\0" + one for one in packets), link=104),
        pcap(*(b"\x18\x41\3\xcc" + one for one in packets), link=107),
        pcap(*(b"\2\0\0\0" + struct.pack("<HH", 4 + len(one), 9) + one for one in packets), link=239),
        pcap(*(b"\x3d\2" + b"\0" * 62 + one for one in packets), link=117),
        pcap(*(struct.pack("<III", 108, 1, 12) + b"\0" * 96 + one for one in packets), link=149),
        pcap(*(struct.pack("<BBHI", 0, 0, 8, 1) + one for one in frames[:12]), link=192),
    ]
