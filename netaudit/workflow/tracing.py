"""Who was this, what did they reach, and how far would a trace get: the verbs of the walk-back."""

from __future__ import annotations

import datetime as dt
import hashlib
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from netaudit import __version__, sources
from netaudit.attribution import Logs, walk_back
from netaudit.attribution.presence import presences
from netaudit.attribution.trace import Question, Trace
from netaudit.config import Settings
from netaudit.errors import CaseError, UsageError
from netaudit.records.addresses import format_ip, format_mac
from netaudit.records.evidence import Ledger
from netaudit.sources.inputs import states
from netaudit.store import Store
from netaudit.store.snapshots import Snapshots
from netaudit.workflow.hiding import PERSONAL, pseudonymiser
from netaudit.workflow.persons import hide_in_trace

if TYPE_CHECKING:
    from netaudit.pipeline.drill import Drill
    from netaudit.pipeline.reverse import Contacts

REACHED = "reached"


def trace(
    arguments: Sequence[str],
    settings: Settings,
    question: Question,
    *,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> tuple[Trace, Ledger]:
    """Who was this? Accounts and owners come out as pseudonyms."""
    logs, ledger = logs_of(arguments, settings, options=options, progress=progress)
    return hide_in_trace(walk_back(question, logs), pseudonymiser(settings, None)), ledger


def reached(
    arguments: Sequence[str],
    settings: Settings,
    folder: Path,
    question: Question,
    *,
    account: str = "",
    by: str,
    reason: str,
    now: dt.datetime,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> tuple[Contacts, Ledger]:
    """Everything that a device, an account or an address reached in the time of a question.

    It is a look at an identity: it needs a case, a name and a reason, and is logged before anything is read.

    Args:
        arguments: Files, folders, globs.
        settings: The office.
        folder: The case that the look belongs to.
        question: With `client_ip` or `mac`, or with neither for an account.
        account: A name, or its pseudonym in this case.
        by: Who looks.
        reason: Why.
        now: When.
        options: What the command line says about the inputs.
        progress: Told how far reading is.

    Raises:
        UsageError: No name or no reason is given.
        CaseError: The pseudonym is not of this case, or its identity was purged.
    """
    from netaudit.pipeline.reverse import contacts

    if not by.strip() or not reason.strip():
        raise UsageError(
            "reveal-needs-reason",
            "A look at an identity needs a name and a reason.",
            hint="Add --by NAME --reason TEXT.",
        )
    with Store(folder) as store:
        name = _name_behind(store, account, folder)
        subject = _subject(question, name, settings, folder)
        with store.transaction():
            store.log(at=now, actor=by, action=REACHED, subject=subject, reason=reason)
    logs, _ = logs_of(arguments, settings, options=options, progress=progress)
    found = presences(question, logs, account=name)
    ledger = Ledger()
    seen = contacts(
        arguments, settings, ledger, found, logs, skew_s=question.skew_s, options=options, progress=progress
    )
    return seen, ledger


def drill(
    arguments: Sequence[str],
    settings: Settings,
    *,
    count: int,
    seed: int,
    skew_s: float,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> tuple[Drill, Ledger]:
    """How far a trace would get: the office's own outgoing flows, walked back before a letter comes."""
    from netaudit.pipeline.drill import Sample, sample, score

    drawn = Sample(count, seed)
    logs, ledger = logs_of(arguments, settings, options=options, progress=progress)
    sample(arguments, settings, drawn, options=options, progress=progress)
    return score(drawn, logs, skew_s=skew_s), ledger


def logs_of(
    arguments: Sequence[str],
    settings: Settings,
    *,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> tuple[Logs, Ledger]:
    """The logs behind the arguments, sorted for the walk-back; what was read before is not read again."""
    kept, key = Snapshots(), _key(arguments, settings, options)
    kept.forget(days=settings.privacy.retention_days)
    found = kept.find(key) if key else None
    if isinstance(found, tuple):
        return found
    from netaudit.pipeline import gather_evidence  # with all that reading needs

    evidence = gather_evidence(arguments, settings, index=None, options=options, progress=progress)
    logs = Logs.build(tables=evidence.tables, ledger=evidence.ledger.files, settings=settings)
    if key and not evidence.ledger.errors:
        kept.keep(key, (logs, evidence.ledger))
    return logs, evidence.ledger


def _key(arguments: Sequence[str], settings: Settings, options: sources.Options | None) -> str:
    """What equal answers are kept under; empty where the inputs cannot be told apart from others."""
    own = [str(settings.folder / folder) for folder in settings.formats.folders]
    files = states([*arguments, *own])
    if not files:
        return ""
    options = options or sources.Options()
    said = (options.input_format, options.timezone)
    program = [(p.name, p.stat().st_mtime_ns) for p in sorted(Path(__file__).parents[1].rglob("*.py"))]
    versions = (__version__, platform.python_version(), np.__version__, pa.__version__)
    whole = (versions, program, files, said, settings)
    return hashlib.sha256(repr(whole).encode()).hexdigest()[:32]


def _name_behind(store: Store, account: str, folder: Path) -> str:
    """The account that is meant: a name as it is, or what a pseudonym of this case stands for."""
    if not account.startswith(f"{PERSONAL['account']}-"):
        return account
    name = store.identity(account)
    if name is None:
        raise CaseError(
            "pseudonym-unknown",
            "This case knows nothing behind {pseudonym}.",
            pseudonym=account,
            where=str(folder),
            hint="Check the spelling; it may have been purged.",
        )
    return name


def _subject(question: Question, account: str, settings: Settings, folder: Path) -> str:
    """Who was looked at, for the log; an account by its pseudonym."""
    if question.mac is not None:
        return format_mac(question.mac)
    if question.client_ip is not None:
        return format_ip(question.client_ip)
    return pseudonymiser(settings, folder)(PERSONAL["account"], account)
