"""``netaudit logs``: what each log holds, and how far the clocks are apart."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from netaudit.cli.session import (
    EXIT_CLEAN,
    EXIT_ERROR,
    EXIT_FINDINGS,
    EXIT_INCONCLUSIVE,
    Session,
    unit_zone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netaudit.attribution.clocks import ClockOffset
    from netaudit.attribution.continuity import Continuity
    from netaudit.attribution.log_facts import LogFacts
    from netaudit.records.evidence import Ledger

SCHEMA_VERSION = 1
SHOWN = 10
"""Gaps and steps of one source that people see; JSON has `MOST`."""
MOST = 1000


@click.command("logs")
@click.argument("inputs", nargs=-1)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.option("--input-format", default="", help="Name the inputs' format instead of recognising it.")
@click.option("--tz", default="", help="Time zone of stamps that carry none.")
@click.pass_obj
def command(session: Session, inputs: tuple[str, ...], form: str, input_format: str, tz: str) -> None:
    """Say what each log holds: days, gaps, silent hours, clock steps; and how far clocks are apart.

    Without INPUTS, those of netaudit.toml. Offsets are only shown; they count once they stand in
    netaudit.toml.

    \b
    Example:  netaudit logs dns/ dhcpd.log mirror.pcapng
    """  # noqa: D301 -- click's marker for "do not re-wrap"
    from netaudit import workflow
    from netaudit.cli.render import print_json, print_ledger
    from netaudit.config import configured_inputs
    from netaudit.errors import UsageError
    from netaudit.sources import Options

    settings = session.settings()
    paths = inputs or tuple(configured_inputs(settings))
    if not paths:
        raise UsageError(
            "no-logs",
            "There are no logs to look at.",
            hint="Name the log files, or declare them as [[source]] in netaudit.toml.",
        )
    with session.progress() as progress:
        facts, ledger = workflow.continuity(
            paths, settings, options=Options(input_format, tz, session.jobs or 0), progress=progress
        )
    if form == "json":
        print_json(facts_json(facts, ledger))
    else:
        _print(facts, session, unit_zone(settings) or dt.UTC)
        if not session.quiet:
            print_ledger(ledger, session.locale)
    raise click.exceptions.Exit(_code(facts, ledger))


def _code(facts: LogFacts, ledger: Ledger) -> int:
    from netaudit.errors import ConfigError

    if not ledger.usable or any(isinstance(e, ConfigError) for e in ledger.errors):
        return EXIT_ERROR
    if facts.telling:
        return EXIT_FINDINGS
    return EXIT_CLEAN if ledger.complete and facts.whole else EXIT_INCONCLUSIVE


def facts_json(facts: LogFacts, ledger: Ledger) -> dict[str, Any]:
    """The facts as ``--format json`` prints them."""
    from netaudit.attribution.clocks import errors
    from netaudit.cli.render import ledger_json

    return {
        "schema_version": SCHEMA_VERSION,
        "inputs": ledger_json(ledger),
        "logs": [_log_json(log) for log in facts.logs],
        "clocks": [_clock_json(clock, facts) for clock in facts.clocks],
        "clock_errors_s": errors(facts.clocks),
    }


def _log_json(log: Continuity) -> dict[str, Any]:
    from netaudit.cli.render import moment

    return {
        "source": log.source,
        "declared": log.declared,
        "kind": log.kind,
        "site": log.site,
        "segments": list(log.segments),
        "formats": list(log.formats),
        "files": [{"id": entry.id, "name": entry.name} for entry in log.files],
        "records": log.records,
        "undated": log.undated,
        "left_out": log.left_out,
        "first": moment(log.first),
        "last": moment(log.last),
        "days": log.days,
        "local_days": log.local_days,
        "span_days": log.span_days,
        "allowed_silence_s": log.allowed_s,
        "gap_count": len(log.gaps),
        "longest_gap_s": log.longest_gap_s,
        "gaps": [{"from": moment(low), "to": moment(high)} for low, high in log.gaps[:MOST]],
        "expected_hours": log.expected_hours,
        "silent_hours": log.silent_hours,
        "order": log.order.name.lower(),
        "steps": [
            {
                "file": step.at.file,
                "ordinal": step.at.ordinal,
                "before": moment(step.before),
                "after": moment(step.after),
                "seconds": step.seconds,
            }
            for step in log.steps[:MOST]
        ],
        "sequence_gaps": None,
    }


def _clock_json(clock: ClockOffset, facts: LogFacts) -> dict[str, Any]:
    from netaudit.cli.render import moment

    shown: dict[str, Any] = {
        "source": clock.source,
        "other": clock.other,
        "event": clock.event.value,
        "outcome": clock.outcome.name.lower(),
        "shared": clock.shared,
        "agreeing": clock.agreeing,
        "share": round(clock.share, 4),
        "apart": clock.apart,
        "zone_h": clock.zone_h,
        "pieces": [
            {
                "from": moment(piece.first),
                "to": moment(piece.last),
                "offset_s": piece.offset_s,
                "spread_s": piece.spread_s,
                "drift_s_per_day": piece.drift_s_per_day,
                "events": piece.events,
            }
            for piece in clock.pieces
        ],
    }
    if clock.apart and len(clock.pieces) == 1:
        shown["clock_offset_s"] = dict(_corrections(clock, facts))
    return shown


def _corrections(clock: ClockOffset, facts: LogFacts) -> Iterator[tuple[str, float]]:
    """What would have to stand in the ``[[source]]`` of either, if the other is right."""
    from netaudit.attribution.clocks import correction

    for name, offset in ((clock.source, clock.main.offset_s), (clock.other, -clock.main.offset_s)):
        declared = next(
            (f.clock_offset_s for log in facts.logs if log.source == name for f in log.files), 0.0
        )
        yield name, correction(offset, declared)


def _print(facts: LogFacts, session: Session, zone: dt.tzinfo) -> None:
    say = session.say
    if not facts.logs:
        click.echo(say("No log with records was read."))
        return
    click.echo(say("Times are in {zone}.", zone=zone))
    for log in facts.logs:
        click.echo()
        for line in _block(log, session, zone):
            click.echo(line)
    if facts.clocks:
        click.echo()
        click.echo(say("Clocks, by events that two sources share:"))
    for clock in facts.clocks:
        for line in _clock_lines(clock, facts, session, zone):
            click.echo(f"  {line}")


def _block(log: Continuity, session: Session, zone: dt.tzinfo) -> Iterator[str]:
    from netaudit.cli.render import inert

    say = session.say
    about = ", ".join(inert(word) for word in (log.kind, *log.formats, log.site, *log.segments) if word)
    yield f"{inert(log.source)} ({about})"
    if log.first is None or log.last is None:
        yield "  " + say("{count} records, none with a time", count=log.records)
        return
    days = log.days if log.local_days is None else log.local_days
    yield "  " + say(
        "{count} records from {first} to {last}; days with records: {days}",
        count=log.records,
        first=_at(log.first, zone),
        last=_at(log.last, zone),
        days=days,
    )
    yield from (f"  {line}" for line in _gap_lines(log, session, zone))
    yield from (f"  {line}" for line in _step_lines(log, session, zone))
    if log.undated:
        yield "  " + say("without a time: {count} records", count=log.undated)
    if log.left_out:
        yield "  " + say("not looked at, because there are too many: {count} records", count=log.left_out)


def _gap_lines(log: Continuity, session: Session, zone: dt.tzinfo) -> Iterator[str]:
    from netaudit.attribution.continuity import CAPTURE

    say = session.say
    if log.kind == CAPTURE:
        yield say("a capture: its silences say nothing")
        return
    if not log.gaps:
        yield say("gaps: none (silences up to {time} are usual)", time=_clock(log.allowed_s))
    else:
        yield say(
            "gaps: {count}, the longest {time} (silences up to {usual} are usual)",
            count=len(log.gaps),
            time=_clock(log.longest_gap_s),
            usual=_clock(log.allowed_s),
        )
    for low, high in log.gaps[:SHOWN]:
        yield f"  {_at(low, zone)} – {_at(high, zone)} ({_clock((high - low).total_seconds())})"
    yield from _more(len(log.gaps), session)
    if log.expected_hours is None:
        yield say("silent hours: it runs for less than three days, too short to know its rhythm")
    else:
        yield say(
            "silent hours: {silent} of {expected} in which it usually has records",
            silent=log.silent_hours,
            expected=log.expected_hours,
        )


def _step_lines(log: Continuity, session: Session, zone: dt.tzinfo) -> Iterator[str]:
    from netaudit.attribution.steps import Order
    from netaudit.cli.render import inert

    say = session.say
    if log.order in {Order.NONE, Order.UNKNOWN}:
        yield say("clock steps: cannot be told, its records are {order}", order=say(log.order.value))
    elif not log.steps:
        yield say("clock steps: none")
    names = {entry.id: inert(entry.name) for entry in log.files}
    for step in log.steps[:SHOWN]:
        yield say(
            "clock step of {time} in {file}, record {ordinal}: {before} → {after}",
            time=_clock(step.seconds),
            file=names[step.at.file],
            ordinal=step.at.ordinal,
            before=_at(step.before, zone),
            after=_at(step.after, zone),
        )
    yield from _more(len(log.steps), session)


def _more(count: int, session: Session) -> Iterator[str]:
    if count > SHOWN:
        yield "  " + session.say("and {count} more; see --format json", count=count - SHOWN)


def _clock_lines(clock: ClockOffset, facts: LogFacts, session: Session, zone: dt.tzinfo) -> Iterator[str]:
    from netaudit.cli.render import inert

    say = session.say
    source, other = inert(clock.source), inert(clock.other)
    yield f"{source} – {other}: " + say(
        "{outcome}; {agreeing} of {shared} {event}",
        outcome=say(clock.outcome.value),
        agreeing=clock.agreeing,
        shared=clock.shared,
        event=say(clock.event.value),
    )
    for piece in clock.pieces:
        yield (
            "  "
            + say(
                "{source} is {offset} s ({time}) against {other}, ± {spread} s",
                source=source,
                other=other,
                offset=f"{piece.offset_s:+g}",
                time=_clock(piece.offset_s),
                spread=f"{piece.spread_s:g}",
            )
            + f" ({_at(piece.first, zone)} – {_at(piece.last, zone)})"
        )
        if piece.drift_s_per_day:
            yield "    " + say("it changes by {drift} s a day", drift=f"{piece.drift_s_per_day:+g}")
    if clock.apart:
        yield from (f"  {line}" for line in _advice(clock, facts, session))


def _advice(clock: ClockOffset, facts: LogFacts, session: Session) -> Iterator[str]:
    from netaudit.attribution.clocks import TELLING_S, errors
    from netaudit.cli.render import inert

    say = session.say
    if len(clock.pieces) > 1:
        yield say(
            "The offset changed: one of the two clocks was set. No single clock_offset_s corrects that."
        )
        return
    if clock.zone_h is not None:
        yield say(
            "That is next to {hours} h: rather a wrong time zone than a wrong clock. Check timezone first.",
            hours=f"{clock.zone_h:+g}",
        )
    off = errors(facts.clocks)
    for name, offset in _corrections(clock, facts):
        right = clock.other if name == clock.source else clock.source
        if abs(off.get(name, TELLING_S + 1)) <= TELLING_S:
            continue  # most of the others agree with it
        yield say(
            "If {right} is right, put into the [[source]] of {wrong}: {line}",
            right=inert(right),
            wrong=inert(name),
            line=f"clock_offset_s = {offset}",
        )


def _at(moment: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds, with a minus where it is negative."""
    whole = round(abs(seconds))
    sign = "-" if seconds < 0 and whole else ""
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
