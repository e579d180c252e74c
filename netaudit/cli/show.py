"""``netaudit show``: one packet or line in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netaudit.cli.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

    from netaudit.sources.blocks import Record


@click.command("show")
@click.argument("file", type=click.Path())
@click.argument("ordinal", type=click.IntRange(min=1))
@click.option("--payload", is_flag=True, help="Also what follows the headers and the name.")
@click.option("--input-format", default="", help="Name the input's format instead of recognising it.")
@click.option("--tz", default="", help="Time zone of stamps that carry none.")
@click.pass_obj
def command(
    session: Session, file: str, ordinal: int, input_format: str, tz: str, *, payload: bool
) -> None:
    """Show one packet (or, of a log, one line) in full, and the events that netaudit reads in it.

    ORDINAL is the number in the column of that name: packets and lines count from 1. What follows
    the headers and the name is content; it is shown only with --payload.

    \b
    Example:  netaudit show mirror.pcapng 17
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.cli.render import inert
    from netaudit.sources import Options

    with session.progress() as progress:
        shown = workflow.show(
            file,
            ordinal,
            session.settings(),
            options=Options(input_format, tz, session.jobs or 0),
            progress=progress,
        )
    say = session.say
    click.echo(f"{inert(shown.identity.name)} #{ordinal}")
    click.echo(f"  SHA-256 {shown.identity.sha256}")
    if shown.record is None:
        click.echo(inert(shown.line))
    else:
        size = len(shown.record.data) if payload else min(shown.kept, len(shown.record.data))
        _print_packet(session, shown.record, size)
    click.echo(f"{say('events')}:")
    for batch in shown.events:
        _print_events(batch)
    if not shown.events:
        click.echo(f"  {say('none begins here')}")


def _print_packet(session: Session, record: Record, size: int) -> None:
    from netaudit.cli.render import inert
    from netaudit.records.moments import moment
    from netaudit.workflow.packets import packet_text

    say, captured = session.say, len(record.data)
    when = say("time unknown")
    if record.ts is not None:
        when = f"{moment(record.ts):%Y-%m-%d %H:%M:%S}.{record.ts % 10**9:09d} UTC"
    click.echo(f"  {when}")
    sizes = say(
        "{captured} of {wire} octets captured, link type {link}",
        captured=captured,
        wire=record.wirelen,
        link=record.link_type,
    )
    click.echo(f"  {sizes}")
    for line in packet_text(record, size):
        click.echo(inert(line))
    if size < captured:
        hidden = say(
            "{count} octets after the headers and the name are not shown (--payload shows them)",
            count=captured - size,
        )
        click.echo(f"  {hidden}")


def _print_events(batch: pa.RecordBatch) -> None:
    import json

    from netaudit.cli.render import inert
    from netaudit.records.printed import json_lines

    for line in json_lines(batch).splitlines():
        event = json.loads(line)
        kind = event.pop("kind")
        del event["schema_version"]
        cells = [f"{k}={','.join(v) if isinstance(v, list) else v}" for k, v in event.items()]
        click.echo(f"  {kind}  {inert('  '.join(cells))}")
