"""``netaudit events --judge``: where netaudit and another program differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCONCLUSIVE, Session

if TYPE_CHECKING:
    from netaudit.workflow.second_opinion import Difference, Opinion

FORMS = ("table", "json", "jsonl")


def print_opinions(
    session: Session, inputs: Sequence[str], form: str, output: str | None, sample: int
) -> int:
    """Compare each input and print the differences; the exit code.

    Raises:
        UsageError: A form in which differences are not printed.
    """
    from netaudit import workflow
    from netaudit.errors import UsageError

    if form not in FORMS or output is not None:
        raise UsageError(
            "no-such-form",
            "Differences are not printed so.",
            hint="Use --format table, json or jsonl, and no -o.",
        )
    settings, code = session.settings(), EXIT_CLEAN
    for argument in inputs:
        opinion = workflow.judge(argument, settings, sample=sample)
        _print(session, opinion, form)
        code = max(code, _code(opinion))
    return code


def _code(opinion: Opinion) -> int:
    if opinion.unfinished:
        return EXIT_INCONCLUSIVE
    return EXIT_CLEAN if opinion.agree else EXIT_FINDINGS


def _print(session: Session, opinion: Opinion, form: str) -> None:
    from netaudit.cli.render import inert, print_json, print_table

    say = session.say
    if form == "json":
        print_json(
            {
                "name": opinion.name,
                "sha256": opinion.sha256,
                "sample": opinion.sample,
                "both": opinion.both,
                "agree": opinion.agree,
                "unfinished": opinion.unfinished,
                "differences": [_row(d) for d in opinion.differences],
            }
        )
        return
    if form == "jsonl":
        for difference in opinion.differences:
            click.echo(json.dumps({"file": opinion.sha256[:16], **_row(difference)}, ensure_ascii=False))
    elif opinion.differences:
        head = [say(w) for w in ("only", "kind", "client", "server", "name", "packets", "reason")]
        print_table(head, [_cells(session, d) for d in opinion.differences], colour=session.colour)
    counting = sum(d.counts for d in opinion.differences)
    session.note(
        "{name}: {both} names read by both, {counting} disagreements, {expected} differences that are expected.",
        name=inert(opinion.name),
        both=opinion.both,
        counting=counting,
        expected=len(opinion.differences) - counting,
    )
    if opinion.unfinished:
        session.note("tshark did not finish: {reason}", reason=inert(say(opinion.unfinished)))


def _row(difference: Difference) -> dict[str, Any]:
    return {
        "only": difference.only,
        "kind": difference.kind,
        "client_ip": difference.client,
        "server_ip": difference.server,
        "name": difference.name,
        "packets": list(difference.packets),
        "reason": difference.reason,
        "counts": difference.counts,
    }


def _cells(session: Session, difference: Difference) -> tuple[str, ...]:
    d = difference
    mark = "" if d.counts else f" ({session.say('expected')})"
    packets = ", ".join(str(p) for p in d.packets)
    return (d.only, d.kind, d.client, d.server, d.name, packets, session.say(d.reason) + mark)
