"""What the kernels decline, one at a time: IP fragments, and record data of the rarer types."""

from __future__ import annotations

import struct
from collections import OrderedDict
from functools import lru_cache

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from netaudit.intake.tally import Tally

MAX_DATAGRAMS = 1024
MAX_FRAGMENT_BYTES = 16 << 20
MAX_DATAGRAM = 65_535
MAX_PARTS = 1024
"""Of one datagram; a network of 576-octet packets makes 118 at most."""
LOST = "an IP fragment without the rest of its datagram"


_WITH_NAMES = frozenset({
    2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 17, 18, 21, 24, 26, 30, 33, 35, 36, 39, 46, 47,
})  # fmt: skip
"""Types whose data hold names that some sender compresses (RFC 3597 section 4)."""


def rdata_text(message: bytes, rdclass: int, rdtype: int, at: int, length: int) -> str:
    """Record data in presentation form; what does not parse in the generic form of RFC 3597.

    Args:
        message: The DNS message up to the data's end: names in it may point backwards.
        rdclass: Class of the record.
        rdtype: Type of the record.
        at: Where the data begins.
        length: Its octets.
    """
    if rdtype in _WITH_NAMES:
        return _spell(message, rdclass, rdtype, at, length)
    data = message[at : at + length]
    spell = _spell_once if length <= _REMEMBERED else _spell
    return spell(data, rdclass, rdtype, 0, length)


def _spell(message: bytes, rdclass: int, rdtype: int, at: int, length: int) -> str:
    try:
        class_, type_ = dns.rdataclass.RdataClass.make(rdclass), dns.rdatatype.RdataType.make(rdtype)
        return dns.rdata.from_wire(class_, type_, message, at, length).to_text()
    except (dns.exception.DNSException, ValueError, struct.error, IndexError):
        return dns.rdata.GenericRdata(rdclass, rdtype, message[at : at + length]).to_text()  # type: ignore[arg-type]


_REMEMBERED = 1024
_spell_once = lru_cache(maxsize=8192)(_spell)


def first_part(packet: bytes) -> bytes | None:
    """A first IPv4 fragment as a packet of its own, shorter than it says; None where it is no first."""
    is_first = packet[0] >> 4 == 4 and not int.from_bytes(packet[6:8], "big") & 0x1FFF
    return packet[:6] + b"\0\0" + packet[8:] if is_first else None


class _Datagram:
    """The fragments of one datagram; where they overlap, what came first stays."""

    __slots__ = ("header", "ordinals", "parts", "size", "total")

    def __init__(self) -> None:
        self.parts: dict[int, bytes] = {}
        self.size = 0
        self.total = -1
        self.header = b""
        self.ordinals: list[int] = []

    def whole(self) -> bytes | None:
        """The payload once there is no hole in it."""
        if self.total < 0 or self.size < self.total:
            return None
        out = bytearray()
        for offset in sorted(self.parts):
            if offset > len(out):
                return None
            out += self.parts[offset][len(out) - offset :]
        return bytes(out[: self.total]) if len(out) >= self.total else None


class Reassembler:
    """IP fragments to datagrams (RFC 791 section 3.2, RFC 8200 section 4.5), bounded."""

    def __init__(self, tally: Tally) -> None:
        """Losses are counted in `tally`."""
        self._tally = tally
        self._open: OrderedDict[tuple[bytes, ...], _Datagram] = OrderedDict()
        self._bytes = 0

    def add(self, packet: bytes, fragment_at: int, ordinal: int) -> bytes | None:
        """Take a fragment; the whole datagram, as one unfragmented IP packet, where it is the last.

        Args:
            packet: From the IP header on, without link-layer padding.
            fragment_at: Of IPv6, where the fragment header begins.
            ordinal: The packet's number.
        """
        if packet[0] >> 4 == 4:
            return self._add_v4(packet, ordinal)
        return self._add_v6(packet, fragment_at, ordinal)

    def close(self) -> None:
        """Count what never became whole."""
        while self._open:
            self._drop_oldest()

    def _add_v4(self, packet: bytes, ordinal: int) -> bytes | None:
        size = (packet[0] & 0x0F) * 4
        (flags,) = struct.unpack_from("!H", packet, 6)
        key = (packet[12:20], packet[4:6], packet[9:10])
        header = packet[:size]
        data = self._put(
            key, header, (flags & 0x1FFF) * 8, packet[size:], more=flags & 0x2000, ordinal=ordinal
        )
        if data is None:
            return None
        whole, header = data
        length = min(len(header) + len(whole), MAX_DATAGRAM)
        return header[:2] + struct.pack("!H", length) + header[4:6] + b"\0\0" + header[8:] + whole

    def _add_v6(self, packet: bytes, at: int, ordinal: int) -> bytes | None:
        next_header, _, offset = struct.unpack_from("!BBH", packet, at)
        key = (packet[8:40], packet[at + 4 : at + 8])
        header = packet[:6] + bytes([next_header]) + packet[7:40]
        data = self._put(key, header, offset & 0xFFF8, packet[at + 8 :], more=offset & 1, ordinal=ordinal)
        if data is None:
            return None
        whole, header = data
        return header[:4] + struct.pack("!H", min(len(whole), MAX_DATAGRAM)) + header[6:] + whole

    def _put(
        self, key: tuple[bytes, ...], header: bytes, offset: int, data: bytes, *, more: int, ordinal: int
    ) -> tuple[bytes, bytes] | None:
        datagram = self._open.setdefault(key, _Datagram())
        if offset + len(data) > MAX_DATAGRAM or len(datagram.parts) >= MAX_PARTS:
            self._tally.skip("an IP fragment that no datagram can have", [ordinal], size=len(data))
            return None
        if offset in datagram.parts and len(datagram.parts[offset]) >= len(data):
            return None  # sent twice
        self._bytes += len(data) - len(datagram.parts.get(offset, b""))
        datagram.size += len(data) - len(datagram.parts.get(offset, b""))
        datagram.parts[offset] = data
        datagram.ordinals.append(ordinal)
        if not more:
            datagram.total = offset + len(data)
        if offset == 0:
            datagram.header = header
        whole = datagram.whole()
        if whole is None:
            if len(self._open) > MAX_DATAGRAMS or self._bytes > MAX_FRAGMENT_BYTES:
                self._drop_oldest()
            return None
        if datagram.size > len(whole):
            self._tally.notes.add("IP fragments overlap")
        del self._open[key]
        self._bytes -= datagram.size
        return whole, datagram.header

    def _drop_oldest(self) -> None:
        _, datagram = self._open.popitem(last=False)
        self._bytes -= datagram.size
        if not datagram.ordinals:
            return
        self._tally.skip(LOST, datagram.ordinals[:5], count=len(datagram.ordinals), size=datagram.size)
