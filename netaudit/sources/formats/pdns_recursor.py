r"""PowerDNS Recursor's log (``quiet=no``): structured lines, and the text of older versions.

The structured form tells every query, whether it was answered from the packet cache or not. The old
text leaves the name out of those from the packet cache, which are about half: such a row has no name,
and the context says so.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import carrier, times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.records.names import normalise_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._endpoints import endpoints
from netaudit.sources.formats._lookups import UNREADABLE
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._owned import first_of, latest_before
from netaudit.sources.formats._transports import transports
from netaudit.sources.formats._values import among_others, mask, unescape, words

NAMES_LOST = "Answers from the packet cache stand in this log without the name that was asked for."

_ASKS = r'\bmsg="(?:TCP )?[Qq]uestion'
_ANSWERS = r'\bmsg="Answer"'
_QUOTED = r'"(?P<value>(?:[^"\\]|\\.)*)"'
_OLD = (
    r"(?P<serial>\[\d+/\d+\]) question for '(?P<name>.+)\|(?P<qtype>[A-Z0-9]+)' from (?P<client>\S+)"
    r"|(?P<tcp>TCP )?question answered from packet cache tag=\d+ from (?P<cached>\S+)"
)
_OLD_LIKE = r"\] question for '|\bquestion answered from packet cache tag="
_OLD_ANSWER = r"(?P<serial>\[\d+/\d+\]) answer to question '.+ rcode=(?P<rcode>\d+)"
_OURS = re.compile(rf'\bmsg="[^"]+" subsystem="[a-z]+" .*\bprio="|{_OLD_LIKE}|\] answer to question \'')


def _open(context: times.Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        peeled = carrier.peel(chunk.lines)
        text = pc.if_else(pc.starts_with(chunk.lines, "{"), peeled.rest, chunk.lines)
        structured = np.flatnonzero(mask(pc.match_substring_regex(text, _ASKS)))
        found = [_structured(text, structured), _old(text, context)]
        rows = []
        for index, columns in found:
            carried = carrier.read_stamps(peeled.stamp.take(pa.array(index)), context)
            whole = {**columns, "ts": pc.coalesce(columns["ts"], carried), "name_source": "qname"}
            rows.append(keep(Rows("dns", whole, index), mask(pc.is_valid(columns["client_ip"]))))
        like = np.union1d(structured, np.flatnonzero(mask(pc.match_substring_regex(text, _OLD_LIKE))))
        bad = np.setdiff1d(like, np.concatenate([one.line for one in rows]))
        return parsed(len(chunk.lines), rows, {UNREADABLE: bad})

    return parse


def _field(text: pa.Array, name: str) -> pa.Array:
    """The value of ``name="…"``, null where a line has none."""
    return said(text, rf" {name}={_QUOTED}")


def _structured(text: pa.Array, index: np.ndarray) -> tuple[np.ndarray, dict[str, pa.Array]]:
    asks = text.take(pa.array(index))
    # a query that a proxy passed on: `source` is who asked, or `remote` goes on "(proxied by …)"
    remote = pc.coalesce(_field(asks, "source"), _field(asks, "remote"))
    client, client_port = endpoints(pc.replace_substring_regex(remote, r" \(.*$", ""))
    told = np.flatnonzero(mask(pc.match_substring_regex(text, _ANSWERS)))
    answers = text.take(pa.array(told))
    question, reply = latest_before(_serial(asks), index, _serial(answers), told)
    rcode = rcode_column(_field(answers, "rcode"))
    return index, {
        "ts": times.from_epoch(_field(asks, "ts")),
        "client_ip": client,
        "client_port": client_port,
        "transport": transports(_field(asks, "proto")),
        "name": normalise_column(words(_field(asks, "qname"), unescape)),
        "qtype": qtype_column(_field(asks, "qtype")),
        "rcode": first_of(len(index), question, rcode.take(pa.array(reply))),
    }


def _serial(lines: pa.Array) -> pa.Array:
    """What a question and its answer have in common: thread's number and client."""
    return pc.binary_join_element_wise(_field(lines, "mtid"), _field(lines, "remote"), " ")


def _old(text: pa.Array, context: times.Context) -> tuple[np.ndarray, dict[str, pa.Array]]:
    index, field = extract(text, _OLD)
    client, client_port = endpoints(pc.coalesce(field["client"], field["cached"]))
    if field["cached"].null_count < len(index):
        context.notes.add(NAMES_LOST)
    told, answer = extract(text, _OLD_ANSWER)
    question, reply = latest_before(field["serial"], index, answer["serial"], told)
    return index, {
        "ts": pa.nulls(len(index), TIMESTAMP),
        "client_ip": client,
        "client_port": client_port,
        "transport": pc.if_else(pc.is_valid(field["tcp"]), "tcp", pa.scalar(None, pa.string())),
        "name": normalise_column(field["name"]),
        "qtype": qtype_column(field["qtype"]),
        "rcode": first_of(len(index), question, rcode_column(answer["rcode"]).take(pa.array(reply))),
    }


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, rf"{_ASKS}|{_OLD_LIKE}"))


def _sniff(lines: list[str]) -> float:
    return among_others(lines, _OURS.search)


_SAMPLES = (
    Sample(
        'Nov 23 00:00:44 msg="Question" subsystem="syncres" level="0" prio="Info" tid="1" ts="1795363244.818" ecs="" '
        'mtid="11" proto="udp" qname="we\\\\032ird.Corp.Test" qtype="A" remote="10.20.30.12:42370"\n'
        'Nov 23 00:00:44 msg="Answer" subsystem="syncres" level="0" prio="Info" tid="1" ts="1795363244.818" '
        'answers="1" mtid="11" proto="udp" qname="we\\\\032ird.corp.test" qtype="A" rcode="3" rd="1" '
        'remote="10.20.30.12:42370"\n'
        'Nov 23 00:00:57 msg="TCP question answered from packet cache" subsystem="in" level="0" prio="Notice" tid="1" '
        'ts="1795363257.717" proto="tcp" qname="www.corp.test" qtype="AAAA" remote="10.20.30.11:43669" '
        'source="10.20.30.11:43669" tag="0"',
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:44.818000000Z", "client_ip": "10.20.30.12",
                "client_port": 42370, "transport": "udp", "name": "we\\032ird.corp.test", "qtype": "A",
                "rcode": "NXDOMAIN",
            },
            {"kind": "dns", "client_ip": "10.20.30.11", "transport": "tcp", "name": "www.corp.test", "rcode": None},
        ),
        note="structured: a backslash is doubled; the answer's code is the question's",
    ),
    Sample(
        "Nov 23 00:00:50 rec pdns_recursor[812]: 3 [27/1] question for 'flagged-site.example|AAAA' from "
        "192.168.50.22:47644\n"
        "Nov 23 00:00:51 rec pdns_recursor[812]: 3 question answered from packet cache tag=0 from 192.168.50.21:48921",
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:50.000000000Z", "client_ip": "192.168.50.22",
                "client_port": 47644, "name": "flagged-site.example", "qtype": "AAAA",
            },
            {"kind": "dns", "client_ip": "192.168.50.21", "client_port": 48921, "name": None},
        ),
        timezone="Asia/Shanghai",
        note="the old text: no name for what comes from the packet cache",
    ),
    Sample(
        'Nov 23 00:01:07 msg="Dropping UDP query, address not matched by allow-from" subsystem="in" level="0" '
        'prio="Error" tid="1" ts="1795363267.629" proto="udp" source="172.16.9.9:50821"',
        note="dropped before its name was read",
    ),
    Sample(
        'Nov 23 00:00:44 msg="Question" subsystem="syncres" level="0" prio="Info" tid="1" ts="179536', note="cut: rejected"
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="PowerDNS Recursor log (structured, and old text)",
    kinds=("dns",),
    reference="https://docs.powerdns.com/recursor/settings.html#quiet",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    starts=_starts,
)
