"""What is inspected and when: a plan in TOML, and what is due by it."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path

from netaudit.config import read_table
from netaudit.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is inspected regularly."""

    id: str
    title: str
    every_days: int
    starts: dt.date
    rules: tuple[str, ...] = ()
    """Rules that the machine checks; empty: a visit on site by people."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of inspections."""

    title: str
    item: tuple[Item, ...]


def read_plan(path: Path) -> Plan:
    """Read and check a plan.

    Raises:
        ConfigError: Not TOML, unknown keys, or a cadence under one day.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            "plan-unreadable",
            "The plan cannot be read: {reason}.",
            where=str(path),
            hint="Check the file with any TOML editor.",
            reason=str(error),
        ) from error
    plan: Plan = read_table(data, Plan, str(path))
    for item in plan.item:
        if item.every_days < 1:
            raise ConfigError(
                "plan-cadence",
                "An inspection cannot be due more than once a day.",
                where=f"{path}: {item.id}",
                hint="Set every_days to 1 or more.",
            )
    return plan


def due(plan: Plan, done: dict[str, dt.date], today: dt.date) -> list[tuple[Item, dt.date]]:
    """Items whose date has come, with the date they were due, oldest first.

    Args:
        plan: The plan.
        done: Item id to the day it was last carried out.
        today: In the unit's time zone.
    """
    waiting = []
    for item in plan.item:
        last = done.get(item.id)
        date = item.starts if last is None else last + dt.timedelta(days=item.every_days)
        if date <= today:
            waiting.append((item, date))
    return sorted(waiting, key=lambda pair: (pair[1], pair[0].id))
