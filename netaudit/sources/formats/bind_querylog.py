"""BIND 9 query log, with its `security`, `query-errors` and `rpz` neighbours and its dialects.

Built for speed: the usual query line is cut at its blanks; every rarer kind of line goes through
one regular expression. Both read the same grammar.

A refused query stands in the query log, in `security` and in `query-errors`: three rows, because
that is what the logs say. Addresses in ``resolving …`` lines are upstream servers: no row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import carrier, times
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, share
from netaudit.records.addresses import by_distinct, ip_column
from netaudit.records.names import normalise_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._bind_quick import BindQueries
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._quick import by_kernels
from netaudit.sources.formats._values import mask, port

UNREADABLE = "The client or the question of this line cannot be read."
CUT = "The line ends in its middle."

# print-time, print-category and print-severity are separate switches
_DAY_FIRST = r"^\d\d-[A-Z][a-z]{2}-\d{4} \d\d:"
# Infoblox's in a system log, perhaps with two hosts
_BEHIND_CATEGORY = r"^(?:\S+ ){0,2}[a-z-]+(?:\[\d+\])?: (\d\d-[A-Z][a-z]{2}-\d{4} \d\d:)"
_OWN_HEAD = (
    r"^(?:\d{1,2}-[A-Z][a-z]{2}-\d{4} \d{2}:\d{2}:\d{2}\S* |\d{4}-\d{2}-\d{2}T\S+ )?"
    r"(?:[a-z-]+: ){0,2}(?:client |List Matched )"
)
_LEAD = (
    r"(?:\bclient|List Matched) (?:@0x[0-9a-f]+ )?(?P<ip>[0-9a-fA-F:.]+(?:%[^#\s]+)?)#(?P<port>\d+)"
    # older Infoblox has no colon before ``UDP:``
    r"(?: \(\S*\))?:? (?:view [^ :]+: )?"
)
_QUESTION = r"(?P<name>\S+) \S+ (?P<qtype>\S+)"
_SERVER = r"(?: (?P<flags>[-+][A-Z0-9()]*))? \((?P<server>[0-9a-fA-F:.]+(?:%[^)\s]+)?)\)"


@dataclass(frozen=True, slots=True)
class _Message:
    """A kind of line: how it goes on after the client, and what it says without a word for it."""

    pattern: str
    rcode: str | None = None
    action: str | None = None


_MESSAGES = (
    _Message(rf"query: {_QUESTION}{_SERVER}"),
    # some commercial builds, EfficientIP
    _Message(rf"answer: {_QUESTION}{_SERVER} -> (?P<rcode>[A-Z]+)(?P<records> .*)?$"),
    # responselog of BIND 9.20
    _Message(
        rf"response: {_QUESTION} (?P<rcode>[A-Z]+\d*)(?: [^(]*(?:\(\d+\)[^(]*)?\((?P<server>[0-9a-fA-F:.]+)\))?"
    ),
    # Infoblox query capture
    _Message(
        rf"(?P<transport>UDP|TCP): query: {_QUESTION} response: (?P<rcode>[A-Z]+)"
        r"(?: [-+][A-Z]*)?(?P<records> .*)?$"
    ),
    _Message(
        r"query(?: \([a-z]+\))? '(?P<name>\S+)/(?P<qtype>[^/\s]+)/[^/\s]+' denied", "REFUSED", "denied"
    ),
    _Message(r"query failed \((?P<rcode>[^)]+)\) for (?P<name>\S+)/[^/\s]+/(?P<qtype>\S+) at "),
    _Message(
        r"rpz \S+ (?:NXDOMAIN|NODATA|DROP|CNAME|Local-Data) rewrite (?P<name>\S+)/(?P<qtype>[^/\s]+)/\S+ via ",
        action="blocked",
    ),
)
_LOOK_AT = 2_000  # characters of a line, so that hostile lines cost little
# what named writes besides: transfers, validation, trouble with upstream servers
_NAMED = re.compile(
    r"(?:\bclient|List Matched) (?:@0x[0-9a-f]+ )?[0-9a-fA-F:.]+(?:%\S+)?#\d+(?: \(\S*\))?:? "
    r"|\bresolving '[^']*'(?:: \S+#\d+)?| resolving '[^']+' after |\bzone \S+/IN: |\btransfer of '\S+/IN' from "
    r"|\brpz: |\bvalidating \S+/\S+: "
)
# ``[NAME ]TTL [IN ]TYPE DATA``, several parted by ``;``: the data of addresses and aliases
_ADDRESS = r"\b(\d+ (?:IN )?(?:A|AAAA|CNAME)) ([^ ;]+)"


def _open(context: times.Context) -> Parse:
    def parse(lines: pa.StringArray) -> Parsed:
        text, carried = _peeled(lines)
        index, columns = _usual(text)
        found = [(index, columns)]
        left = np.ones(len(text), bool)
        left[index] = False
        found += _unusual(text, np.flatnonzero(left))
        rows = []
        for index, columns in found:
            left[index] = False
            ts = _stamps(text, carried, index, context)
            rows.append(Rows("dns", {"ts": ts, "name_source": "qname", **columns}, index))
        rejected = _rejected(text, np.flatnonzero(left))
        other = int(left.sum()) - sum(len(lines) for lines in rejected.values())
        return Parsed([r for r in rows if len(r.line)], rejected, other)

    return by_kernels(BindQueries(context), parse)


def _peeled(lines: pa.StringArray) -> tuple[pa.StringArray, pa.StringArray | None]:
    """Lines without syslog headers, and those headers' stamps (None where no line has one)."""
    own = pc.match_substring_regex(lines, _DAY_FIRST)
    if not pc.all(own, min_count=0).as_py():
        own = pc.or_(own, pc.match_substring_regex(lines, _OWN_HEAD))
    if pc.all(own, min_count=0).as_py():
        return lines, None
    peeled = carrier.peel(pc.if_else(own, None, lines))
    return pc.coalesce(peeled.rest, lines), peeled.stamp


def _usual(text: pa.StringArray) -> tuple[np.ndarray, dict[str, pa.Array]]:
    """Query lines as BIND 9 writes them, cut at their blanks: index and columns.

    ``… client [@0x… ]IP#PORT[ (NAME)]: [view V: ]query: NAME CLASS TYPE FLAGS (SERVER)[ …]``
    """
    cut = pc.split_pattern(text, " ")
    tokens, starts = cut.values, cut.offsets.to_numpy()
    asked = np.flatnonzero(mask(pc.equal(tokens, "query:")))
    row = np.searchsorted(starts, asked, side="right") - 1
    client = _next_position(tokens, "client", starts[row]) + 1
    client += mask(pc.starts_with(_at(tokens, client), "@0x"))
    fits = (client < asked) & (asked - client <= 4) & (asked + 5 < starts[row + 1])
    fits[1:] &= row[1:] != row[:-1]
    asked, row, client = asked[fits], row[fits], client[fits]

    pair = pc.split_pattern(pc.utf8_rtrim(_at(tokens, client), ":"), "#", max_splits=1)
    whole = mask(pc.equal(pc.list_value_length(pair), 2))
    whole &= mask(pc.match_substring_regex(_at(tokens, asked + 4), r"^[-+][A-Z0-9()]*$"))
    if not whole.all():
        asked, row, pair = asked[whole], row[whole], pair.filter(pa.array(whole))
    flags = _at(tokens, asked + 4)
    columns = {
        "client_ip": ip_column(pc.list_element(pair, 0)),
        "client_port": port(pc.list_element(pair, 1)),
        "server_ip": ip_column(pc.utf8_trim(_at(tokens, asked + 5), "()")),
        "transport": _transport(flags),
        "name": normalise_column(_at(tokens, asked + 1)),
        "qtype": qtype_column(_at(tokens, asked + 3)),
    }
    return _readable(row, columns, "client_ip", "server_ip")


def _at(tokens: pa.StringArray, position: np.ndarray) -> pa.StringArray:
    return tokens.take(pa.array(np.minimum(position, len(tokens) - 1)))


def _next_position(tokens: pa.StringArray, word: str, start: np.ndarray) -> np.ndarray:
    """Position of the first `word` at or after each of `start`; past the end where none is."""
    found = np.append(np.flatnonzero(mask(pc.equal(tokens, word))), len(tokens))
    return found[np.searchsorted(found, start)]


def _transport(flags: pa.Array) -> pa.Array:
    """T among the flags says TCP; where there are no flags nothing is known."""
    return by_distinct(flags, lambda text: "tcp" if "T" in text else "udp", pa.string())


def _readable(
    row: np.ndarray, columns: dict[str, pa.Array], *needed: str
) -> tuple[np.ndarray, dict[str, pa.Array]]:
    """Only the rows in which the columns `needed` hold a value."""
    good = np.logical_and.reduce([mask(pc.is_valid(columns[name])) for name in needed])
    if good.all():
        return row, columns
    keep = pa.array(good)
    return row[good], {name: column.filter(keep) for name, column in columns.items()}


def _unusual(text: pa.StringArray, index: np.ndarray) -> list[tuple[np.ndarray, dict[str, pa.Array]]]:
    """Every kind of message by its own expression, over the lines that are left."""
    found = []
    for message in _MESSAGES:
        if not len(index):
            break
        local, field = extract(text.take(pa.array(index)), _LEAD + message.pattern)
        if not len(local):
            continue
        nothing = pa.nulls(len(local), pa.string())
        columns = {
            "client_ip": ip_column(field["ip"]),
            "client_port": port(field["port"]),
            "server_ip": ip_column(field.get("server", nothing)),
            "transport": _transport(field["flags"]) if "flags" in field
            else pc.utf8_lower(field.get("transport", nothing)),
            "name": normalise_column(field["name"]),
            "qtype": qtype_column(field["qtype"]),
            "rcode": rcode_column(field["rcode"]) if "rcode" in field else message.rcode,
            "answers": _answers(field.get("records", nothing)),
            "action": message.action,
        }  # fmt: skip
        arrays = {n: c for n, c in columns.items() if isinstance(c, pa.Array)}
        row, arrays = _readable(index[local], arrays, "client_ip")
        found.append((row, {**arrays, **{n: c for n, c in columns.items() if isinstance(c, str)}}))
        index = np.setdiff1d(index, row, assume_unique=True)
    return found


def _answers(records: pa.StringArray) -> pa.Array:
    """Addresses and aliases of the record lists of answer lines; null where there is none."""
    marked = pc.replace_substring_regex(records, _ADDRESS, "\n\\2\n")
    pieces = pc.split_pattern(marked, "\n")
    return pa.array([p[1::2] or None if p else None for p in pieces.to_pylist()], pa.list_(pa.string()))


def _stamps(
    text: pa.StringArray, carried: pa.StringArray | None, index: np.ndarray, context: times.Context
) -> pa.Array:
    """The line's own stamp, else its carrier's, else null."""
    lines = text if len(index) == len(text) else text.take(pa.array(index))
    lines = pc.replace_substring_regex(lines, _BEHIND_CATEGORY, "\\1")
    words = pc.split_pattern(lines, " ", max_splits=2)
    date, clock = pc.list_element(words, 0), pc.list_element(words, 1)
    day_first = pc.match_substring_regex(lines, _DAY_FIRST)
    turned = by_distinct(pc.if_else(day_first, date, None), _turned, pa.string())
    iso = pc.binary_join_element_wise(turned, clock, " ")
    iso = pc.coalesce(iso, pc.if_else(pc.match_substring_regex(date, r"^\d{4}-\d\d-\d\dT"), date, None))
    own = times.from_iso(iso, context) if iso.null_count < len(iso) else pa.nulls(len(index), TIMESTAMP)
    if carried is None:
        return own
    fallback = pc.if_else(pc.is_null(iso), carried.take(pa.array(index)), None)
    return pc.coalesce(own, carrier.read_stamps(fallback, context))


def _turned(date: str) -> str | None:
    day, month, year = date.split("-")
    return f"{year}-{times.MONTHS.index(month) + 1:02}-{day}" if month in times.MONTHS else None


def _rejected(text: pa.StringArray, index: np.ndarray) -> dict[str, np.ndarray]:
    """Lines that should have been rows: a query that cannot be read, a client cut off."""
    lines = text.take(pa.array(index))
    asked = mask(pc.match_substring_regex(lines, r"\bclient .*: (?:query|answer): "))
    begun = mask(pc.match_substring_regex(lines, r"\bclient (?:@0x[0-9a-f]* ?)?[^ ]*(?: \([^ ]*)?$"))
    return refused({UNREADABLE: index[asked], CUT: index[begun & ~asked]})


def _sniff(lines: list[str]) -> float:
    return share(carrier.peel_text(lines), lambda line: _NAMED.search(line[:_LOOK_AT]))


_SAMPLES = (
    Sample(
        "23-Nov-2026 09:15:02.265 queries: info: client @0x7fea21a32098 10.1.0.13#54767 (WwW.Example.Org): "
        "view staff: query: WwW.Example.Org IN AAAA +E(0)K (10.1.0.53)",
        ({
            "kind": "dns", "ts": "2026-11-23T01:15:02.265000000Z", "client_ip": "10.1.0.13", "client_port": 54767,
            "server_ip": "10.1.0.53", "transport": "udp", "name": "www.example.org", "name_source": "qname",
            "qtype": "AAAA", "rcode": None, "action": None,
        },),
        timezone="Asia/Shanghai",
        note="the usual line",
    ),
    Sample(
        "2026-11-23T01:15:02.265Z client @0x7f646f70f098 fd00:20:30::11#53422 (a\\.b.example.org): "
        "query: a\\.b.example.org IN TYPE65 -E(0)TDC (fd00:20:30::53) [ECS 203.0.113.0/24/0]",
        ({
            "kind": "dns", "ts": "2026-11-23T01:15:02.265000000Z", "client_ip": "fd00:20:30::11",
            "transport": "tcp", "name": "a\\.b.example.org", "qtype": "HTTPS",
        },),
        note="iso8601-utc, TCP, a dot inside a label",
    ),
    Sample(
        "client 10.1.0.13#54875: query: version.bind CH TXT + (10.1.0.53)",
        ({"kind": "dns", "ts": None, "client_ip": "10.1.0.13", "name": "version.bind", "qtype": "TXT"},),
        note="print-time no, an old build",
    ),
    Sample(
        "<30>Nov 23 09:15:02 ns1 named[812]: queries: info: client @0x7fea 10.1.0.14#1024 (example.org): "
        "query: example.org IN MX +E(0) (10.1.0.53)",
        ({"kind": "dns", "ts": "2026-11-23T09:15:02.000000000Z", "client_ip": "10.1.0.14", "qtype": "MX"},),
        note="through syslog: the carrier's stamp, whose year is inferred",
    ),
    Sample(
        "23-Nov-2026 00:01:04.409 security: info: client @0x7fea21a32098 172.16.9.9#39096 (www.example.org): "
        "view other: query (cache) 'www.example.org/A/IN' denied (allow-query-cache did not match)",
        ({"kind": "dns", "name": "www.example.org", "qtype": "A", "rcode": "REFUSED", "action": "denied"},),
    ),
    Sample(
        "23-Nov-2026 00:00:45.401 query-errors: info: client @0x7fea21a32098 10.1.0.21#43650 (dead.example): "
        "query failed (failure) for dead.example/IN/A at query.c:7916",
        ({"kind": "dns", "name": "dead.example", "qtype": "A", "rcode": "SERVFAIL"},),
        note="type and class stand in the other order",
    ),
    Sample(
        "23-Nov-2026 00:00:45.401 rpz: info: client @0x7fea21a32098 10.1.0.21#43650 (bad.example): "
        "rpz QNAME NXDOMAIN rewrite bad.example/A/IN via bad.example.rpz.local",
        ({"kind": "dns", "name": "bad.example", "qtype": "A", "action": "blocked"},),
        note="a response policy zone answered",
    ),
    Sample(
        "client @0xfc886160 10.1.0.22#58925 (www.example.org): answer: www.example.org IN A +EDC (10.1.0.53) -> "
        "NOERROR www.example.org. 60 CNAME web.example.org. 60 A 192.0.2.1",
        ({"kind": "dns", "rcode": "NOERROR", "answers": ["web.example.org.", "192.0.2.1"], "qtype": "A"},),
        note="an answer line",
    ),
    Sample(
        "28-Nov-2024 15:26:27.498 client 10.1.0.3#36615: UDP: query: www.example.org IN A response: NOERROR +A "
        "www.example.org. 3600 IN A 192.0.2.1;",
        ({
            "kind": "dns", "client_ip": "10.1.0.3", "transport": "udp", "rcode": "NOERROR",
            "answers": ["192.0.2.1"],
        },),
        note="Infoblox query capture",
    ),
    Sample(
        "<30>Mar 11 23:51:31 infoblox.localdomain named[11042]: 07-Apr-2022 08:08:10.043 client 192.168.0.1#57398 UDP: query: "
        "a2.foo.com IN A response: NOERROR +AED a2.foo.com 28800 IN A 192.168.0.3;\n"
        "<30>Apr 14 16:17:20 10.50.1.227 named[2588]: infoblox-responses: 14-Apr-2022 16:17:20.046 client 192.168.1.90#57738: "
        "UDP: query: settings-win.data.microsoft.com IN A response: REFUSED -",
        (
            {
                "kind": "dns", "ts": "2022-04-07T08:08:10.043000000Z", "client_ip": "192.168.0.1", "client_port": 57398,
                "name": "a2.foo.com", "rcode": "NOERROR", "answers": ["192.168.0.3"],
            },
            {"kind": "dns", "ts": "2022-04-14T16:17:20.046000000Z", "client_ip": "192.168.1.90", "rcode": "REFUSED"},
        ),
        note="the same of other releases, in a system log: their own stamp counts",
    ),
    Sample(
        "23-Nov-2026 00:00:45.401 responses: info: client @0x7fea21a32098 10.1.0.21#43650 (nx.example): view staff: "
        "response: nx.example IN A NXDOMAIN +E(0)K 0 1 1 (10.1.0.53)",
        ({
            "kind": "dns", "client_ip": "10.1.0.21", "server_ip": "10.1.0.53", "name": "nx.example", "qtype": "A",
            "rcode": "NXDOMAIN",
        },),
        note="responselog of BIND 9.20, from its documentation",
    ),
    Sample("timed out resolving 'example.org/A/IN': 192.0.2.6#53", note="an upstream server, no client"),
    Sample(
        "23-Nov-2026 00:00:45.401 queries: info: client @0x7fea 999.1.0.21#43650 (a.example): query: a.example IN A + "
        "(10.1.0.53)",
        note="no address: rejected",
    ),
    Sample("23-Nov-2026 00:00:45.401 queries: info: client @0x7fea 10.1.0.21#43650 (a.exa", note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="BIND 9 query log (also Infoblox, EfficientIP)",
    kinds=("dns",),
    reference="https://bind9.readthedocs.io/en/latest/reference.html#namedconf-statement-logging",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
