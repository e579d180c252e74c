"""Lists against a Python set in the same run: ``python benchmarks/matching.py [NAMES] [ASKED]``.

Prints times, memory and ratios as JSON. The names are made up from a fixed seed.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from netaudit.matching.blocklist import read_list_file
from netaudit.matching.index import build_index

_LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz0123456789", np.uint8)
_ENDS = [".com", ".net", ".org", ".cn", ".top", ".xyz", ".co.uk", ".com.cn"]


def made_up_names(count: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    lengths = draw.integers(6, 18, count)
    letters = _LETTERS[draw.integers(0, len(_LETTERS), int(lengths.sum()))].tobytes().decode()
    ends = draw.integers(0, len(_ENDS), count)
    cuts = np.concatenate(([0], np.cumsum(lengths)))
    return [letters[cuts[n] : cuts[n + 1]] + _ENDS[ends[n]] for n in range(count)]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def walk(listed: set[str], asked: list[str]) -> int:
    hits = 0
    for name in asked:
        rest = name
        while True:
            if rest in listed:
                hits += 1
                break
            _, dot, rest = rest.partition(".")
            if not dot:
                break
    return hits


def main(count: int = 1_000_000, asked_count: int = 200_000) -> None:
    listed = made_up_names(count, 1)
    others = made_up_names(asked_count, 2)
    asked = ["www." + (listed[n * 7 % count] if n % 50 == 0 else name) for n, name in enumerate(others)]
    column = pa.array(asked)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        path.write_text("\n".join(listed) + "\n")
        before = peak_mib()
        read_s, blocklist = timed(lambda: read_list_file(path, "domains-subtree", "made-up", "other"))
    build_s, index = timed(lambda: build_index([blocklist]))
    index_peak = peak_mib() - before
    find_s, (found, _) = min(
        (timed(lambda: index.look_up_names(column)) for _ in range(3)), key=lambda r: r[0]
    )
    set_build_s, names = timed(lambda: set(listed))
    set_s, hits = min((timed(lambda: walk(names, asked)) for _ in range(3)), key=lambda r: r[0])
    print(
        json.dumps(
            {
                "names": count,
                "asked": asked_count,
                "hits": len(found),
                "hits_set": hits,
                "read_s": round(read_s, 2),
                "build_s": round(build_s, 2),
                "set_build_s": round(set_build_s, 2),
                "index_mib": round(index.nbytes / 2**20, 1),
                "peak_growth_mib": round(index_peak, 1),
                "names_per_s": round(asked_count / find_s),
                "set_names_per_s": round(asked_count / set_s),
                "faster_than_set": round(set_s / find_s, 2),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
