"""``netaudit trace``: who was this?"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, NoReturn

import click

from netaudit.cli.session import (
    EXIT_CLEAN,
    EXIT_ERROR,
    EXIT_FINDINGS,
    EXIT_INCONCLUSIVE,
    Session,
    parse_time,
    unit_zone,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netaudit.attribution.trace import Hop, Question, Trace
    from netaudit.config import Settings
    from netaudit.records.evidence import EvidenceFile, Ledger
    from netaudit.reports.catalogue import Catalogue
    from netaudit.sources import Options

MAX_ROWS = 10
"""Answers of one step that the table shows; the others are counted, and JSON has them all."""
DESTINATIONS_ONLY = frozenset({"dns", "proxy"})
"""Roles of sources that say what was reached and never by whom."""
_SKEW = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?\Z")
_UNIT = {"s": 1, "m": 60, "h": 3600, None: 1}


@click.command("trace")
@click.argument("inputs", nargs=-1)
@click.option(
    "--public", "public", metavar="IP[:PORT]", help="A public address of ours, with the source port."
)
@click.option("--client", metavar="IP[:PORT]", help="An inside address.")
@click.option("--mac", help="A device address.")
@click.option("--at", "at", metavar="TIME", help="When, as 2026-11-04T14:05:09+08:00.")
@click.option("--until", metavar="TIME", help="End of the span, where the moment is not known.")
@click.option("--proto", type=click.Choice(["tcp", "udp"]), default=None)
@click.option("--dst", metavar="IP[:PORT]", help="Where it went.")
@click.option("--skew", default="120s", help="Clock error to allow, such as 120s or 5m.")
@click.option("--site", default="", help="The site, where several have the same addresses.")
@click.option("--tz", default="", help="Time zone of log stamps that carry none.")
@click.option(
    "--drill", type=click.IntRange(1), metavar="N", help="Try it on N of the office's own outgoing flows."
)
@click.option("--seed", default=1, help="Of the drill: the same seed draws the same flows.")
@click.option("--format", "form", type=click.Choice(["table", "json", "svg"]), default="table")
@click.pass_obj
def command(
    session: Session,
    inputs: tuple[str, ...],
    public: str | None,
    client: str | None,
    mac: str | None,
    at: str | None,
    until: str | None,
    proto: str | None,
    dst: str | None,
    skew: str,
    site: str,
    tz: str,
    drill: int | None,
    seed: int,
    form: str,
) -> None:
    """Who was this? The walk-back from an address at a time, hop by hop.

    INPUTS are the NAT, lease, Wi-Fi logs and the inventory; without any, those of netaudit.toml.

    \b
    Example:  netaudit trace --public 203.0.113.5:20500 --at 2026-11-04T14:05:09+08:00
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.attribution.presentation import trace_dict
    from netaudit.attribution.trace import Question
    from netaudit.cli.render import print_json, print_ledger
    from netaudit.config import configured_inputs
    from netaudit.errors import UsageError
    from netaudit.sources import Options

    settings = session.settings()
    options = Options("", tz, session.jobs or 0)
    if drill is not None:
        paths = inputs or tuple(configured_inputs(settings))
        _drill(session, paths, drill, seed, seconds_of(skew), options, form)
    paths = inputs or tuple(configured_inputs(settings, without=DESTINATIONS_ONLY))
    if sum(x is not None for x in (public, client, mac)) != 1 or at is None:
        raise UsageError(
            "trace-what",
            "Give exactly one of --public, --client and --mac, and --at.",
            hint="For a letter: --public IP:PORT --at TIME",
        )
    zone = unit_zone(settings)
    public_ip, public_port = address_of(public)
    client_ip, client_port = address_of(client)
    dst_ip, dst_port = address_of(dst)
    question = Question(
        at=parse_time(at, zone),
        until=parse_time(until, zone) if until else None,
        public_ip=public_ip,
        client_ip=client_ip,
        mac=mac_of(mac),
        port=public_port or client_port,
        transport=proto or "",
        dst_ip=dst_ip,
        dst_port=dst_port,
        skew_s=seconds_of(skew),
        site=site,
    )
    if question.until is not None and question.until < question.at:
        raise UsageError(
            "until-before-at", "--until lies before --at.", hint="Swap them, or leave --until out."
        )
    _require_logs(paths)
    with session.progress() as progress:
        answer, ledger = workflow.trace(paths, settings, question, options=options, progress=progress)
    if form == "json":
        print_json(trace_dict(answer, session.locale))
    elif form == "svg":
        from netaudit.reports.chain import chain_svg

        names = _names(settings, ledger.files)
        click.echo(chain_svg(answer, session.locale, zone or dt.UTC, **names), nl=False)
    else:
        print_trace(answer, session, ledger.files)
    if not session.quiet:
        print_ledger(ledger, session.locale)
    raise click.exceptions.Exit(_code(answer, ledger))


def _require_logs(paths: Sequence[str]) -> None:
    from netaudit.errors import UsageError

    if not paths:
        raise UsageError(
            "trace-no-logs",
            "There are no logs to walk back through.",
            hint="Name the log files, or declare them as [[source]] in netaudit.toml.",
        )


def _drill(
    session: Session,
    paths: Sequence[str],
    count: int,
    seed: int,
    skew_s: float,
    options: Options,
    form: str,
) -> NoReturn:
    from netaudit import workflow
    from netaudit.attribution.trace import Reach
    from netaudit.cli.drill import drill_dict, print_drill
    from netaudit.cli.render import print_json, print_ledger

    _require_logs(paths)
    with session.progress() as progress:
        answer, ledger = workflow.drill(
            paths,
            session.settings(),
            count=count,
            seed=seed,
            skew_s=skew_s,
            options=options,
            progress=progress,
        )
    if form == "json":
        print_json(drill_dict(answer, session.locale))
    else:
        print_drill(answer, session)
    if not session.quiet:
        print_ledger(ledger, session.locale)
    if not ledger.usable:
        raise click.exceptions.Exit(EXIT_ERROR)
    if not answer.drawn:
        raise click.exceptions.Exit(EXIT_INCONCLUSIVE)
    short = any(score.reach[step] for score in answer.segments for step in (Reach.NOTHING, Reach.ADDRESS))
    wrong = any(score.wrong for score in answer.segments)
    raise click.exceptions.Exit(EXIT_FINDINGS if short or wrong else EXIT_CLEAN)


def _code(answer: Trace, ledger: Ledger) -> int:
    """An answer out of logs that were not read whole is not sure: another may stand in what was not read."""
    from netaudit.attribution.trace import Outcome

    if not ledger.usable:
        return EXIT_ERROR
    held = any(hop.outcome is Outcome.HELD for hop in answer.hops)
    return EXIT_CLEAN if held and ledger.complete else EXIT_INCONCLUSIVE


def print_trace(answer: Trace, session: Session, ledger: Iterable[EvidenceFile] = ()) -> None:
    """The question, the steps as a table, what each rests on, how far it holds and why no further.

    Args:
        answer: The walk-back.
        session: The reader's language, and the unit's zone and segments.
        ledger: The files that its evidence is in, to call them by their names.
    """
    from netaudit.attribution.reasons import needed, sentence
    from netaudit.cli.render import inert, print_table
    from netaudit.reports.chain import house_catalogue
    from netaudit.reports.chain_boxes import boxes, place

    settings = session.settings()
    zone = unit_zone(settings) or dt.UTC
    catalogue = house_catalogue(answer, session.locale, zone, **_names(settings, ledger))
    chain, label = boxes(answer, catalogue), catalogue.words.label
    click.echo(chain.title)
    for line in chain.steps[0].lines[1:]:
        click.echo(f"  {line.label}: {line.text}")
    click.echo()
    rows = [row for number, hop in enumerate(answer.hops, 1) for row in _rows(number, hop, catalogue)]
    print_table(
        [label("chain", word) for word in ("step", "asked", "found", "span")], rows, colour=session.colour
    )
    click.echo()
    grounds = [
        text
        for number, hop in enumerate(answer.hops, 1)
        for text in _grounds(number, hop, answer.question, catalogue)
    ]
    if grounds:
        click.echo(label("chain", "ref"))
    for text in grounds:
        click.echo(inert(text))
    click.echo()
    where = catalogue.words.joined(
        [
            label("detail", "pair", name=label("detail", name), value=text)
            for name, text in place(answer, catalogue)
        ]
    )
    reach = session.say(answer.reach.value)
    click.echo(
        session.say("The trace holds as far as: {reach}", reach=reach)
        + (f" ({inert(where)})" if where else "")
    )
    for reason in answer.reasons:
        click.echo(f"  {reason.value}: {sentence(reason, session.locale)}")
        click.echo(f"    → {needed(reason, session.locale)}")


def _names(settings: Settings, ledger: Iterable[EvidenceFile]) -> dict[str, dict[str, str]]:
    """Files of the ledger and segments of the unit by their ids, as `house_catalogue` takes them."""
    return {
        "files": {entry.id: PurePath(entry.name).name for entry in ledger},
        "segments": {segment.id: segment.name for segment in settings.segment},
    }


def _rows(number: int, hop: Hop, catalogue: Catalogue) -> Iterator[tuple[str, ...]]:
    """A row for each answer of a step, after one that says so where it has not exactly one."""
    from netaudit.attribution.trace import Outcome
    from netaudit.reports.chain_boxes import answer, validity

    words = catalogue.words
    head = (f"{number} {words.label('hop', hop.hop)}", hop.asked)
    if hop.outcome is not Outcome.HELD:
        yield (*head, words.label("outcome", hop.outcome), "")
        head = ("", "")
    for candidate in hop.candidates[:MAX_ROWS]:
        yield (*head, answer(hop, candidate, words), validity(candidate, words))
        head = ("", "")
    if len(hop.candidates) > MAX_ROWS:
        yield (*head, words.label("chain", "more", n=len(hop.candidates) - MAX_ROWS), "")


def _grounds(number: int, hop: Hop, question: Question, catalogue: Catalogue) -> Iterator[str]:
    """What each answer of a step rests on: its records, how they lie to the time asked for, what else they say."""
    from netaudit.attribution.trace import Outcome
    from netaudit.reports.chain_boxes import answer, besides, difference, stable

    words = catalogue.words
    listing = "; " if words.locale == "en" else "；"
    for candidate in hop.candidates[:MAX_ROWS]:
        times = [difference(candidate, question, words)]
        times += [stable(hop, words)] if hop.outcome is Outcome.HELD else []
        yield f"  {number} {answer(hop, candidate, words)}: {catalogue.ref(candidate.evidence) or '—'}"
        for text in (listing.join(times), besides(hop, candidate, catalogue)):
            if text:
                yield f"    {text}"


def address_of(text: str | None) -> tuple[bytes | None, int | None]:
    """An address and port of the command line.

    Raises:
        UsageError: It is none.
    """
    from netaudit.errors import UsageError
    from netaudit.records.addresses import parse_ip

    if text is None:
        return None, None
    match = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]+)(?::(\d+))?", text.strip())
    host, port = (match[1] or match[3], match[2] or match[4]) if match else (text, None)
    packed = parse_ip(host)
    if packed is None or (port is not None and not 0 < int(port) < 65536):
        raise UsageError(
            "no-address",
            "{text} is no address.",
            text=text,
            hint="Write 203.0.113.5:20500 or [2001:db8::1]:20500.",
        )
    return packed, int(port) if port else None


def mac_of(text: str | None) -> bytes | None:
    """A MAC address of the command line.

    Raises:
        UsageError: It is none.
    """
    from netaudit.errors import UsageError
    from netaudit.records.addresses import parse_mac

    if text is None:
        return None
    packed = parse_mac(text)
    if packed is None:
        raise UsageError("no-mac", "{text} is no MAC address.", text=text, hint="Write 52:54:00:aa:00:01.")
    return packed


def seconds_of(text: str) -> float:
    """A duration of the command line.

    Raises:
        UsageError: It is none.
    """
    from netaudit.errors import UsageError

    match = _SKEW.match(text.strip())
    if match is None:
        raise UsageError("no-duration", "{text} is no duration.", text=text, hint="Write 120s, 5m or 1h.")
    return float(match[1]) * _UNIT[match[2]]
