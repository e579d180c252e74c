"""DHCP and BOOTP for IPv4 (RFC 2131, RFC 2132) to ``dhcp`` events, one a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from netaudit.intake.tally import Tally
from netaudit.kernels.packet import Kind
from netaudit.records.addresses import V4_PREFIX
from netaudit.sources.messages import Messages
from netaudit.sources.protocols import Events, Protocol
from netaudit.sources.protocols._single import Message, Row, after, each, station, table
from netaudit.sources.protocols._text import shown, wire_name

MESSAGES = {
    1: "discover", 2: "offer", 3: "request", 4: "decline", 5: "ack", 6: "nak", 7: "release", 8: "inform",
    9: "forcerenew", 10: "leasequery", 11: "leaseunassigned", 12: "leaseunknown", 13: "leaseactive",
}  # fmt: skip
"""Option 53 (RFC 2132 section 9.6, RFC 3203, RFC 4388); numbers beyond are ``type-N``."""

FOREVER = 0xFFFFFFFF
"""A lease without end (RFC 2131 section 3.3)."""

_CUT_SHORT = "a DHCP message is cut short"
_MALFORMED = "a DHCP message is malformed"
_NOT_ALL = "the options of a DHCP message could not all be read"

_REQUEST, _REPLY = 1, 2
_HARDWARE_END = 34  # from there on nothing is needed but options
_SNAME, _FILE, _COOKIE_AT, _OPTIONS = slice(44, 108), slice(108, 236), 236, 240
_COOKIE = b"\x63\x82\x53\x63"
_ETHERNET = (0, 1, 6)
"""Hardware types with Ethernet's addresses; some stacks write none (0)."""
_HOSTNAME, _LEASE, _OVERLOAD, _TYPE, _SERVER, _VENDOR, _CLIENT, _FQDN = 12, 51, 52, 53, 54, 60, 61, 81


class Options(NamedTuple):
    """Options by number, and how far they could be read."""

    values: dict[int, bytes]
    there: bool
    """The options' field was captured and holds options."""
    whole: bool


class Reader:
    """Knows nothing from one message to the next."""

    def __init__(self, tally: Tally) -> None:
        """Begin a file."""
        self._tally = tally

    def read(self, messages: Messages) -> Iterator[Events]:
        """Events of a block."""
        of: list[int] = []
        found: list[Row] = []
        for index, message in enumerate(each(messages)):
            row = read_message(message, self._tally)
            if row is not None:
                of.append(index)
                found.append(row)
        if found:
            yield Events("dhcp", table(messages, of, found))

    def close(self) -> Iterator[Events]:
        """Nothing is held back."""
        yield from ()


def read_message(message: Message, tally: Tally) -> Row | None:
    """One message, or None where not even its hardware address is there (which is counted)."""
    data = message.octets
    if len(data) < _HARDWARE_END:
        tally.skip(_CUT_SHORT if message.cut else _MALFORMED, [message.ordinal], size=len(data))
        return None
    if data[0] not in {_REQUEST, _REPLY} or data[2] > 16:
        tally.skip(_MALFORMED, [message.ordinal], size=len(data))
        return None
    options = read_options(data)
    if not options.whole:
        tally.skip(_NOT_ALL, [message.ordinal], matters=False)
    word, values = _word(data[0], options, cut=len(data) < _OPTIONS), options.values
    lease = int.from_bytes(values[_LEASE][:4], "big") if len(values.get(_LEASE, b"")) >= 4 else None
    client_id = values.get(_CLIENT, b"")[:255]
    return {
        "ts": message.ts,
        "ts_end": _end(message.ts, lease) if word == "ack" else None,
        "client_ip": _address(data[16:20]) or _address(data[12:16]),
        "client_mac": _hardware(data, client_id),
        "hostname": shown(values.get(_HOSTNAME, b"")) or _domain_name(values.get(_FQDN, b"")),
        "vendor_class": shown(values.get(_VENDOR, b"")),
        "lease_s": lease,
        "message": word,
        "client_id": client_id.hex(":") or None,
        "server_ip": _address(values.get(_SERVER, b"")) or (message.src if data[0] == _REPLY else None),
    }


def read_options(data: bytes) -> Options:
    """Options of a message, also those in the fields that option 52 lends (RFC 2131 section 4.1).

    A long option may come in parts, which belong together in the order options, file, sname
    (RFC 3396 section 5).
    """
    values: dict[int, bytes] = {}
    if data[_COOKIE_AT:_OPTIONS] != _COOKIE:
        return Options(values, there=False, whole=len(data) >= _OPTIONS)
    whole = _collect(data[_OPTIONS:], values)
    overload = values.get(_OVERLOAD, b"\0")[:1] or b"\0"
    for bit, field in ((1, _FILE), (2, _SNAME)):
        if overload[0] & bit:
            whole &= _collect(data[field], values)
    return Options(values, there=True, whole=whole)


def _collect(field: bytes, values: dict[int, bytes]) -> bool:
    """Add the options of a field; whether all of them were there (RFC 2132 section 2)."""
    parts: dict[int, list[bytes]] = {}
    at = 0
    whole = True
    while at < len(field) and field[at] != 255:
        if field[at] == 0:
            at += 1
            continue
        end = at + 2 + field[at + 1] if at + 1 < len(field) else len(field) + 1
        if end > len(field):
            whole = False
            break
        parts.setdefault(field[at], []).append(field[at + 2 : end])
        at = end
    for code, found in parts.items():
        values[code] = values.get(code, b"") + b"".join(found)
    return whole


def _word(op: int, options: Options, *, cut: bool) -> str | None:
    kind = options.values.get(_TYPE)
    if kind:
        return MESSAGES.get(kind[0], f"type-{kind[0]}")
    if cut or (options.there and not options.whole):
        return None
    return "bootp-request" if op == _REQUEST else "bootp-reply"


def _end(ts: int | None, lease: int | None) -> int | None:
    return None if lease is None or lease == FOREVER else after(ts, lease)


def _address(octets: bytes) -> bytes | None:
    return V4_PREFIX + octets if len(octets) == 4 and any(octets) else None


def _hardware(data: bytes, client_id: bytes) -> bytes | None:
    """``chaddr``; on links where that is left out (RFC 4390), the client identifier, if it is one."""
    if data[2] == 6:
        return station(data[28:34]) if data[1] in _ETHERNET else None
    return station(client_id[1:]) if client_id[:1] == b"\x01" else None


def _domain_name(option: bytes) -> str | None:
    """The name of option 81, whose flag E tells how it is written (RFC 4702 section 2.1)."""
    if len(option) < 4:
        return None
    if option[0] & 0x04:
        return wire_name(option[3:])
    return (shown(option[3:]) or "").rstrip(".") or None


PROTOCOL = Protocol("DHCP", (Kind.DHCP,), Reader)
