"""Zeek's dns, ssl, http, conn, quic and dhcp logs, as tab-separated text or as JSON.

Text is read by its ``#fields`` line, which comes again where files are joined and which may stand
in an earlier chunk. A ``dns.log`` taken at the edge shows the resolver as the client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import json_lines, times
from netaudit.intake.lines import Framed
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, share
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._quick import Usual, by_kernels
from netaudit.sources.formats._values import mask
from netaudit.sources.formats._zeek_columns import LISTS, LOGS, kind_of_log, unescape
from netaudit.sources.formats._zeek_quick import ZeekLookUps

NO_HEADER = "No #fields line says what the columns of this line mean."
WRONG_WIDTH = "The line does not have as many columns as its #fields line."
MANY_HEADERS = "The file has too many different headers."
UNREADABLE = "The addresses of this line cannot be read."

_MOST_COMMENTS = 100  # before the first record
_MAX_HEADERS = 200  # different ones in a chunk; joined files have a few
_STRINGS = (
    "_path", "ts", "id.orig_h", "id.resp_h", "proto", "query", "qtype_name", "rcode_name", "opcode_name",
    "server_name", "version", "next_protocol", "client_protocol", "client_initial_dcid", "host", "method",
    "conn_state", "duration", "history", "mac", "client_addr", "server_addr", "assigned_addr", "host_name",
    "lease_time",
)  # fmt: skip
_NUMBERS = (
    "id.orig_p", "id.resp_p", "qtype", "rcode", "status_code", "trans_depth", "orig_bytes", "resp_bytes",
    "orig_pkts", "resp_pkts",
)  # fmt: skip
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in _STRINGS]
    + [(name, pa.int64()) for name in _NUMBERS]
    + [(name, pa.bool_()) for name in ("AA", "established")]
    + [(name, pa.list_(pa.string())) for name in LISTS]
)
_DECIMALS = ("ts", "duration", "lease_time")


@dataclass(frozen=True, slots=True)
class _Header:
    """What the ``#`` lines before some lines say."""

    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    path: str = ""
    fields: tuple[str, ...] = ()

    def after(self, line: str) -> _Header:
        """The header once `line`, which begins with ``#``, is read."""
        if line.startswith("#separator "):
            word = re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), line[11:].strip())
            return _Header(separator=word or "\t")
        name, *values = line.split(self.separator)
        if name == "#fields":
            return replace(self, fields=tuple(values))
        key = _HEADER_WORDS.get(name)
        changed: dict[str, Any] = {key: values[0]} if key and values and values[0] else {}
        return replace(self, **changed)


_HEADER_WORDS = {
    "#set_separator": "set_separator", "#empty_field": "empty", "#unset_field": "unset", "#path": "path",
}  # fmt: skip


@dataclass(slots=True)
class _Reader:
    """A parser for one file; the header lives across its chunks."""

    context: times.Context
    header: _Header = field(default_factory=_Header)

    def __call__(self, lines: pa.StringArray) -> Parsed:
        comment = mask(pc.starts_with(lines, "#"))
        objects = mask(pc.match_substring_regex(lines, r"^\s*\{"))
        blank = mask(pc.equal(lines, ""))
        parsed = Parsed(other=int((comment | blank).sum()))
        segments = self._segments(lines, comment, ~(comment | objects | blank))
        for header, index in segments[:_MAX_HEADERS]:
            _read_text(lines, header, index, parsed, self.context)
        if len(segments) > _MAX_HEADERS:
            _reject(parsed, MANY_HEADERS, np.concatenate([index for _, index in segments[_MAX_HEADERS:]]))
        if objects.any():
            _read_objects(lines, objects, parsed, self.context)
        return parsed

    def _segments(
        self, lines: pa.StringArray, comment: np.ndarray, data: np.ndarray
    ) -> list[tuple[_Header, np.ndarray]]:
        """The data lines under each different header."""
        marks = np.flatnonzero(comment)
        held: dict[_Header, list[np.ndarray]] = {}
        start = 0
        texts = lines.take(pa.array(marks)).to_pylist()
        for mark, text in zip([*marks.tolist(), len(lines)], [*texts, None], strict=True):
            if mark > start:
                held.setdefault(self.header, []).append(np.flatnonzero(data[start:mark]) + start)
            if text is not None:
                self.header = self.header.after(text)
            start = mark + 1
        joined = {header: np.concatenate(parts) for header, parts in held.items()}
        return [(header, index) for header, index in joined.items() if len(index)]


def _open(context: times.Context) -> Parse:
    reader, look_ups = _Reader(context), ZeekLookUps(context)

    def usual(framed: Framed) -> Usual:
        header = reader.header
        for line in _first_comments(framed):
            header = header.after(line)
        is_usual = replace(header, fields=(), path="") == _Header()
        is_dns = kind_of_log(header.path, header.fields) == "dns"
        return look_ups(framed, header.fields if is_usual and is_dns else ())

    return by_kernels(usual, reader)


def _first_comments(framed: Framed) -> Iterator[str]:
    """The ``#`` lines that a chunk begins with."""
    begin = 0
    for end in framed.ends[:_MOST_COMMENTS].tolist():
        line = framed.text.u8[begin:end].tobytes()
        if not line.startswith(b"#"):
            return
        yield line.decode(errors="replace").rstrip("\r\n\0")
        begin = end + 1


def _read_text(
    lines: pa.StringArray, header: _Header, index: np.ndarray, parsed: Parsed, context: times.Context
) -> None:
    log = LOGS.get(kind_of_log(header.path, header.fields) or "")
    if not header.fields:
        _reject(parsed, NO_HEADER, index)
    elif log is None:
        parsed.other += len(index)
    else:
        cut = pc.split_pattern(lines.take(pa.array(index)), header.separator)
        width = len(header.fields)
        fits = mask(pc.equal(pc.list_value_length(cut), width))
        _reject(parsed, WRONG_WIDTH, index[~fits])
        cells, index = cut.filter(pa.array(fits)).flatten(), index[fits]

        def get(name: str) -> pa.Array:
            return _cells(cells, header, name, len(index))

        _add(parsed, log.kind, log.columns(get, context), index)


def _cells(cells: pa.StringArray, header: _Header, name: str, rows: int) -> pa.Array:
    """One field of all rows out of their cells, row after row."""
    type_ = pa.list_(pa.string()) if name in LISTS else pa.string()
    if name not in header.fields:
        return pa.nulls(rows, type_)
    width = len(header.fields)
    text = cells.take(pa.array(np.arange(rows) * width + header.fields.index(name)))
    text = pc.if_else(pc.is_in(text, value_set=pa.array([header.unset, header.empty])), None, text)
    if name not in LISTS:
        return text
    lists = pc.split_pattern(text, header.set_separator)
    items = unescape(lists.flatten())
    sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate(([0], np.cumsum(sizes))).astype(np.int32))
    return pc.if_else(pc.is_valid(text), pa.ListArray.from_arrays(offsets, items), pa.scalar(None, type_))


def _read_objects(
    lines: pa.StringArray, objects: np.ndarray, parsed: Parsed, context: times.Context
) -> None:
    found = json_lines.read(pc.if_else(pa.array(objects), lines, ""), _SCHEMA, _DECIMALS)
    parsed.rejected.update(found.rejected)
    path = pc.fill_null(found.column("_path"), "")
    left = np.ones(len(found.index), bool)
    for name, log in LOGS.items():
        known = mask(pc.equal(path, name))
        unnamed = ~mask(pc.is_in(path, value_set=pa.array(list(LOGS)))) & mask(
            pc.is_valid(found.column(log.mark))
        )
        rows = np.flatnonzero(left & (known | unnamed))
        left[rows] = False
        if not len(rows):
            continue
        at = pa.array(rows)

        def get(name: str, at: pa.Array = at) -> pa.Array:
            column = (
                found.column(name).take(at) if name in _SCHEMA.names else pa.nulls(len(at), pa.string())
            )
            return column.cast(pa.string()) if name in _NUMBERS else column

        _add(parsed, log.kind, log.columns(get, context), found.index[rows])
    parsed.other += int(left.sum())


def _add(parsed: Parsed, kind: str, columns: dict[str, pa.Array], index: np.ndarray) -> None:
    """Keep the rows that say who: a client's address, or for a lease its station."""
    who = pc.is_valid(columns["client_ip"])
    if kind == "dhcp":
        who = pc.or_(who, pc.is_valid(columns["client_mac"]))
    keep = mask(who)
    _reject(parsed, UNREADABLE, index[~keep])
    if keep.any():
        held = {n: c.filter(pa.array(keep)) if isinstance(c, pa.Array) else c for n, c in columns.items()}
        parsed.rows.append(Rows(kind, held, index[keep]))


def _reject(parsed: Parsed, reason: str, index: np.ndarray) -> None:
    for name, lines in refused({reason: index}).items():
        parsed.rejected[name] = np.union1d(parsed.rejected.get(name, np.array([], np.int64)), lines)


def _sniff(lines: list[str]) -> float:
    if any(line.startswith("#fields") for line in lines) and any(
        line.startswith("#separator") for line in lines
    ):
        return 1.0
    return share(lines, _is_object)


def _is_object(line: str) -> bool:
    talk = '"id.orig_h"' in line and '"uid"' in line
    return (
        line.lstrip().startswith("{")
        and '"ts"' in line
        and (talk or ('"uids"' in line and '"msg_types"' in line))
    )


_SAMPLES = (
    Sample(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqclass\tqtype_name\trcode_name"
        "\tanswers\n"
        "1763856000.265001\tC1\t10.1.0.13\t41772\t10.1.0.53\t53\tudp\tWWW.example.org\t1\tA\tNOERROR"
        "\tweb.example.org,TXT 4 a\\x2cbc\n"
        "1763856001.000000\tC2\tfe80::1\t5353\tff02::fb\t5353\tudp\tprinter.local\t1\t*\t-\t-\n"
        "1763856002.000000\tC3\t10.1.0.13\t1\t10.1.0.53",
        (
            {
                "kind": "dns", "ts": "2025-11-23T00:00:00.265001000Z", "client_ip": "10.1.0.13",
                "client_port": 41772, "server_ip": "10.1.0.53", "server_port": 53, "transport": "udp",
                "name": "www.example.org", "qtype": "A", "rcode": "NOERROR",
                "answers": ["web.example.org", "TXT 4 a,bc"],
            },
            {
                "kind": "dns", "transport_detail": "mdns", "name": "printer.local", "qtype": "ANY", "rcode": None,
                "answers": None,
            },
        ),
        note="an escaped comma; a multicast question; a line that is cut",
    ),
    Sample(
        "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration"
        "\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\tresp_pkts\n"
        "1320279567.181431\tC1\t10.1.0.76\t52034\t192.0.2.33\t80\ttcp\t0.082899\t389\t1495\tSF\tShADdfFa\t5\t4\n"
        "#close\t2011-11-03-00-20-00\n"
        "#separator \\x09\n#path\thttp\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\ttrans_depth\tmethod"
        "\thost\turi\tstatus_code\n"
        "1320279567.200000\t10.1.0.76\t52034\t192.0.2.33\t80\t1\tGET\twww.example.org:8080\t/secret\t200",
        (
            {
                "kind": "flow", "ts": "2011-11-03T00:19:27.181431000Z", "ts_end": "2011-11-03T00:19:27.264330000Z",
                "bytes_out": 389, "bytes_in": 1495, "packets_out": 5, "handshake": True, "payload_in": True,
            },
            {"kind": "http", "name": "www.example.org", "name_source": "host", "method": "GET", "status": 200},
        ),
        note="two logs joined: each has its own header",
    ),
    Sample(
        '{"ts":"2018-03-24T17:15:20.865716Z","uid":"C1","id.orig_h":"10.1.0.100","id.orig_p":41772,'
        '"id.resp_h":"192.0.2.10","id.resp_p":443,"version":"TLSv13","cipher":"TLS_AES_128_GCM_SHA256",'
        '"server_name":"api.example.org","next_protocol":"h2","established":true}',
        ({
            "kind": "tls", "ts": "2018-03-24T17:15:20.865716000Z", "name": "api.example.org", "name_source": "sni",
            "alpn": ["h2"], "version": "TLSv13",
        },),
    ),
    Sample(
        '{"_path":"dhcp","ts":1763856000.5,"uids":["C1"],"mac":"52:54:00:aa:00:02","host_name":"pc-2",'
        '"assigned_addr":"10.1.0.102","lease_time":900.0,"msg_types":["REQUEST","ACK"]}',
        ({
            "kind": "dhcp", "ts": "2025-11-23T00:00:00.500000000Z", "client_ip": "10.1.0.102",
            "client_mac": "52:54:00:aa:00:02", "hostname": "pc-2", "lease_s": 900, "message": "request/ack",
        },),
    ),
    Sample(
        '{"_path":"quic","ts":1763856000.5,"uid":"C1","id.orig_h":"10.1.0.9","id.orig_p":53727,'
        '"id.resp_h":"192.0.2.5","id.resp_p":443,"version":"1","server_name":"api.example.org","client_protocol":"h3"}',
        ({"kind": "quic", "transport": "udp", "name": "api.example.org", "alpn": ["h3"], "version": "1"},),
    ),
    Sample(
        '{"_path":"dns","ts":1763856000.5,"uid":"C1","id.orig_h":"nobody","id.orig_p":1,"query":"a.example"}',
        note="no address: rejected",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="Zeek dns, ssl, http, conn, quic and dhcp logs (text or JSON)",
    kinds=("dns", "tls", "http", "flow", "quic", "dhcp"),
    reference="https://docs.zeek.org/en/current/log-formats.html",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
