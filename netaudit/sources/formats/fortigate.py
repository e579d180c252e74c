"""FortiGate logs: traffic, DHCP events, and names that the DNS and web filters saw, as ``key=value``, with commas, or as CEF.

A traffic record is written when its session ends, or in between; its stamp is then, and the session
began `duration` seconds before. Where the firewall logs the start of sessions as well, that record
says ``action="start"``. ``transip`` is the source after translation (public), ``tranip`` the
destination after translation (a published server inside): one letter apart. ``eventtime`` is seconds,
milliseconds or nanoseconds, as the version has it; FortiAnalyzer's ``timestamp`` is local time dressed as an
epoch and is not read. An acknowledgement of DHCP has the start and the length of the lease.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context, from_epoch, from_iso
from netaudit.records.addresses import ip_column, mac_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._flow_sides import Printed, session_sides
from netaudit.sources.formats._fortigate_filters import Found, Get, queries, requests
from netaudit.sources.formats._key_values import KeyValues
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._sessions import settle
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, given, mask, whole

NO_LEASE = "A DHCP event has neither an address nor a hardware address."
_LONGEST_S = 400 * 86_400
_CEF = r"\bCEF: ?0\|Fortinet\|Forti[Gg]ate\|"
_TRAFFIC = r'[\s,>]type="?traffic"?(?:[\s,]|$)|[\s|]cat=traffic:'
_DHCP = r"[\s,]dhcp_msg=|\sFTNTFGTdhcp_msg="
_QUERY = r'[\s,]subtype="?dns"?[\s,].*[\s,]qname=|\sFTNTFGTqname='
_PAGE = r'[\s,]subtype="?webfilter"?[\s,].*[\s,]hostname=|[\s|]cat=utm:webfilter\s.*[\s|]dhost='
_CEF_KEYS = {
    "srcip": ("src",),
    "srcport": ("spt",),
    "dstip": ("dst",),
    "dstport": ("dpt",),
    "transip": ("sourceTranslatedAddress",),
    "transport": ("sourceTranslatedPort",),
    "tranip": ("destinationTranslatedAddress",),
    "tranport": ("destinationTranslatedPort",),
    "sessionid": ("externalId",),
    "proto": ("proto",),
    "action": ("act",),
    "user": ("suser", "duser"),
    "hostname": ("dhost", "shost"),
    "interface": ("deviceInboundInterface",),
    "devname": ("dvchost",),
}
"""FortiOS's keys that CEF has a name of its own for; all others stand behind ``FTNTFGT``."""
_OWN = re.compile(rf"{_CEF}|{_DHCP}")
_OWN_TRAFFIC = (re.compile(_TRAFFIC), re.compile(r"[\s,]srcip=[0-9A-Fa-f]"))
_OWN_FILTERS = (
    re.compile(r"[\s,]logid="), re.compile(r'[\s,]subtype="?(?:dns|webfilter)[",\s]'), re.compile(r"[\s,](?:qname|hostname)="),
)  # fmt: skip


Reader = Callable[[Get, pa.StringArray, np.ndarray, Context], Found]
"""Of values, lines, their indices and the context: rows, and reason to lines of those that do not hold."""


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        lines = chunk.lines
        cef = mask(pc.match_substring_regex(lines, _CEF))
        rows: list[Rows] = []
        rejected: dict[str, np.ndarray] = {}
        for wanted, kind in (
            (_TRAFFIC, _sessions),
            (_DHCP, _leases),
            (_QUERY, _filtered(queries)),
            (_PAGE, _filtered(requests)),
        ):
            those = mask(pc.match_substring_regex(lines, wanted))
            for spelling, reader in ((~cef, _plain), (cef, _common)):
                index = np.flatnonzero(those & spelling)
                if len(index):
                    some = lines.take(pa.array(index))
                    found, reasons = kind(reader(some), some, index, context)
                    rows.append(found)
                    for reason, bad in reasons.items():
                        rejected[reason] = np.concatenate((rejected.get(reason, index[:0]), bad))
        return parsed(len(lines), rows, rejected)

    return parse


def _own(line: str) -> bool:
    marks = ((_OWN,), _OWN_TRAFFIC, _OWN_FILTERS)
    return any(all(pattern.search(line) for pattern in several) for several in marks)


def _plain(lines: pa.StringArray) -> Get:
    return KeyValues(lines).get


def _common(lines: pa.StringArray) -> Get:
    """CEF: values are not quoted, and may hold blanks; an equals sign in one is escaped."""
    values = KeyValues(lines, before=r"[\s|]", quotes=False)

    def get(key: str) -> pa.Array:
        keys = (f"FTNTFGT{key}", *_CEF_KEYS.get(key, ()))
        found: pa.Array = pc.coalesce(*[values.get(name) for name in keys])
        return found

    return get


def _sessions(
    get: Get, lines: pa.StringArray, index: np.ndarray, context: Context
) -> tuple[Rows, dict[str, np.ndarray]]:
    told = Printed(
        source=get("srcip"),
        source_port=get("srcport"),
        target=get("dstip"),
        target_port=get("dstport"),
        nat_source=get("transip"),
        nat_source_port=get("transport"),
        nat_target=get("tranip"),
        nat_target_port=get("tranport"),
    )
    columns, refusals = session_sides(told, transport_column(get("proto")), context)
    subtype, action = get("subtype"), get("action")
    moment = _moment(get, lines, context)
    length = whole(pc.coalesce(get("duration"), _labelled(lines)), _LONGEST_S, pa.int64())
    over = pc.if_else(pc.equal(action, "start"), None, moment)
    begun = pc.subtract(over.cast(pa.int64()), pc.multiply(length, 10**9)).cast(TIMESTAMP)
    # A record of an end that does not say how long the session was leaves its begin open.
    columns |= {
        "ts": pc.if_else(pc.is_valid(over), begun, moment),
        "ts_end": over,
        "message": pc.coalesce(pc.binary_join_element_wise(subtype, action, "/"), action, subtype),
        "action": action,
        "account": given(get("user")),
        "client_mac": mac_column(
            pc.if_else(pc.equal(columns["client_ip"], ip_column(told.source)), get("srcmac"), None)
        ),
        "session": get("sessionid"),
    }
    return settle(columns, refusals, index)


def _leases(
    get: Get, lines: pa.StringArray, index: np.ndarray, context: Context
) -> tuple[Rows, dict[str, np.ndarray]]:
    begun = _moment(get, lines, context)
    message = pc.ascii_lower(get("dhcp_msg"))
    lease = pc.if_else(pc.equal(message, "ack"), whole(get("lease"), 0xFFFF_FFFF, pa.int64()), None)
    length = pc.multiply(pc.if_else(pc.less_equal(lease, _LONGEST_S), lease, None), 10**9)
    columns = {
        "ts": begun,
        "ts_end": pc.add(begun.cast(pa.int64()), length).cast(TIMESTAMP),
        "client_ip": ip_column(get("ip")),
        "client_mac": mac_column(get("mac")),
        "hostname": given(get("hostname")),
        "lease_s": lease.cast(pa.uint32()),
        "message": message,
        "nas": get("devname"),
        "nas_port": get("interface"),
    }
    good = mask(pc.or_(pc.is_valid(columns["client_ip"]), pc.is_valid(columns["client_mac"])))
    return keep(Rows("dhcp", columns, index), good), {NO_LEASE: index[~good]}


def _filtered(read: Callable[[Get, pa.Array, np.ndarray], Found]) -> Reader:
    return lambda get, lines, index, context: read(get, _moment(get, lines, context), index)


def _labelled(lines: pa.StringArray) -> pa.Array:
    """The duration as older versions write it in CEF."""
    found = pc.extract_regex(lines, r"\scn1=(?P<it>\d+) cn1Label=Duration(?:\s|$)")
    return pc.struct_field(found, "it")


def _moment(get: Get, lines: pa.StringArray, context: Context) -> pa.Array:
    """When a record was made: the event's own time, else the device's date, else the carrier's stamp."""
    moment = from_epoch(get("eventtime"))
    if not moment.null_count:
        return moment
    date = pc.binary_join_element_wise(get("date"), get("time"), " ")
    local = pc.binary_join_element_wise(date, pc.fill_null(get("tz"), ""), "")
    moment = pc.coalesce(moment, from_iso(pc.if_else(pc.is_null(moment), local, None), context))
    if not moment.null_count:
        return moment
    stamp = peel(pc.if_else(pc.is_null(moment), lines, "")).stamp
    return pc.coalesce(moment, read_stamps(stamp, context))


_FORWARD = (
    'timestamp=1709762763 devname="FW-001" vd="root" date=2024-03-06 time=22:06:03 logid="0000000013" type="traffic" '
    'subtype="forward" level="notice" eventtime=1709762764028577926 tz="+0000" srcip=10.1.3.4 srcname="a.example" '
    'srcport=62979 srcintf="Port3.999" dstip=198.51.100.8 dstport=53 dstintf="wan1" sessionid=538959618 proto=17 '
    'action="accept" policyid=41 service="DNS" trandisp="snat" transip=192.0.2.1 transport=1024 duration=189 sentbyte=285'
)
_OLD = (
    'date=2018-07-26,time=14:56:21,devname="abc",logid="0000000013",type="traffic",subtype="forward",eventtime=1532616695,'
    'srcip=198.51.100.4,srcport=52125,dstip=203.0.113.9,dstport=443,sessionid=578033623,proto=6,action="server-rst",'
    'msg="x srcip=9.9.9.9, y",trandisp="dnat",tranip=10.1.0.13,tranport=8443,duration=5'
)
_CEF_LINE = (
    "<117>Apr 21 17:02:59 10.1.0.254 CEF:0|Fortinet|Fortigate|v6.0.9|00013|traffic:forward accept|3|FTNTFGTlogid=0000000013 "
    "cat=traffic:forward FTNTFGTsubtype=forward FTNTFGTeventtime=1650553379 src=172.30.104.1 shost=PC-7 spt=55250 "
    "dst=198.51.100.53 dpt=53 externalId=3341608789 proto=17 act=accept FTNTFGTtrandisp=snat "
    "sourceTranslatedAddress=203.0.113.108 sourceTranslatedPort=55251 FTNTFGTduration=180 FTNTFGTosname=Windows 10"
)
_ACK = (
    'time=15:05:54 devname="INFRA1" eventtime=1752152754192314929 tz="+0200" logid="0100026001" type="event" '
    'subtype="system" logdesc="DHCP Ack log" interface="VLAN1" dhcp_msg="Ack" mac="AA:BB:CC:DD:EE:01" ip=10.2.3.4 '
    'lease=432000 hostname="PC-12" msg="DHCP server sends a DHCPACK"'
)

FORMAT = LogFormat(
    title="FortiGate: traffic and DHCP events",
    kinds=("nat", "dhcp", "dns", "proxy"),
    reference="https://docs.fortinet.com/document/fortigate/7.4.0/fortios-log-message-reference",
    sniff=lambda lines: among_others(lines, _own),
    open=_open,
    samples=(
        Sample(
            _FORWARD,
            (
                {
                    "kind": "nat",
                    "ts": "2024-03-06T22:02:55.028577926Z",
                    "ts_end": "2024-03-06T22:06:04.028577926Z",
                    "message": "forward/accept",
                    "action": "accept",
                    "transport": "udp",
                    "client_ip": "10.1.3.4",
                    "client_port": 62979,
                    "public_ip": "192.0.2.1",
                    "public_port": 1024,
                    "server_ip": "198.51.100.8",
                    "server_port": 53,
                    "account": None,
                    "session": "538959618",
                },
            ),
            note="written at the end of the session",
        ),
        Sample(
            _OLD,
            (
                {
                    "kind": "nat",
                    "ts": "2018-07-26T14:51:30.000000000Z",
                    "ts_end": "2018-07-26T14:51:35.000000000Z",
                    "message": "forward/server-rst",
                    "client_ip": "10.1.0.13",
                    "client_port": 8443,
                    "public_ip": "203.0.113.9",
                    "public_port": 443,
                    "server_ip": "198.51.100.4",
                    "server_port": 52125,
                },
            ),
            note="with commas; a published server; a key within a value is none",
        ),
        Sample(
            _FORWARD.replace('"accept"', '"start"')
            .replace("eventtime=1709762764028577926 ", "")
            .replace("duration=189 ", ""),
            (
                {
                    "kind": "nat",
                    "ts": "2024-03-06T22:06:03.000000000Z",
                    "ts_end": None,
                    "message": "forward/start",
                },
            ),
            timezone="Asia/Shanghai",
            note="the start of a session; its zone is in the line",
        ),
        Sample(
            _CEF_LINE,
            (
                {
                    "kind": "nat",
                    "ts": "2022-04-21T14:59:59.000000000Z",
                    "ts_end": "2022-04-21T15:02:59.000000000Z",
                    "message": "forward/accept",
                    "client_ip": "172.30.104.1",
                    "public_ip": "203.0.113.108",
                    "public_port": 55251,
                    "session": "3341608789",
                },
            ),
            note="CEF",
        ),
        Sample(
            _ACK,
            (
                {
                    "kind": "dhcp",
                    "ts": "2025-07-10T13:05:54.192314929Z",
                    "ts_end": "2025-07-15T13:05:54.192314929Z",
                    "message": "ack",
                    "client_ip": "10.2.3.4",
                    "client_mac": "aa:bb:cc:dd:ee:01",
                    "hostname": "PC-12",
                    "lease_s": 432000,
                    "nas": "INFRA1",
                    "nas_port": "VLAN1",
                },
            ),
        ),
        Sample(
            '<189>date=2020-04-23 time=12:17:29 devname="testswitch1" devid="somerouterid" logid="1501054802" type="utm" '
            'subtype="dns" eventtype="dns-response" level="notice" vd="root" eventtime=1587230249360109339 tz="-0500" policyid=26 '
            "sessionid=543234 srcip=192.168.2.1 srcport=53430 dstip=198.51.100.13 dstport=53 proto=17 xid=2234 "
            'qname="elastic.example.com" qtype="A" qtypeval=1 qclass="IN" ipaddr="192.0.2.13, 192.0.2.14" action="pass"\n'
            '<188>date=2020-04-23 time=12:17:48 devname="testswitch1" logid="0316013056" type="utm" subtype="webfilter" '
            'eventtime=1587230269052907555 tz="-0500" sessionid=1234 user="elasticuser" srcip=192.168.2.1 srcport=61930 '
            'dstip=198.51.100.13 dstport=443 proto=6 service="HTTPS" hostname="elastic.co" action="blocked" url="/config/"',
            (
                {
                    "kind": "dns",
                    "ts": "2020-04-18T17:17:29.360109339Z",
                    "client_ip": "192.168.2.1",
                    "client_port": 53430,
                    "server_ip": "198.51.100.13",
                    "transport": "udp",
                    "name": "elastic.example.com",
                    "qtype": "A",
                    "answers": ["192.0.2.13", "192.0.2.14"],
                    "action": "pass",
                },
                {
                    "kind": "proxy",
                    "client_ip": "192.168.2.1",
                    "name": "elastic.co",
                    "server_port": 443,
                    "account": "elasticuser",
                    "action": "blocked",
                },
            ),
            note="the DNS filter and the web filter",
        ),
        Sample(_FORWARD[:260], note="cut off"),
        Sample(
            'date=2024-03-06 time=22:06:03 devname="FW-001" logid="0100032001" type="event" subtype="system" logdesc="Admin"'
        ),
    ),
)
