"""``netaudit case reached``: everything one device, address or account reached in a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netaudit.cli.session import (
    EXIT_CLEAN,
    EXIT_ERROR,
    EXIT_INCONCLUSIVE,
    Session,
    as_of,
    parse_time,
    unit_zone,
)
from netaudit.cli.trace import address_of, mac_of, seconds_of

if TYPE_CHECKING:
    from netaudit.pipeline.reverse import Contacts

SCHEMA_VERSION = 1


@click.command("reached")
@click.argument("folder", type=click.Path(file_okay=False))
@click.argument("inputs", nargs=-1)
@click.option("--mac", help="A device address.")
@click.option("--client", metavar="IP", help="An inside address.")
@click.option("--account", default="", help="An account, or its pseudonym in this case.")
@click.option("--at", "at", required=True, metavar="TIME", help="Beginning of the time.")
@click.option("--until", required=True, metavar="TIME", help="Its end.")
@click.option("--by", required=True, help="Who looks.")
@click.option("--reason", required=True, help="Why; it is logged.")
@click.option("--skew", default="120s", help="Clock error to allow, such as 120s or 5m.")
@click.option("--site", default="", help="The site, where several have the same addresses.")
@click.option("--tz", default="", help="Time zone of log stamps that carry none.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.option("--as-of", "as_of_text", help="When; default: now.")
@click.pass_obj
def command(session: Session, /, folder: str, inputs: tuple[str, ...], form: str, **said: Any) -> None:
    """Everything that one device, address or account reached in a time. Every look is logged.

    INPUTS are captures and logs; without any, those of netaudit.toml.

    \b
    Example:  netaudit case reached cases/12 --mac 52:54:00:aa:00:01 --at 2026-11-04T14:00+08:00
              --until 2026-11-04T15:00+08:00 --by "Li" --reason "letter 12"
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.attribution.trace import Question
    from netaudit.cli.render import print_json, print_ledger
    from netaudit.config import configured_inputs
    from netaudit.errors import UsageError
    from netaudit.sources import Options

    if sum(bool(said[name]) for name in ("mac", "client", "account")) != 1:
        raise UsageError(
            "reached-who",
            "Give exactly one of --mac, --client and --account.",
            hint="For a device: --mac MAC",
        )
    settings = session.settings()
    zone = unit_zone(settings)
    question = Question(
        at=parse_time(said["at"], zone),
        until=parse_time(said["until"], zone),
        client_ip=address_of(said["client"])[0],
        mac=mac_of(said["mac"]),
        skew_s=seconds_of(said["skew"]),
        site=said["site"],
    )
    with session.progress() as progress:
        seen, ledger = workflow.reached(
            inputs or tuple(configured_inputs(settings)),
            settings,
            Path(folder),
            question,
            account=said["account"],
            by=said["by"],
            reason=said["reason"],
            now=as_of(said["as_of_text"], settings),
            options=Options("", said["tz"], session.jobs or 0),
            progress=progress,
        )
    if form == "json":
        print_json(_dict(seen))
    else:
        _print(seen, session)
    if not session.quiet:
        print_ledger(ledger, session.locale)
    if not ledger.usable:
        raise click.exceptions.Exit(EXIT_ERROR)
    raise click.exceptions.Exit(EXIT_CLEAN if ledger.complete and seen.presences else EXIT_INCONCLUSIVE)


def _dict(seen: Contacts) -> dict[str, Any]:
    from netaudit.cli.render import moment
    from netaudit.records.addresses import format_ip, format_mac

    return {
        "schema_version": SCHEMA_VERSION,
        "presences": [
            {
                "ip": format_ip(p.address),
                "mac": format_mac(p.mac) if p.mac else None,
                "start": moment(p.since),
                "end": moment(p.until),
                "site": p.site,
                "evidence": [{"file": e.file, "ordinal": e.ordinal} for e in p.evidence],
            }
            for p in seen.presences
        ],
        "contacts": [
            row
            | {
                "client_ip": format_ip(row["client_ip"]),
                "first": moment(row["first"]),
                "last": moment(row["last"]),
            }
            for row in _rows(seen)
        ],
        "timeless": seen.timeless,
    }


def _rows(seen: Contacts) -> list[dict[str, Any]]:
    import pyarrow as pa

    table = seen.table
    for name in ("first", "last"):  # Python's times have no nanoseconds
        at = table.schema.get_field_index(name)
        cut = table.column(name).cast(pa.timestamp("us", "UTC"), safe=False)
        table = table.set_column(at, name, cut)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _print(seen: Contacts, session: Session) -> None:
    from netaudit.cli.render import print_table
    from netaudit.records.addresses import format_ip

    say = session.say
    zone = unit_zone(session.settings())
    clock = "%Y-%m-%d %H:%M:%S %z"
    had = [
        (
            format_ip(p.address),
            f"{p.since.astimezone(zone):{clock}}" if p.since else "?",
            f"{p.until.astimezone(zone):{clock}}" if p.until else "?",
            " ".join(f"{e.file[:8]}:{e.ordinal}" for e in p.evidence),
        )
        for p in seen.presences
    ]
    print_table([say(w) for w in ("address", "from", "until", "evidence")], had, colour=session.colour)
    rows = [
        (
            row["destination"],
            "" if row["server_port"] is None else str(row["server_port"]),
            row["kind"],
            format_ip(row["client_ip"]),
            f"{row['first'].astimezone(zone):{clock}}",
            f"{row['last'].astimezone(zone):{clock}}",
            str(row["count"]),
            say("yes") if row["sure"] else say("perhaps"),
            f"{row['file'][:8]}:{row['ordinal']}",
        )
        for row in _rows(seen)
    ]
    head = (
        "destination",
        "port",
        "kind",
        "address",
        "first",
        "last",
        "count",
        "this device alone",
        "evidence",
    )
    print_table([say(w) for w in head], rows, colour=session.colour)
    if seen.timeless:
        click.echo(say("{count} records of these addresses carry no usable time.", count=seen.timeless))
