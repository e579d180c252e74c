"""The usual lines of Zeek's `dns.log`, read by kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Framed
from netaudit.intake.log_format import Rows
from netaudit.kernels import tablines
from netaudit.kernels.octets import Ints
from netaudit.records.schemas import WORD
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._quick import Columns, Usual
from netaudit.sources.formats._zeek_columns import NAME_PORTS

_FIELDS = (
    "ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "query", "qtype_name", "rcode_name", "rcode",
    "answers",
)  # fmt: skip
_NONE = ("-", "(empty)")
_NOTHING = Usual(Rows("dns", {}, np.empty(0, np.int64)))


class ZeekLookUps:
    """Reads the usual lines of one `dns.log`."""

    def __init__(self, context: times.Context) -> None:
        """Before the first chunk."""
        self._columns = Columns(context)
        self._scratch = np.empty(tablines.SCRATCH, np.int64)
        self._line: Ints = np.empty(0, np.int64)
        self._cells = np.empty((len(_FIELDS), 0), np.int64)

    def __call__(self, framed: Framed, fields: tuple[str, ...]) -> Usual:
        """The rows of those lines that are beyond doubt.

        Args:
            framed: Lines.
            fields: What their cells are; none where that is not known, or not the usual.
        """
        if len(fields) > tablines.MOST or "opcode_name" in fields or not set(_FIELDS) <= set(fields):
            return _NOTHING
        if len(self._line) < len(framed.ends):
            room = len(framed.ends) * 5 // 4
            self._line, self._cells = np.empty(room, np.int64), np.empty((len(_FIELDS), room), np.int64)
        wanted = np.array([fields.index(name) for name in _FIELDS], np.int64)
        count = tablines.cells(*framed, len(fields), wanted, self._line, self._cells, self._scratch)
        if not count:
            return _NOTHING
        cells = dict(zip(_FIELDS, self._cells[:, :count], strict=True))
        make = self._columns
        make.begin(framed.text, count)
        server_port = make.ports(cells["id.resp_p"])
        rcode = make.words(cells["rcode_name"], "rcode", rcode_column, _NONE)
        number = make.words(cells["rcode"], "number", lambda words: words, _NONE)
        make.doubt(pc.and_(rcode.is_null(), number.is_valid()))  # a code without a name
        columns: dict[str, Any] = {
            "ts": make.epochs(cells["ts"]),
            "client_ip": make.addresses(cells["id.orig_h"]),
            "client_port": make.ports(cells["id.orig_p"]),
            "server_ip": make.addresses(cells["id.resp_h"]),
            "server_port": server_port,
            "transport": make.words(cells["proto"], "proto", lambda words: words, _NONE),
            "transport_detail": _detail(server_port),
            "name": make.names(cells["query"]),
            "name_source": "qname",
            "qtype": make.words(cells["qtype_name"], "qtype", _known_type),
            "rcode": rcode,
            "answers": make.lists(cells["answers"], ","),
        }
        return Usual(make.end("dns", columns, self._line[:count].copy()))


def _known_type(words: pa.Array) -> pa.Array:
    """Record types; where there is none its number may stand in another cell."""
    return qtype_column(pc.if_else(pc.is_in(words, pa.array(_NONE)), None, words))


def _detail(port: pa.Array) -> pa.Array:
    """The protocols among neighbours that are told by their port."""
    ports = port.to_numpy()
    number = np.full(len(ports), -1, np.int32)
    for place, known in enumerate(NAME_PORTS):
        number[ports == int(known)] = place
    if number.max() < 0:
        return pa.nulls(len(ports), WORD)
    indices = pa.array(number, mask=number < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(NAME_PORTS.values())))
