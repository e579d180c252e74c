"""Papers of a case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from netaudit.config import Settings
from netaudit.intake.opening import identify
from netaudit.policy.rule import read_rules
from netaudit.reports import render
from netaudit.store import Store
from netaudit.workflow.integrity import REPORT, written

DEFAULT_TEMPLATE = "rectification-report"


def report(
    folder: Path,
    settings: Settings,
    *,
    template: str = DEFAULT_TEMPLATE,
    formats: Sequence[str] = ("docx", "html"),
    locale: str = "zh-CN",
    audience: str = "regulator",
    out: Path | None = None,
    now: dt.datetime,
    actor: str = "",
) -> list[Path]:
    """Print a case; the papers' date is the case's, so the same case gives the same bytes."""
    rules = read_rules([settings.folder / f for f in settings.policy.folders])
    with Store(folder) as store:
        case = store.read_case()
        own = [settings.folder / f for f in settings.report.folders]
        paths = render(
            template,
            case,
            locale=locale,
            formats=formats,
            out=out or folder / "reports",
            audience=audience,
            folders=own,
            rules=rules,
        )
        with store.transaction():
            digests = {path.name: identify(path).sha256 for path in paths}
            store.log(at=now, actor=actor, action=REPORT, subject=written(digests), reason=audience)
    return paths
