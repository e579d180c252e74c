"""``netaudit trace --drill``: how far a trace would get, segment by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from netaudit.cli.session import Session

if TYPE_CHECKING:
    from netaudit.pipeline.drill import Drill, SegmentScore

SCHEMA_VERSION = 1


def drill_dict(drill: Drill, locale: str) -> dict[str, Any]:
    """A drill as plain values."""
    from netaudit.attribution.reasons import needed, sentence

    return {
        "schema_version": SCHEMA_VERSION,
        "seen": drill.seen,
        "drawn": drill.drawn,
        "segments": [
            {
                "segment": score.segment,
                "flows": score.flows,
                "reach": {step.value: count for step, count in score.reach.items()},
                "wrong": score.wrong,
                "breaks": [
                    {"hop": hop.value, "outcome": outcome.value, "flows": count}
                    for (hop, outcome), count in score.breaks.items()
                ],
                "reasons": [
                    {
                        "code": reason.value,
                        "flows": count,
                        "sentence": sentence(reason, locale),
                        "needed": needed(reason, locale),
                    }
                    for reason, count in score.reasons.items()
                ],
            }
            for score in drill.segments
        ],
    }


def print_drill(drill: Drill, session: Session) -> None:
    """A line for each segment, and under it why its traces break."""
    from netaudit.attribution.reasons import needed, sentence
    from netaudit.attribution.trace import Reach
    from netaudit.cli.render import inert, print_table

    say = session.say
    head = [say("segment"), say("flows"), *(say(step.value) for step in Reach), say("broken at")]
    print_table(head, [_row(score, session) for score in drill.segments], colour=session.colour)
    for score in drill.segments:
        for reason, count in sorted(score.reasons.items(), key=lambda pair: -pair[1]):
            name = inert(score.segment) or say("outside of the plan")
            click.echo(f"{name}: {reason.value} × {count}: {sentence(reason, session.locale)}")
            click.echo(f"    → {needed(reason, session.locale)}")
        if score.wrong:
            click.echo(
                say(
                    "{count} traces of {segment} led to another host.",
                    count=score.wrong,
                    segment=score.segment,
                )
            )
    click.echo(say("{drawn} of {seen} outgoing flows were drawn.", drawn=drill.drawn, seen=drill.seen))


def _row(score: SegmentScore, session: Session) -> tuple[str, ...]:
    say = session.say
    reach = (f"{score.reach[step] / score.flows:.0%}" for step in score.reach)
    broken = "; ".join(
        f"{say(hop.value)} ({say(outcome.value)}) {count / score.flows:.0%}"
        for (hop, outcome), count in sorted(score.breaks.items(), key=lambda pair: -pair[1])
    )
    return (score.segment or say("outside of the plan"), str(score.flows), *reach, broken)
