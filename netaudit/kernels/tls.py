"""ClientHellos of TLS and DTLS: where their parts lie, and what their fingerprint is made of.

RFC 8446 section 4.1.2, RFC 6066 section 3, RFC 7301; the fingerprint is JA4 (FoxIO).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Bytes, Ints, Octets, u8, u16, u24
from netaudit.kernels.packet import Rows, Status

SERVER_NAME, SIGNATURES, ALPN, VERSIONS = 0, 13, 16, 43
ECH, FIRST_DRAFT_ECH, LAST_DRAFT_ECH, ESNI = 0xFE0D, 0xFE08, 0xFE0C, 0xFFCE

HAS_ECH, HAS_ESNI = 1, 2
"""Bits of `hidden`."""

TCP, DTLS, QUIC = b"tdq"
"""What carries a hello, as JA4 has it."""

MAX_VALUES = 1024
"""Cipher suites, extensions or signature algorithms of one hello; one with more has no fingerprint."""

MAX_EXTENSIONS = 16384
"""What 65,535 octets hold at the most."""

KEY_HEAD = 8
"""Octets of a key before its values."""

HELLO = np.dtype([
    ("sni_at", "i8"), ("sni_length", "i8"),
    ("alpn_at", "i8"), ("alpn_length", "i8"),
    ("ext_at", "i8"), ("ext_end", "i8"),
    ("ciphers_at", "i8"), ("key_at", "i8"), ("key_length", "i8"),
    ("names", "i4"),
    ("version", "u2"),
    ("status", "u1"), ("hidden", "u1"), ("named", "u1"),
], align=True)  # fmt: skip
"""One row a hello. `sni` is the first host name, `names` how many there are, `named` whether the
extension is there at all; `alpn` is the list of length-prefixed
protocol names; `version` the highest that is offered; `hidden` bits of `HAS_ECH`, `HAS_ESNI`; `key` is the octets
that a fingerprint is made of, in the array of keys (length 0: none). What is absent has length 0."""


@kernel
def is_hello(data: Octets, at: int, length: int) -> bool:
    """Whether a TLS record that begins a ClientHello stands there (RFC 8446 section 5.1)."""
    if length < 6 or u8(data, at) != 0x16 or u8(data, at + 5) != 1:
        return False
    version = u16(data, at + 1)
    return 0x0300 <= version <= 0x0304 and u16(data, at + 3) > 0


@kernel
def is_dtls_hello(data: Octets, at: int, length: int) -> bool:
    """Whether a DTLS record with a ClientHello or a part of one stands there (RFC 6347 section 4)."""
    if length < 25 or u8(data, at) != 0x16 or u8(data, at + 13) != 1:
        return False
    version = u16(data, at + 1)
    if version != 0xFEFF and version != 0xFEFD and version != 0x0100:
        return False
    whole, offset, part = u24(data, at + 14), u24(data, at + 19), u24(data, at + 22)
    is_first_epoch = u16(data, at + 3) == 0
    return is_first_epoch and offset + part <= whole and part + 12 <= u16(data, at + 11)


@kernel
def read_hellos(data: Octets, at: Ints, length: Ints, prefix: int, out: Rows) -> None:
    """Read hellos from their handshake type octet on, record headers already taken out.

    Args:
        data: The octets.
        at: Where each handshake message begins.
        length: Octets that are there.
        prefix: What carries them: `TCP`, `DTLS` (a cookie is there) or `QUIC`.
        out: `HELLO`, zeros.
    """
    for row in range(len(at)):
        end = at[row] + length[row]
        if prefix == TCP and _is_ssl2(data, at[row], end):
            out[row].version = u16(data, at[row] + 1)
        else:
            out[row].status = _read_hello(data, at[row], end, prefix, out[row])


@part
def _is_ssl2(data: Octets, at: int, end: int) -> bool:
    """Whether an SSL 2 ClientHello stands there: all of its lengths agree, unlike TLS's."""
    version = u16(data, at + 1)
    if end - at < 9 or u8(data, at) != 1 or (version != 2 and not 0x0300 <= version <= 0x0303):
        return False
    ciphers, session, challenge = u16(data, at + 3), u16(data, at + 5), u16(data, at + 7)
    is_sized = (session == 0 or session == 16) and 16 <= challenge <= 32
    return ciphers > 0 and ciphers % 3 == 0 and is_sized and at + 9 + ciphers + session + challenge == end


@part
def _read_hello(data: Octets, at: int, end: int, prefix: int, hello: Any) -> int:
    """One hello; its status. What stood before a cut or a contradiction is kept."""
    body = at + 4
    stated = body + u24(data, at + 1)
    wrong = Status.TRUNCATED if stated > end else Status.MALFORMED
    end = min(end, stated)
    if u8(data, at) != 1 or end < body + 35:
        return wrong if u8(data, at) == 1 else Status.MALFORMED
    hello.version = u16(data, body)
    here = _skip(data, body + 34, end, 1)  # session id
    if prefix == DTLS:
        here = _skip(data, here, end, 1)  # cookie
    hello.ciphers_at = here
    here = _skip(data, here, end, 2)
    after = _skip(data, here, end, 1)  # compression methods
    if after < 0:
        return wrong
    bare = after + 2 > end  # a hello without extensions
    stop = after if bare else after + 2 + u16(data, after)
    hello.ext_at, hello.ext_end = (after if bare else after + 2), min(stop, end)
    status = _read_extensions(data, hello, wrong)
    is_whole = wrong == Status.MALFORMED and stop <= end and not (bare and after < end)
    return status if is_whole else wrong


@part
def _skip(data: Octets, at: int, end: int, width: int) -> int:
    """Behind a vector with a length of `width` octets; -1 where it is not whole, or `at` is -1."""
    if at < 0 or at + width > end:
        return -1
    after = at + width + (u8(data, at) if width == 1 else u16(data, at))
    return after if after <= end else -1


@part
def _read_extensions(data: Octets, hello: Any, wrong: int) -> int:
    """The extensions that are read here, in any order; whether all are whole."""
    at = hello.ext_at
    for _ in range(MAX_EXTENSIONS):
        if at >= hello.ext_end:
            return Status.OK
        if at + 4 > hello.ext_end:
            return wrong
        type_, size = u16(data, at), u16(data, at + 2)
        first, end = at + 4, min(at + 4 + size, hello.ext_end)
        if type_ == SERVER_NAME:
            _server_names(data, first, end, hello)
        elif type_ == ALPN and end - first > 2:
            hello.alpn_at, hello.alpn_length = first + 2, end - first - 2
        elif type_ == VERSIONS:
            _versions(data, first, end, hello)
        elif type_ == ECH or FIRST_DRAFT_ECH <= type_ <= LAST_DRAFT_ECH:
            hello.hidden |= HAS_ECH
        elif type_ == ESNI:
            hello.hidden |= HAS_ESNI
        at = first + size
        if at > hello.ext_end:
            return wrong
    return Status.OK


@part
def _server_names(data: Octets, at: int, end: int, hello: Any) -> None:
    """Host names (type 0) of a list (RFC 6066 section 3): the first is kept, all are counted."""
    hello.named = 1
    at += 2
    while at + 3 <= end:
        length = u16(data, at + 1)
        if at + 3 + length > end:
            return
        if u8(data, at) == 0 and length > 0:
            if hello.names == 0:
                hello.sni_at, hello.sni_length = at + 3, length
            hello.names += 1
        at += 3 + length


@part
def _versions(data: Octets, at: int, end: int, hello: Any) -> None:
    """The highest of the supported_versions takes the place of the hello's own (RFC 8446 section 4.2.1)."""
    best = 0
    for place in range(at + 1, min(end, at + 1 + u8(data, at)) - 1, 2):
        version = u16(data, place)
        if _rank(version) > _rank(best):
            best = version
    if best:
        hello.version = best


@part
def _rank(version: int) -> int:
    """Versions in their order; DTLS counts downwards, and what is no version has none."""
    if version >> 8 == 0x7F:
        return 0x0304  # a draft of TLS 1.3
    if 0x0300 <= version <= 0x0304:
        return version
    if 0xFEFC <= version <= 0xFEFF:
        return 0x10000 + 0xFEFF - version
    return 0


@part
def _is_grease(value: int) -> bool:
    """RFC 8701."""
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


@kernel
def fingerprints(data: Octets, prefix: int, hellos: Rows, keys: Bytes, scratch: Ints) -> None:
    """Write the keys of whole hellos: all that a fingerprint is made of, and nothing else.

    A key is protocol, version, whether a server name is there, the numbers of cipher suites and of
    extensions, two octets of ALPN, and three lists, each ended by grease: cipher suites, extensions
    without server name and ALPN, signature algorithms. The first two are sorted, so that hellos
    of one program have one key although it shuffles them.

    Args:
        data: The octets.
        prefix: What carries the hellos.
        hellos: `HELLO`; of a part there is no fingerprint, it would be another program's.
        keys: Where the keys go; as many octets as the messages have suffice.
        scratch: Room for `MAX_VALUES` numbers.
    """
    free = 0
    for row in range(len(hellos)):
        hello = hellos[row]
        hello.key_at = free
        if hello.status != Status.OK or hello.ciphers_at == 0:
            continue
        ciphers = _values(data, hello.ciphers_at, scratch)
        _sort(scratch, ciphers)
        here = _write(keys, free + KEY_HEAD, scratch, ciphers)
        extensions, others, signatures = _extension_types(data, hello, scratch)
        _sort(scratch, others)
        here = _write(keys, here, scratch, others)
        if signatures:
            here = _write(keys, here, scratch, _values(data, signatures + 4, scratch))
        if here < 0:
            continue
        keys[free], keys[free + 1], keys[free + 2] = prefix, hello.version >> 8, hello.version & 0xFF
        keys[free + 3], keys[free + 4], keys[free + 5] = hello.named, min(ciphers, 99), min(extensions, 99)
        keys[free + 6], keys[free + 7] = _alpn_marks(data, hello)
        hello.key_length = here - free
        free = here


@part
def _extension_types(data: Octets, hello: Any, out: Ints) -> tuple[int, int, int]:
    """Gather the types without server name and ALPN.

    Returns:
        How many extensions there are with and without those, and where the signature algorithms
        are (0: nowhere).
    """
    every = others = signatures = 0
    at = hello.ext_at
    while at + 4 <= hello.ext_end:
        type_ = u16(data, at)
        if type_ == SIGNATURES and u16(data, at + 2) == u16(data, at + 4) + 2:
            signatures = at
        if not _is_grease(type_):
            every += 1
            if type_ != SERVER_NAME and type_ != ALPN:
                if others < len(out):
                    out[others] = type_
                others += 1
        at += 4 + u16(data, at + 2)
    return every, others, signatures


@part
def _values(data: Octets, at: int, out: Ints) -> int:
    """The 16-bit values of a vector without grease; how many there are, also where `out` is full."""
    count = 0
    for place in range(at + 2, at + 1 + u16(data, at), 2):
        value = u16(data, place)
        if not _is_grease(value):
            if count < len(out):
                out[count] = value
            count += 1
    return count


@part
def _write(keys: Bytes, at: int, values: Ints, count: int) -> int:
    """Append a list to a key, and grease, which is none of its values, at its end.

    Returns where the next one begins; -1 where there is no room, or `at` is -1.
    """
    if at < 0 or count > len(values) or at + 2 + 2 * count > len(keys):
        return -1
    for index in range(count):
        keys[at], keys[at + 1] = values[index] >> 8, values[index] & 0xFF
        at += 2
    keys[at] = keys[at + 1] = 0x0A
    return at + 2


@part
def _sort(values: Ints, count: int) -> None:
    """Shell's sort: few values, and no harm where they are many."""
    count = min(count, len(values))
    gap = count // 2
    while gap > 0:
        for index in range(gap, count):
            value = values[index]
            place = index
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
        gap //= 2


@part
def _alpn_marks(data: Octets, hello: Any) -> tuple[int, int]:
    """First and last sign of the first protocol name; of its hexadecimal form where one is no letter or digit."""
    length = min(u8(data, hello.alpn_at), hello.alpn_length - 1)
    if hello.alpn_length < 2 or length < 1:
        return 0x30, 0x30
    first, last = u8(data, hello.alpn_at + 1), u8(data, hello.alpn_at + length)
    if _is_alphanumeric(first) and _is_alphanumeric(last):
        return first, last
    return _hex_digit(first >> 4), _hex_digit(last & 0xF)


@part
def _is_alphanumeric(octet: int) -> bool:
    return 0x30 <= octet <= 0x39 or 0x41 <= octet <= 0x5A or 0x61 <= octet <= 0x7A


@part
def _hex_digit(value: int) -> int:
    return (0x30 if value < 10 else 0x57) + value
