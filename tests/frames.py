"""Frames and captures made by hand, octet by octet."""

from __future__ import annotations

import struct

START = 1_700_000_000
CLIENT, SERVER = "10.0.0.7", "192.0.2.53"


def packed(address):
    return bytes(int(part) for part in address.split("."))


def ipv4(src, dst, protocol, payload, flags=0, ident=1):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, flags, 64, protocol, 0)
    return b"\x02\0\0\0\0\x53\x02\0\0\0\0\x07\x08\0" + head + packed(src) + packed(dst) + payload


def udp(payload, sport=5000, dport=53, src=CLIENT, dst=SERVER):
    return ipv4(src, dst, 17, struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)


def tcp(payload=b"", seq=1, flags=0x18, sport=5000, dport=443, src=CLIENT, dst=SERVER):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, 0, 0x50, flags, 0xFFFF, 0, 0)
    return ipv4(src, dst, 6, head + payload)


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def dns_query(name, ident=7):
    return struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0, 0) + wire_name(name) + b"\0\x01\0\x01"


def dns_response(name, records, ident=7):
    """`records` are pairs of type and data."""
    head = struct.pack("!HHHHHH", ident, 0x8180, 1, len(records), 0, 0) + wire_name(name) + b"\0\x01\0\x01"
    return head + b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", type_, 1, 60, len(data)) + data for type_, data in records
    )


def client_hello(name, padding=0, record=1 << 14):
    """A ClientHello in as many TLS records as it needs."""
    host = name.encode()
    sni = struct.pack("!HBH", len(host) + 3, 0, len(host)) + host
    extensions = struct.pack("!HH", 0, len(sni)) + sni + struct.pack("!HH", 21, padding) + b"\0" * padding
    body = b"\x03\x03" + b"r" * 32 + b"\0" + b"\0\x02\x13\x01" + b"\x01\0"
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    pieces = [message[at : at + record] for at in range(0, len(message), record)]
    return b"".join(b"\x16\x03\x01" + struct.pack("!H", len(piece)) + piece for piece in pieces)


def pcap(*frames, link=1):
    """One frame a second from `START`."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    return head + b"".join(
        struct.pack("<IIII", START + k, 0, len(frame), len(frame)) + frame for k, frame in enumerate(frames)
    )
