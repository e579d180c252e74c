"""A BIND query log to Parquet, against counting its lines and against peers in the same runs.

    python benchmarks/logs.py queries.log [--tz UTC] [--runs 3] [--list domains-subtree:bad.txt] [--loop]

Prints seconds (the least of the runs), lines a second, peak memory and ratios as JSON. Every program is
a process of its own, page cache warm; the runs take turns, so that a change of the machine's speed hits all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

PEERS = Path(__file__).with_name("log_peers.py")


@dataclass
class Measured:
    """What one program took."""

    seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0.0

    @property
    def least(self) -> float:
        return min(self.seconds)


def run(command: list[str], into: Measured, *, may_find: bool = False) -> None:
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    child.returncode = code
    if code not in ({0, 1} if may_find else {0}):
        sys.exit(f"{' '.join(command)} failed ({code})")
    into.seconds.append(time.perf_counter() - start)
    into.peak_mib = max(into.peak_mib, usage.ru_maxrss / 1024)


def programs(log: Path, given: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    ours = [sys.executable, "-m", "netaudit", "--quiet"]
    found: dict[str, list[str]] = {}
    if counter := shutil.which("wc"):
        found["wc -l"] = [counter, "-l", str(log)]
    found["netaudit events"] = [
        *ours,
        "events",
        str(log),
        "--tz",
        given.tz,
        "-o",
        str(folder / "ours.parquet"),
    ]
    if given.list:
        found["netaudit scan"] = [
            *ours,
            "scan",
            str(log),
            "--tz",
            given.tz,
            "--list",
            given.list,
            "--format",
            "jsonl",
        ]
    for name in ("duckdb", "polars", *(["loop"] if given.loop else [])):
        if name == "loop" or _is_installed(name):
            found[name] = [sys.executable, str(PEERS), name, str(log), str(folder / f"{name}.parquet")]
    return found


def _is_installed(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--tz", default="UTC")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--list", default="")
    parser.add_argument("--loop", action="store_true", help="also a plain Python loop")
    given = parser.parse_args()
    with given.log.open("rb") as stream:
        lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
    with tempfile.TemporaryDirectory() as folder:
        commands = programs(given.log, given, Path(folder))
        measured = {name: Measured() for name in commands}
        for _ in range(given.runs):
            for name, command in commands.items():
                run(command, measured[name], may_find=name == "netaudit scan")
    ours = measured["netaudit events"]
    print(
        json.dumps(
            {
                name: {
                    "seconds": round(one.least, 2),
                    "lines_per_s": round(lines / one.least),
                    "peak_mib": round(one.peak_mib),
                    "events_takes_times_as_long": round(ours.least / one.least, 2),
                }
                for name, one in measured.items()
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
