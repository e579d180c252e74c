"""The evidence catalogue: every file gets one number, and every reference uses it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath, PureWindowsPath

from netaudit.case.case import Case
from netaudit.records.evidence import Evidence, EvidenceFile
from netaudit.reports.vocabulary import ExhibitFacts, LimitFacts, ListFacts, SourceFacts
from netaudit.reports.words import Words

MAX_ORDINALS = 5
TRACING_KINDS = {"nat": ("nat",), "dhcp": ("dhcp", "arp"), "radius": ("radius", "wlan")}
"""What a walk-back rests on: the kind that names it, and the kinds that will do."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Numbers ``E001`` … for the letter and the files of the ledger, in that order."""

    numbers: dict[str, str]
    """File id to number."""
    letter: str
    """The letter's number, or empty."""
    words: Words

    def ref(self, evidence: Iterable[Evidence]) -> str:
        """``E003（第12、15条）；E004（第3条）``; a file that is in no catalogue is left out."""
        by_file: dict[str, list[int]] = {}
        for item in evidence:
            by_file.setdefault(item.file, []).append(item.ordinal)
        parts = []
        for file in sorted(by_file, key=lambda f: self.numbers.get(f, "")):
            if file not in self.numbers:
                continue
            kept = sorted(set(by_file[file]))[:MAX_ORDINALS]
            listed = self.words.label("phrase", "records", list=self.words.joined([str(n) for n in kept]))
            left = len(set(by_file[file])) - len(kept)
            listed += self.words.label("phrase", "more", n=left) if left else ""
            parts.append(
                f"{self.numbers[file]} ({listed})"
                if self.words.locale == "en"
                else f"{self.numbers[file]}（{listed}）"
            )
        return ("; " if self.words.locale == "en" else "；").join(parts)

    def files(self, ids: Iterable[str]) -> str:
        """Numbers of files, in their order."""
        return self.words.joined(sorted(self.numbers[i] for i in set(ids) if i in self.numbers))


def catalogue_of(case: Case, words: Words) -> Catalogue:
    """Number the case's evidence."""
    has_letter = case.notice is not None and bool(case.notice.sha256)
    start = 2 if has_letter else 1
    numbers: dict[str, str] = {}
    for entry in case.ledger:
        numbers.setdefault(entry.id, f"E{start + len(numbers):03d}")
    return Catalogue(numbers, "E001" if has_letter else "", words)


def exhibits(case: Case, catalogue: Catalogue) -> tuple[ExhibitFacts, ...]:
    """The catalogue's rows."""
    words = catalogue.words
    rows = []
    if case.notice is not None and catalogue.letter:
        rows.append(
            ExhibitFacts(
                catalogue.letter,
                base_name(case.notice.file_name, words),
                words.label("phrase", "letter"),
                0,
                case.notice.sha256,
            )
        )
    seen: set[str] = set()
    for entry in case.ledger:
        if entry.id not in seen:
            seen.add(entry.id)
            rows.append(
                ExhibitFacts(
                    catalogue.numbers[entry.id],
                    base_name(entry.name, words),
                    kinds_of(entry, words),
                    entry.size,
                    entry.sha256,
                )
            )
    return tuple(rows)


def sources(case: Case, catalogue: Catalogue) -> tuple[SourceFacts, ...]:
    """What was read, one row per file."""
    words = catalogue.words
    return tuple(
        SourceFacts(
            number=catalogue.numbers[f.id],
            name=base_name(f.name, words),
            kinds=kinds_of(f, words),
            format=f.format or "—",
            span=words.span(f.first, f.last),
            records=f.records,
            skipped=sum(s.count for s in f.skipped),
            clock=words.label("phrase", "clock", n=f"{f.clock_offset_s:+g}") if f.clock_offset_s else "—",
            sha256=f.sha256,
            complete=f.complete,
        )
        for f in case.ledger
    )


def limits(case: Case, catalogue: Catalogue) -> tuple[LimitFacts, ...]:
    """What is not there or was not read: per file, then gaps between files, then kinds never given."""
    words = catalogue.words
    rows: list[LimitFacts] = []
    for f in case.ledger:
        ref = catalogue.numbers[f.id]
        if f.error:
            rows.append(
                LimitFacts(
                    ref, words.label("phrase", "file_error", reason=words.message(f.error)), matters=True
                )
            )
        if f.truncated:
            rows.append(LimitFacts(ref, words.label("phrase", "truncated"), matters=True))
        rows += [
            LimitFacts(
                ref,
                words.label("phrase", "skipped", count=s.count, reason=words.message(s.reason)),
                s.matters,
            )
            for s in f.skipped
        ]
        rows += [LimitFacts(ref, words.message(note), matters=False) for note in f.notes]
    for kind, kinds in TRACING_KINDS.items():
        name = words.label("kind", kind)
        mine = [f for f in case.ledger if set(f.kinds) & set(kinds) and f.first and f.last]
        if not mine:
            rows.append(LimitFacts("", words.label("phrase", "no_log", kind=name), matters=True))
        for start, end in gaps(mine):
            ref = catalogue.files(f.id for f in mine if f.last == start or f.first == end)
            rows.append(
                LimitFacts(
                    ref,
                    words.label(
                        "phrase", "gap", kind=name, start=words.moment(start), end=words.moment(end)
                    ),
                    matters=True,
                )
            )
    return tuple(rows)


def gaps(
    files: Iterable[EvidenceFile], least: dt.timedelta = dt.timedelta(minutes=30)
) -> list[tuple[dt.datetime, dt.datetime]]:
    """Spans longer than `least` between files of one kind that no file covers."""
    spans = sorted((f.first, f.last) for f in files if f.first and f.last)
    merged: list[tuple[dt.datetime, dt.datetime]] = []
    for start, end in spans:
        if merged and start - merged[-1][1] <= least:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return [(before[1], after[0]) for before, after in pairwise(merged)]


def lists(case: Case) -> tuple[ListFacts, ...]:
    """The block lists in use."""
    return tuple(ListFacts(v.list_id, v.title, v.entries, v.date or "—", v.sha256) for v in case.lists)


def kinds_of(entry: EvidenceFile, words: Words) -> str:
    """The kinds of record in a file, in words."""
    return words.joined([words.label("kind", k) for k in entry.kinds]) or "—"


def base_name(name: str, words: Words) -> str:
    """A file's name without its folders (they may name persons), addresses masked."""
    return words.masked(PureWindowsPath(PurePath(name).name).name or name)
