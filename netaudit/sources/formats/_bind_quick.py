"""BIND's usual query lines, read by kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Framed
from netaudit.kernels import bindlog
from netaudit.kernels.octets import Ints
from netaudit.sources.dns_words import qtype_column
from netaudit.sources.formats._quick import Columns, Usual


class BindQueries:
    """Reads the usual query lines of one file."""

    def __init__(self, context: times.Context) -> None:
        """Before the first chunk."""
        self._columns = Columns(context)
        self._scratch = np.empty(bindlog.SCRATCH, np.int64)
        self._room: Ints = np.empty((len(bindlog.Queries._fields), 0), np.int64)

    def __call__(self, framed: Framed) -> Usual:
        """The rows of those lines that are beyond doubt."""
        if self._room.shape[1] < len(framed.ends):
            self._room = np.empty((len(self._room), len(framed.ends) * 5 // 4), np.int64)
        count = bindlog.queries(*framed, bindlog.Queries(*self._room), self._scratch)
        found = bindlog.Queries(*self._room[:, :count])
        make = self._columns
        make.begin(framed.text, count)
        columns: dict[str, Any] = {
            "ts": make.day_first(found.stamp),
            "client_ip": make.addresses(found.client),
            "client_port": make.ports(found.port),
            "server_ip": make.addresses(found.server),
            "transport": make.words(found.flags, "flags", transport),
            "name": make.names(found.name),
            "name_source": "qname",
            "qtype": make.words(found.qtype, "qtype", qtype_column),
        }
        return Usual(make.end("dns", columns, found.line.copy()))


def transport(flags: pa.Array) -> pa.Array:
    """T among the flags says TCP; null where they are no flags."""
    words = pc.if_else(pc.match_substring(flags, "T"), "tcp", "udp")
    return pc.if_else(
        pc.match_substring_regex(flags, r"^[-+][A-Z0-9()]*$"), words, pa.scalar(None, pa.string())
    )
