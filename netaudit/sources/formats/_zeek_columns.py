"""What Zeek's fields mean: one function per log that makes columns of its fields.

Reference: https://docs.zeek.org/en/current/logs/index.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.records.addresses import by_distinct, ip_column, mac_column
from netaudit.records.names import normalise_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._values import port, whole

Field = Callable[[str], pa.Array]
"""Gives a field of all rows: text, or lists of text for `LISTS`; unset and absent are null."""

LISTS = ("answers", "msg_types")
_COUNT_LIMIT = 2**63 - 1
NAME_PORTS = {"5353": "mdns", "5355": "llmnr", "137": "nbns"}
_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")


def kind_of_log(path: str, fields: Collection[str]) -> str | None:
    """Which of `LOGS` a log is: by its path, or by a field that no other log has."""
    return path if path in LOGS else next((n for n, log in LOGS.items() if log.mark in fields), None)


def stamps(text: pa.Array, context: times.Context) -> pa.Array:
    """Epoch seconds, or ISO stamps of a JSON writer; what is neither is null."""
    iso = pc.fill_null(pc.match_substring_regex(text, r"^\d{4}-"), False)
    out = times.from_epoch(text)
    if pc.any(iso).as_py():
        return pc.coalesce(out, times.from_iso(pc.if_else(iso, text, None), context))
    return out


def _ends(get: Field, context: times.Context) -> dict[str, Any]:
    return {
        "ts": stamps(get("ts"), context),
        "client_ip": ip_column(get("id.orig_h")),
        "client_port": port(get("id.orig_p")),
        "server_ip": ip_column(get("id.resp_h")),
        "server_port": port(get("id.resp_p")),
    }


def _dns(get: Field, context: times.Context) -> dict[str, Any]:
    opcode = pc.utf8_upper(get("opcode_name"))
    return {
        **_ends(get, context),
        "transport": get("proto"),
        "transport_detail": by_distinct(get("id.resp_p"), NAME_PORTS.get, pa.string()),
        "name": _names(get("query")),
        "name_source": "qname",
        "qtype": qtype_column(pc.coalesce(get("qtype_name"), get("qtype"))),
        "rcode": rcode_column(pc.coalesce(get("rcode_name"), get("rcode"))),
        "answers": get("answers"),
        "opcode": pc.if_else(pc.equal(opcode, "QUERY"), None, opcode),
    }


def _ssl(get: Field, context: times.Context) -> dict[str, Any]:
    return {
        **_ends(get, context),
        "name": _names(get("server_name")),
        "name_source": _where(get("server_name"), "sni"),
        "alpn": _single(get("next_protocol")),
        "version": get("version"),
    }


def _quic(get: Field, context: times.Context) -> dict[str, Any]:
    return {
        **_ends(get, context),
        "transport": "udp",
        "name": _names(get("server_name")),
        "name_source": _where(get("server_name"), "sni"),
        "alpn": _single(get("client_protocol")),
        "version": get("version"),
    }


def _http(get: Field, context: times.Context) -> dict[str, Any]:
    host = pc.replace_substring_regex(get("host"), r":\d+$", "")
    return {
        **_ends(get, context),
        "transport": "tcp",
        "name": _names(host),
        "name_source": _where(host, "host"),
        "method": get("method"),
        "status": whole(get("status_code"), 999, pa.uint16()),
        "version": get("version"),
    }


def _conn(get: Field, context: times.Context) -> dict[str, Any]:
    columns = _ends(get, context)
    proto, history = get("proto"), get("history")
    icmp = pc.fill_null(pc.equal(proto, "icmp"), False)  # there the ports are type and code
    out, into = _count(get("orig_bytes")), _count(get("resp_bytes"))
    # history letters: S and h the SYNs, A the acknowledgement, D and d data (resp. lower case)
    shaken = pc.match_substring_regex(history, "S.*h.*[AD]|h.*S.*[AD]")
    return {
        **columns,
        "client_port": pc.if_else(icmp, None, columns["client_port"]),
        "server_port": pc.if_else(icmp, None, columns["server_port"]),
        "ts_end": _later(columns["ts"], get("duration")),
        "transport": proto,
        "bytes_out": out,
        "bytes_in": into,
        "packets_out": _count(get("orig_pkts")),
        "packets_in": _count(get("resp_pkts")),
        "payload_out": pc.coalesce(pc.match_substring(history, "D"), pc.greater(out, 0)),
        "payload_in": pc.coalesce(pc.match_substring(history, "d"), pc.greater(into, 0)),
        "handshake": pc.if_else(pc.equal(proto, "tcp"), shaken, None),
    }


def _dhcp(get: Field, context: times.Context) -> dict[str, Any]:
    """One row per conversation; `message` lists its messages in order (``discover/offer/…/ack``)."""
    seconds = pc.replace_substring_regex(get("lease_time"), r"\.\d*$", "")
    return {
        "ts": stamps(get("ts"), context),
        "client_ip": ip_column(pc.coalesce(get("assigned_addr"), get("client_addr"))),
        "client_mac": mac_column(get("mac")),
        "hostname": get("host_name"),
        "lease_s": whole(seconds, 2**32 - 1, pa.uint32()),
        "message": pc.utf8_lower(pc.binary_join(get("msg_types"), "/")),
        "server_ip": ip_column(get("server_addr")),
    }


class Log:
    """One of Zeek's logs: its kind of record, and a field that only it has."""

    def __init__(
        self, kind: str, mark: str, columns: Callable[[Field, times.Context], dict[str, Any]]
    ) -> None:
        """Tie a kind to its mark and columns."""
        self.kind = kind
        self.mark = mark
        self.columns = columns


LOGS = {
    "dns": Log("dns", "AA", _dns),
    "ssl": Log("tls", "established", _ssl),
    "http": Log("http", "trans_depth", _http),
    "conn": Log("flow", "conn_state", _conn),
    "quic": Log("quic", "client_initial_dcid", _quic),
    "dhcp": Log("dhcp", "msg_types", _dhcp),
}


def _names(text: pa.Array) -> pa.Array:
    r"""Names, with Zeek's ``\x20`` as the ``\032`` of RFC 4343."""
    return normalise_column(by_distinct(text, _escaped, pa.string()) if _has_escape(text) else text)


def _has_escape(text: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring(text, "\\x")).as_py())


def _escaped(name: str) -> str:
    return _ESCAPE.sub(lambda match: f"\\{int(match[1], 16):03d}", name)


def unescape(text: pa.Array) -> pa.Array:
    r"""Text with ``\x2c`` and its like as what they stand for, where that is ASCII."""

    def plain(value: str) -> str:
        return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if int(m[1], 16) < 0x80 else m[0], value)

    if not _has_escape(text):
        return text
    return pc.if_else(pc.equal(text, ""), "", by_distinct(text, plain, pa.string()))


def _where(name: pa.Array, source: str) -> pa.Array:
    return pc.if_else(pc.is_valid(name), source, pa.scalar(None, pa.string()))


def _single(text: pa.Array) -> pa.Array:
    """Lists of the one value, null where there is none."""
    offsets = np.arange(len(text) + 1, dtype=np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), text)
    return pc.if_else(pc.is_valid(text), lists, pa.scalar(None, lists.type))


def _count(text: pa.Array) -> pa.Array:
    return whole(text, _COUNT_LIMIT, pa.uint64())


_SHORT = r"^\d+(\.\d+)?[eE][-+]?\d{1,3}$"


def _later(start: pa.Array, seconds: pa.Array) -> pa.Array:
    """`start` and a duration in decimal seconds, to the nanosecond."""
    short = pc.fill_null(pc.match_substring_regex(seconds, _SHORT), False)  # JSON's 2.9e-05
    if pc.any(short).as_py():
        long = by_distinct(pc.if_else(short, seconds, None), lambda text: f"{float(text):.9f}", pa.string())
        seconds = pc.coalesce(long, seconds)
    span = times.from_epoch(seconds).cast(pa.int64())
    return pc.add(start.cast(pa.int64()), span).cast(TIMESTAMP)
