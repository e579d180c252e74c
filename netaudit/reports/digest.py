"""Rows that belong together, said once: measures by theme, doubts, and what could not be judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netaudit.case.case import Case
from netaudit.case.rectification import TaskState
from netaudit.policy.shape import Rule
from netaudit.policy.verdict import Outcome, Verdict
from netaudit.reports.catalogue import Catalogue
from netaudit.reports.problems import VERIFY, subject_of, tasks_of
from netaudit.reports.vocabulary import (
    DoubtFacts,
    MeasureFacts,
    OtherFacts,
    PlanFacts,
    ProblemFacts,
    ThemeFacts,
    UnknownFacts,
)
from netaudit.reports.words import Words

MAX_SUBJECTS = 3
_THEMES = {
    "segmentation": "network",
    "wlan": "network",
    "credentials": "identity",
    "traceability": "log",
    "dual_homing": "device",
    "rogue": "device",
    "dns_bypass": "device",
    "asset": "device",
    "management": "device",
}
"""Group of a rule to the theme under which its measure is printed."""
_ORDER = ("network", "identity", "log", "device", "verify", "own")


def themes(
    case: Case, rows: Iterable[MeasureFacts], rules: Mapping[str, Rule], words: Words
) -> tuple[ThemeFacts, ...]:
    """Proposed measures by theme; those of one text are merged."""
    measures = {t.id: t.measure for t in tasks_of(case, rules)}
    by_theme: dict[str, dict[str, list[MeasureFacts]]] = {}
    for row in rows:
        if row.state == TaskState.UNCLAIMED:
            theme = _theme(measures[row.number], rules)
            by_theme.setdefault(theme, {}).setdefault(row.text.rstrip(".。"), []).append(row)
    return tuple(
        ThemeFacts(
            words.label("theme", theme),
            tuple(
                PlanFacts(words.ranges(r.number for r in same), words.ranges(r.problem for r in same), text)
                for text, same in by_theme[theme].items()
            ),
        )
        for theme in _ORDER
        if theme in by_theme
    )


def _theme(measure: str, rules: Mapping[str, Rule]) -> str:
    rule = rules.get(measure.removesuffix(".action"))
    if rule is not None:
        return _THEMES.get(rule.group, "own")
    return "verify" if measure in VERIFY else "own"


def others(problems: Iterable[ProblemFacts], words: Words) -> OtherFacts:
    """Numbers of what does not explain the notice."""
    left = [p for p in problems if not p.explains]
    return OtherFacts(
        words.ranges(p.number for p in left if p.kind == "policy"),
        words.ranges(p.number for p in left if p.kind != "policy"),
    )


def doubts(problems: Iterable[ProblemFacts], words: Words) -> tuple[DoubtFacts, ...]:
    """Each doubt once, with all the problems that it is about."""
    about: dict[str, list[str]] = {}
    for problem in problems:
        for doubt in problem.doubts:
            about.setdefault(doubt, []).append(problem.number)
    return tuple(DoubtFacts(words.ranges(numbers), text) for text, numbers in about.items())


def unknowns(case: Case, catalogue: Catalogue, rules: Mapping[str, Rule]) -> tuple[UnknownFacts, ...]:
    """Rules that could not be judged, with the data that are missing; then those for people."""
    grouped: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in case.verdicts:
        if verdict.outcome in {Outcome.CANNOT_TELL, Outcome.MANUAL}:
            grouped.setdefault((verdict.rule, verdict.because), []).append(verdict)
    rows = [_unknown(verdicts, catalogue, rules.get(rule)) for (rule, _), verdicts in grouped.items()]
    return tuple(sorted(rows, key=lambda row: row.by_hand))


def _unknown(verdicts: list[Verdict], catalogue: Catalogue, rule: Rule | None) -> UnknownFacts:
    words, first = catalogue.words, verdicts[0]
    said = (
        rule.wording("because", first, words.locale)
        if rule and first.because
        else words.message(first.because)
    )
    by_hand = first.outcome is Outcome.MANUAL
    subjects = list(dict.fromkeys(words.spoken(subject_of(v.subject, catalogue)) for v in verdicts))
    shown = words.joined(subjects[:MAX_SUBJECTS])
    if len(subjects) > MAX_SUBJECTS:
        shown = words.label("phrase", "items_more", items=shown, n=len(subjects))
    because = words.spoken(said).rstrip(".。")
    return UnknownFacts(
        rule=first.rule,
        title=rule.wording("title", first, words.locale) if rule else first.rule,
        subject=shown,
        because=because or (words.label("phrase", "by_hand") if by_hand else "—"),
        by_hand=by_hand,
    )
