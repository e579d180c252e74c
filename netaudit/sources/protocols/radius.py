"""RADIUS (RFC 2865, RFC 2866) to ``radius`` events: who was let in where, with which address.

Only the attributes of an account, its station and its place are looked at; passwords and all others
are never read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from netaudit.intake.tally import Tally
from netaudit.kernels.packet import Kind
from netaudit.records.addresses import V4_PREFIX, format_ip, parse_mac
from netaudit.sources.formats._stations import called_station
from netaudit.sources.messages import Messages
from netaudit.sources.protocols import Events, Protocol
from netaudit.sources.protocols._single import Message, Row, after, each, table
from netaudit.sources.protocols._text import shown

CODES = {
    1: "access-request", 2: "access-accept", 3: "access-reject", 4: "accounting-request",
    5: "accounting-response", 11: "access-challenge", 12: "status-server", 13: "status-client",
    40: "disconnect-request", 41: "disconnect-ack", 42: "disconnect-nak", 43: "coa-request",
    44: "coa-ack", 45: "coa-nak",
}  # fmt: skip
"""RFC 2865 section 4, RFC 2866 section 4, RFC 5176 section 2.3; numbers beyond are ``code-N``."""

STATUSES = {
    1: "start", 2: "stop", 3: "interim-update", 7: "accounting-on", 8: "accounting-off",
    9: "tunnel-start", 10: "tunnel-stop", 11: "tunnel-reject", 12: "tunnel-link-start",
    13: "tunnel-link-stop", 14: "tunnel-link-reject", 15: "failed",
}  # fmt: skip
"""Acct-Status-Type (RFC 2866 section 5.1, RFC 2867); numbers beyond are ``status-N``."""

_CUT_SHORT = "a RADIUS packet is cut short"
_MALFORMED = "a RADIUS packet is malformed"
_NOT_ALL = "the attributes of a RADIUS packet could not all be read"

_ACCOUNTING = 4
_HEADER, _LONGEST = 20, 4096
_USER, _NAS_IP, _PORT, _FRAMED_IP, _CALLED, _CALLING, _NAS = 1, 4, 5, 8, 30, 31, 32
_STATUS, _DELAY, _SESSION, _EVENT_TIME, _PORT_TYPE, _GROUP, _PORT_ID = 40, 41, 44, 55, 61, 81, 87
_NAS_IPV6, _FRAMED_IPV6 = 95, 168
_ETHERNET_PORT = 15
_CHOSEN = (b"\xff\xff\xff\xff", b"\xff\xff\xff\xfe", b"\0\0\0\0")
"""In Framed-IP-Address: whoever should choose one (RFC 2865 section 5.8)."""
_MAX_DELAY_S = 86_400

Attributes = dict[int, list[bytes]]


class Reader:
    """Knows nothing from one message to the next."""

    def __init__(self, tally: Tally) -> None:
        """Begin a file."""
        self._tally = tally

    def read(self, messages: Messages) -> Iterator[Events]:
        """Events of a block."""
        of: list[int] = []
        found: list[Row] = []
        called: list[tuple[str | None, str | None]] = []
        for index, message in enumerate(each(messages)):
            attributes = read_attributes(message, self._tally)
            if attributes is None:
                continue
            for row in _rows(message, attributes):
                of.append(index)
                found.append(row)
                called.append(_called(attributes))
        if found:
            yield Events("radius", table(messages, of, found) | _places(called))

    def close(self) -> Iterator[Events]:
        """Nothing is held back."""
        yield from ()


def read_attributes(message: Message, tally: Tally) -> Attributes | None:
    """Attributes by number, or None where the datagram is no RADIUS packet (which is counted)."""
    data = message.octets
    length = int.from_bytes(data[2:4], "big")
    beyond = length > len(data) and not message.cut
    if len(data) < _HEADER or not _HEADER <= length <= _LONGEST or beyond:
        tally.skip(_CUT_SHORT if message.cut else _MALFORMED, [message.ordinal], size=len(data))
        return None
    attributes: Attributes = {}
    at, end = _HEADER, min(length, len(data))
    while at + 2 <= end and data[at + 1] >= 2 and at + data[at + 1] <= end:
        attributes.setdefault(data[at], []).append(data[at + 2 : at + data[at + 1]])
        at += data[at + 1]
    if at < length:
        tally.skip(_NOT_ALL, [message.ordinal], matters=False)
    return attributes


def _rows(message: Message, attributes: Attributes) -> Iterator[Row]:
    """One event an address, or one without any."""
    port = _number(attributes, _PORT)
    common: Row = {
        "ts": _time(message, attributes),
        "message": _word(message.octets[0], attributes),
        "account": _text(attributes, _USER),
        "client_mac": parse_mac(_text(attributes, _CALLING) or ""),
        "nas": _nas(attributes),
        "nas_port": _text(attributes, _PORT_ID) or (None if port is None else str(port)),
        "vlan": _vlan(attributes),
        "session": _text(attributes, _SESSION),
    }
    addresses = [V4_PREFIX + v for v in attributes.get(_FRAMED_IP, ()) if len(v) == 4 and v not in _CHOSEN]
    addresses += [v for v in attributes.get(_FRAMED_IPV6, ()) if len(v) == 16 and any(v)]
    for address in addresses:
        yield common | {"client_ip": address}
    if not addresses:
        yield common


def _time(message: Message, attributes: Attributes) -> int | None:
    """When it happened: the packet's time less Acct-Delay-Time (RFC 2866 section 5.2).

    Event-Timestamp (RFC 2869 section 5.3) is by the access server's own clock, and only counts where
    the capture tells no time.
    """
    if message.ts is None:
        told = _number(attributes, _EVENT_TIME)
        return None if told is None else after(0, told)
    delay = _number(attributes, _DELAY) or 0
    return after(message.ts, -delay) if delay <= _MAX_DELAY_S else message.ts


def _word(code: int, attributes: Attributes) -> str:
    status = _number(attributes, _STATUS)
    if code == _ACCOUNTING and status is not None:
        return STATUSES.get(status, f"status-{status}")
    return CODES.get(code, f"code-{code}")


def _nas(attributes: Attributes) -> str | None:
    four, six = attributes.get(_NAS_IP, [b""])[-1], attributes.get(_NAS_IPV6, [b""])[-1]
    if len(four) == 4 and any(four):
        return format_ip(V4_PREFIX + four)
    return format_ip(six) if len(six) == 16 and any(six) else _text(attributes, _NAS)


def _vlan(attributes: Attributes) -> int | None:
    """Tunnel-Private-Group-ID, which a tag may precede (RFC 2868 section 3.6), where it is a VLAN's number."""
    group = attributes.get(_GROUP, [b""])[-1]
    digits = group[1:] if group[:1] <= b"\x1f" else group
    number = int(digits) if digits.isdigit() and len(digits) <= 4 else 0
    return number if 0 < number < 4095 else None


def _called(attributes: Attributes) -> tuple[str | None, str | None]:
    """Called-Station-Id, and ``ethernet`` where the port is a wired one."""
    wired = _number(attributes, _PORT_TYPE) == _ETHERNET_PORT
    return _text(attributes, _CALLED), "ethernet" if wired else None


def _places(called: list[tuple[str | None, str | None]]) -> dict[str, Any]:
    stations, ports = (pa.array(values, pa.string()) for values in zip(*called, strict=True))
    return called_station(stations, ports)


def _text(attributes: Attributes, wanted: int) -> str | None:
    return shown(attributes.get(wanted, [b""])[-1])


def _number(attributes: Attributes, wanted: int) -> int | None:
    value = attributes.get(wanted, [b""])[-1]
    return int.from_bytes(value, "big") if len(value) == 4 else None


PROTOCOL = Protocol("RADIUS", (Kind.RADIUS,), Reader)
