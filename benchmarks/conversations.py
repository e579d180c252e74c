"""Conversations for `generate`: what clients and servers say to each other, frame by frame."""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

CLIENT, SERVER = 0, 1
TCP, UDP = 6, 17
SEGMENT = 1_440


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, and where in it the things are that differ each time it is played; -1 for nowhere."""

    octets: bytes
    gap_us: int
    mac_at: int
    ip_at: int
    port_at: int
    number_at: int
    datagram: int
    """Which of the conversation it is, or is a part of."""


@dataclass(slots=True)
class Conversation:
    """Frames in order, and which of them say the name."""

    kind: str
    name: str
    is_v6: bool
    frames: list[Frame] = field(default_factory=list)
    first: int = 0
    last: int = 0
    """The first and the last frame of the message that holds the name."""


class Line:
    """Between one client and one server; sends datagrams and segments into a conversation."""

    def __init__(self, talk: Conversation, protocol: int, port: int, rng: np.random.Generator) -> None:
        self.talk, self.protocol, self.port, self.rng = talk, protocol, port, rng
        self.server = rng.bytes(3)
        self.sequence = [int(n) for n in rng.integers(0, 1 << 32, 2)]

    def send(self, side: int, payload: bytes, flags: int = 0x18, gap_us: int = 0) -> int:
        """One packet; gives the number of its frame."""
        ports = (self.port, 0) if side else (0, self.port)
        if self.protocol == 17:
            header = struct.pack(">HHHH", *ports, 8 + len(payload), 0)
        else:
            mine, theirs = self.sequence[side], self.sequence[1 - side]
            header = struct.pack(">HHIIBBHHH", *ports, mine, theirs, 0x50, flags, 65_000, 0, 0)
            step = len(payload) + bool(flags & 0x03)
            self.sequence[side] = (mine + step) & 0xFFFFFFFF
        gap = gap_us or int(self.rng.exponential(20_000 if side else 2_000)) + 1
        self.talk.frames.append(self._frame(side, header + payload, gap))
        return len(self.talk.frames) - 1

    def open(self) -> None:
        """The three-way handshake."""
        self.send(CLIENT, b"", 0x02)
        self.send(SERVER, b"", 0x12)
        self.send(CLIENT, b"", 0x10)

    def close(self) -> None:
        """FIN both ways."""
        self.send(CLIENT, b"", 0x11)
        self.send(SERVER, b"", 0x11)
        self.send(CLIENT, b"", 0x10)

    def _frame(self, side: int, body: bytes, gap: int) -> Frame:
        if self.talk.is_v6:
            here, there = (
                bytes.fromhex("20010db8000100000000000000000000"),
                b"\x20\x01\x0d\xb8" + bytes(9) + self.server,
            )
            ends = (there + here) if side else (here + there)
            header = struct.pack(">IHBB", 0x60000000, len(body), self.protocol, 64) + ends
            ip_at = 14 + (36 if side else 20)
        else:
            ends = (b"\xc6" + self.server + bytes(4)) if side else (bytes(4) + b"\xc6" + self.server)
            header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, self.protocol, 0) + ends
            ip_at = 14 + (16 if side else 12)
        client, gateway = b"\x02\x00\x00\x00\x00\x00", b"\x02\xff\x00\x00\x00\x01"
        macs = (client + gateway) if side else (gateway + client)
        octets = macs + (b"\x86\xdd" if self.talk.is_v6 else b"\x08\x00") + header + body
        port_at = 14 + len(header) + (2 if side else 0)
        return Frame(
            octets,
            gap,
            2 if side else 8,
            ip_at,
            port_at,
            -1 if self.talk.is_v6 else 18,
            len(self.talk.frames),
        )


def dns(talk: Conversation, rng: np.random.Generator, *, over_tcp: bool) -> None:
    """A question and its answer."""
    ident, kind = rng.bytes(2), int(rng.choice([1, 28, 65], p=[0.6, 0.3, 0.1]))
    asked = b"".join(bytes([len(label)]) + label.encode() for label in talk.name.split("."))
    question = asked + struct.pack(">BHH", 0, kind, 1)
    query = ident + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + question
    data = {1: rng.bytes(4), 28: rng.bytes(16), 65: b"\0\x01\0"}[kind]
    records = [struct.pack(">HHHIH", 0xC00C, kind, 1, 300, len(data)) + data] * int(rng.integers(1, 4))
    answer = ident + struct.pack(">HHHHH", 0x8180, 1, len(records), 0, 0) + question + b"".join(records)
    line = Line(talk, 6 if over_tcp else 17, 53, rng)
    if over_tcp:
        query, answer = (struct.pack(">H", len(message)) + message for message in (query, answer))
        line.open()
    talk.first = talk.last = line.send(CLIENT, query)
    line.send(SERVER, answer)
    if over_tcp:
        line.close()


def tls(talk: Conversation, rng: np.random.Generator) -> None:
    """A hello in one segment or two (one in fifty of those the wrong way round), then data."""
    line = Line(talk, 6, 443, rng)
    line.open()
    hello = client_hello(talk.name, rng, big=rng.random() < 0.6)
    record = b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello
    parts = [record[at : at + SEGMENT] for at in range(0, len(record), SEGMENT)]
    numbers = [line.send(CLIENT, part) for part in parts]
    talk.first, talk.last = numbers[0], numbers[-1]
    if len(parts) == 2 and rng.random() < 0.02:
        frames = talk.frames
        frames[talk.first], frames[talk.last] = frames[talk.last], frames[talk.first]
    line.send(SERVER, b"\x16\x03\x03" + struct.pack(">H", 1_200) + b"\x02" + rng.bytes(1_199))
    bulk(line, rng, 55)
    line.close()


def http(talk: Conversation, rng: np.random.Generator) -> None:
    """A request and its response."""
    line = Line(talk, 6, 80, rng)
    line.open()
    head = f"GET /{rng.integers(10**9)} HTTP/1.1\r\nUser-Agent: x/1\r\nAccept: */*\r\nHost: {talk.name}\r\n\r\n"
    talk.first = talk.last = line.send(CLIENT, head.encode())
    line.send(SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    bulk(line, rng, 12)
    line.close()


def quic(talk: Conversation, rng: np.random.Generator) -> None:
    """A hello in one Initial or two, then data."""
    line = Line(talk, 17, 443, rng)
    hello = client_hello(talk.name, rng, big=rng.random() < 0.5)
    numbers = [line.send(CLIENT, datagram) for datagram in initials(hello, rng)]
    talk.first, talk.last = numbers[0], numbers[-1]
    bulk(line, rng, 45)


def bulk(line: Line, rng: np.random.Generator, average: float) -> None:
    """Sealed data, most of it from the server."""
    for _ in range(min(600, int(rng.lognormal(np.log(average) - 0.5, 1.0)))):
        side = SERVER if rng.random() < 0.55 else CLIENT
        size = SEGMENT if side and rng.random() < 0.8 else int(rng.integers(40, 900))
        if line.protocol == 17:
            line.send(side, b"\x41" + rng.bytes(min(size, 1_200)))
        elif side or rng.random() < 0.3:
            line.send(side, b"\x17\x03\x03" + struct.pack(">H", size - 5) + rng.bytes(size - 5))
        else:
            line.send(side, b"", 0x10)


def client_hello(name: str, rng: np.random.Generator, *, big: bool) -> bytes:
    """RFC 8446 section 4.1.2; a big one has a post-quantum key share, as today's browsers' have."""
    share = (b"\x11\xec" + vector(rng.bytes(1_216)) if big else b"") + b"\0\x1d" + vector(rng.bytes(32))
    extensions = [
        (0, vector(b"\0" + vector(name.encode()))),
        (10, vector(b"\x11\xec\0\x1d")),
        (13, vector(b"\x04\x03\x08\x04")),
        (16, vector(b"\x02h2")),
        (35, rng.bytes(400 if big else 0)),
        (43, b"\x02\x03\x04"),
        (51, vector(share)),
    ]
    packed = b"".join(
        struct.pack(">H", extensions[n][0]) + vector(extensions[n][1])
        for n in rng.permutation(len(extensions))
    )
    body = b"\x03\x03" + rng.bytes(32) + b"\0" + vector(b"\x13\x01\x13\x02") + b"\x01\0" + vector(packed)
    return b"\x01" + len(body).to_bytes(3, "big") + body


def vector(body: bytes) -> bytes:
    return struct.pack(">H", len(body)) + body


def initials(hello: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """The hello in protected Initial packets (RFC 9001 section 5)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    connection = rng.bytes(8)
    secret = _client_secret(connection)
    key, nonce, mask_key = (
        _expand(secret, label, size) for label, size in (("quic key", 16), ("quic iv", 12), ("quic hp", 16))
    )
    for number, at in enumerate(range(0, len(hello), 1_000)):
        part = hello[at : at + 1_000]
        frames = b"\x06" + struct.pack(">HH", 0x4000 | at, 0x4000 | len(part)) + part
        plain = frames.ljust(1_160, b"\0")
        head = (
            b"\xc0\0\0\0\x01\x08" + connection + b"\0\0" + struct.pack(">H", 0x4000 | (1 + len(plain) + 16))
        )
        head += bytes([number])
        sealed = AESGCM(key).encrypt(nonce[:-1] + bytes([nonce[-1] ^ number]), plain, head)
        cipher = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor()
        mask = cipher.update(sealed[3:19])
        yield bytes([head[0] ^ (mask[0] & 0x0F)]) + head[1:-1] + bytes([number ^ mask[1]]) + sealed


def _client_secret(connection: bytes) -> bytes:

    salt = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001 section 5.2
    return _expand(hmac.digest(salt, connection, hashlib.sha256), "client in", 32)


def _expand(secret: bytes, label: str, size: int) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    whole = b"tls13 " + label.encode()
    info = struct.pack(">HB", size, len(whole)) + whole + b"\0"  # RFC 8446 section 7.1
    return HKDFExpand(hashes.SHA256(), size, info).derive(secret)
