"""SOCKS requests: whom a client asked a proxy to reach, and as which user. Passwords are never read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from netaudit.intake.tally import Tally
from netaudit.kernels import socks
from netaudit.kernels.packet import Kind
from netaudit.kernels.socks import Form, State
from netaudit.records.addresses import V4_PREFIX, format_ip
from netaudit.sources.authority import host_name
from netaudit.sources.messages import Messages, columns
from netaudit.sources.protocols import Events, Protocol

_METHODS = {
    socks.CONNECT: "CONNECT",
    socks.BIND: "BIND",
    socks.UDP: "UDP",
    socks.RESOLVE: "RESOLVE",
    socks.RESOLVE_PTR: "RESOLVE_PTR",
}


class _Requests:
    """Reads each message by itself: nothing is held back."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def read(self, messages: Messages) -> Iterator[Events]:
        """One event a request."""
        asked = []
        for index in range(len(messages)):
            row = messages.rows[index]
            found = socks.parts(messages.arena, row["at"], row["length"])
            if found[0] == State.WHOLE and found[4] != Form.SEALED:
                asked.append((index, *_request(messages, found)))
            elif found[0] == State.WHOLE:
                self._tally.skip("a SOCKS request is encrypted", [int(row["ordinal"])])
            elif found[0] == State.OPEN:
                self._tally.skip("a SOCKS request without its rest", [int(row["ordinal"])], matters=False)
            else:
                self._tally.skip("what begins like SOCKS is none", [int(row["ordinal"])], matters=False)
        if asked:
            yield _events(messages, asked)

    def close(self) -> Iterator[Events]:
        """Nothing is left."""
        return iter(())


def _request(messages: Messages, found: socks.Parts) -> tuple[str, str | None, str | None]:
    """Method, name and account of one request."""
    _, account_at, account_size, command, form, host_at, host_size, _ = found
    octets = messages.arena.u8
    account = _text(octets[account_at : account_at + account_size].tobytes())
    host = octets[host_at : host_at + host_size].tobytes()
    if command == socks.UDP:
        return _METHODS[command], None, account  # the address is the client's own (RFC 1928 section 6)
    if form == Form.NAME:
        return _METHODS[command], host_name(host), account
    return _METHODS[command], format_ip(V4_PREFIX + host if form == Form.IPV4 else host), account


def _text(octets: bytes) -> str | None:
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() else None


def _events(messages: Messages, asked: list[tuple[int, str, str | None, str | None]]) -> Events:
    index, method, name, account = zip(*asked, strict=True)
    rows = messages.rows[np.array(index, np.int64)]
    return Events(
        "proxy",
        {
            **columns(rows),
            "name": pa.array(name, pa.string()),
            "name_source": pa.array(["host" if one else None for one in name], pa.string()),
            "method": pa.array(method, pa.string()),
            "account": pa.array(account, pa.string()),
        },
        rows["flow"].astype(np.int64),
    )


PROTOCOL = Protocol("socks", (Kind.SOCKS,), _Requests)
