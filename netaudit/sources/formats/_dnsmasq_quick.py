"""dnsmasq's usual query lines, read by kernels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from netaudit.intake import carrier, times
from netaudit.intake.lines import Framed
from netaudit.kernels import dnsmasqlog
from netaudit.kernels.octets import Ints
from netaudit.sources.dns_words import qtype_column
from netaudit.sources.formats._quick import Columns, Usual


class DnsmasqQueries:
    """Reads the usual query lines of one file, and passes over those that tell what became of them."""

    def __init__(self, context: times.Context) -> None:
        """Before the first chunk."""
        self._columns = Columns(context)
        self._read_stamps = partial(carrier.read_stamps, context=context)
        self._scratch = np.empty(dnsmasqlog.SCRATCH, np.int64)
        self._room: Ints = np.empty((len(dnsmasqlog.Queries._fields), 0), np.int64)

    def __call__(self, framed: Framed) -> Usual:
        """The rows of those lines that are beyond doubt."""
        if self._room.shape[1] < len(framed.ends):
            self._room = np.empty((len(self._room), len(framed.ends) * 5 // 4), np.int64)
        other = np.empty(len(framed.ends), np.int64)
        count, others = dnsmasqlog.queries(*framed, dnsmasqlog.Queries(*self._room), other, self._scratch)
        found = dnsmasqlog.Queries(*self._room[:, :count])
        make = self._columns
        make.begin(framed.text, count)
        columns: dict[str, Any] = {
            "ts": make.stamps(found.stamp, self._read_stamps),
            "client_ip": make.addresses(found.client),
            "name": make.names(found.name),
            "name_source": "qname",
            "qtype": make.words(found.qtype, "qtype", qtype_column),
        }
        return Usual(make.end("dns", columns, found.line.copy()), other[:others])
