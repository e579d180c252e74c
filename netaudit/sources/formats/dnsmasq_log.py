"""dnsmasq's log: queries, and the leases of `dnsmasq-dhcp` in the same file.

With ``log-queries=extra`` (or ``proto``, which names the transport before it) each line carries a serial number and the client's port, so replies are
joined to their query. Without it a reply belongs to nobody (several clients may wait for the same
name): then only query lines are events. The forwarded, reply and configuration lines are counted
as other.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import carrier, times
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, empty_to_null, extract, share
from netaudit.records.addresses import by_distinct, ip_column, mac_column
from netaudit.records.names import normalise_column
from netaudit.records.schemas import MAC
from netaudit.sources.dns_words import qtype_column
from netaudit.sources.formats._dnsmasq_quick import DnsmasqQueries
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._owned import first_of, latest_before, lists_of
from netaudit.sources.formats._quick import by_kernels
from netaudit.sources.formats._values import hex_duid_mac, mask, port

UNREADABLE = "The client or the question of this line cannot be read."
UNREADABLE_LEASE = "The address or the station of this lease line cannot be read."

_BEGINS = r"query\[|dnsmasq-dhcp"
_TELLS = rf"{_BEGINS}|\d+ [0-9a-fA-F:.]+/\d+ .* is "
_IP = r"[0-9a-fA-F:.]+(?:%\S+)?"
_TAG = r"^(?:dnsmasq(?:\[\d+\])?: )?"  # where no header stands before it (run in a terminal)
_SERIAL = rf"(?:(?P<transport>UDP|TCP) )?(?P<serial>\d+) (?P<asker>{_IP})/(?P<port>\d+) "
# a name may hold blanks: the last ` from ` ends it
_QUERY = rf"{_TAG}(?:{_SERIAL})?query\[(?P<qtype>[^\]]+)\] (?P<name>.*) from (?P<ip>{_IP})$"
# verbs: reply, cached, config, a hosts file; Pi-hole's have two words. The first ` is ` ends the name
_REPLY = (
    rf"{_TAG}{_SERIAL}(?P<verb>(?:gravity|exactly|regex|external|special) \S+|[^\s\[]+) (?P<name>\S.*?) is "
    r"(?P<value>.*?)(?: \((?:DNSSEC signed|EDE: .*)\))?$"
)
_BLOCKED = r" (?:blocked|denied|blacklisted)$"
_NO_VERDICT = ("validation", "dnssec-query", "dnssec-retry")
# rfc2131.c and rfc3315.c, log_packet(): ``[XID ]DHCPACK(IF) [IP ][MAC|DUID][ TEXT]``
_LEASE = (
    r"^(?:dnsmasq-dhcp(?:\[\d+\])?: )?(?:\d+ )?DHCP(?P<message>[A-Z]+)\([^)]*\)"
    r"(?: (?P<ip>\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]*::[0-9a-fA-F:]*|(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}))?"
    r"(?: (?P<station>(?:[0-9a-fA-F]{2}-)?(?:[0-9a-fA-F]{2}:){5,}[0-9a-fA-F]{2}))?(?: (?P<text>.*))?$"
)
_MAC_LENGTH = 17
_AT_END = 1_000
_PRINTS_NAME = ("ACK", "REPLY")


def _open(context: times.Context) -> Parse:
    def parse(lines: pa.StringArray) -> Parsed:
        telling = np.flatnonzero(mask(pc.match_substring_regex(lines, _TELLS)))
        peeled = carrier.peel(lines.take(pa.array(telling)))
        local, asked = extract(peeled.rest, _QUERY)
        replies = extract(peeled.rest, _REPLY)
        leases, lease = extract(peeled.rest, _LEASE)
        rows = []
        if len(local):
            at = pa.array(local)
            columns = {
                "ts": carrier.read_stamps(peeled.stamp.take(at), context),
                "client_ip": ip_column(asked["ip"]),
                "client_port": port(asked["port"]),
                "transport": pc.ascii_lower(empty_to_null(asked["transport"])),
                "name": _names(asked["name"]),
                "name_source": "qname",
                "qtype": qtype_column(asked["qtype"]),
                **_joined(peeled.pid, local, asked, *replies),
            }
            rows.append(Rows("dns", columns, telling[local]))
        if len(leases):
            rows.append(_leases(leases, lease, peeled, telling, context))
        rejected = _rejected(peeled.rest, telling, rows)
        held = sum(len(r.line) for r in rows) + sum(len(lines) for lines in rejected.values())
        return Parsed(rows, rejected, len(lines) - held)

    return by_kernels(DnsmasqQueries(context), parse)


def _names(text: pa.StringArray) -> pa.Array:
    """Dnsmasq prints a blank inside a label as it is, and a name that it cannot print not at all."""
    hidden = pc.starts_with(text, "<")
    return normalise_column(pc.if_else(hidden, None, pc.replace_substring(text, " ", "\\032")))


def _joined(
    pid: pa.Array,
    queries: np.ndarray,
    asked: dict[str, pa.Array],
    replies: np.ndarray,
    told: dict[str, pa.Array],
) -> dict[str, pa.Array]:
    """Answers, response code and action of each query, from the replies of its serial number."""
    query_of, order = _owners(pid, queries, asked, replies, told)
    count = len(queries)
    if not len(order):
        return {}
    value, verb = told["value"].take(pa.array(order)), told["verb"].take(pa.array(order))
    says = ~mask(pc.is_in(verb, value_set=pa.array(_NO_VERDICT)))
    code = by_distinct(pc.if_else(pa.array(says), value, None), _rcode, pa.string())
    rcode = first_of(count, query_of, code)
    data = says & mask(pc.is_valid(value)) & ~mask(pc.or_(pc.starts_with(value, "<"), _is_code(value)))
    blocked = mask(pc.match_substring_regex(verb, _BLOCKED))
    action = np.full(count, None, object)
    action[query_of[blocked]] = "blocked"
    return {
        "rcode": rcode,
        "answers": lists_of(count, query_of[data], value.filter(pa.array(data))),
        "action": pa.array(action, pa.string()),
    }


def _owners(
    pid: pa.Array,
    queries: np.ndarray,
    asked: dict[str, pa.Array],
    replies: np.ndarray,
    told: dict[str, pa.Array],
) -> tuple[np.ndarray, np.ndarray]:
    """For each reply whose query is in this chunk: the query, and the reply, in order of lines."""

    def keys(at: np.ndarray, field: dict[str, pa.Array]) -> pa.Array:
        process = pc.fill_null(pid.take(pa.array(at)), "")
        return pc.binary_join_element_wise(process, field["serial"], field["asker"], field["port"], " ")

    return latest_before(keys(queries, asked), queries, keys(replies, told), replies)


_CODES = {"NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", "NODATA", "NODATA-IPv4", "NODATA-IPv6"}


def _is_code(value: pa.Array) -> pa.Array:
    return pc.is_in(value, value_set=pa.array(sorted(_CODES)))


def _rcode(value: str) -> str:
    return value if value in _CODES and not value.startswith("NODATA") else "NOERROR"


def _leases(
    index: np.ndarray,
    lease: dict[str, pa.Array],
    peeled: carrier.Peeled,
    telling: np.ndarray,
    context: times.Context,
) -> Rows:
    station = lease["station"]
    is_mac = pc.less_equal(pc.utf8_length(station), _MAC_LENGTH)
    duid = pc.if_else(is_mac, None, station)
    named = pc.and_(
        pc.is_in(lease["message"], value_set=pa.array(_PRINTS_NAME)),
        pc.match_substring_regex(lease["text"], r"^\S+$"),
    )
    columns = {
        "ts": carrier.read_stamps(peeled.stamp.take(pa.array(index)), context),
        "message": pc.utf8_lower(lease["message"]),
        "client_ip": ip_column(lease["ip"]),
        "client_mac": pc.coalesce(
            mac_column(pc.if_else(is_mac, station, None)), by_distinct(duid, hex_duid_mac, MAC)
        ),
        "client_id": duid,
        "hostname": pc.if_else(pc.fill_null(named, False), lease["text"], None),
    }
    return Rows("dhcp", columns, telling[index])


def _rejected(rest: pa.StringArray, telling: np.ndarray, rows: list[Rows]) -> dict[str, np.ndarray]:
    held = np.isin(telling, np.concatenate([r.line for r in rows]) if rows else [])
    asks = mask(pc.match_substring_regex(rest, rf"{_TAG}(?:\d+ \S+ )?query\["))
    leases = mask(pc.match_substring_regex(rest, r"^(?:dnsmasq-dhcp\S* )?(?:\d+ )?DHCP[A-Z]+\b"))
    return refused({UNREADABLE: telling[asks & ~held], UNREADABLE_LEASE: telling[leases & ~held]})


def _starts(lines: pa.StringArray) -> np.ndarray:
    """Only the last matters, so most often the end of the chunk is enough to look at."""
    begun = np.zeros(len(lines), bool)
    for first in (max(len(lines) - _AT_END, 0), 0):
        begun[first:] = mask(pc.match_substring_regex(lines.slice(first), _BEGINS))
        if begun.any():
            break
    return begun


_OURS = re.compile(r"\bdnsmasq(?:-\w+)?(?:\[\d+\])?: |dnsmasq(?:-\w+)? \d+ - ")


def _sniff(lines: list[str]) -> float:
    return share(lines, _OURS.search)


_SAMPLES = (
    Sample(
        "Nov 23 00:00:52 dnsmasq[674]: 13 10.1.0.12/58360 query[A] cdn.example.org from 10.1.0.12\n"
        "Nov 23 00:00:52 dnsmasq[674]: 14 10.1.0.13/40000 query[type=65] <name unprintable> from 10.1.0.13\n"
        "Nov 23 00:00:52 dnsmasq[674]: 13 10.1.0.12/58360 forwarded cdn.example.org to 192.0.2.53\n"
        "Nov 23 00:00:52 dnsmasq[674]: 13 10.1.0.12/58360 reply cdn.example.org is <CNAME>\n"
        "Nov 23 00:00:52 dnsmasq[674]: 13 10.1.0.12/58360 reply web.example.org is 192.0.2.1\n"
        "Nov 23 00:00:53 dnsmasq[674]: 14 10.1.0.13/40000 reply error is SERVFAIL",
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:52.000000000Z", "client_ip": "10.1.0.12",
                "client_port": 58360, "name": "cdn.example.org", "qtype": "A", "rcode": "NOERROR",
                "answers": ["192.0.2.1"],
            },
            {
                "kind": "dns", "client_ip": "10.1.0.13", "name": None, "qtype": "HTTPS", "rcode": "SERVFAIL",
                "answers": None,
            },
        ),
        timezone="Asia/Shanghai",
        note="log-queries=extra: replies joined by serial number; a name that was not printed",
    ),
    Sample(
        "Jul  7 20:19:37 dnsmasq[536]: TCP 12 192.168.1.20/5353 query[A] a.example from 192.168.1.20\n"
        "Jul  7 20:19:37 dnsmasq[536]: TCP 12 192.168.1.20/5353 reply a.example is 192.0.2.1 (DNSSEC signed)\n"
        "Jul  7 20:19:38 dnsmasq[536]: UDP 13 192.168.1.20/5354 query[A] b.example from 192.168.1.20\n"
        "Jul  7 20:19:38 dnsmasq[536]: UDP 13 192.168.1.20/5354 config b.example is REFUSED (EDE: not ready)",
        (
            {
                "kind": "dns", "client_port": 5353, "transport": "tcp", "name": "a.example", "rcode": "NOERROR",
                "answers": ["192.0.2.1"],
            },
            {"kind": "dns", "transport": "udp", "name": "b.example", "rcode": "REFUSED", "answers": None},
        ),
        note="log-queries=proto; remarks behind an answer",
    ),
    Sample(
        "Thu Aug 17 22:58:44 2023 daemon.info dnsmasq[1]: query[A] we ird.example from  nobody from 192.168.1.7",
        ({
            "kind": "dns", "ts": "2023-08-17T22:58:44.000000000Z", "client_ip": "192.168.1.7", "client_port": None,
            "name": "we\\032ird.example\\032from\\032\\032nobody", "rcode": None,
        },),
        note="OpenWrt's logread; blanks in a name",
    ),
    Sample(
        "Nov 23 00:00:49 dnsmasq[674]: 125 10.1.0.22/53401 query[AAAA] ads.example from 10.1.0.22\n"
        "Nov 23 00:00:49 dnsmasq[674]: 125 10.1.0.22/53401 gravity blocked ads.example is ::",
        ({"kind": "dns", "name": "ads.example", "action": "blocked", "answers": ["::"]},),
        note="Pi-hole",
    ),
    Sample(
        "Nov 23 00:01:00 gw dnsmasq-dhcp[674]: 3465 DHCPACK(br-lan) 192.168.1.23 52:54:00:AA:00:02 laptop",
        ({
            "kind": "dhcp", "ts": "2026-11-23T00:01:00.000000000Z", "message": "ack", "client_ip": "192.168.1.23",
            "client_mac": "52:54:00:aa:00:02", "hostname": "laptop",
        },),
    ),
    Sample(
        "Nov 23 00:01:00 dnsmasq-dhcp[674]: DHCPREPLY(br-lan) fd00:60::1ea 00:01:00:01:32:95:cf:d8:52:54:00:aa:00:08",
        ({
            "kind": "dhcp", "message": "reply", "client_ip": "fd00:60::1ea", "client_mac": "52:54:00:aa:00:08",
            "client_id": "00:01:00:01:32:95:cf:d8:52:54:00:aa:00:08", "hostname": None,
        },),
        note="DHCPv6",
    ),
    Sample(
        "Nov 23 00:01:00 dnsmasq-dhcp[674]: DHCPDISCOVER(br-lan) 52:54:00:aa:00:02 no address available",
        ({
            "kind": "dhcp", "message": "discover", "client_ip": None, "client_mac": "52:54:00:aa:00:02",
            "hostname": None,
        },),
    ),
    Sample("Nov 23 00:00:52 dnsmasq[674]: reply www.example.org is 192.0.2.1", note="a reply that is nobody's"),
    Sample("Nov 23 00:00:52 dnsmasq[674]: 13 10.1.0.12/58360 query[A] www.exa", note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="dnsmasq log (OpenWrt, ASUS, Pi-hole and other small routers)",
    kinds=("dns", "dhcp"),
    reference="https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    starts=_starts,
)
