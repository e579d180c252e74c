"""Cells of an office's own format: which columns there are, and texts as their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.times import Context, taken_at
from netaudit.records.addresses import ip_column, mac_column
from netaudit.records.schemas import COUNT, FIELDS, IP, KINDS, MAC, TIMESTAMP, WORD
from netaudit.sources.declared.clocks import Clockwork
from netaudit.sources.formats._urls import destinations, named
from netaudit.sources.formats._values import mask, whole

NO_IP = "What should be an IP address is none."
NO_MAC = "What should be a MAC address is none."
NO_NUMBER = "What should be a number is none, or is too large."
NO_NAME = "What should be a domain name is none."
NO_TIME = "What should be a time is not written as the format says."
NOBODY = "The line names no address, device, account or domain."

_EVIDENCE = frozenset({"tunnel", "site", "file", "ordinal", "name_source"})
_SUBJECTS = (
    "client_ip", "client_mac", "public_ip", "server_ip", "name", "account", "ip", "mac", "hostname", "asset"
)  # fmt: skip
_LIMITS = {pa.uint16(): 0xFFFF, pa.uint32(): 0xFFFF_FFFF, COUNT: 10**18}
_NO_STATION = r"(?i)^(?:[0:.-]+|[f:.-]+)$"
"""All-zero and broadcast: a MAC address, but nobody's."""
_NAMELESS = {"dns": "qname", "tls": "sni", "quic": "sni"}
"""Where a kind's names come from, unless from a host."""
_UNTIMED = ("arp", "fdb", "asset")
"""Kinds of tables that may have no time of their own."""


def columns_of(kind: str) -> frozenset[str]:
    """What groups and titles of a format that gives `kind` may be called.

    The columns of the kind but for lists and yes-or-no; ``ts_date`` and ``ts_clock`` where a time
    stands in two places, ``url`` for host and port out of a URL.
    """
    own = {
        name
        for name in KINDS[kind]
        if name not in _EVIDENCE and (FIELDS[name] in {TIMESTAMP, IP, MAC, WORD} or FIELDS[name] in _LIMITS)
    }
    own |= {"ts_date", "ts_clock"}
    return frozenset(own | ({"url"} if "name" in own and kind != "dns" else set()))


def needs_time(kind: str) -> bool:
    """Whether records of a kind are worth nothing without a time."""
    return kind not in _UNTIMED


def values(
    kind: str, texts: Mapping[str, pa.Array], count: int, clocks: Mapping[str, Clockwork], context: Context
) -> tuple[dict[str, pa.Array], dict[str, np.ndarray]]:
    """Columns of `kind`, and for each reason which rows (bool) it refuses. A row is refused once.

    Args:
        kind: Of the records.
        texts: By column of `columns_of`; null where there is no cell.
        count: Number of rows.
        clocks: Readers of ``ts`` and ``ts_end``.
        context: For zone, year, and the time of tables that print none.
    """
    columns: dict[str, pa.Array] = {}
    refused: dict[str, np.ndarray] = {}
    todo = _joined_times(texts)
    if "url" in todo:
        url = todo.pop("url")
        columns |= destinations(url)
        refused[NO_NAME] = _homeless(url, columns)
    for column, text in todo.items():
        if FIELDS[column] == TIMESTAMP:
            found, wrong = _times(text, clocks[column], context)
            reason = NO_TIME
        elif column == "name":
            found, wrong, reason = _names(kind, text, columns)
        else:
            found, wrong, reason = typed(column, text)
        columns[column] = pc.coalesce(found, columns[column]) if column in columns else found
        if wrong.any():
            refused[reason] = refused.get(reason, np.zeros(count, bool)) | wrong
    if not any(column in columns for column in ("ts", "ts_end")) and kind in {"arp", "fdb"}:
        columns["ts"] = pa.repeat(pa.scalar(taken_at(context), pa.int64()), count).cast(TIMESTAMP)
    whom = [mask(pc.is_valid(columns[name])) for name in _SUBJECTS if name in columns]
    refused[NOBODY] = ~np.logical_or.reduce(whom) if whom else np.ones(count, bool)
    done = np.zeros(count, bool)
    for reason, wrong in refused.items():
        refused[reason] = wrong & ~done
        done |= wrong
    return columns, refused


def typed(column: str, text: pa.Array) -> tuple[pa.Array, np.ndarray, str]:
    """Values of a column, which texts are none, and what is said of these."""
    type_ = FIELDS[column]
    if type_ == IP:
        found, reason = ip_column(text), NO_IP
    elif type_ == MAC:
        found, reason = mac_column(text), NO_MAC
        text = pc.if_else(pc.match_substring_regex(text, _NO_STATION), None, text)
    elif type_ in _LIMITS:
        found, reason = whole(text, _LIMITS[type_], type_), NO_NUMBER
    else:
        found, reason = pc.utf8_lower(text) if column == "transport" else text, ""
    return found, _lost(text, found), reason


def _lost(text: pa.Array, found: pa.Array) -> np.ndarray:
    lost: np.ndarray = mask(pc.is_valid(text)) & ~mask(pc.is_valid(found))
    return lost


def _joined_times(texts: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """`texts` with date and clock as the one text that they are."""
    out = dict(texts)
    parts = [out.pop(name) for name in ("ts_date", "ts_clock") if name in out]
    if parts:
        joined = pc.binary_join_element_wise(*parts, " ")
        out["ts"] = pc.coalesce(out["ts"], joined) if "ts" in out else joined
    return out


def _times(text: pa.Array, clock: Clockwork, context: Context) -> tuple[pa.Array, np.ndarray]:
    """Moments, and which texts are no time; those only without a zone are not wrong but left out."""
    found = clock(text, context)
    lost = _lost(text, found)
    if lost.any() and context.zone is None and context.tolerant:
        import datetime as dt

        lost = _lost(text, clock(text, replace(context, zone=dt.UTC, notes=set())))
    return found, lost


def _names(kind: str, text: pa.Array, columns: dict[str, pa.Array]) -> tuple[pa.Array, np.ndarray, str]:
    """Names; an address in the place of one is the destination's."""
    read = named(text)
    if "server_ip" in KINDS[kind] and kind != "dns":
        address = read["server_ip"]
        columns["server_ip"] = (
            pc.coalesce(columns["server_ip"], address) if "server_ip" in columns else address
        )
    source = pc.if_else(pc.is_valid(read["name"]), _NAMELESS.get(kind, "host"), None)
    columns["name_source"] = (
        pc.coalesce(source, columns["name_source"]) if "name_source" in columns else source
    )
    return read["name"], _homeless(text, read), NO_NAME


def _homeless(text: pa.Array, read: Mapping[str, pa.Array]) -> np.ndarray:
    """Which texts are neither a name nor an address."""
    lost: np.ndarray = _lost(text, read["name"]) & _lost(text, read["server_ip"])
    return lost
