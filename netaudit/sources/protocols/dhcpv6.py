"""DHCP for IPv6 (RFC 8415) to ``dhcp`` events, one an address that a message names.

Delegated prefixes are no client's address and stay out; a message that names no address is one event.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from netaudit.intake.tally import Tally
from netaudit.kernels.packet import Kind
from netaudit.sources.messages import Messages
from netaudit.sources.protocols import Events, Protocol
from netaudit.sources.protocols._single import Message, Row, after, each, station, table
from netaudit.sources.protocols._text import shown, wire_name

MESSAGES = {
    1: "solicit", 2: "advertise", 3: "request", 4: "confirm", 5: "renew-request", 6: "rebind-request",
    7: "reply", 8: "release", 9: "decline", 10: "reconfigure", 11: "information-request",
    14: "leasequery", 15: "leasequery-reply", 16: "leasequery-done", 17: "leasequery-data",
    20: "dhcpv4-query", 21: "dhcpv4-response",
}  # fmt: skip
"""RFC 8415 section 7.3, RFC 5007, RFC 5460, RFC 7341; numbers beyond are ``type-N``. *Renew* and
*rebind* are said to be requests: in logs the bare words tell of a lease that was renewed."""

MAX_RELAYS = 8
"""Relays inside each other (HOP_COUNT_LIMIT, RFC 8415 section 7.6)."""
MAX_WAITING = 65_536
"""Exchanges of which the client's link address is remembered."""

_CUT_SHORT = "a DHCPv6 message is cut short"
_MALFORMED = "a DHCPv6 message is malformed"
_NOT_ALL = "the options of a DHCPv6 message could not all be read"
_FORGOTTEN = "a DHCPv6 client was forgotten: too many at a time"

_CLIENTS = frozenset({1, 3, 4, 5, 6, 8, 9, 11})
_SERVERS = frozenset({2, 7, 10})
_REPLY = 7
_RELAYS = frozenset({12, 13})
_FOREVER = 0xFFFFFFFF
_CLIENT_ID, _IA_NA, _IA_TA, _ADDRESS, _RELAYED, _VENDOR, _FQDN, _LINK_ADDRESS = 1, 3, 4, 5, 9, 16, 39, 79
_ETHERNET = (b"\0\x01", b"\0\x06")
_LINK_LOCAL = b"\xfe\x80"

Options = list[tuple[int, bytes]]


class Inner(NamedTuple):
    """What a client and a server say to each other, relays taken off."""

    octets: bytes
    relayed: bool
    mac: bytes | None
    """The client's, as the relay next to it saw it (RFC 6939)."""


class Reader:
    """Remembers which link address began an exchange, so that the answer has it too.

    The address in a client's identifier is of any of its interfaces (RFC 8415 section 11), so it
    only counts where the frame and the relay tell nothing.
    """

    def __init__(self, tally: Tally) -> None:
        """Begin a file."""
        self._tally = tally
        self._macs: dict[bytes, bytes] = {}

    def read(self, messages: Messages) -> Iterator[Events]:
        """Events of a block."""
        of: list[int] = []
        found: list[Row] = []
        for index, message in enumerate(each(messages)):
            for row in self._message(message):
                of.append(index)
                found.append(row)
        if found:
            yield Events("dhcp", table(messages, of, found))

    def close(self) -> Iterator[Events]:
        """Nothing is held back."""
        yield from ()

    def _message(self, message: Message) -> list[Row]:
        inner = taken_off(message.octets)
        if inner is None or len(inner.octets) < 4:
            reason = _CUT_SHORT if message.cut else _MALFORMED
            self._tally.skip(reason, [message.ordinal], size=len(message.octets))
            return []
        options, whole = read_options(inner.octets[4:])
        if not whole:
            self._tally.skip(_NOT_ALL, [message.ordinal], matters=False)
        mac = inner.mac or self._link_address(message, inner)
        return list(_rows(message, inner.octets[0], options, mac))

    def _link_address(self, message: Message, inner: Inner) -> bytes | None:
        """The client's, from the frame of its own message of the same exchange."""
        kind, exchange = inner.octets[0], inner.octets[1:4]
        if inner.relayed:
            return None
        if kind in _SERVERS:
            return self._macs.get(message.dst + exchange)
        mac = station(message.mac or b"")
        if kind not in _CLIENTS or mac is None or not message.src.startswith(_LINK_LOCAL):
            return None
        self._macs[message.src + exchange] = mac
        if len(self._macs) > MAX_WAITING:
            del self._macs[next(iter(self._macs))]
            self._tally.skip(_FORGOTTEN, [message.ordinal], matters=False)
        return mac


def taken_off(octets: bytes) -> Inner | None:
    """A message without its relays (RFC 8415 section 9); None where it is not there, or too deep."""
    mac = None
    for depth in range(MAX_RELAYS + 1):
        if not octets or octets[0] not in _RELAYS:
            return Inner(octets, depth > 0, mac)
        options, _ = read_options(octets[34:])
        seen = _first(options, _LINK_ADDRESS)
        mac = station(seen[2:]) if seen[:2] in _ETHERNET else mac
        octets = _first(options, _RELAYED)
    return None


def read_options(field: bytes) -> tuple[Options, bool]:
    """Options in their order, and whether all of them were there (RFC 8415 section 21.1)."""
    options: Options = []
    at = 0
    while at + 4 <= len(field):
        end = at + 4 + int.from_bytes(field[at + 2 : at + 4], "big")
        if end > len(field):
            return options, False
        options.append((int.from_bytes(field[at : at + 2], "big"), field[at + 4 : end]))
        at = end
    return options, at == len(field)


def _rows(message: Message, kind: int, options: Options, mac: bytes | None) -> Iterator[Row]:
    duid, vendor, name = (_first(options, code) for code in (_CLIENT_ID, _VENDOR, _FQDN))
    common: Row = {
        "ts": message.ts,
        "client_mac": mac or duid_mac(duid),
        "hostname": wire_name(name[1:]),
        "vendor_class": shown(_vendor_class(vendor)),
        "message": MESSAGES.get(kind, f"type-{kind}"),
        "client_id": duid[:130].hex(":") or None,
        "server_ip": message.src if kind in _SERVERS else None,
    }
    addresses = list(_addresses(options))
    for address, lifetime in addresses:
        row: Row = {"client_ip": address}
        if kind == _REPLY:  # in any other message it is a wish or an offer
            end = None if lifetime == _FOREVER else after(message.ts, lifetime)
            row |= {"lease_s": lifetime, "ts_end": end}
        yield common | row
    if not addresses:
        yield common


def _addresses(options: Options) -> Iterator[tuple[bytes, int]]:
    """Addresses and their valid lifetimes in seconds (RFC 8415 sections 21.4 to 21.6)."""
    for code, value in options:
        skip = {_IA_NA: 12, _IA_TA: 4}.get(code)
        if skip is None:
            continue
        for inner, address in read_options(value[skip:])[0]:
            if inner == _ADDRESS and len(address) >= 24 and any(address[:16]):
                yield address[:16], int.from_bytes(address[20:24], "big")


def duid_mac(duid: bytes) -> bytes | None:
    """The Ethernet address that a client identifier was made of (RFC 8415 sections 11.2, 11.4)."""
    if duid[2:4] not in _ETHERNET:
        return None
    return station({b"\0\x01": duid[8:], b"\0\x03": duid[4:]}.get(duid[:2], b""))


def _vendor_class(option: bytes) -> bytes:
    """The first of a vendor's classes, after its number (RFC 8415 section 21.16)."""
    return option[6 : 6 + int.from_bytes(option[4:6], "big")]


def _first(options: Options, wanted: int) -> bytes:
    return next((value for code, value in options if code == wanted), b"")


PROTOCOL = Protocol("DHCPv6", (Kind.DHCPV6,), Reader)
