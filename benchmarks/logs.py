"""Lines a second of reading a DNS query log, as a ratio against peers in the same run.

    python benchmarks/logs.py queries.log [--tz Asia/Shanghai]

Peers: counting lines (the floor), and a plain Python loop with one regular expression a line.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from pathlib import Path

from netaudit.config import Settings
from netaudit.records.evidence import Ledger
from netaudit.sources import Options, read

_QUERY = re.compile(r"client (?:@\S+ )?(\S+)#(\d+) \((\S+)\).*?: query: (\S+) (\S+) (\S+)")


def count_lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))


def plain_loop(path: Path) -> int:
    with path.open(encoding="utf-8", errors="replace") as lines:
        return sum(_QUERY.search(line) is not None for line in lines)


def netaudit(path: Path, zone: str) -> int:
    batches = read([str(path)], Settings(), Ledger(), options=Options(timezone=zone))
    return sum(batch.num_rows for batch in batches)


def timed(job: Callable[[], int]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--tz", default="UTC")
    given = parser.parse_args()
    jobs: dict[str, Callable[[], int]] = {
        "count lines": lambda: count_lines(given.log),
        "plain loop": lambda: plain_loop(given.log),
        "netaudit": lambda: netaudit(given.log, given.tz),
    }
    lines, ours = count_lines(given.log), timed(jobs["netaudit"])
    for name, job in jobs.items():
        seconds = ours if name == "netaudit" else timed(job)
        rate = lines / seconds
        print(
            f"{name:12} {seconds:8.2f} s  {rate / 1e3:10.0f} k lines/s  netaudit takes {ours / seconds:6.2f} times as long"
        )


if __name__ == "__main__":
    main()
