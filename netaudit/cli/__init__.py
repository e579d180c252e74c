"""The command line: parse, call one verb of `workflow`, print. Nothing else.

Each verb is one file, imported only when it is called: ``netaudit --help`` stays under 0.2 s.
"""

from __future__ import annotations

import importlib
import sys

import click

from netaudit import __version__
from netaudit.cli.session import Session
from netaudit.errors import NetauditError
from netaudit.i18n import LOCALES, default_locale, translate

VERBS = {
    "demo": "Make a small office's week, do the whole job on it, leave a report.",
    "events": "Show what captures and logs say: one row per event.",
    "show": "Show one packet or line in full, and the events in it.",
    "extract": "Write just the packets that are evidence, cut after the name.",
    "scan": "Find contacts with listed destinations, and trace them.",
    "trace": "Who was this? Walk back from an address at a time.",
    "logs": "Say what each log holds, where it is silent, and how far clocks are apart.",
    "check": "Check the policy rules over configuration, logs and evidence.",
    "lists": "Show and test block lists.",
    "formats": "Show the log formats, and try one on a file.",
    "rules": "Show, explain and test policy rules.",
    "case": "Open, show and work on cases.",
    "report": "Print the papers of a case.",
    "verify": "Check that a case's evidence and its log of looks are unaltered.",
    "inspect": "Plan inspections; draw at random, provably.",
    "explain": "Explain one finding of a case: why, by what evidence, what next.",
    "schema": "Print the JSON Schema of what is printed.",
    "doctor": "Say what works here and what does not.",
    "web": "Show cases in the browser, on this machine only.",
}


class Verbs(click.Group):
    """A group whose commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """All verbs, in the order of the work."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one verb's file."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"netaudit.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, translate(words, _locale())) for verb, words in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="netaudit")
@click.option(
    "--config", type=click.Path(dir_okay=False), help="Configuration; default: netaudit.toml here or above."
)
@click.option("--lang", type=click.Choice(LOCALES), default=None, help="Language of what people read.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no notes.")
@click.option("-v", "--verbose", is_flag=True, help="More notes.")
@click.option("--no-color", is_flag=True, help="No colours (also: NO_COLOR).")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=None, help="Threads for column work; default: all cores."
)
@click.option("--debug", is_flag=True, help="Show the traceback of a defect.")
@click.pass_context
def group(
    ctx: click.Context,
    config: str | None,
    lang: str | None,
    *,
    quiet: bool,
    verbose: bool,
    no_color: bool,
    jobs: int | None,
    debug: bool,
) -> None:
    """Audit who reached what through your own network, and put it right.

    \b
    Begin:  netaudit demo
    """  # noqa: D301 -- click's marker for "do not re-wrap"
    ctx.obj = Session(
        config_path=config,
        locale=lang or default_locale(),
        quiet=quiet,
        verbose=verbose,
        no_color=no_color,
        jobs=jobs,
        debug=debug,
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    from netaudit.cli.render import print_defect, print_error

    debug = "--debug" in (arguments if arguments is not None else sys.argv)
    try:
        code = group.main(args=arguments, prog_name="netaudit", standalone_mode=False)
    except NetauditError as error:
        print_error(error, _locale())
        code = 2
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("", err=True)
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except Exception as error:
        if debug:
            raise
        print_defect(error)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


def _locale() -> str:
    context = click.get_current_context(silent=True)
    session = context.obj if context else None
    if isinstance(session, Session):
        return session.locale
    arguments = sys.argv
    if "--lang" in arguments and arguments.index("--lang") + 1 < len(arguments):
        wanted = arguments[arguments.index("--lang") + 1]
        return wanted if wanted in LOCALES else default_locale()
    return default_locale()
