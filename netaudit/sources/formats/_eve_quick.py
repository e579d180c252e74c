"""The usual look-ups in Suricata's EVE, read by kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Framed
from netaudit.kernels import evelines
from netaudit.kernels.octets import Ints
from netaudit.records.addresses import from_bytes
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._quick import Columns, Usual, list_column, room_for_lists
from netaudit.sources.formats._values import mask

DNS_PORTS = (53, 5353, 5355)
ANSWERS = ("answer", "response")
_ABSENT = ("{",)


class EveLookUps:
    """Reads the usual `dns` events of one file."""

    def __init__(self, context: times.Context) -> None:
        """Before the first chunk."""
        self._columns = Columns(context)
        self._room: Ints = np.empty((len(evelines.Events._fields), 0), np.int64)

    def __call__(self, framed: Framed) -> Usual:
        """The rows of those lines that are beyond doubt."""
        lines = len(framed.ends)
        if self._room.shape[1] < lines:
            self._room = np.empty((len(self._room), lines * 5 // 4), np.int64)
        answers = room_for_lists(lines, len(framed.text.u8))
        scratch = np.zeros(evelines.SCRATCH, np.int64)
        count = evelines.events(*framed, evelines.Events(*self._room), answers, scratch)
        found = evelines.Events(*self._room[:, :count])
        make = self._columns
        make.begin(framed.text, count)
        sport, dport = make.ports(found.sport), make.ports(found.dport)
        told = make.words(found.type, "type", lambda words: words)
        turned = server_first(told, sport, dport)
        src, dst = make.packed(found.src), make.packed(found.dst)
        columns: dict[str, Any] = {
            "ts": make.isos(found.stamp),
            "client_ip": from_bytes(np.where(turned[:, None], dst, src)),
            "client_port": pc.if_else(pa.array(turned), dport, sport),
            "server_ip": from_bytes(np.where(turned[:, None], src, dst)),
            "server_port": pc.if_else(pa.array(turned), sport, dport),
            "transport": make.words(found.proto, "proto", pc.utf8_lower),
            "name": make.names(found.name),
            "name_source": "qname",
            "qtype": make.words(found.qtype, "qtype", qtype_column),
            "rcode": make.words(found.rcode, "rcode", rcode_column, _ABSENT),
            "answers": list_column(answers, count, int(scratch[evelines.TEXT_AT])),
        }
        return Usual(make.end("dns", columns, found.line.copy()))


def server_first(told: pa.Array, src_port: pa.Array, dest_port: pa.Array) -> np.ndarray:
    """Rows of answers whose source is the server."""
    words = told.cast(pa.string()) if pa.types.is_dictionary(told.type) else told
    answer = pc.is_in(words, value_set=pa.array(ANSWERS))
    to_server = pc.is_in(dest_port, value_set=pa.array(DNS_PORTS, dest_port.type))
    from_server = pc.is_in(src_port, value_set=pa.array(DNS_PORTS, src_port.type))
    turned: np.ndarray = mask(answer) & (mask(from_server) | ~mask(to_server))
    return turned
