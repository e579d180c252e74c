"""Make docs/samples.md from a run over sample logs and the tables of what they say.

    NETAUDIT_SHARED=../shared python docs/samples.py [--check]

Every row of the tables agrees by the rules of the samples' own ``compare.py``, or ``differences.toml``
says in which cells it does not, and why; else the run fails. ``--check`` compares with the page that is there.
"""  # noqa: INP001 -- a script

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import os
import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from click.testing import CliRunner

from netaudit.cli import group
from netaudit.errors import NetauditError

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "samples.md"
ABSENT = "no row"
"""What differs where nothing is printed for a record."""
_LABELS = {"line", "extra"}
"""Columns that are not compared as cells."""

Same = Callable[[str, str, str], bool]
"""Whether a column's cell of the table and one that is printed are the same."""
Table = list[dict[str, str]]
Cells = Counter[str]
"""How many records differ in which cells."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What ``differences.toml`` says of one file."""

    cells: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Cells that differ, joined by commas, to the number of records and the reason's key."""
    more: tuple[int, str] = (0, "")
    """Rows printed beyond the table's number, and why."""
    otherwise: str = ""
    """Why no row agrees by the rules, where the next two make that good; `cells` then hold so compared."""
    timezone: str = ""
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Compared:
    """One file's table against what is printed."""

    file: str
    rows: int
    agree: int
    differing: dict[str, int]
    """Rows of the table, by the reason's key."""
    more: dict[str, int]
    """Rows beyond it, by the reason's key."""


def main() -> int:
    """Write the page, or compare it; 1 where it is stale or something has no explanation."""
    text, unexplained = page(Path(os.environ.get("NETAUDIT_SHARED", ROOT.parent / "shared")) / "samples")
    for line in unexplained:
        print(line, file=sys.stderr)  # noqa: T201 -- a script
    stale = "--check" in sys.argv and (not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text)
    if stale:
        print("docs/samples.md is stale: run python docs/samples.py", file=sys.stderr)  # noqa: T201
    elif "--check" not in sys.argv and not unexplained:
        PAGE.write_text(text, encoding="utf-8")
    return 1 if unexplained or stale else 0


def page(folder: Path) -> tuple[str, list[str]]:
    """The page, and what has no explanation."""
    rules, unexplained = _rules(folder), list[str]()
    reasons, differences = explanations()
    compared = [
        _compared(rules, folder, row, differences.get(row["file"], Explained()), unexplained)
        for row in _manifest(folder)
    ]
    unexplained += [
        f"explained, but there is no such sample: {name}"
        for name in differences.keys() - {c.file for c in compared}
    ]
    used = {why for one in compared for why in one.differing | one.more}
    unexplained += [f"a reason that nothing names: {why}" for why in sorted(reasons.keys() - used)]
    return _page(compared, reasons), unexplained


def explanations() -> tuple[dict[str, str], dict[str, Explained]]:
    """The reasons by key, and what is said of each file.

    Raises:
        KeyError: A file names a reason that is not there.
    """
    said = tomllib.loads((ROOT / "docs" / "differences.toml").read_text(encoding="utf-8"))
    reasons: dict[str, str] = said.pop("why")
    files = {}
    for name, entry in said.items():
        options = {key: entry.pop(key) for key in ("otherwise", "timezone", "numbered") if key in entry}
        more = tuple(entry.pop("more", (0, "")))
        files[name] = Explained(
            {cells: (rows, why) for cells, (rows, why) in entry.items()}, more, **options
        )
        for why in {options.get("otherwise", ""), more[1], *(why for _, why in entry.values())} - {""}:
            reasons[why]
    return reasons, files


def _rules(folder: Path) -> ModuleType:
    """The samples' own program, which says when two cells are the same."""
    spec = importlib.util.spec_from_file_location("compare_samples", folder / "compare.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _manifest(folder: Path) -> Table:
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if row["expected"]]


def _compared(
    rules: ModuleType, folder: Path, row: dict[str, str], said: Explained, unexplained: list[str]
) -> Compared:
    file, zone = row["file"], rules.zone(row["timezone"])
    want = rules.table((folder / row["expected"]).read_text(encoding="utf-8"))
    got = _printed(rules, folder / file, zone)
    cells = _differing(rules.same, want, got, numbered=True)
    more = max(0, len(got) - len(want))
    plain = sum(cells.values())
    if said.otherwise:
        if plain < len(want):
            unexplained.append(f"{file}: {len(want) - plain} rows agree, though none should")
        got = _printed(rules, folder / file, ["--tz", said.timezone] if said.timezone else zone)
        cells = _differing(rules.same, want, got, numbered=said.numbered)
    for what in sorted(cells.keys() | said.cells.keys()):
        expected, found = said.cells.get(what, (0, ""))[0], cells[what]
        if expected != found:
            unexplained.append(f"{file}: {found} rows differ in {what}, {expected} are explained")
    for why, reading in _READINGS.items():
        here = {what for what, (_, reason) in said.cells.items() if reason == why}
        if here and here & _differing(reading(rules.same), want, got, numbered=said.numbered).keys():
            unexplained.append(f"{file}: some rows differ in more than {why}")
    if more != said.more[0]:
        unexplained.append(f"{file}: {more} rows more, {said.more[0]} are explained")
    differing = Counter[str]()
    for rows, why in said.cells.values():
        differing[why] += rows
    if said.otherwise:
        differing[said.otherwise] += plain - sum(cells.values())
    beyond = {said.more[1]: said.more[0]} if said.more[0] else {}
    return Compared(file, len(want), len(want) - plain, dict(differing), beyond)


def _printed(rules: ModuleType, path: Path, zone: list[str]) -> Table:
    """What ``formats try`` prints of a file."""
    run = CliRunner().invoke(group, ["formats", "try", str(path), *zone, "--format", "csv"])
    if run.exception and not isinstance(run.exception, SystemExit | NetauditError):
        raise run.exception
    table: Table = rules.table(run.stdout)
    return table


def _differing(same: Same, want: Table, got: Table, *, numbered: bool) -> Cells:
    """For each record that no printed row agrees with, the cells in which the nearest row differs."""
    places: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in got:
        places[row["line"] if numbered else ""].append(row)
    cells = Cells()
    for record in want:
        wanted = {column: cell for column, cell in record.items() if cell and column not in _LABELS}
        best = _nearest(same, wanted, places[record["line"] if numbered else ""])
        if best:
            cells[best] += 1
    return cells


def _without_types(same: Same) -> Same:
    """Answers of the table without the type in front of each."""

    def reading(column: str, want: str, got: str) -> bool:
        bare = ";".join(re.sub(r"^[A-Z0-9]+:", "", answer) for answer in want.split(";"))
        return same(column, bare if column == "answers" else want, got)

    return reading


def _to_the_microsecond(same: Same) -> Same:
    """Times that are at most a microsecond apart."""

    def reading(column: str, want: str, got: str) -> bool:
        if not column.endswith("_utc") or not got:
            return same(column, want, got)
        one, other = (dt.datetime.fromisoformat(text[:26].rstrip("Z")) for text in (want, got))
        return abs(one - other) <= dt.timedelta(microseconds=1)

    return reading


_READINGS = {"prefix": _without_types, "rounded": _to_the_microsecond}
"""Reasons that say how to read a table so that the cells agree, which is tried."""


def _nearest(same: Same, wanted: dict[str, str], rows: Table) -> str:
    """The cells in which the nearest row differs, joined by commas; none where one agrees."""
    best = list(wanted) if rows else [ABSENT]
    for row in rows:
        differ = [
            column for column, cell in wanted.items() if not same(column, cell, row.get(column) or "")
        ]
        best = min(best, differ, key=len)
        if not best:
            break
    return ",".join(best)


def _page(compared: list[Compared], reasons: dict[str, str]) -> str:
    kinds: dict[str, list[Compared]] = defaultdict(list)
    for one in compared:
        kinds[one.file.split("/")[0]].append(one)
    total, agree = (sum(getattr(one, name) for one in compared) for name in ("rows", "agree"))
    out = [
        "# Sample logs\n",
        "<!-- Made by docs/samples.py from a run. Do not edit. -->\n",
        (
            f"{len(compared)} logs, lease stores, tables and inventories, most out of public test suites, some "
            "written by the programs themselves, and tables of what they say. A row agrees where one printed row of "
            "its line agrees in every cell that the table fills, times to the coarser of the two resolutions.\n"
        ),
        f"{agree} of {total} rows agree. Each row that does not is explained below.\n",
        "| kind | files | rows | agree | explained |\n|---|---|---|---|---|",
    ]
    for kind, files in sorted(kinds.items()):
        rows, same = sum(one.rows for one in files), sum(one.agree for one in files)
        out.append(f"| {kind} | {len(files)} | {rows} | {same} | {rows - same} |")
    out += [
        "\n## Rows that differ, by why\n",
        *_by_reason(reasons, {one.file: one.differing for one in compared}),
    ]
    out += ["\n## Rows beyond the tables\n", *_by_reason(reasons, {one.file: one.more for one in compared})]
    return "\n".join(out) + "\n"


def _by_reason(reasons: dict[str, str], counts: dict[str, dict[str, int]]) -> Iterator[str]:
    """Lines of a table: each reason, and the files it holds for."""
    yield "| why | rows | files |\n|---|---|---|"
    for why, said in reasons.items():
        files = {file: counted[why] for file, counted in counts.items() if counted.get(why)}
        if files:
            names = ", ".join(f"`{file}` {rows}" for file, rows in files.items())
            yield f"| {said} | {sum(files.values())} | {names} |"


if __name__ == "__main__":
    sys.exit(main())
