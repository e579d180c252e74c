"""HTTP/2 in the clear: who was asked for, and DNS over HTTPS (RFC 8484) without the S."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.tally import Tally
from netaudit.kernels.http import MAX_METHOD, PREFACE
from netaudit.kernels.octets import octets
from netaudit.kernels.packet import Kind, Rows
from netaudit.records.addresses import by_distinct
from netaudit.sources.authority import authority_name
from netaudit.sources.inference import Learned
from netaudit.sources.messages import Messages, columns
from netaudit.sources.protocols import Events, Protocol
from netaudit.sources.protocols._http2 import SETTINGS, Body, Damage, Head, Side
from netaudit.sources.protocols.dns import DnsReader

MAX_SIDES = 256
"""Directions of connections that are read at once; the one that was silent longest gives way."""
MAX_VALUE = 1024
"""Octets of a field in which a host is looked for."""
MAX_QUERY = 4096
"""Octets of a DNS query in a target."""
_DNS = b"application/dns-message"


class _Asked(NamedTuple):
    """What is kept of a request."""

    row: Rows
    host: bytes
    method: bytes


class _Requests:
    """The connections of one file."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._dns = DnsReader(tally)
        self._sides: dict[tuple[int, bool], Side | None] = {}
        """By flow and direction; None where it is not read any more."""

    def read(self, messages: Messages) -> Iterator[Events]:
        """One event a request, and those of the DNS messages that bodies and targets hold."""
        asked: list[_Asked] = []
        queries: list[Body] = []
        for index in range(len(messages)):
            row = messages.rows[index : index + 1].copy()
            for found in self._feed(messages.octets(index), row):
                if isinstance(found, Body):
                    queries.append(found)
                elif b":method" in found.fields:
                    asked.append(_asked(found))
                    queries += _in_target(found)
        if asked:
            yield _events(asked)
        if queries:
            yield from self._as_dns(self._dns.read(_block(queries, messages.now)))

    def close(self) -> Iterator[Events]:
        """DNS queries that nobody answered."""
        yield from self._as_dns(self._dns.close())

    def learned(self) -> Iterator[Learned]:
        """The addresses that DNS answers gave since this was last asked."""
        yield from self._dns.learned()

    def _feed(self, data: bytes, row: Rows) -> Iterator[Head | Body]:
        key = (int(row["flow"][0]), bool(row["back"][0]))
        is_client = _begins_preface(data)
        if key in self._sides and not is_client:
            side = self._sides.pop(key)
        elif is_client or _is_settings(data):
            side = Side(_DNS, is_client=is_client)
        else:
            side = None
            self._tally.skip("HTTP/2 without its beginning", row["ordinal"].tolist(), matters=False)
        if side is not None:
            try:
                yield from side.feed(data, row)
            except Damage:
                side = None
                self._tally.skip("an HTTP/2 connection is damaged from here on", row["ordinal"].tolist())
        if row["cut"][0] and side is not None:
            side = None
            self._tally.skip("an HTTP/2 connection is cut short", row["ordinal"].tolist())
        self._sides[key] = side
        if len(self._sides) > MAX_SIDES:
            del self._sides[next(iter(self._sides))]

    def _as_dns(self, found: Iterator[Events]) -> Iterator[Events]:
        for events in found:
            yield Events(events.kind, events.columns | {"transport_detail": "doh"})


def _begins_preface(data: bytes) -> bool:
    """Whether a connection begins here, or as much of it as there is."""
    return data.startswith(PREFACE) or (len(data) >= 4 and PREFACE.startswith(data))


def _is_settings(data: bytes) -> bool:
    """Whether a server's side begins here (RFC 9113 section 3.4).

    Its own settings may have come before the client's preface, where nothing told them from
    anything else: then the acknowledgement of the client's is the first that is seen.
    """
    size = int.from_bytes(data[:3])
    return (
        len(data) >= 9
        and size % 6 == 0
        and size <= 600
        and data[3] == SETTINGS
        and data[4] <= 1
        and not any(data[5:9])
    )


def _asked(head: Head) -> _Asked:
    host = head.fields.get(b":authority") or head.fields.get(b"host", b"")
    method = head.fields[b":method"]
    return _Asked(
        head.row, host if len(host) <= MAX_VALUE else b"", method if len(method) < MAX_METHOD else b""
    )


def _events(asked: list[_Asked]) -> Events:
    rows = np.concatenate([one.row for one in asked])
    name = by_distinct(pa.array([one.host for one in asked], pa.binary()), authority_name, pa.string())
    method = by_distinct(pa.array([one.method for one in asked], pa.binary()), _token, pa.string())
    return Events(
        "http",
        {
            **columns(rows),
            "name": name,
            "name_source": pc.if_else(name.is_valid(), "host", pa.scalar(None, pa.string())),
            "method": method,
            "version": "2.0",
        },
        rows["flow"].astype(np.int64),
    )


def _token(octets: bytes) -> str | None:
    """A method (RFC 9110 section 9.1); None where it holds what no method does."""
    text = octets.decode("latin-1")
    return text if re.fullmatch(r"[!-~]+", text) else None


def _in_target(head: Head) -> Iterator[Body]:
    """The DNS query of a GET, in ``?dns=`` (RFC 8484 section 4.1.1)."""
    for part in head.fields.get(b":path", b"").partition(b"?")[2].split(b"&"):
        if part.startswith(b"dns=") and len(part) <= MAX_QUERY and head.fields[b":method"] == b"GET":
            try:
                query = base64.b64decode(part[4:] + b"=" * (-len(part) % 4), b"-_", validate=True)
            except binascii.Error:
                continue
            # a header with one question: another service may call its own parameter so
            if len(query) > 12 and query[2:6] == bytes([query[2] & 0x01, query[3] & 0x30, 0, 1]):
                yield Body(head.row, head.stream, query)


def _block(queries: list[Body], now: int) -> Messages:
    """DNS messages as a block of their own; the stream's number stands for the id, which is 0 in all."""
    rows = np.concatenate([query.row for query in queries])
    parts = [query.stream.to_bytes(4)[2:] + query.octets[2:] for query in queries]
    rows["kind"] = Kind.DNS
    rows["length"] = [len(part) for part in parts]
    rows["at"] = np.cumsum(rows["length"]) - rows["length"]
    return Messages(rows, octets(np.frombuffer(bytearray(b"".join(parts)), np.uint8)), now)


PROTOCOL = Protocol("http2", (Kind.HTTP2,), _Requests)
