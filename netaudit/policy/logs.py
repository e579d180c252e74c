"""The log inventory: which logs there are, what each covers, and whether a kind is kept at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.attribution.clocks import errors
from netaudit.attribution.continuity import Continuity, source_of
from netaudit.attribution.coverage import is_capture
from netaudit.attribution.log_facts import LogFacts
from netaudit.attribution.steps import Order
from netaudit.config import Settings
from netaudit.errors import ConfigError
from netaudit.policy.observed import Observed
from netaudit.records.evidence import EvidenceFile
from netaudit.records.moments import moment

DESTINATION_KINDS = ("dns", "proxy", "flow", "tls", "http", "quic")
DESTINATION_ROLES = ("dns", "proxy", "capture")
_ROLES = {
    "dns": "dns",
    "proxy": "proxy",
    "nat": "nat",
    "dhcp": "dhcp",
    "radius": "access",
    "wlan": "access",
    "fdb": "access",
    "arp": "access",
    "asset": "inventory",
}
_GAPS_LOOKED_AT = 200
_LONGEST_SPAN = dt.timedelta(days=400)


class Inventory:
    """Declared sources with the files that belong to them, and files that belong to none."""

    def __init__(
        self,
        settings: Settings,
        ledger: Sequence[EvidenceFile],
        observed: Observed,
        measured: LogFacts | None = None,
    ) -> None:
        """Give each file of the ledger to the source that the reader found for it."""
        self._measured = measured or LogFacts()
        self._clock_errors = errors(self._measured.clocks)
        self._sources = settings.source
        self.kinds = frozenset(observed.kinds)
        self.log_kinds = self.kinds - _only_captured(ledger)
        """Kinds of which a log was read, and not captures alone."""
        self._captures = pa.array(sorted({entry.id for entry in ledger if is_capture(entry)}), pa.string())
        self._zone = _zone(settings.unit.timezone)
        self._files: dict[int, list[EvidenceFile]] = {i: [] for i in range(len(self._sources))}
        self._others: dict[str, list[EvidenceFile]] = {}
        number = {source.id or source.path: i for i, source in enumerate(self._sources)}
        for entry in ledger:
            index = number.get(entry.source)
            if index is not None:
                self._files[index].append(entry)
            elif not entry.error and role_of(entry) != "inventory":
                self._others.setdefault(entry.format, []).append(entry)

    def kept(self, role: str, segment: str, *, shown: bool) -> bool | None:
        """Whether logs of a role are kept for a segment.

        Args:
            role: As in ``[[source]]``.
            segment: Its id; empty = for the unit as a whole.
            shown: Whether records that were read show it.

        Returns:
            True where records show it; False where the inventory names logs, but none of that role;
            None where one is declared but not shown, or where no log is declared at all.
        """
        if shown:
            return True
        if not self._sources:
            return None
        covering = [s for s in self._sources if not segment or not s.segments or segment in s.segments]
        unsure = [s for s in covering if s.role in {role, ""}]
        return None if unsure else False

    def logged(self, table: pa.Table | None) -> pa.Table | None:
        """Rows that come from logs; what was captured shows that it happened, and no log of it."""
        if table is None or not len(self._captures):
            return table
        return table.filter(pc.invert(pc.is_in(table.column("file").cast(pa.string()), self._captures)))

    def rows(self, stretches: pa.Table) -> list[dict[str, Any]]:
        """Rows of the fact table ``source``; the register of assets is no log and left out.

        What is declared of a clock counts before what was measured of it.
        """
        rows = []
        for index, source in enumerate(self._sources):
            files = self._files[index]
            role = source.role or next((role_of(f) for f in files if f.kinds), "")
            if role == "inventory":
                continue
            known: dict[str, Any] = {
                "source": source.id or source.path,
                "role": role or None,
                "declared": True,
                "retention_days": source.retention_days,
            }
            known |= self._coverage(files, stretches) | self._continuity(files)
            if source.clock_offset_s:
                known["clock_error_s"] = abs(source.clock_offset_s)
            rows.append(known)
        for name, files in sorted(self._others.items()):
            rows.append(
                {"source": name, "role": role_of(files[0]) or None, "declared": False}
                | self._coverage(files, stretches)
                | self._continuity(files)
            )
        return rows

    def _continuity(self, files: Sequence[EvidenceFile]) -> dict[str, Any]:
        """What was measured of some files' logs; the worst of it where there are several."""
        ids = {entry.id for entry in files}
        mine = [log for log in self._measured.logs if not ids.isdisjoint(entry.id for entry in log.files)]
        if not mine:
            return {}
        names = {source_of(entry) for entry in files}
        apart = [
            abs(clock.main.offset_s)
            for clock in self._measured.clocks
            if clock.pieces and not names.isdisjoint({clock.source, clock.other})
        ]
        off = [abs(self._clock_errors[name]) for name in names if name in self._clock_errors]
        steps = [abs(step.seconds) for log in mine for step in log.steps]
        return {
            "days_held": max(log.days for log in mine),
            "gaps": max(len(log.gaps) for log in mine),
            "silent_hours": _largest(log.silent_hours for log in mine),
            "clock_steps": None
            if all(_orderless(log) for log in mine)
            else max(len(log.steps) for log in mine),
            "clock_differs_s": max(apart, default=None),
            "clock_error_s": max((*off, *steps), default=None),
        }

    def _coverage(self, files: Sequence[EvidenceFile], stretches: pa.Table) -> dict[str, Any]:
        starts = [f.first for f in files if f.first]
        ends = [f.last for f in files if f.last]
        known: dict[str, Any] = {"files": len(files), "records": sum(f.records for f in files)}
        if not starts or not ends:
            return known
        first, last = min(starts), max(ends)
        hours = (last - first).total_seconds() / 3600
        known |= {"first": first, "last": last, "coverage_days": (last - first).days}
        known["events_per_hour"] = int(known["records"] / hours) if hours >= 1 else None
        return known | _longest_gaps({f.id for f in files}, stretches, self._zone)


def _largest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _orderless(log: Continuity) -> bool:
    """Whether no clock step could be seen, because the records are in no order of time."""
    return log.order in {Order.NONE, Order.UNKNOWN}


def _longest_gaps(ids: set[str], stretches: pa.Table, zone: dt.tzinfo | None) -> dict[str, Any]:
    """Silences between the records of some files; nothing where there are too few records."""
    mine = stretches.filter(pc.is_in(stretches.column("file"), pa.array(sorted(ids), pa.string())))
    mine = mine.sort_by([("first", "ascending"), ("last", "ascending")])
    if mine.num_rows < 2:
        return {}
    begins = mine.column("first").to_numpy()
    ends = np.maximum.accumulate(mine.column("last").to_numpy())
    silences = np.maximum(begins[1:] - ends[:-1], 0)
    known: dict[str, Any] = {"longest_gap_s": int(silences.max() // 10**9)}
    if zone is None:
        return known
    longest = np.argsort(-silences, kind="stable")[:_GAPS_LOOKED_AT]
    spans = [(moment(int(ends[i])), moment(int(begins[i + 1]))) for i in longest]
    worst = max(spans, key=lambda span: service_seconds(span[0], span[1], zone))
    known["service_gap_s"] = service_seconds(worst[0], worst[1], zone)
    return known | {"gap_from": worst[0], "gap_to": worst[1]}


def service_seconds(start: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> int:
    """Seconds of a span within Monday to Friday, 9 to 17 o'clock in `zone`; holidays are not known."""
    total, day = 0.0, start.astimezone(zone).date()
    while day <= min(end.astimezone(zone).date(), start.astimezone(zone).date() + _LONGEST_SPAN):
        if day.weekday() < 5:
            opens = dt.datetime.combine(day, dt.time(9), zone)
            closes = dt.datetime.combine(day, dt.time(17), zone)
            total += max(0.0, (min(end, closes) - max(start, opens)).total_seconds())
        day += dt.timedelta(days=1)
    return int(total)


def _zone(name: str) -> dt.tzinfo | None:
    """The unit's zone; None where none is declared."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            "unit-timezone",
            "There is no time zone {name}.",
            where="unit.timezone",
            hint="Write an IANA name such as Asia/Shanghai.",
            name=name,
        ) from error


def role_of(entry: EvidenceFile) -> str:
    """The role that a file's records have; a capture's is its own, whatever protocols it holds."""
    if is_capture(entry):
        return "capture"
    roles = {_ROLES.get(kind, "capture") for kind in entry.kinds}
    return "capture" if "capture" in roles else min(roles, default="")


def _only_captured(ledger: Sequence[EvidenceFile]) -> frozenset[str]:
    """Kinds that captures have, and no log."""
    captured = {kind for entry in ledger if is_capture(entry) for kind in entry.kinds}
    return frozenset(captured - {kind for entry in ledger if not is_capture(entry) for kind in entry.kinds})
