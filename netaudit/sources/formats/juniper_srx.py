"""Juniper SRX: ``RT_FLOW_SESSION_*`` and ``APPTRACK_SESSION_*`` messages, plain or structured (RFC 5424).

With both switched on a session has a row of each: that is what the log says. Counters on the way
(``APPTRACK_SESSION_VOL_UPDATE``) are passed over.

The positions of the plain form moved with the releases, so it is read from its two address pairs
(before and after translation) and from the counters behind the session id. The messages have no
time but the system log's; a close comes at the end and says how long the session lasted, so that
it is enough alone.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import LogFormat, Parse, Sample, said
from netaudit.intake.times import Context
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._flow_sides import Printed, Told, session_sides
from netaudit.sources.formats._key_values import KeyValues
from netaudit.sources.formats._sessions import CUT, read_lines
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, given, mask, whole

_LINE = r"^(?P<head>.*?)(?:RT_FLOW|APPTRACK)_(?P<what>SESSION_(?:CREATE|CLOSE|DENY))(?:_LS)?(?P<body>:? *(?:(?:AppTrack )?session |\[|- \[).*)$"
_PAIR = r"(?P<{0}source>[0-9a-fA-F.:]+)/(?P<{0}sport>\d+)->(?P<{0}target>[0-9a-fA-F.:]+)/(?P<{0}dport>\d+)"
_FIRST = r"^[^\[]*?\b" + _PAIR.format("")
_SECOND = r"^[^\[]*?\b[0-9a-fA-F.:]+/\d+->[0-9a-fA-F.:]+/\d+\b.*? " + _PAIR.format("n") + r"\b(?P<tail>.*)$"
_TAIL = (
    r" (?P<proto>\d{1,3}) \S+ \S+ \S+ (?P<session>\d+)"
    r"(?: \d+\(\d+\) \d+\(\d+\) (?P<elapsed>\d+)(?: |$)| [^\s()]+\([^()]*\)| N/A N/A \S+\s*$|\s*$)"
)
_DENIED = r" (?P<v>\d{1,3})\(\d+\) "
_USER = r" (?P<v>[^\s()]+)\((?:N/A|[^\d\s()][^\s()]*)\) "
_BEGUN = r"\b(?:RT_FLOW|APPTRACK)_SESSION_(?:CREATE|CLOSE|DENY)"
_OWN = re.compile(_BEGUN)
_MOST_SECONDS = 10 * 366 * 86_400


def _open(context: Context) -> Parse:
    return lambda chunk: read_lines(chunk, _LINE, _BEGUN, lambda got: _columns(got, context))


def _columns(got: dict[str, pa.Array], context: Context) -> Told:
    body = got["body"]
    structured = mask(pc.match_substring_regex(body, r"^:? *(?:- )?\["))
    part = _plain(body) | {"what": got["what"]}
    if structured.any():
        keyed = _structured(body)
        part |= {name: pc.if_else(pa.array(structured), keyed[name], part[name]) for name in keyed}
    printed = Printed(
        part["source"], part["sport"], part["target"], part["dport"],
        part["nsource"], part["nsport"], part["ntarget"], part["ndport"],
    )  # fmt: skip
    ends, refusals = session_sides(printed, transport_column(part["proto"]), context)
    closes = pc.equal(got["what"], "SESSION_CLOSE")
    stamp = _device_stamps.read(got["head"], context).moment
    elapsed = whole(part["elapsed"], _MOST_SECONDS, pa.int64())
    began = pc.subtract(stamp.cast(pa.int64()), pc.multiply(elapsed, 10**9)).cast(TIMESTAMP)
    columns = ends | {
        "ts": pc.if_else(closes, began, stamp),
        "ts_end": pc.if_else(closes, stamp, None),
        "message": got["what"],
        "session": part["session"],
        "account": given(part["user"]),
    }
    untranslated = pc.and_(pc.not_equal(got["what"], "SESSION_DENY"), pc.is_null(part["nsport"]))
    no_length = pc.and_(closes, pc.is_null(elapsed))
    return columns, {CUT: mask(untranslated) | mask(no_length)} | refusals


def _plain(body: pa.Array) -> dict[str, pa.Array]:
    """The plain form's parts; all null where it is not."""
    first, second = pc.extract_regex(body, _FIRST), pc.extract_regex(body, _SECOND)
    part = {n: pc.struct_field(first, n) for n in ("source", "sport", "target", "dport")}
    part |= {n: pc.struct_field(second, n) for n in ("nsource", "nsport", "ntarget", "ndport", "tail")}
    tail = part.pop("tail")
    behind = pc.extract_regex(tail, _TAIL)
    part |= {n: pc.struct_field(behind, n) for n in ("session", "elapsed")}
    return part | {
        "proto": pc.coalesce(pc.struct_field(behind, "proto"), said(body, _DENIED)),
        "user": said(tail, _USER),
    }


def _structured(body: pa.Array) -> dict[str, pa.Array]:
    value = KeyValues(body).get
    return {
        "source": value("source-address"),
        "sport": value("source-port"),
        "target": value("destination-address"),
        "dport": value("destination-port"),
        "nsource": value("nat-source-address"),
        "nsport": value("nat-source-port"),
        "ntarget": value("nat-destination-address"),
        "ndport": value("nat-destination-port"),
        "proto": value("protocol-id"),
        "session": pc.coalesce(value("session-id"), value("session-id-32")),
        "elapsed": value("elapsed-time"),
        "user": value("username"),
    }


_CREATE = (
    "<23> Nov 18 09:56:58  INTERNET-ROUTER RT_FLOW: RT_FLOW_SESSION_CREATE: session created 192.168.1.102/58662->8.8.8.8/53 "
    "junos-dns-udp 68.144.1.1/55893->8.8.8.8/53 TRUST-INET-ACCESS None 17 OUTBOUND-INTERNET-ACCESS TRUST INTERNET 6316 "
    "N/A(N/A) vlan.192"
)
_CLOSE = (
    "<14>Oct 27 08:14:25 fw-core-01 RT_FLOW: RT_FLOW_SESSION_CLOSE: session closed TCP RST: 192.168.1.100/54321->10.0.0.5/443 "
    "junos-https 203.0.113.7/1443->10.0.0.5/443 snat None 6 p1 trust untrust 2341 5(300) 4(250) 20 UNKNOWN UNKNOWN "
    "N/A(N/A) ge-0/0/1.0 UNKNOWN"
)
_PAIRS = (
    "<14>1 2026-11-23T08:00:10.250+08:00 srx-1 RT_FLOW - RT_FLOW_SESSION_CLOSE [junos@2636.1.1.1.2.142 "
    'reason="TCP FIN" source-address="192.168.1.1" source-port="56732" destination-address="198.51.100.7" '
    'destination-port="8080" connection-tag="0" service-name="None" nat-source-address="203.0.113.7" nat-source-port="1024" '
    'nat-destination-address="198.51.100.7" nat-destination-port="8080" src-nat-rule-name="r1" protocol-id="6" '
    'policy-name="p" session-id="107377361044" packets-from-client="17" elapsed-time="2" application="UNKNOWN" username="zhang"]'
)
_DENY: str = (
    'RT_FLOW_SESSION_DENY [junos@2636.1.1.1.2.142 source-address="192.168.1.11" source-port="62224" '
    'destination-address="192.168.1.12" destination-port="443" service-name="junos-https" protocol-id="6" icmp-type="0" '
    'policy-name="POLICY_DENY_all" username="N/A" reason="Denied by policy" session-id="25775358241"]'
)

FORMAT = LogFormat(
    title="Juniper SRX session log (RT_FLOW)",
    kinds=("nat",),
    reference="https://www.juniper.net/documentation/us/en/software/junos/network-mgmt/topics/topic-map/system-logging-for-a-security-device.html",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            f"{_CREATE}\n{_CLOSE}",
            (
                {
                    "kind": "nat", "ts": "2026-11-18T09:56:58.000000000Z", "ts_end": None, "message": "SESSION_CREATE",
                    "transport": "udp", "client_ip": "192.168.1.102", "client_port": 58662, "public_ip": "68.144.1.1",
                    "public_port": 55893, "server_ip": "8.8.8.8", "server_port": 53, "session": "6316", "account": None,
                },
                {
                    "kind": "nat", "ts": "2026-10-27T08:14:05.000000000Z", "ts_end": "2026-10-27T08:14:25.000000000Z",
                    "message": "SESSION_CLOSE", "transport": "tcp", "public_port": 1443, "session": "2341",
                },
            ),
            note="plain; a close says how long the session was",
        ),
        Sample(
            _PAIRS,
            (
                {
                    "kind": "nat", "ts": "2026-11-23T00:00:08.250000000Z", "ts_end": "2026-11-23T00:00:10.250000000Z",
                    "message": "SESSION_CLOSE", "transport": "tcp", "client_ip": "192.168.1.1", "public_ip": "203.0.113.7",
                    "public_port": 1024, "server_ip": "198.51.100.7", "session": "107377361044", "account": "zhang",
                },
            ),
            note="structured",
        ),
        Sample(
            _DENY,
            ({"kind": "nat", "ts": None, "message": "SESSION_DENY", "public_ip": None, "session": "25775358241"},),
            note="a refusal, without a header",
        ),
        Sample(
            "<14>1 2013-01-19T15:18:17.040Z SRX100HM RT_FLOW - APPTRACK_SESSION_CREATE [junos@2636.1.1.1.2.40 "
            'source-address="192.168.224.30" source-port="3129" destination-address="198.51.100.14" destination-port="21" '
            'service-name="junos-ftp" application="UNKNOWN" nested-application="UNKNOWN" nat-source-address="203.0.113.14" '
            'nat-source-port="14406" nat-destination-address="198.51.100.14" nat-destination-port="21" protocol-id="6" '
            'session-id-32="5058" username="N/A" roles="N/A" encrypted="N/A"]',
            (
                {
                    "kind": "nat", "ts": "2013-01-19T15:18:17.040000000Z", "message": "SESSION_CREATE",
                    "client_ip": "192.168.224.30", "public_ip": "203.0.113.14", "public_port": 14406, "session": "5058",
                },
            ),
            note="application tracking",
        ),
        Sample(_CLOSE[:170], note="cut off"),
    ),
)  # fmt: skip
