r"""Cisco ASA, FTD and PIX in a system log: connections and translations, built and torn down.

===============  ===========================================================================
302013, 302015   connection built, TCP and UDP: both ends as they are (and as translated)
302014, 302016   its teardown, without the translation: joined by number
302020, 302021   the same of ICMP: foreign, global and local address
305009 - 305012  translation of an address, or of an address and port, built and torn down
430002, 430003   connection events of FTD (`_ftd_connections`)
===============  ===========================================================================

Which end is inside: the one with a private address, else the one that was translated, else the
opener, who stands second in an outbound message and first in an inbound one. A teardown follows its
beginning (`_open_flows`); without that the first end is taken where a user is named behind it, else
the second, where the inner interface stands.
A teardown tells its length, so it has begin and end. Where the firewall is configured to write names
(``names``), the source's options say which address a name has (``name.WEB1 = 10.1.0.5``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context
from netaudit.records.addresses import by_distinct, format_ip, parse_ip
from netaudit.records.schemas import IP, TIMESTAMP
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._flow_sides import PRIVATE
from netaudit.sources.formats._ftd_connections import connections
from netaudit.sources.formats._open_flows import OpenFlows, keys_of
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import among_others, mask, port

_MARK = r"%(?:ASA|FTD|PIX)(?:-[A-Za-z]+)?-\d-(?P<number>302013|302014|302015|302016|302020|302021|305009|305010|305011|305012):? "
_HEAD = rf"^(?P<head>.*?){_MARK}"
_WHO = r"(?: ?\((?P<{0}user>[^()]*)\))?"
_GROUP = re.compile(r"(?:^|, )\d+:\S*$|, \d+$")  # number and name of a security group, which is no user
_END = r"[^\s:]*:(?P<{0}real>[^\s/()]+)/(?P<{0}port>\d+)"
_MAPPED = r"(?: \((?P<{0}map>[^\s/()]+)/(?P<{0}mapport>\d+)\))?" + _WHO
_CONNECTION = (
    _HEAD
    + r"(?P<what>Built|Teardown)(?: (?P<way>inbound|outbound))? (?P<proto>TCP|UDP) connection (?P<session>\d+) for "
    + (_END + _MAPPED).format("a")
    # older versions name users without brackets
    + r"(?: (?P<abare>[^\s()]+))? to "
    + (_END + _MAPPED).format("b")
    + r"(?: (?P<bbare>[^\s()]+) duration)?"
)
_ICMP = (
    _HEAD + r"(?P<what>Built|Teardown)(?: (?P<way>inbound|outbound))? (?P<proto>ICMP) connection for faddr "
    r"(?P<far>[^\s/()]+)/(?P<farport>\d+)"
    + _WHO.format("far")
    + r" gaddr (?P<map>[^\s/()]+)/(?P<mapport>\d+)"
    r" laddr (?P<real>[^\s/()]+)/(?P<port>\d+)" + _WHO.format("")
)
_TRANSLATION = (
    _HEAD + r"(?P<what>Built|Teardown) (?:dynamic|static) (?:(?P<proto>TCP|UDP|ICMP) )?translation from "
    r"[^\s:]+:(?P<real>[^\s/()]+)(?:/(?P<port>\d+))?"
    + _WHO.format("")
    + r" to [^\s:]+:(?P<map>[^\s/()]+)(?:/(?P<mapport>\d+))?"
)
_DURATION = r" duration (?P<hours>\d{1,6}):(?P<minutes>\d\d):(?P<seconds>\d\d)\b"
_DEVICE = r"(?:^|\s)(?P<v>[A-Za-z][\w.-]*|\d+\.\d+\.\d+\.\d+)\s*:?\s*$"
_OWN = re.compile(r"%(?:ASA|FTD|PIX)(?:-[A-Za-z]+)?-\d-\d{6}:? ")
CUT = "A message of the firewall is cut off or of an unknown shape."
NAMED = "A message has a name in place of an address; declare it in the [[source]] options: name.HOST = address."


def _open(context: Context) -> Parse:
    memory = OpenFlows()
    known = _address_of(context.options)

    def parse(chunk: Chunk) -> Parsed:
        lines = chunk.lines
        wanted, marked = extract(lines, _MARK)
        some = lines.take(pa.array(wanted))
        connection, icmp, translation = (
            np.flatnonzero(mask(pc.match_substring_regex(marked["number"], f"^{family}")))
            for family in ("30201", "30202", "305")
        )
        parts = [
            _connections(some, connection, memory, known),
            _addressed(some, icmp, _ICMP, _icmp, known),
            _addressed(some, translation, _TRANSLATION, _translation, known),
        ]
        rows = [
            Rows(
                "nat",
                part.columns | _said(some.take(pa.array(part.line)), part.got, context),
                wanted[part.line],
            )
            for part in parts
        ]
        kept = [keep(one, part.good) for one, part in zip(rows, parts, strict=True)]
        named = [one.line[~part.good] for one, part in zip(rows, parts, strict=True)]
        torn = np.setdiff1d(wanted, np.concatenate([one.line for one in rows]))
        events, refusals = connections(lines, context)
        return parsed(len(lines), [*kept, events], {CUT: torn, NAMED: np.concatenate(named), **refusals})

    return parse


Known = Callable[[pa.Array], pa.Array]


@dataclass(frozen=True, slots=True)
class _Part:
    """The messages of one shape."""

    line: np.ndarray
    columns: dict[str, pa.Array]
    got: dict[str, pa.Array]
    good: np.ndarray
    """Whether all addresses of each could be read."""


def _address_of(options: dict[str, str]) -> Known:
    return lambda text: by_distinct(text, lambda name: parse_ip(options.get(f"name.{name}", name)), IP)


def _addressed(
    lines: pa.StringArray,
    among: np.ndarray,
    pattern: str,
    columns_of: Callable[[dict[str, pa.Array], Known], dict[str, pa.Array]],
    known: Known,
) -> _Part:
    """Messages that have a translation and so say which end is inside."""
    index, got = extract(lines.take(pa.array(among)), pattern)
    columns = columns_of(got, known)
    addresses = [column for name, column in columns.items() if name.endswith("_ip")]
    return _Part(
        among[index], columns, got, np.logical_and.reduce([mask(pc.is_valid(c)) for c in addresses])
    )


def _icmp(got: dict[str, pa.Array], known: Known) -> dict[str, pa.Array]:
    """Query ids stand where ports would; a 0 stands for none."""
    return {
        "client_ip": known(got["real"]),
        "client_port": _query(got["port"]),
        "public_ip": known(got["map"]),
        "public_port": _query(got["mapport"]),
        "server_ip": known(got["far"]),
        "server_port": _query(got["farport"]),
        "account": _user(got["faruser"], got["user"]),
    }


def _user(*told: pa.Array) -> pa.Array:
    """The first user named, without the security group that may stand behind the name or alone."""
    return pc.coalesce(
        *(by_distinct(text, lambda who: _GROUP.sub("", who) or None, pa.string()) for text in told)
    )


def _query(text: pa.Array) -> pa.Array:
    return port(pc.if_else(pc.equal(text, "0"), None, text))


def _translation(got: dict[str, pa.Array], known: Known) -> dict[str, pa.Array]:
    return {
        "client_ip": known(got["real"]),
        "client_port": port(got["port"]),
        "public_ip": known(got["map"]),
        "public_port": port(got["mapport"]),
        "account": _user(got["user"]),
    }


def _connections(lines: pa.StringArray, among: np.ndarray, memory: OpenFlows, known: Known) -> _Part:
    index, got = extract(lines.take(pa.array(among)), _CONNECTION)
    real = {end: known(got[f"{end}real"]) for end in "ab"}
    built = mask(pc.equal(got["what"], "Built"))
    device = pc.coalesce(said(got["head"], _DEVICE), "")
    ends = [got[name] for name in ("proto", "session", "areal", "aport", "breal", "bport")]
    second = _second_inside(got, real)
    seen, remembered = memory.recall(keys_of(*ends, device), built, second)
    orphan = ~built & ~seen
    unnamed = mask(pc.is_null(_user(got["auser"])))
    decided = np.where(built, second, np.where(orphan, _privately(real, otherwise=unnamed), remembered))
    swap = pa.array(decided)
    client, server = ("b", "a"), ("a", "b")

    def of(side: tuple[str, str], name: str) -> pa.Array:
        return pc.if_else(swap, got[side[0] + name], got[side[1] + name])

    public = known(of(client, "map"))
    columns = {
        "client_ip": pc.if_else(swap, real["b"], real["a"]),
        "client_port": port(of(client, "port")),
        "server_ip": pc.if_else(swap, real["a"], real["b"]),
        "server_port": port(of(server, "port")),
        "public_ip": public,
        "public_port": port(of(client, "mapport")),
        "account": _user(got["auser"], of(client, "bare"), got["buser"]),
        "session": got["session"],
    }
    unmapped = pc.or_(pc.is_valid(public), pc.is_null(of(client, "map")))
    good = mask(pc.and_(pc.and_(pc.is_valid(real["a"]), pc.is_valid(real["b"])), unmapped))
    return _Part(among[index], columns, got, good)


def _second_inside(got: dict[str, pa.Array], real: dict[str, pa.Array]) -> np.ndarray:
    """Whether the second end of a built connection is the inner one."""
    changed = {
        end: mask(pc.is_valid(got[f"{end}map"]))
        & (
            mask(pc.not_equal(got[f"{end}map"], got[f"{end}real"]))
            | mask(pc.not_equal(got[f"{end}mapport"], got[f"{end}port"]))
        )
        for end in "ab"
    }
    opener = mask(pc.equal(got["way"], "outbound"))
    translated = np.where(changed["a"] != changed["b"], changed["b"], opener)
    return _privately(real, otherwise=translated)


def _privately(real: dict[str, pa.Array], otherwise: np.ndarray | bool) -> np.ndarray:  # noqa: FBT001 -- a value
    """Whether the second end is private and the first is not; `otherwise` where both are alike."""
    first, second = (mask(pc.match_substring_regex(_text(real[end]), PRIVATE)) for end in "ab")
    chosen: np.ndarray = np.where(first != second, second, otherwise)
    return chosen


def _text(packed: pa.Array) -> pa.Array:
    return by_distinct(packed, format_ip, pa.string())


def _said(lines: pa.StringArray, got: dict[str, pa.Array], context: Context) -> dict[str, pa.Array]:
    """What all messages have: time, protocol, the message itself."""
    stamps = _device_stamps.read(got["head"], context)
    if stamps.unsynchronised.any():
        context.notes.add(_device_stamps.UNSYNCHRONISED)
    lasted = pc.extract_regex(lines, _DURATION)
    hours, minutes, seconds = (
        pc.struct_field(lasted, name).cast(pa.int64()) for name in ("hours", "minutes", "seconds")
    )
    length = pc.add(pc.add(pc.multiply(hours, 3_600), pc.multiply(minutes, 60)), seconds)
    torn_down = pc.equal(got["what"], "Teardown")
    moment = stamps.moment.cast(pa.int64())
    begun = pc.subtract(moment, pc.multiply(length, 10**9))
    bounded = pc.and_(torn_down, pc.is_valid(begun))
    connection = pc.is_in(got["number"], value_set=pa.array(["302013", "302015"]))
    way = pc.if_else(connection, got["way"], None) if "way" in got else pa.nulls(len(lines), pa.string())
    words = pc.binary_join_element_wise(got["number"], pc.ascii_lower(got["what"]), " ")
    return {
        "ts": pc.if_else(bounded, begun, moment).cast(TIMESTAMP),
        "ts_end": pc.if_else(bounded, moment, None).cast(TIMESTAMP),
        "transport": pc.ascii_lower(got["proto"]),
        "message": pc.coalesce(pc.binary_join_element_wise(words, way, " "), words),
    }


_OUTBOUND = (
    "Nov 22 2026 23:59:03 fw01 : %ASA-6-302013: Built outbound TCP connection 1906206 for outside:198.51.100.38/443 "
    "(198.51.100.38/443) to inside:192.168.1.102/35484 (203.0.113.68/1024)"
)
_TEARDOWN = (
    "Nov 22 2026 23:59:33 fw01 : %ASA-6-302014: Teardown TCP connection 1906206 for outside:198.51.100.38/443 "
    "to inside:192.168.1.102/35484 duration 0:00:30 bytes 4920 TCP FINs"
)
_ICMP_BUILT = (
    "Nov 22 2026 23:59:04: %FTD-6-302020: Built outbound ICMP connection for faddr 198.51.100.146/0 gaddr "
    "203.0.113.62/5157 laddr 172.16.140.77/512 type 8 code 0"
)

_LATER = (
    Sample(
        "Aug 15 2012 23:30:09 : %ASA-6-302016 Teardown UDP connection 40 for outside:10.44.4.4/500(LOCAL\\alice, 123:staff) to "
        "inside:10.44.2.2/500 duration 0:02:02 bytes 1416 (alice)\n"
        "Apr 29 2013 12:59:50: %ASA-6-302016: Teardown UDP connection 666 for outside:198.51.100.22/53 user1 to "
        "inside:10.123.1.35/52925 user2 duration 10:00:00 bytes 9999999",
        (
            {"kind": "nat", "client_ip": "10.44.4.4", "server_ip": "10.44.2.2", "account": "LOCAL\\alice"},
            {"kind": "nat", "client_ip": "10.123.1.35", "account": "user2"},
        ),
        note="no colon; the user's end is the inner one; a security group is no user; users without brackets",
    ),
    Sample(
        "2019-08-15T16:05:37Z firepower  %FTD-1-430002: AccessControlRuleAction: Allow, SrcIP: 10.0.1.20, DstIP: 198.51.100.144, "
        "SrcPort: 50074, DstPort: 53, Protocol: udp, User: No Authentication Required, DNSQuery: archive.example.com\n"
        "2023-03-27T08:41:37Z   %FTD-1-430003: EventPriority: Low, InstanceID: 2, FirstPacketSecond: 2023-03-27T08:41:07Z, "
        "ConnectionID: 48101, AccessControlRuleAction: Monitor, SrcIP: 10.0.1.20, DstIP: 10.0.100.30, SrcPort: 57176, DstPort: "
        "631, Protocol: tcp, User: Default-AD\\user1, ConnectionDuration: 30, InitiatorPackets: 5",
        (
            {
                "kind": "nat", "ts": "2019-08-15T16:05:37.000000000Z", "message": "430002 start", "transport": "udp",
                "client_ip": "10.0.1.20", "public_ip": None, "server_port": 53, "action": "allow", "account": None,
            },
            {
                "kind": "nat", "ts": "2023-03-27T08:41:07.000000000Z", "ts_end": "2023-03-27T08:41:37.000000000Z",
                "message": "430003 end", "session": "2/48101", "account": "Default-AD\\user1",
            },
        ),
        note="connection events",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="Cisco ASA, FTD and PIX in a system log",
    kinds=("nat",),
    reference="https://www.cisco.com/c/en/us/td/docs/security/asa/syslog/b_syslog.html",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            _OUTBOUND + "\n" + _TEARDOWN,
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T15:59:03.000000000Z",
                    "message": "302013 built outbound",
                    "transport": "tcp",
                    "client_ip": "192.168.1.102",
                    "client_port": 35484,
                    "public_ip": "203.0.113.68",
                    "public_port": 1024,
                    "server_ip": "198.51.100.38",
                    "server_port": 443,
                    "session": "1906206",
                },
                {
                    "kind": "nat",
                    "ts": "2026-11-22T15:59:03.000000000Z",
                    "ts_end": "2026-11-22T15:59:33.000000000Z",
                    "message": "302014 teardown",
                    "client_ip": "192.168.1.102",
                    "public_ip": None,
                    "server_ip": "198.51.100.38",
                    "session": "1906206",
                },
            ),
            timezone="Asia/Shanghai",
            note="the inside host stands second; the teardown does not say how it was translated",
        ),
        Sample(
            "%ASA-6-302013: Built inbound TCP connection 54 for outside:198.51.100.4/57346 (198.51.100.4/57346)"
            "(EXAMPLE\\li) to dmz:172.16.16.16/22 (203.0.113.10/2222)",
            (
                {
                    "kind": "nat",
                    "ts": None,
                    "message": "302013 built inbound",
                    "client_ip": "172.16.16.16",
                    "client_port": 22,
                    "public_ip": "203.0.113.10",
                    "public_port": 2222,
                    "server_ip": "198.51.100.4",
                    "account": "EXAMPLE\\li",
                },
            ),
            note="a published server; without any time",
        ),
        Sample(
            _ICMP_BUILT,
            (
                {
                    "kind": "nat",
                    "message": "302020 built",
                    "transport": "icmp",
                    "client_ip": "172.16.140.77",
                    "client_port": 512,
                    "public_ip": "203.0.113.62",
                    "public_port": 5157,
                    "server_port": None,
                },
            ),
        ),
        Sample(
            "<166>Nov 22 23:59:03 10.1.0.1 %ASA-6-305012: Teardown dynamic UDP translation from inside:10.1.0.8/51000 "
            "to outside:203.0.113.8/32000 duration 0:01:15",
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T23:57:48.000000000Z",
                    "ts_end": "2026-11-22T23:59:03.000000000Z",
                    "message": "305012 teardown",
                    "client_ip": "10.1.0.8",
                    "public_port": 32000,
                    "server_ip": None,
                },
            ),
        ),
        *_LATER,
        Sample(_OUTBOUND[:130], note="cut off"),
        Sample(_OUTBOUND.replace("198.51.100.38/443 (", "WEB/443 ("), note="a name in place of an address"),
        Sample(
            "%ASA-4-106023: Deny tcp src outside:198.51.100.4/3 dst inside:10.1.0.8/22 by access-group",
            note="another",
        ),
    ),
)
