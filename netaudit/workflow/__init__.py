"""The verbs of the interfaces. `cli`, `web`, `demo` and `inspection` call these and nothing below.

One verb, one transaction: what a verb changes in a case is there as a whole or not at all.
"""

from netaudit.workflow.audit import check, events, scan, trace
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
from netaudit.workflow.packets import show
from netaudit.workflow.papers import report
from netaudit.workflow.second_opinion import judge

__all__ = [
    "ListsInUse",
    "advance_task",
    "check",
    "close_case",
    "events",
    "extract",
    "judge",
    "list_cases",
    "lists_in_use",
    "open_case",
    "purge",
    "purge_due",
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
