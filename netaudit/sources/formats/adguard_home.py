"""AdGuard Home's `querylog.json`: one JSON object per query, the answer as a wire message."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import json_lines, times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, share
from netaudit.records.addresses import by_distinct, ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import mask
from netaudit.sources.formats._wire import from_base64, read_messages

UNREADABLE = "The client or the question of this line cannot be read."

_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("T", "Time", "QH", "QT", "Question", "CP", "IP", "Answer")]
    + [("Result", pa.struct([("IsFiltered", pa.bool_()), ("Reason", pa.int64())]))]
)
# ClientProto of querylog/entry.go: nothing for plain DNS
_TRANSPORT = {"doh": "tcp", "dot": "tcp", "doq": "udp", "dnscrypt": "udp"}
_ALLOWED = 1


def _open(context: times.Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        objects = json_lines.read(chunk.lines, _SCHEMA)
        client = ip_column(objects.column("IP"))
        named = pc.or_(pc.is_valid(objects.column("QH")), pc.is_valid(objects.column("Question")))
        readable = mask(pc.and_(pc.is_valid(client), named))
        keep = pa.array(readable)
        field = {name: objects.column(name).filter(keep) for name in _SCHEMA.names}
        answer = read_messages(from_base64(field["Answer"]))
        question = read_messages(from_base64(field["Question"]))
        plain = pc.fill_null(field["CP"], "")
        columns = {
            "ts": times.from_iso(pc.coalesce(field["T"], field["Time"]), context),
            "client_ip": client.filter(keep),
            "transport": by_distinct(pc.if_else(pc.equal(plain, ""), "-", plain), _transport, pa.string()),
            "transport_detail": by_distinct(plain, str.lower, pa.string()),
            "name": pc.coalesce(normalise_column(field["QH"]), question.name),
            "name_source": "qname",
            "qtype": pc.coalesce(qtype_column(field["QT"]), question.qtype),
            "rcode": answer.rcode,
            "answers": answer.answers,
            "action": _action(field["Result"]),
        }
        rejected = {**objects.rejected, **refused({UNREADABLE: objects.index[~readable]})}
        index = objects.index[readable]
        return Parsed([Rows("dns", columns, index)] if len(index) else [], rejected, objects.blank)

    return parse


def _transport(protocol: str) -> str | None:
    """Plain queries are put down as UDP: the log does not tell UDP from TCP."""
    return "udp" if protocol == "-" else _TRANSPORT.get(protocol.lower())


def _action(result: pa.Array) -> pa.Array:
    """``blocked`` where a filter answered, ``allowed`` where an allow-list let it through."""
    filtered = pc.fill_null(pc.struct_field(result, "IsFiltered"), False)
    allowed = pc.fill_null(pc.equal(pc.struct_field(result, "Reason"), _ALLOWED), False)
    nothing = pa.scalar(None, pa.string())
    return pc.if_else(filtered, "blocked", pc.if_else(allowed, "allowed", nothing))


def _sniff(lines: list[str]) -> float:
    def is_ours(line: str) -> bool:
        asked = ('"QH":' in line and '"QT":' in line) or ('"Question":"' in line and '"Answer":"' in line)
        return line.lstrip().startswith("{") and asked and '"IP":' in line

    return share(lines, is_ours)


_SAMPLES = (
    Sample(
        text='{"T":"2026-09-14T17:41:53.850502+07:00","QH":"Ads.Tracker.Example","QT":"A","QC":"IN","CP":"",'
        '"Answer":"EyOBgAABAAEAAAABA2FkcwdleGFtcGxlAAABAAHADAABAAEAAAAKAAQAAAAAAAApEAAAAAAAAAA=",'
        '"IP":"192.168.1.126","Result":{"Rules":[{"Text":"||ads.example^","FilterListID":1}],"Reason":3,'
        '"IsFiltered":true},"Elapsed":267375}',
        records=(
            {
                "kind": "dns", "ts": "2026-09-14T10:41:53.850502000Z", "client_ip": "192.168.1.126",
                "name": "ads.tracker.example", "qtype": "A", "transport": "udp", "rcode": "NOERROR",
                "answers": ["0.0.0.0"], "action": "blocked",  # noqa: S104 -- what a filter answers
            },
        ),
        note="a filter answered",
    ),
    Sample(
        text='{"T":"2026-09-14T10:41:54Z","QH":"www.example.org","QT":"HTTPS","QC":"IN","CP":"doh","Answer":"AA",'
        '"IP":"2001:db8::20","CID":"laptop","Result":{},"Elapsed":1}',
        records=(
            {
                "kind": "dns", "client_ip": "2001:db8::20", "name": "www.example.org", "qtype": "HTTPS",
                "transport": "tcp", "transport_detail": "doh", "rcode": None, "answers": None, "action": None,
            },
        ),
        note="DNS over HTTPS, an answer that cannot be read",
    ),
    Sample(
        text='{"Question":"EyMBAAABAAAAAAAAA2FkcwdleGFtcGxlAAABAAE=","Answer":"EyOBgwABAAAAAAAAA2FkcwdleGFtcGxlAAABAAE=",'
        '"Result":{},"Time":"2019-09-14T10:41:54.5+07:00","Elapsed":1,"IP":"192.168.1.126"}',
        records=(
            {
                "kind": "dns", "ts": "2019-09-14T03:41:54.500000000Z", "client_ip": "192.168.1.126",
                "name": "ads.example", "qtype": "A", "rcode": "NXDOMAIN", "answers": None,
            },
        ),
        note="a very old build",
    ),
    Sample(
        text='{"T":"2026-09-14T10:41:54Z","QH":"www.example.org","QT":"A","QC":"IN","CP":"","IP":"","Result":{}}',
        note="no client",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="AdGuard Home query log (querylog.json)",
    kinds=("dns",),
    reference="https://github.com/AdguardTeam/AdGuardHome/blob/master/internal/querylog/entry.go",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
