"""The verbs of the interfaces. `cli`, `web`, `demo` and `inspection` call these and nothing below.

One verb, one transaction: what a verb changes in a case is there as a whole or not at all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netaudit.workflow.audit import check, scan
    from netaudit.workflow.cases import (
        advance_task,
        close_case,
        list_cases,
        open_case,
        purge,
        purge_due,
        read_case,
        reveal,
        state,
    )
    from netaudit.workflow.extraction import extract
    from netaudit.workflow.integrity import verify_case, verify_paper
    from netaudit.workflow.lists import ListsInUse, lists_in_use
    from netaudit.workflow.log_facts import continuity
    from netaudit.workflow.packets import show
    from netaudit.workflow.papers import report
    from netaudit.workflow.reading import events
    from netaudit.workflow.second_opinion import judge
    from netaudit.workflow.tracing import drill, reached, trace

__all__ = [
    "ListsInUse",
    "advance_task",
    "check",
    "close_case",
    "continuity",
    "drill",
    "events",
    "extract",
    "judge",
    "list_cases",
    "lists_in_use",
    "open_case",
    "purge",
    "purge_due",
    "reached",
    "read_case",
    "report",
    "reveal",
    "scan",
    "show",
    "state",
    "trace",
    "verify_case",
    "verify_paper",
]

_HOMES = {
    "audit": ("check", "scan"),
    "cases": (
        "advance_task", "close_case", "list_cases", "open_case", "purge", "purge_due", "read_case", "reveal", "state",
    ),
    "extraction": ("extract",),
    "integrity": ("verify_case", "verify_paper"),
    "lists": ("ListsInUse", "lists_in_use"),
    "log_facts": ("continuity",),
    "packets": ("show",),
    "papers": ("report",),
    "reading": ("events",),
    "second_opinion": ("judge",),
    "tracing": ("drill", "reached", "trace"),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Each verb's module is imported when the verb is first used: `events` needs no documents."""
    if name not in _HOME:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
