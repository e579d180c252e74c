"""``netaudit extract``: just the packets that are evidence."""

from __future__ import annotations

from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_INCONCLUSIVE, Session, as_of, unit_zone


@click.command("extract")
@click.argument("source", type=click.Path(), metavar="CASE|FILE")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="KEY=VALUE",
    help="name, client, server, kind, ordinal, after, before; of a case also finding. May be repeated.",
)
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False), help="The pcapng file to write."
)
@click.option("--with-payload", is_flag=True, help="Write the packets whole.")
@click.option("--by", "actor", default="", help="Who does this, for the case's log.")
@click.pass_obj
def command(
    session: Session,
    source: str,
    conditions: tuple[str, ...],
    output: str,
    actor: str,
    *,
    with_payload: bool,
) -> None:
    """Write just the packets that are evidence, with the original's SHA-256 and packet numbers.

    Of one key any value fits, of different keys all must: --where name=example.org (and what lies
    below it) --where client=10.0.0.0/24. Packets are cut after the headers and the name.

    \b
    Examples:  netaudit extract mirror.pcapng --where name=example.org -o evidence.pcapng
               netaudit extract cases/2026-12 --where finding=F-1a2b3c4d5e6f -o evidence.pcapng
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.cli.render import inert
    from netaudit.workflow.selection import read_selection

    settings = session.settings()
    where = read_selection(conditions, unit_zone(settings))
    with session.progress() as progress:
        result = workflow.extract(
            source,
            settings,
            where,
            Path(output),
            with_payload=with_payload,
            now=as_of(None, settings),
            actor=actor,
            progress=progress,
        )
    click.echo(f"{inert(output)}  SHA-256 {result.sha256}")
    session.note(
        "{packets} packets written, {octets} octets of content left away.",
        packets=result.packets,
        octets=result.octets_cut,
    )
    for name, reason in result.left_out:
        session.note("{name}: {reason}", name=inert(name), reason=session.say(reason))
    whole = not result.left_out and result.ledger.complete
    raise click.exceptions.Exit(EXIT_CLEAN if whole else EXIT_INCONCLUSIVE)
