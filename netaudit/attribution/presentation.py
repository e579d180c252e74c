"""A trace as JSON prints it (contract, section 5)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from netaudit.attribution.reasons import needed, sentence
from netaudit.attribution.trace import Candidate, Hop, Question, Trace
from netaudit.records.addresses import format_ip, format_mac

SCHEMA_VERSION = 1


def trace_dict(trace: Trace, locale: str) -> dict[str, Any]:
    """A trace as plain values.

    Args:
        trace: The trace.
        locale: ``en``, ``zh-CN`` or ``zh-TW``, for the sentences of the reasons.

    Returns:
        Times are RFC 3339 in UTC, addresses text; what is not known is absent, save `start` and
        `end` of a candidate and `skew_stable`, which are null. `why` is a message id in English.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "question": _question(trace.question),
        "reach": trace.reach.value,
        "place": dict(trace.place),
        "hops": [_hop(hop) for hop in trace.hops],
        "reasons": [
            {"code": r.value, "sentence": sentence(r, locale), "needed": needed(r, locale)}
            for r in trace.reasons
        ],
    }


def _question(question: Question) -> dict[str, Any]:
    said: dict[str, Any] = {
        "at": _time(question.at),
        "until": _time(question.until),
        "public_ip": format_ip(question.public_ip) if question.public_ip else None,
        "client_ip": format_ip(question.client_ip) if question.client_ip else None,
        "mac": format_mac(question.mac) if question.mac else None,
        "port": question.port,
        "transport": question.transport or None,
        "dst_ip": format_ip(question.dst_ip) if question.dst_ip else None,
        "dst_port": question.dst_port,
        "skew_s": question.skew_s,
        "site": question.site or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "hop": hop.hop,
        "asked": hop.asked,
        "outcome": hop.outcome.value,
        "candidates": [_candidate(c) for c in hop.candidates],
        "skew_stable": list(hop.skew_stable_s) if hop.skew_stable_s is not None else None,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "value": candidate.value,
        "details": dict(candidate.details),
        "start": _time(candidate.start),
        "end": _time(candidate.end),
        "evidence": [{"file": e.file, "ordinal": e.ordinal} for e in candidate.evidence],
        "why": candidate.why,
    }


def _time(moment: dt.datetime | None) -> str | None:
    """RFC 3339, UTC, as many decimals as there are."""
    if moment is None:
        return None
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
