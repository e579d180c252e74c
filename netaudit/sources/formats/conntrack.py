r"""Linux connection tracking: ``conntrack -E`` events, and the snapshots of ``conntrack -L``.

A line holds two tuples: the first as the opener sent it, the second as the reply comes. Where the
reply goes to another address than the opener's, the source was translated and the reply's
destination is the public side. Where the reply comes from another address than was asked, the
destination was translated (a published server): what was asked is the public side, and the
reply's source is inside. ``id=`` is reused by the kernel and is no key by itself.

An event has its own stamp (``-o timestamp``), or the system log's. To a ``DESTROY`` the kernel may add
begin and end (``-o ktimestamp``), local time: the flow was over then, while the event may come
minutes late. The begin dates the record where the log has neither the flow's ``NEW`` nor a stamp. A
snapshot is of the moment when it was taken, if the source says so (``taken_at``); ``delta-time`` is
the age of the flow then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, peel_text, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context, from_epoch, taken_at
from netaudit.records.addresses import parse_ip
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._flow_sides import (
    BAD_END,
    CUT_OFF,
    Tuples,
    flow_sides,
    numbers,
    snapshot_begin,
)
from netaudit.sources.formats._open_flows import OpenFlows, keys_of
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._torn import torn_line
from netaudit.sources.formats._values import among_others, mask

_ENDS = (
    r"(?:sport=(?P<{0}sport>\d+) dport=(?P<{0}dport>\d+) ?|type=\d+ code=\d+ (?:id=(?P<{0}query>\d+) ?)?)?"
)
_LINE = (
    r"^(?:\[(?P<ts>\d+\.\d+)\]\s+)?\s*(?:\[(?P<event>NEW|UPDATE|DESTROY)\]\s+)?(?:ipv[46]\s+\d+\s+)?"
    r"(?P<proto>[a-z][a-z0-9-]*)\s+\d+ [^=]*src=(?P<osrc>[0-9a-fA-F.:]+) dst=(?P<odst>[0-9a-fA-F.:]+) "
    + _ENDS.format("o")
    + r"(?:[a-z-]+=[^ ]+ )*?(?:\[UNREPLIED\] )?src=(?P<rsrc>[0-9a-fA-F.:]+) dst=(?P<rdst>[0-9a-fA-F.:]+) ?"
    + _ENDS.format("r")
    + r"(?:.*?\bid=(?P<id>\d+))?"
)
_FLOW = r"^[^=]*\bsrc="
"""A flow; an expectation (``proto=6 src=``) is none."""
_CARRIED = r"^(?:<\d+>|[A-Z][a-z]{2} |\d{4}-\d\d-\d\d|\{)"
_IN_TUPLE = re.compile(r"(?:(?:src|dst|sport|dport|type|code)=\S*|code=\d+ id=\d*)\Z")
_KEPT = 1 << 17
_ANY = re.compile(
    r"^(?:\[\d+\.\d+\]\s+)?\s*(?:\[(?:NEW|UPDATE|DESTROY)\]\s+)?(?:ipv[46]\s+\d+\s+)?"
    r"[a-z][a-z0-9-]*\s+\d+ [^=]*src=[0-9a-fA-F.:]+ dst=.*\bsrc="
)


def _open(context: Context) -> Parse:
    known = lru_cache(_KEPT)(parse_ip)  # the same hosts come back in every chunk
    flows = OpenFlows()

    def parse(chunk: Chunk) -> Parsed:
        lines, carried_ts = _peeled(chunk.lines, context)
        index, got = extract(lines, _LINE)
        ends, good = _sides(got, known)
        good &= ~_in_torn_tuple(chunk, index)
        stamp = pc.coalesce(from_epoch(got["ts"]), carried_ts.take(pa.array(index)))
        columns = {
            **ends,
            **_times(stamp, got, _begun_here(got, flows), lines.take(pa.array(index)), context),
            "transport": got["proto"],
            "message": pc.fill_null(pc.ascii_lower(got["event"]), "entry"),
            "session": got["id"],
        }
        rows = keep(Rows("nat", columns, index), good)
        missed = np.setdiff1d(np.arange(len(lines)), index, assume_unique=True)
        torn = missed[mask(pc.match_substring_regex(lines.take(pa.array(missed)), _FLOW))]
        return parsed(len(lines), [rows], {CUT_OFF: torn, BAD_END: index[~good]})

    return parse


def _begun_here(got: dict[str, pa.Array], flows: OpenFlows) -> np.ndarray:
    """Whether the log has the beginning of the flow of each record."""
    new = mask(pc.equal(got["event"], "NEW"))
    both = np.flatnonzero(new | mask(pc.equal(got["event"], "DESTROY")))
    some = pa.array(both)
    keys = keys_of(*(got[n].take(some) for n in ("id", "osrc", "osport", "odst", "odport")))
    begun = np.ones(len(new), bool)
    begun[both], _ = flows.recall(keys, new[both], new[both])
    return begun


def _times(
    stamp: pa.Array,
    got: dict[str, pa.Array],
    begun_here: np.ndarray,
    lines: pa.StringArray,
    context: Context,
) -> dict[str, pa.Array]:
    """Begin and end of each record, where its own stamp is not all there is to know."""
    times = {"ts": stamp, "ts_end": pa.nulls(len(lines), TIMESTAMP)}
    entry = pc.is_null(got["event"])
    told = said(lines, r"\[start=(?P<it>[^\]]*)\]")
    if told.null_count < len(told) and (
        context.zone or mask(pc.and_(pc.is_valid(told), pc.is_null(stamp))).any()
    ):
        over = said(lines, r"\[stop=(?P<it>[^\]]*)\]")
        begun = read_stamps(told, context)
        times = {
            "ts": pc.if_else(pa.array(begun_here), pc.coalesce(stamp, begun), pc.coalesce(begun, stamp)),
            "ts_end": read_stamps(over, context),
        }
    if mask(entry).any() and (taken := taken_at(context)) is not None:
        text = said(lines, r" delta-time=(?P<it>\d{1,9})\b")
        begun = snapshot_begin(times["ts"], text, taken)
        moment = pa.scalar(taken, pa.int64()).cast(TIMESTAMP)
        times = {
            "ts": pc.if_else(entry, pc.coalesce(begun, moment), times["ts"]),
            "ts_end": pc.if_else(pc.and_(entry, pc.is_valid(begun)), moment, times["ts_end"]),
        }
    return times


def _peeled(lines: pa.StringArray, context: Context) -> tuple[pa.StringArray, pa.Array]:
    """Lines without a system log's header, and its times where there is one."""
    if not mask(pc.match_substring_regex(lines, _CARRIED)).any():
        return lines, pa.nulls(len(lines), TIMESTAMP)
    peeled = peel(lines)
    untimed = pc.invert(pc.match_substring_regex(peeled.rest, r"^\[\d+\.\d+\]"))
    return peeled.rest, read_stamps(pc.if_else(untimed, peeled.stamp, None), context)


def _in_torn_tuple(chunk: Chunk, index: np.ndarray) -> np.ndarray:
    """Which line ends the file within a tuple, so that its last number may lack digits."""
    last = torn_line(chunk)
    within = last >= 0 and _IN_TUPLE.search(chunk.lines[last].as_py()) is not None
    torn: np.ndarray = (index == last) & within
    return torn


def _sides(
    got: dict[str, pa.Array], known: Callable[[str], bytes | None]
) -> tuple[dict[str, pa.Array], np.ndarray]:
    sport, dport, rsport, rdport = (numbers(got[n]) for n in ("osport", "odport", "rsport", "rdport"))
    query, back_query = numbers(got["oquery"]), numbers(got["rquery"])  # ICMP's id stands for a port
    asked = Tuples(got["osrc"], got["odst"], np.maximum(sport, query), dport)
    seen = Tuples(got["rdst"], got["rsrc"], np.maximum(rdport, back_query), rsport)
    return flow_sides(asked, seen, known)


_NEW = (
    "[1795364369.438768]\t    [NEW] tcp      6 120 SYN_SENT src=10.1.0.12 dst=198.51.100.9 sport=20501 dport=443 "
    "[UNREPLIED] src=198.51.100.9 dst=203.0.113.9 sport=443 dport=1024 id=1576234259"
)
_PUBLISHED = (
    "[1795364353.082062]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=198.51.100.4 dst=203.0.113.9 sport=38866 "
    "dport=8080 [UNREPLIED] src=10.1.0.13 dst=198.51.100.4 sport=80 dport=38866 id=3210830450"
)
_ICMP = (
    "[1795364403.534561]\t[DESTROY] icmp     1 src=10.1.0.12 dst=198.51.100.7 type=8 code=0 id=3565 packets=1 "
    "bytes=84 src=198.51.100.7 dst=203.0.113.9 type=0 code=0 id=3566 packets=1 bytes=84 delta-time=5 "
    "[start=Mon Nov 23 00:19:09 2026] [stop=Mon Nov 23 00:19:14 2026] id=2316707377"
)
_TABLE: str = (
    "ipv6     10 udp      17 2 src=fd00:0070:0000:0000:0000:0000:0000:0011 dst=2001:0db8:00ff:0000:0000:0000:0000:0007 "
    "sport=50002 dport=443 src=2001:0db8:00ff:0000:0000:0000:0000:0007 dst=fd00:0070:0000:0000:0000:0000:0000:0011 "
    "sport=443 dport=50002 [ASSURED] mark=0 zone=0 use=2"
)
_REDIRECTED = (
    "[1795364403.000001]\t    [NEW] udp      17 60 src=192.168.8.20 dst=8.8.8.8 sport=5353 dport=53 [UNREPLIED] "
    "src=192.168.8.1 dst=192.168.8.20 sport=53 dport=5353 id=7"
)

FORMAT = LogFormat(
    title="Linux conntrack: events (conntrack -E -o timestamp,id) and snapshots (conntrack -L)",
    kinds=("nat",),
    reference="https://manpages.debian.org/conntrack",
    sniff=lambda lines: among_others(peel_text(lines), _ANY.match),
    open=_open,
    samples=(
        Sample(
            _NEW,
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T16:19:29.438768000Z",
                    "message": "new",
                    "transport": "tcp",
                    "client_ip": "10.1.0.12",
                    "client_port": 20501,
                    "public_ip": "203.0.113.9",
                    "public_port": 1024,
                    "server_ip": "198.51.100.9",
                    "server_port": 443,
                    "session": "1576234259",
                },
            ),
            note="the source is translated: the public port stands in the reply tuple",
        ),
        Sample(
            _PUBLISHED,
            (
                {
                    "kind": "nat",
                    "client_ip": "10.1.0.13",
                    "client_port": 80,
                    "public_ip": "203.0.113.9",
                    "public_port": 8080,
                    "server_ip": "198.51.100.4",
                    "server_port": 38866,
                },
            ),
            note="a published server: the destination is translated",
        ),
        Sample(
            _ICMP,
            (
                {
                    "kind": "nat",
                    "message": "destroy",
                    "transport": "icmp",
                    "client_port": 3565,
                    "public_port": 3566,
                    "server_port": None,
                    "session": "2316707377",
                    "ts": "2026-11-22T16:19:09.000000000Z",
                    "ts_end": "2026-11-22T16:19:14.000000000Z",
                },
            ),
            timezone="Asia/Shanghai",
            note="ICMP has its query id for a port; an end whose beginning is not in the log",
        ),
        Sample(
            _TABLE,
            (
                {
                    "kind": "nat",
                    "ts": None,
                    "message": "entry",
                    "client_ip": "fd00:70::11",
                    "public_ip": None,
                    "server_ip": "2001:db8:ff::7",
                    "session": None,
                },
            ),
            note="a snapshot has no time; nothing is translated",
        ),
        Sample(
            _REDIRECTED,
            ({"kind": "nat", "client_ip": "192.168.8.20", "server_ip": "8.8.8.8", "public_ip": None},),
            note="a query that the router answers itself publishes nothing",
        ),
        Sample(
            "2026-11-23T00:19:30+08:00 gw conntrack[812]:     [NEW] udp      17 30 src=10.1.0.12 dst=198.51.100.9 "
            "sport=500 dport=500 [UNREPLIED] src=198.51.100.9 dst=203.0.113.9 sport=500 dport=500 id=9",
            ({"kind": "nat", "ts": "2026-11-22T16:19:30.000000000Z", "public_ip": "203.0.113.9"},),
            note="through a system log, without a stamp of its own",
        ),
        Sample(
            _ICMP.split("\t")[1],
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T16:19:09.000000000Z",
                    "ts_end": "2026-11-22T16:19:14.000000000Z",
                },
            ),
            timezone="Asia/Shanghai",
            note="without a stamp of its own: the kernel's begin and end, local time",
        ),
        Sample(_NEW[:120], note="cut off"),
        Sample(_NEW.replace("20501", "70501"), note="no port"),
    ),
)
