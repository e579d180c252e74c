"""``netaudit trace``: who was this?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_ERROR, EXIT_INCONCLUSIVE, Session, parse_time, unit_zone

if TYPE_CHECKING:
    from netaudit.attribution.trace import Trace

_SKEW = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?\Z")
_UNIT = {"s": 1, "m": 60, "h": 3600, None: 1}


@click.command("trace")
@click.argument("inputs", nargs=-1)
@click.option(
    "--public", "public", metavar="IP[:PORT]", help="A public address of ours, with the source port."
)
@click.option("--client", metavar="IP[:PORT]", help="An inside address.")
@click.option("--mac", help="A device address.")
@click.option("--at", "at", required=True, metavar="TIME", help="When, as 2026-11-04T14:05:09+08:00.")
@click.option("--until", metavar="TIME", help="End of the span, where the moment is not known.")
@click.option("--proto", type=click.Choice(["tcp", "udp"]), default=None)
@click.option("--dst", metavar="IP[:PORT]", help="Where it went.")
@click.option("--skew", default="120s", help="Clock error to allow, such as 120s or 5m.")
@click.option("--site", default="", help="The site, where several have the same addresses.")
@click.option("--tz", default="", help="Time zone of log stamps that carry none.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def command(
    session: Session,
    inputs: tuple[str, ...],
    public: str | None,
    client: str | None,
    mac: str | None,
    at: str,
    until: str | None,
    proto: str | None,
    dst: str | None,
    skew: str,
    site: str,
    tz: str,
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
    from netaudit.errors import UsageError
    from netaudit.sources import Options
    from netaudit.workflow.audit import configured_inputs

    if sum(x is not None for x in (public, client, mac)) != 1:
        raise UsageError(
            "trace-what",
            "Give exactly one of --public, --client and --mac.",
            hint="For a letter: --public IP:PORT --at TIME",
        )
    settings = session.settings()
    zone = unit_zone(settings)
    public_ip, public_port = _endpoint(public)
    client_ip, client_port = _endpoint(client)
    dst_ip, dst_port = _endpoint(dst)
    question = Question(
        at=parse_time(at, zone),
        until=parse_time(until, zone) if until else None,
        public_ip=public_ip,
        client_ip=client_ip,
        mac=_mac(mac),
        port=public_port or client_port,
        transport=proto or "",
        dst_ip=dst_ip,
        dst_port=dst_port,
        skew_s=_seconds(skew),
        site=site,
    )
    if question.until is not None and question.until < question.at:
        raise UsageError(
            "until-before-at", "--until lies before --at.", hint="Swap them, or leave --until out."
        )
    paths = inputs or tuple(configured_inputs(settings))
    if not paths:
        raise UsageError(
            "trace-no-logs",
            "There are no logs to walk back through.",
            hint="Name the log files, or declare them as [[source]] in netaudit.toml.",
        )
    with session.progress() as progress:
        answer, ledger = workflow.trace(
            paths, settings, question, options=Options("", tz, session.jobs or 0), progress=progress
        )
    if form == "json":
        print_json(trace_dict(answer, session.locale))
    else:
        print_trace(answer, session)
    if not session.quiet:
        print_ledger(ledger, session.locale)
    raise click.exceptions.Exit(_code(answer, usable=ledger.usable))


def _code(answer: Trace, *, usable: bool) -> int:
    from netaudit.attribution.trace import Outcome

    if not usable:
        return EXIT_ERROR
    return EXIT_CLEAN if any(h.outcome is Outcome.HELD for h in answer.hops) else EXIT_INCONCLUSIVE


def print_trace(answer: Trace, session: Session) -> None:
    """The hops as a table, then how far it holds and why no further."""
    from netaudit.attribution.presentation import trace_dict
    from netaudit.cli.render import inert, print_table

    shown = trace_dict(answer, session.locale)
    say = session.say
    rows = [
        (
            say(hop["hop"]),
            hop["asked"],
            say(hop["outcome"]),
            c["value"] if c else "-",
            " ".join(f"{k}={v}" for k, v in c.get("details", {}).items()) if c else "",
            f"{c.get('start') or '?'} – {c.get('end') or '?'}" if c else "",
            " ".join(f"{e['file'][:8]}:{e['ordinal']}" for e in c.get("evidence", [])[:2]) if c else "",
        )
        for hop in shown["hops"]
        for c in (hop["candidates"] or [None])
    ]
    head = [say(w) for w in ("hop", "asked", "outcome", "answer", "detail", "valid", "evidence")]
    print_table(head, rows, colour=session.colour)
    place = ", ".join(f"{k}: {v}" for k, v in shown.get("place", {}).items())
    click.echo(f"{say('reach')}: {say(answer.reach.value)}" + (f" ({inert(place)})" if place else ""))
    for reason in shown["reasons"]:
        click.echo(f"  {reason['code']}: {inert(reason['sentence'])}")
        click.echo(f"    → {inert(reason['needed'])}")


def _endpoint(text: str | None) -> tuple[bytes | None, int | None]:
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


def _mac(text: str | None) -> bytes | None:
    from netaudit.errors import UsageError
    from netaudit.records.addresses import parse_mac

    if text is None:
        return None
    packed = parse_mac(text)
    if packed is None:
        raise UsageError("no-mac", "{text} is no MAC address.", text=text, hint="Write 52:54:00:aa:00:01.")
    return packed


def _seconds(text: str) -> float:
    from netaudit.errors import UsageError

    match = _SKEW.match(text.strip())
    if match is None:
        raise UsageError("no-duration", "{text} is no duration.", text=text, hint="Write 120s, 5m or 1h.")
    return float(match[1]) * _UNIT[match[2]]
