"""QUIC's long headers, the frames of Initials, and the hellos of Google's QUIC before it.

RFC 9000 sections 16, 17 and 19, RFC 9369 (version 2), and the versions that were spoken before:
drafts from 22 on, mvfst's, and Google's Q024 to T051. Decryption is not done here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Bytes, Ints, Octets, le16, le32, u8, u16, u32
from netaudit.kernels.packet import Rows

V1, V2, V2_DRAFT = 0x00000001, 0x6B3343CF, 0x709A50C4
FIRST_DRAFT, LAST_DRAFT = 0xFF000016, 0xFF000022
FIRST_MVFST, LAST_MVFST = 0xFACEB000, 0xFACEB01F
Q050, T050, T051 = 0x51303530, 0x54303530, 0x54303531

MAX_STREAM = 0x8000
"""Octets of a CRYPTO stream that are put together; what lies behind is refused."""

MAX_COALESCED = 8
"""Packets of one datagram that are looked at; a client has three kinds to send."""

MAX_PLAIN_HEAD = 64
"""Octets between Google's unencrypted header and its CHLO: hash, flags and the head of one frame."""

_CHLO, _SNI = 0x43484C4F, 0x534E4900
_MIN_DATAGRAM = 1200
_MIN_LENGTH = 20  # number and sample, RFC 9001 section 5.4.2

UNKNOWN, IETF, GOOGLE = 0, 1, 2
"""How a version writes its long header: not known, as RFC 9000, as Q044 to Q048."""

PACKET = np.dtype([
    ("message", "i8"), ("at", "i8"), ("dcid_at", "i8"), ("number_at", "i8"), ("end", "i8"),
    ("name_at", "i8"), ("name_length", "i8"), ("version", "i8"),
    ("dcid_length", "u1"), ("plain", "u1"), ("token", "u1"), ("initial", "u1"),
], align=True)  # fmt: skip
"""One row an Initial, or (`plain`) a CHLO that is not encrypted, whose `name` lies there. `message` is its row;
`number_at` is where the protected packet number begins, `end` where the packet ends by its own length."""


@kernel
def is_quic(data: Octets, at: int, length: int, scratch: Rows) -> bool:
    """Whether a datagram holds a client's Initial or CHLO of a version that is known.

    A version that is not known, but reserved to force negotiation (RFC 9000 section 15), needs the
    full size of a client's first datagram.

    Args:
        data: The octets.
        at: Where the datagram begins.
        length: Its octets.
        scratch: One `PACKET` row to work in.
    """
    first = u8(data, at)
    if length < 21 or (first & 0x80 == 0 and (first & 0x09 != 0x09 or u16(data, at + 9) != 0x5130)):
        return False
    packet = scratch[0]
    end = at + length
    for _ in range(MAX_COALESCED):
        after = _read_packet(data, at, end, packet)
        if packet.initial or packet.plain:
            return packet.end <= end or not _is_reserved(packet.version)
        if after < 0:
            return False
        at = after
    return False


@kernel
def find_packets(data: Octets, at: Ints, length: Ints, out: Rows) -> int:
    """All Initials and plain CHLOs of some datagrams.

    Args:
        data: The octets.
        at: Where each datagram begins.
        length: Octets that are there.
        out: `PACKET`; `MAX_COALESCED` a datagram suffice.

    Returns:
        How many there are.
    """
    count = 0
    for row in range(len(at)):
        here, end = at[row], at[row] + length[row]
        for _ in range(MAX_COALESCED):
            if here < 0 or count == len(out):
                break
            packet = out[count]
            packet.initial = packet.plain = 0
            here = _read_packet(data, here, end, packet)
            if packet.initial or packet.plain:
                packet.message = row
                count += 1
    return count


@part
def _read_packet(data: Octets, at: int, end: int, packet: Any) -> int:
    """One packet; where the next of the datagram begins, -1 where none does.

    `initial` or `plain` is set where it is one that is wanted and its head is sound.
    """
    packet.at = at
    first = u8(data, at)
    if first & 0x80 == 0:
        return _read_public_header(data, at, end, packet)
    packet.version = u32(data, at + 1)
    layout = _layout(packet.version)
    if layout == GOOGLE:
        return _read_google_long(data, at, end, packet)
    if layout == UNKNOWN or (_is_reserved(packet.version) and end - at < _MIN_DATAGRAM):
        return -1
    return _read_long(data, at, end, packet)


@part
def _layout(version: int) -> int:
    if version == V1 or version == V2 or version == V2_DRAFT or _is_reserved(version):
        return IETF
    if FIRST_DRAFT <= version <= LAST_DRAFT or FIRST_MVFST <= version <= LAST_MVFST:
        return IETF
    if version == Q050 or version == T050 or version == T051:
        return IETF
    return GOOGLE if 0x51303434 <= version <= 0x51303438 else UNKNOWN


@part
def _is_reserved(version: int) -> bool:
    return version & 0x0F0F0F0F == 0x0A0A0A0A


@part
def _read_long(data: Octets, at: int, end: int, packet: Any) -> int:
    """A long header (RFC 9000 section 17.2): connection ids, token, length."""
    first = u8(data, at)
    packet.dcid_at, packet.dcid_length = at + 6, u8(data, at + 5)
    here = at + 6 + packet.dcid_length
    scid_length = u8(data, here)
    here += 1 + scid_length
    if packet.dcid_length > 20 or scid_length > 20 or here >= end:
        return -1
    kind = first >> 4 & 3
    if packet.version == V2 or packet.version == V2_DRAFT:
        kind = kind - 1 & 3  # RFC 9369 section 3.2
    if kind == 3:
        return -1  # a Retry has no length
    token = 0
    if kind == 0:
        token, here = _varint(data, here)
        if token > end - here:
            return -1
        here += token
    length, here = _varint(data, here)
    packet.number_at, packet.end = here, here + length
    # with a token, the fixed bit may be greased (RFC 9287 section 3.1)
    is_sound = (first & 0x40 != 0 or token > 0) and length >= _MIN_LENGTH and here + _MIN_LENGTH <= end
    packet.initial = kind == 0 and is_sound
    return packet.end if is_sound and packet.end < end else -1


@part
def _varint(data: Octets, at: int) -> tuple[int, int]:
    """A variable-length integer (RFC 9000 section 16), and where it ends."""
    first = u8(data, at)
    size = first >> 6
    if size == 0:
        return first, at + 1
    if size == 1:
        return u16(data, at) & 0x3FFF, at + 2
    if size == 2:
        return u32(data, at) & 0x3FFFFFFF, at + 4
    return (u32(data, at) & 0x3FFFFFFF) << 32 | u32(data, at + 4), at + 8


@part
def _read_public_header(data: Octets, at: int, end: int, packet: Any) -> int:
    """The header of Q024 to Q043: flags, connection id, version, number (draft-tsvwg-quic-protocol-02)."""
    flags, version = u8(data, at), u32(data, at + 9)
    digits = version - 0x51303030
    # with a version and an id of eight octets, and no reset
    if flags & 0x8B != 0x09 or not 0 <= digits <= 0x0909 or digits & 0xFF > 9:
        return -1
    size = 1 << (flags >> 4 & 3)
    packet.version, packet.dcid_at, packet.dcid_length = version, at + 1, 8
    _read_plain(data, at + 13 + (6 if size == 8 else size), end, packet)
    return -1


@part
def _read_google_long(data: Octets, at: int, end: int, packet: Any) -> int:
    """The long header of Q044 to Q048: both lengths of connection ids in one octet, four of number."""
    lengths = u8(data, at + 5)
    dcid, scid = lengths >> 4, lengths & 0xF
    packet.dcid_at, packet.dcid_length = at + 6, (dcid + 3 if dcid else 0)
    _read_plain(data, at + 10 + packet.dcid_length + (scid + 3 if scid else 0), end, packet)
    return -1


@part
def _read_plain(data: Octets, at: int, end: int, packet: Any) -> None:
    """The CHLO of a packet that is not encrypted, and its server name."""
    for place in range(at, min(at + MAX_PLAIN_HEAD, end - 8)):
        if u32(data, place) == _CHLO:
            size = end - place
            sound, packet.name_at, packet.name_length = _tag(data, place, size, _SNI)
            packet.plain, packet.end = sound, end
            return


@kernel
def server_name(data: Octets, at: int, length: int) -> tuple[bool, int, int]:
    """Whether a CHLO stands there, and where its server name is and how long."""
    if u32(data, at) != _CHLO:
        return False, 0, 0
    return _tag(data, at, length, _SNI)


@part
def _tag(data: Octets, at: int, length: int, wanted: int) -> tuple[bool, int, int]:
    """Whether a CHLO is sound, and the value of one of its tags.

    After the message's own tag stand the number of tags and two zero octets, then each tag with
    the end of its value, in ascending order.
    """
    tags, begin = le16(data, at + 4), 0
    values = at + 8 + 8 * tags
    if not 0 < tags <= 128 or le16(data, at + 6) != 0 or values > at + length:
        return False, 0, 0
    found_at = found_length = 0
    for place in range(at + 8, values, 8):
        end = le32(data, place + 4)
        if end < begin:
            return False, 0, 0
        if u32(data, place) == wanted and values + end <= at + length:
            found_at, found_length = values + begin, end - begin
        begin = end
    return True, found_at, found_length


@kernel
def put_together(
    data: Octets,
    at: Ints,
    length: Ints,
    stream: Ints,
    scratch: Bytes,
    out: Bytes,
    begins: Ints,
    sizes: Ints,
) -> None:
    """Put the CRYPTO frames of each stream in order, as far as they go without a gap from its beginning.

    Args:
        data: Contents of packets, decrypted.
        at: Where each begins.
        length: How long each is.
        stream: Which stream each belongs to, ascending from 0.
        scratch: Room for one stream, twice `MAX_STREAM` zeros.
        out: Where the streams go; as many octets as the contents have suffice.
        begins: Where in it each begins.
        sizes: How long each is; zeros.
    """
    free = row = 0
    for number in range(len(begins)):
        high = 0
        while row < len(stream) and stream[row] == number:
            high = max(high, _keep_frames(data, at[row], at[row] + length[row], scratch))
            row += 1
        begins[number] = free
        place = 0
        while place < high and scratch[MAX_STREAM + place] and free < len(out):
            out[free] = scratch[place]
            place += 1
            free += 1
        sizes[number] = place
        for place in range(high):
            scratch[MAX_STREAM + place] = 0


@part
def _keep_frames(data: Octets, at: int, end: int, scratch: Bytes) -> int:
    """Lay down the CRYPTO frames of one packet (RFC 9000 section 19); the highest octet that one reaches.

    The second half of `scratch` says which octets are there; of those that are sent twice the first
    count. What no Initial may hold ends the reading.
    """
    high = 0
    while at < end:
        kind = u8(data, at)
        at += 1
        if kind == 6 or kind == 8:
            offset, at = _varint(data, at)
            size, at = _varint(data, at)
            if size > end - at:
                return high
            if offset <= MAX_STREAM - size:
                for place in range(size):
                    if not scratch[MAX_STREAM + offset + place]:
                        scratch[offset + place] = u8(data, at + place)
                        scratch[MAX_STREAM + offset + place] = 1
                high = max(high, offset + size)
            at += size
        elif kind == 2 or kind == 3:
            at = _skip_ack(data, at, end, kind)
        elif kind > 1:
            return high  # CONNECTION_CLOSE, or nothing that belongs here
    return high


@part
def _skip_ack(data: Octets, at: int, end: int, kind: int) -> int:
    """Behind an ACK frame (RFC 9000 section 19.3)."""
    _, at = _varint(data, at)
    _, at = _varint(data, at)
    ranges, at = _varint(data, at)
    left = 1 + 2 * ranges + (3 if kind == 3 else 0)
    while left > 0 and at < end:
        _, at = _varint(data, at)
        left -= 1
    return at
