"""Packets a second and peak memory of reading captures, as a ratio against peers in the same run.

    python benchmarks/captures.py office.pcap [dns.pcap ...]

Each reading is a process of its own, so that peak memory is its own; the least of three counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 3
PEERS = {
    "capinfos": ["capinfos", "-c"],
    "tshark": [
        "tshark", "-n", "-T", "fields", "-e", "frame.time_epoch", "-e", "ip.src", "-e", "dns.qry.name",
        "-e", "tls.handshake.extensions_server_name", "-e", "http.host", "-r",
    ],
}  # fmt: skip


def read(path: Path) -> dict[str, float]:
    """Read one capture in this process."""
    from netaudit.intake.opening import ByteStream, identify
    from netaudit.intake.tally import Tally
    from netaudit.sources import capture

    packets = 0
    count = capture._Reader._packets  # noqa: SLF001 -- the one place that knows the packets

    def counted(self, window, index):  # noqa: ANN001, ANN202 -- as the method
        nonlocal packets
        packets += len(index.at)
        return count(self, window, index)

    capture._Reader._packets = counted  # noqa: SLF001
    identity = identify(path)
    tally = Tally(identity)
    begun = time.perf_counter()
    with ByteStream(identity) as stream:
        events = sum(batch.num_rows for batch in capture.read_capture(stream, tally))
    return {
        "packets": packets, "events": events, "seconds": time.perf_counter() - begun,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def least(command: list[str]) -> tuple[float, str]:
    """The least wall time of some rounds, and the last output."""
    best, output = float("inf"), ""
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        best = min(best, time.perf_counter() - begun)
    return best, output


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("captures", nargs="+", type=Path)
    parser.add_argument("--read", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        print(json.dumps(read(arguments.captures[0])))
        return
    for path in arguments.captures:
        runs = [
            json.loads(subprocess.run([sys.executable, __file__, "--read", str(path)], capture_output=True,
                                      text=True, check=True).stdout)
            for _ in range(ROUNDS)
        ]  # fmt: skip
        ours = min(runs, key=lambda run: run["seconds"])
        rate = ours["packets"] / ours["seconds"]
        print(f"{path.name}: {ours['packets']} packets, {ours['events']} events")
        print(f"  netaudit  {rate:>12,.0f} packets/s  peak {ours['peak_mb']:.0f} MB")
        for name, command in PEERS.items():
            if shutil.which(command[0]) is None:
                print(f"  {name:9} not installed")
                continue
            seconds, _ = least([*command, str(path)])
            print(
                f"  {name:9} {ours['packets'] / seconds:>12,.0f} packets/s  ratio {rate * seconds / ours['packets']:.2f}"
            )


if __name__ == "__main__":
    main()
