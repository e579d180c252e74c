"""ClientHellos over TCP, and over UDP as DTLS: ``tls`` events (RFC 8446, RFC 9147, RFC 6347)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netaudit.intake.tally import FIRST_KEPT, Tally
from netaudit.kernels import tls
from netaudit.kernels.octets import octets_of
from netaudit.kernels.packet import Kind, Rows, Status
from netaudit.sources import hello
from netaudit.sources.dtls_fragments import Fragments
from netaudit.sources.messages import Messages
from netaudit.sources.protocols import Events, Protocol

_NO_NAME_YET = "a TLS hello is cut before its server name"
_MALFORMED = "a TLS hello is malformed"


class _Tls:
    """ClientHellos of one file."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._fragments = Fragments(tally)

    def read(self, messages: Messages) -> Iterator[Events]:
        """Hellos of both kinds; parts of a DTLS hello wait for each other."""
        over_udp = messages.rows["kind"] == Kind.DTLS
        streams = messages.take(~over_udp)
        if len(streams):
            rows = streams.rows
            yield from self._events(rows, hello.read(streams.arena, rows["at"], rows["length"], tls.TCP))
        if over_udp.any():
            yield from self._dtls(*self._fragments.read(messages.take(over_udp)))

    def close(self) -> Iterator[Events]:
        """Hellos whose other parts never came, as far as they go."""
        yield from self._dtls(*self._fragments.rest())

    def _dtls(self, rows: Rows, hellos: list[bytes]) -> Iterator[Events]:
        if hellos:
            length = np.array([len(one) for one in hellos])
            arena = octets_of(b"".join(hellos))
            yield from self._events(rows, hello.read(arena, np.cumsum(length) - length, length, tls.DTLS))

    def _events(self, rows: Rows, hellos: hello.Hellos) -> Iterator[Events]:
        good = hellos.readable()
        cut = hellos.found["status"] == Status.TRUNCATED
        for reason, lost in ((_NO_NAME_YET, ~good & cut), (_MALFORMED, ~good & ~cut)):
            if lost.any():
                self._tally.skip(reason, rows["ordinal"][lost][:FIRST_KEPT], count=int(lost.sum()))
        if good.any():
            yield Events("tls", *hello.events(rows[good], hellos.take(good), self._tally))


PROTOCOL = Protocol("tls", (Kind.TLS, Kind.DTLS), _Tls)
