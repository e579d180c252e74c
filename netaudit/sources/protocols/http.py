"""HTTP/1 requests: who was asked for, by Host, absolute form or CONNECT. Neither path nor query is kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.tally import FIRST_KEPT, Tally
from netaudit.kernels.http import REQUEST, Head, read_requests
from netaudit.kernels.octets import Ints
from netaudit.kernels.packet import Kind, Rows
from netaudit.records.addresses import by_distinct
from netaudit.sources.authority import authority_name, target_name
from netaudit.sources.messages import Messages, columns
from netaudit.sources.protocols import Events, Protocol

MAX_VALUE = 1024
"""Octets of a line in which a host is looked for: with user and port it is shorter."""
_NO_REST = "an HTTP request without its rest"
_NO_REQUEST = "what begins like an HTTP request is none"
_VERSIONS = frozenset({b"0.9", b"1.0", b"1.1"})


class _Requests:
    """Reads each message by itself: nothing is held back."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def read(self, messages: Messages) -> Iterator[Events]:
        """One event a request whose first line is whole."""
        found = _found(messages)
        self._count(_NO_REST, messages, found, Head.OPEN, matters=True)
        self._count(_NO_REQUEST, messages, found, Head.NONE, matters=False)
        found = found[found["version_at"] >= 0]
        if len(found):
            yield _events(messages, found)

    def close(self) -> Iterator[Events]:
        """Nothing is left."""
        return iter(())

    def _count(self, reason: str, messages: Messages, found: Rows, state: Head, *, matters: bool) -> None:
        lost = found["message"][found["state"] == state]
        if len(lost):
            ordinals = messages.rows["ordinal"][lost[:FIRST_KEPT]]
            self._tally.skip(reason, ordinals.tolist(), count=len(lost), matters=matters)


def _found(messages: Messages) -> Rows:
    found = np.zeros(len(messages), REQUEST)
    count = read_requests(messages.arena, messages.rows, found)
    if count > len(found):  # some messages hold several
        found = np.zeros(count, REQUEST)
        read_requests(messages.arena, messages.rows, found)
    return found


def _events(messages: Messages, found: Rows) -> Events:
    """The name is the authority of the target where it has one (RFC 9112 section 3.2.2), else the Host."""
    rows = messages.rows[found["message"]]
    target_at, version_at = found["method_at"] + found["method_length"] + 1, found["version_at"]
    host_at = found["host_at"]
    end = np.where(host_at < 0, -1, rows["at"] + rows["length"])
    target = _texts(messages, target_at, version_at - len(" HTTP/"))
    host = _texts(messages, host_at, end)
    name = pc.coalesce(
        by_distinct(target, target_name, pa.string()), by_distinct(host, authority_name, pa.string())
    )
    method = _texts(messages, found["method_at"], target_at)
    return Events(
        "http",
        {
            **columns(rows),
            "name": name,
            "name_source": pc.if_else(name.is_valid(), "host", pa.scalar(None, pa.string())),
            "method": by_distinct(method, bytes.decode, pa.string()),
            "version": by_distinct(_texts(messages, version_at, version_at + 4), _version, pa.string()),
        },
        rows["flow"].astype(np.int64),
    )


def _texts(messages: Messages, at: Ints, stop: Ints) -> pa.Array:
    """Octets up to the end of the line, without blanks around them."""
    octets = messages.arena.u8
    spans = zip(at.tolist(), np.minimum(stop, at + MAX_VALUE).tolist(), strict=True)
    return pa.array([octets[a:b].tobytes().split(b"\n", 1)[0].strip() for a, b in spans], pa.binary())


def _version(octets: bytes) -> str | None:
    return octets.decode("ascii") if octets in _VERSIONS else None


PROTOCOL = Protocol("http", (Kind.HTTP,), _Requests)
