"""Facts and rules give verdicts. A rule is a file; what it needs and lacks is never taken as kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from netaudit.config import PolicySettings, Waiver
from netaudit.policy.judge import judge
from netaudit.policy.shape import Rule
from netaudit.policy.tables import Facts
from netaudit.policy.verdict import Outcome, Verdict


def check(
    facts: Facts, rules: Sequence[Rule], settings: PolicySettings, *, now: dt.datetime
) -> list[Verdict]:
    """Every verdict of every rule, sorted by rule, then subject.

    A violated verdict for which a waiver is in force carries the waiver's reason. A waiver that has
    expired excuses nothing, and is itself a breach of rule ``NA-WAIVER``.

    Args:
        facts: What `facts.gather` gave.
        rules: The rules to check, each once.
        settings: Parameters and waivers.
        now: Time of the check; waivers hold through their last day in this time's own zone.

    Raises:
        ConfigError: A parameter that a rule does not have, or a value that does not fit.
    """
    verdicts = []
    for rule in sorted(rules, key=lambda r: r.id):
        waivers = [w for w in settings.waivers if w.rule == rule.id and w.expires >= now.date()]
        found = judge(rule, facts, settings.parameters.get(rule.id))
        verdicts += [_waived(verdict, waivers) for verdict in found]
    return verdicts


def _waived(verdict: Verdict, waivers: Sequence[Waiver]) -> Verdict:
    if verdict.outcome is Outcome.VIOLATED:
        for waiver in waivers:
            if waiver.subject == verdict.subject:
                return replace(verdict, waived=waiver.reason)
    return verdict


__all__ = ["Facts", "Rule", "Verdict", "check"]
