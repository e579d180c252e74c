"""Suricata's `eve.json`: dns (versions 1, 2, 3), llmnr, mdns, tls, http, quic, flow and dhcp events.

A query and its answer are two events, so they are two rows. In an answer the packet's source may
stand first or the flow's: the side on the DNS port is the server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import carrier, json_lines, times
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, share
from netaudit.records.addresses import by_distinct, ip_column, mac_column
from netaudit.records.names import normalise_column
from netaudit.records.schemas import COUNT, PORT
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._eve_quick import EveLookUps, server_first
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._owned import first_of, lists_of, members
from netaudit.sources.formats._quick import by_kernels
from netaudit.sources.formats._values import mask

UNREADABLE = "The addresses of this line cannot be read."

_TEXT = pa.string()
_TEXTS = pa.list_(_TEXT)
_GROUPED = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT")


def _struct(text: str = "", number: str = "", **others: pa.DataType) -> pa.DataType:
    """A struct type of some text fields, some whole numbers and others."""
    fields = [(name, _TEXT) for name in text.split()] + [(name, pa.int64()) for name in number.split()]
    return pa.struct([*fields, *others.items()])


_QUERIES = pa.list_(_struct("rrname rrtype"))
_NEIGHBOURS = _struct("type rcode", queries=_QUERIES, answers=pa.list_(_struct("rdata a aaaa")))
_SCHEMA = pa.schema(
    [
        *((name, _TEXT) for name in ("timestamp", "event_type", "src_ip", "dest_ip", "proto")),
        *((name, pa.int64()) for name in ("src_port", "dest_port")),
        (
            "dns",
            _struct(
                "type rrname rrtype rcode rdata",
                queries=_QUERIES,
                answers=pa.list_(_struct("rdata")),
                grouped=pa.struct([(name, _TEXTS) for name in _GROUPED]),
            ),
        ),
        ("llmnr", _NEIGHBOURS),
        ("mdns", _NEIGHBOURS),
        ("tls", _struct("sni version ja4", client_alpns=_TEXTS)),
        ("http", _struct("hostname http_method protocol version", "status")),
        ("quic", _struct("sni version ja4")),
        ("flow", _struct("start end", "pkts_toserver pkts_toclient bytes_toserver bytes_toclient")),
        ("tcp", _struct("tcp_flags_ts tcp_flags_tc")),
        (
            "dhcp",
            _struct(
                "dhcp_type client_mac client_ip assigned_ip hostname client_id vendor_class_identifier",
                "lease_time",
            ),
        ),
    ]
)

Field = Callable[..., pa.Array]
"""Gives a field, or one within an object, of all rows of an event type."""


def _ends(get: Field, context: times.Context, turned: np.ndarray | None = None) -> dict[str, Any]:
    """Time, addresses, ports and protocol; where `turned` the source is the server."""
    swap = pa.array(np.zeros(len(get("proto")), bool) if turned is None else turned)
    src, dest = ip_column(get("src_ip")), ip_column(get("dest_ip"))
    src_port, dest_port = _within(get("src_port"), PORT), _within(get("dest_port"), PORT)
    return {
        "ts": times.from_iso(get("timestamp"), context),
        "client_ip": pc.if_else(swap, dest, src),
        "client_port": pc.if_else(swap, dest_port, src_port),
        "server_ip": pc.if_else(swap, src, dest),
        "server_port": pc.if_else(swap, src_port, dest_port),
        "transport": pc.utf8_lower(get("proto")),
    }


def _within(number: pa.Array, type_: pa.DataType) -> pa.Array:
    """Whole numbers as `type_`; those that it cannot hold are null."""
    limit = 2 ** min(type_.bit_width, 63) - 1
    fits = pc.and_(pc.greater_equal(number, 0), pc.less_equal(number, limit))
    return pc.if_else(fits, number, pa.scalar(None, pa.int64())).cast(type_)


def _server_first(get: Field, event: str) -> np.ndarray:
    """Rows of answers whose source is the server."""
    return server_first(get(event, "type"), get("src_port"), get("dest_port"))


def _question(get: Field, event: str, field: str) -> pa.Array:
    """`field` of the first question (version 3)."""
    owner, question = members(get(event, "queries"))
    return first_of(len(get("proto")), owner, pc.struct_field(question, field))


def _dns(get: Field, context: times.Context) -> dict[str, Any]:
    count = len(get("proto"))
    turned = _server_first(get, "dns")
    name = pc.coalesce(get("dns", "rrname"), _question(get, "dns", "rrname"))
    qtype = pc.coalesce(get("dns", "rrtype"), _question(get, "dns", "rrtype"))
    owner, answer = members(get("dns", "answers"))
    detailed = lists_of(count, owner, pc.struct_field(answer, "rdata"))
    groups = [members(get("dns", "grouped", kind)) for kind in _GROUPED]
    owners, values = np.concatenate([o for o, _ in groups]), pa.concat_arrays([v for _, v in groups])
    single = lists_of(count, np.arange(count), get("dns", "rdata"))  # version 1: a record an event
    return {
        **_ends(get, context, turned),
        "name": normalise_column(name),
        "name_source": "qname",
        "qtype": qtype_column(qtype),
        "rcode": rcode_column(get("dns", "rcode")),
        "answers": pc.coalesce(detailed, lists_of(count, owners, values), single),
    }


def _neighbours(event: str) -> Callable[[Field, times.Context], dict[str, Any]]:
    """LLMNR and mDNS events, which are DNS among neighbours."""

    def columns(get: Field, context: times.Context) -> dict[str, Any]:
        owner, answer = members(get(event, "answers"))
        data = pc.coalesce(*(pc.struct_field(answer, name) for name in ("rdata", "a", "aaaa")))
        return {
            **_ends(get, context, _server_first(get, event)),
            "transport_detail": event,
            "name": normalise_column(_question(get, event, "rrname")),
            "name_source": "qname",
            "qtype": qtype_column(_question(get, event, "rrtype")),
            "rcode": rcode_column(get(event, "rcode")),
            "answers": lists_of(len(get("proto")), owner, data),
        }

    return columns


def _tls(get: Field, context: times.Context) -> dict[str, Any]:
    return {
        **_ends(get, context),
        **_named(get("tls", "sni"), "sni"),
        "alpn": get("tls", "client_alpns"),
        "version": get("tls", "version"),
        "ja4": get("tls", "ja4"),
    }


def _quic(get: Field, context: times.Context) -> dict[str, Any]:
    return {
        **_ends(get, context),
        **_named(get("quic", "sni"), "sni"),
        "version": get("quic", "version"),
        "ja4": get("quic", "ja4"),
    }


def _http(get: Field, context: times.Context) -> dict[str, Any]:
    version = pc.coalesce(get("http", "version"), get("http", "protocol"))
    return {
        **_ends(get, context),
        **_named(pc.replace_substring_regex(get("http", "hostname"), r":\d+$", ""), "host"),
        "method": get("http", "http_method"),
        "status": _within(get("http", "status"), pa.uint16()),
        "version": pc.replace_substring_regex(version, "^HTTP/", ""),
    }


def _flow(get: Field, context: times.Context) -> dict[str, Any]:
    return {
        **_ends(get, context),
        "ts": times.from_iso(get("flow", "start"), context),
        "ts_end": times.from_iso(get("flow", "end"), context),
        "bytes_out": _within(get("flow", "bytes_toserver"), COUNT),
        "bytes_in": _within(get("flow", "bytes_toclient"), COUNT),
        "packets_out": _within(get("flow", "pkts_toserver"), COUNT),
        "packets_in": _within(get("flow", "pkts_toclient"), COUNT),
        "handshake": pc.and_(_shook(get("tcp", "tcp_flags_ts")), _shook(get("tcp", "tcp_flags_tc"))),
    }


def _shook(flags: pa.Array) -> pa.Array:
    """Whether a side sent both SYN and ACK (hex flags, RFC 9293 section 3.1)."""
    return by_distinct(flags, _has_syn_ack, pa.bool_())


def _has_syn_ack(text: str) -> bool | None:
    try:
        return int(text, 16) & 0x12 == 0x12
    except ValueError:
        return None


def _dhcp(get: Field, context: times.Context) -> dict[str, Any]:
    ends = _ends(get, context)
    assigned, own = (_given(get("dhcp", name)) for name in ("assigned_ip", "client_ip"))
    from_server = pc.is_in(get("dhcp", "dhcp_type"), value_set=pa.array(["offer", "ack", "nak"]))
    return {
        "ts": ends["ts"],
        "client_ip": pc.coalesce(ip_column(assigned), ip_column(own)),
        "client_mac": mac_column(get("dhcp", "client_mac")),
        "hostname": get("dhcp", "hostname"),
        "vendor_class": get("dhcp", "vendor_class_identifier"),
        "lease_s": _within(get("dhcp", "lease_time"), pa.uint32()),
        "message": pc.utf8_lower(get("dhcp", "dhcp_type")),
        "client_id": get("dhcp", "client_id"),
        "server_ip": pc.if_else(from_server, ends["client_ip"], None),
    }


def _given(address: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(address, "0.0.0.0"), None, address)  # noqa: S104 -- "none yet" in DHCP


def _named(name: pa.Array, source: str) -> dict[str, pa.Array]:
    where = pc.if_else(pc.is_valid(name), source, pa.scalar(None, _TEXT))
    return {"name": normalise_column(name), "name_source": where}


_EVENTS: dict[str, tuple[str, Callable[[Field, times.Context], dict[str, Any]]]] = {
    "dns": ("dns", _dns),
    "llmnr": ("dns", _neighbours("llmnr")),
    "mdns": ("dns", _neighbours("mdns")),
    "tls": ("tls", _tls),
    "http": ("http", _http),
    "quic": ("quic", _quic),
    "flow": ("flow", _flow),
    "dhcp": ("dhcp", _dhcp),
}


def _open(context: times.Context) -> Parse:
    def parse(lines: pa.StringArray) -> Parsed:
        bare = mask(pc.match_substring_regex(lines, r"^\s*(?:\{|$)"))
        lines = lines if bare.all() else carrier.peel(lines).rest
        objects = json_lines.read(lines, _SCHEMA)
        parsed = Parsed(rejected=objects.rejected, other=objects.blank)
        event = objects.column("event_type")
        known = np.zeros(len(objects.index), bool)
        for name, (kind, columns_of) in _EVENTS.items():
            rows = np.flatnonzero(mask(pc.equal(event, name)))
            known[rows] = True
            if len(rows):
                table = objects.table.take(pa.array(rows))
                part = json_lines.Objects(table, objects.index[rows], {}, 0)
                _add(parsed, kind, columns_of(part.column, context), part.index)
        parsed.other += int((~known).sum())
        return parsed

    return by_kernels(EveLookUps(context), parse)


def _add(parsed: Parsed, kind: str, columns: dict[str, Any], index: np.ndarray) -> None:
    """Keep the rows that say who: a client's address, or for a lease its station."""
    who = mask(pc.is_valid(columns["client_mac" if kind == "dhcp" else "client_ip"]))
    for reason, lines in refused({UNREADABLE: index[~who]}).items():
        parsed.rejected[reason] = np.union1d(parsed.rejected.get(reason, lines), lines)
    if who.any():
        keep = pa.array(who)
        held = {n: c.filter(keep) if isinstance(c, pa.Array) else c for n, c in columns.items()}
        parsed.rows.append(Rows(kind, held, index[who]))


def _sniff(lines: list[str]) -> float:
    return share(lines, lambda line: "{" in line and '"event_type"' in line and '"timestamp"' in line)


_ENDS_OF_SAMPLE = (
    '"timestamp":"2024-11-29T15:08:06.239558+0000","flow_id":1,"src_ip":"10.1.0.20","src_port":46414,'
    '"dest_ip":"10.1.0.53","dest_port":53,"proto":"UDP"'
)
_ENDS_TURNED = (
    '"timestamp":"2024-11-29T15:08:06.239558+0000","flow_id":1,"src_ip":"10.1.0.53","src_port":53,'
    '"dest_ip":"10.1.0.20","dest_port":46414,"proto":"UDP"'
)
_SAMPLES = (
    Sample(
        f'{{{_ENDS_TURNED},"event_type":"dns","dns":{{"version":2,"type":"answer","id":1,"rrname":"WWW.example.org",'
        '"rrtype":"A","rcode":"NOERROR","answers":[{"rrname":"www.example.org","rrtype":"CNAME","ttl":9,'
        '"rdata":"web.example.org"},{"rrname":"web.example.org","rrtype":"A","ttl":9,"rdata":"192.0.2.1"}]}}',
        ({
            "kind": "dns", "ts": "2024-11-29T15:08:06.239558000Z", "client_ip": "10.1.0.20", "client_port": 46414,
            "server_ip": "10.1.0.53", "server_port": 53, "transport": "udp", "name": "www.example.org",
            "qtype": "A", "rcode": "NOERROR", "answers": ["web.example.org", "192.0.2.1"],
        },),
        note="an answer, version 2: the source is the server",
    ),
    Sample(
        f'{{{_ENDS_OF_SAMPLE},"event_type":"dns","dns":{{"version":3,"type":"response","id":1,"rcode":"NXDOMAIN",'
        '"queries":[{"rrname":"no.example.org","rrtype":"AAAA"}]}}',
        ({
            "kind": "dns", "client_ip": "10.1.0.20", "server_ip": "10.1.0.53", "name": "no.example.org",
            "qtype": "AAAA", "rcode": "NXDOMAIN", "answers": None,
        },),
        note="version 3, in the direction of the flow",
    ),
    Sample(
        f'{{{_ENDS_TURNED},"event_type":"dns","dns":{{"type":"answer","rcode":"NOERROR","rrname":"a.example",'
        '"rrtype":"A","grouped":{"A":["192.0.2.1","192.0.2.2"],"CNAME":["b.example"],"SOA":[{"mname":"x"}]}}}',
        ({"kind": "dns", "name": "a.example", "answers": ["192.0.2.1", "192.0.2.2", "b.example"]},),
        note="grouped answers",
    ),
    Sample(
        f'{{{_ENDS_OF_SAMPLE},"event_type":"dns","dns":{{"type":"query","id":7,"rrname":"a.example","rrtype":"A"}}}}',
        ({"kind": "dns", "client_ip": "10.1.0.20", "name": "a.example", "rcode": None},),
        note="a query, version 1",
    ),
    Sample(
        '{"timestamp":"2024-11-29T15:08:06.2+0000","event_type":"llmnr","src_ip":"10.1.0.20","src_port":50000,'
        '"dest_ip":"224.0.0.252","dest_port":5355,"proto":"UDP","llmnr":{"type":"request","queries":'
        '[{"rrname":"hs2011","rrtype":"a"}]}}',
        ({"kind": "dns", "transport_detail": "llmnr", "name": "hs2011", "qtype": "A"},),
    ),
    Sample(
        f'{{{_ENDS_OF_SAMPLE},"event_type":"tls","tls":{{"sni":"api.example.org","version":"TLS 1.3","ja4":"t13d"}}}}\n'
        f'{{{_ENDS_OF_SAMPLE},"event_type":"http","http":{{"hostname":"www.example.org:81","url":"/secret",'
        '"http_method":"GET","protocol":"HTTP/1.1","status":404}}\n'
        f'{{{_ENDS_OF_SAMPLE},"event_type":"quic","quic":{{"version":"1","sni":"q.example.org"}}}}',
        (
            {"kind": "tls", "name": "api.example.org", "name_source": "sni", "version": "TLS 1.3", "ja4": "t13d"},
            {"kind": "http", "name": "www.example.org", "method": "GET", "status": 404, "version": "1.1"},
            {"kind": "quic", "name": "q.example.org", "version": "1"},
        ),
    ),
    Sample(
        f'{{{_ENDS_OF_SAMPLE},"event_type":"flow","flow":{{"pkts_toserver":12,"pkts_toclient":11,'
        '"bytes_toserver":1842,"bytes_toclient":11086,"start":"2024-11-29T15:07:44.721525+0000",'
        '"end":"2024-11-29T15:07:45.000000+0000"},"tcp":{"tcp_flags_ts":"1b","tcp_flags_tc":"1b"}}',
        ({
            "kind": "flow", "ts": "2024-11-29T15:07:44.721525000Z", "ts_end": "2024-11-29T15:07:45.000000000Z",
            "bytes_out": 1842, "packets_in": 11, "handshake": True,
        },),
    ),
    Sample(
        '{"timestamp":"2024-11-29T15:08:06.239558+0000","event_type":"dhcp","src_ip":"10.1.0.1","src_port":67,'
        '"dest_ip":"10.1.0.20","dest_port":68,"proto":"UDP","dhcp":{"type":"reply","id":1,'
        '"client_mac":"52:54:00:aa:00:02","assigned_ip":"10.1.0.20","client_ip":"0.0.0.0","dhcp_type":"ack",'
        '"lease_time":600,"hostname":"pc-2"}}',
        ({
            "kind": "dhcp", "client_ip": "10.1.0.20", "client_mac": "52:54:00:aa:00:02", "server_ip": "10.1.0.1",
            "message": "ack", "lease_s": 600, "hostname": "pc-2",
        },),
    ),
    Sample(
        f'{{{_ENDS_OF_SAMPLE},"event_type":"stats","stats":{{}}}}\n'
        f'{{{_ENDS_OF_SAMPLE},"event_type":"dns","dns":"none"}}\n{{"timestamp":"2024-11-29T15:08:06',
        note="no record; a wrong type; cut",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="Suricata EVE (eve.json)",
    kinds=("dns", "tls", "http", "quic", "flow", "dhcp"),
    reference="https://docs.suricata.io/en/latest/output/eve/eve-json-format.html",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
