"""The walk-back on large logs with a known truth: how fast, how much memory, how often right.

    python benchmarks/walkback.py [--questions N] [--nat N] [--leases N] [--sessions N]

Makes an office's logs in memory (seeded, no files), asks who was behind public addresses and ports at
random moments, and compares every answer with the truth. Exit 1 where an answer that one candidate
holds is not the true device, or the true device is not among the candidates.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from netaudit.attribution import Answers, Logs, Questions, walk
from netaudit.attribution.packed import Packed
from netaudit.attribution.trace import HopKind
from netaudit.attribution.walk import AMBIGUOUS, HELD, REACHES
from netaudit.config import Segment, Settings, Unit
from netaudit.records.addresses import from_bytes
from netaudit.records.evidence import EvidenceFile
from netaudit.records.moments import moment
from netaudit.records.schemas import TIMESTAMP, concat, conform
from netaudit.store.snapshots import Snapshots

SECOND = 10**9
START = 1_795_000_000 * SECOND
DAYS = 30
PUBLICS = 4
DEVICES = 20_000
LEASE_S = 86_400


def main() -> int:
    """Build, walk, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name, default in (("questions", 10**6), ("nat", 10**7), ("leases", 10**6), ("sessions", 10**6)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    tables, asked, inside, mac = office(
        arguments.nat, arguments.leases, arguments.sessions, arguments.questions
    )
    made = peak_mib()
    before = time.perf_counter()
    logs = Logs.build(tables=tables, ledger=ledger(), settings=settings())
    built = time.perf_counter()
    answers = walk(asked, logs)
    walked = time.perf_counter()
    print(f"sorting the logs    {built - before:8.1f} s")
    print(f"{len(asked):,} questions {walked - built:8.1f} s")
    one = asked.take(np.array([0]))
    before = time.perf_counter()
    walk(one, logs)
    print(f"one question        {(time.perf_counter() - before) * 1e3:8.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        kept = Snapshots(Path(folder) / "read")
        before = time.perf_counter()
        kept.keep("logs", logs)
        print(f"keeping the logs    {time.perf_counter() - before:8.1f} s")
        before = time.perf_counter()
        walk(one, kept.find("logs"))
        print(f"one question on what was kept {(time.perf_counter() - before) * 1e3:6.1f} ms")
    print(f"peak memory         {peak_mib():8.0f} MiB, of which making the tables {made:.0f} MiB")
    return judge(answers, inside, mac)


def peak_mib() -> float:
    """Largest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def judge(answers: Answers, inside: np.ndarray, mac: np.ndarray) -> int:
    """Print how often the answers are right, and count those that are wrong."""
    outcome = answers.outcome(HopKind.NAT)
    held = outcome == HELD
    address = answers.walks.address
    wrong_host = held & address.known & (address.low != inside)
    lost = ~held & (outcome != AMBIGUOUS)
    device = answers.walks.mac
    wrong_mac = held & device.known & (device.low != mac)
    reach = np.bincount(answers.reach, minlength=len(REACHES))
    print("reach               ", {REACHES[i].value: int(n) for i, n in enumerate(reach)})
    print(
        f"one host            {held.mean():8.1%}   several {(outcome == AMBIGUOUS).mean():.1%}   none {lost.mean():.1%}"
    )
    print(f"wrong hosts         {wrong_host.sum():8}   wrong devices {wrong_mac.sum()}")
    return int(bool(wrong_host.any() or wrong_mac.any() or lost.any()))


def office(
    nat: int, leases: int, sessions: int, questions: int
) -> tuple[dict[str, pa.Table], Questions, np.ndarray, np.ndarray]:
    """Tables by kind, questions, and the true host and MAC of each question."""
    random = np.random.default_rng(7)
    span = DAYS * 86_400
    mac_of = np.uint64(0x001C42000000) + random.permutation(1 << 22)[:DEVICES].astype(np.uint64)
    # Devices share addresses: who has an address changes from day to day.
    slots = DEVICES // 2
    day = np.repeat(np.arange(DAYS), slots)
    holder = np.concatenate([random.permutation(DEVICES)[:slots] for _ in range(DAYS)])
    repeats = max(1, leases // len(day))
    row = np.repeat(np.arange(len(day)), repeats)[:leases]
    renewed = np.tile(np.arange(repeats), len(day))[: len(row)] * (86_400 // repeats)
    begun = day[row] * 86_400 + renewed
    tables = {
        "dhcp": table(
            "dhcp",
            ts=times(begun),
            lease_s=pa.array(np.full(len(row), 86_400 - renewed - 1), pa.uint32()),
            client_ip=addresses(row % slots),
            client_mac=macs(mac_of[holder[row]]),
            message="ack",
        )
    }
    device = random.integers(0, len(day), sessions // 2)
    start = day[device] * 86_400 + random.integers(0, 80_000, len(device))
    both = np.concatenate((np.arange(len(device)), np.arange(len(device))))
    tables["radius"] = table(
        "radius",
        ts=times(np.concatenate((start, start + 3_600))),
        message=pa.array(np.repeat(["start", "stop"], len(device))),
        client_mac=macs(mac_of[holder[device[both]]]),
        account=pa.array([f"u{n}" for n in range(DEVICES)]).take(pa.array(holder[device[both]])),
        session=pa.array([f"s{n}" for n in range(len(device))]).take(pa.array(both)),
        ssid="STAFF",
        ap_name=pa.array([f"ap{n}" for n in range(100)]).take(pa.array(device[both] % 100)),
    )
    when = np.sort(random.integers(0, span - 700, nat))
    length = random.integers(1, 600, nat)
    slot, public = random.integers(0, slots, nat), random.integers(0, PUBLICS, nat)
    port = random.integers(1024, 65_536, nat)
    server = random.integers(0, 50_000, nat)
    tables["nat"] = table(
        "nat",
        ts=times(when),
        ts_end=times(when + length),
        client_ip=addresses(slot),
        client_port=pa.array(port.astype(np.uint16)),
        public_ip=addresses(public, base=0xCB007100),
        public_port=pa.array(port.astype(np.uint16)),
        server_ip=addresses(server, base=0xC6336400),
        server_port=pa.array(np.full(nat, 443, np.uint16)),
        transport="tcp",
        message="close",
    )
    chosen = random.integers(0, nat, questions)
    at = START + (when[chosen] + length[chosen] // 2) * SECOND
    nothing = np.full(questions, "", object)
    asked = Questions(
        at,
        at,
        np.full(questions, 5 * SECOND),
        Packed.of(addresses(public[chosen], base=0xCB007100)),
        Packed.none(questions),
        Packed.none(questions),
        port[chosen],
        nothing,
        Packed.none(questions),
        np.full(questions, -1),
        nothing,
    )
    inside = (np.uint64(0xFFFF) << np.uint64(32)) | (np.uint64(0x0A000000) + slot[chosen].astype(np.uint64))
    owner = holder[(when[chosen] + length[chosen] // 2) // 86_400 * slots + slot[chosen]]
    return tables, asked, inside, mac_of[owner]


def settings() -> Settings:
    """An office with one segment."""
    return Settings(unit=Unit(egress=("203.0.113.0/24",)), segment=(Segment("office", ("10.0.0.0/8",)),))


def ledger() -> list[EvidenceFile]:
    """One whole log of each kind."""
    return [
        EvidenceFile(kind, kind, "", 0, "", (kind,), moment(START), moment(START + DAYS * 86_400 * SECOND))
        for kind in ("nat", "dhcp", "radius")
    ]


def table(kind: str, **columns: object) -> pa.Table:
    """Rows of a kind, all of one file."""
    rows = len(columns["ts"])  # type: ignore[arg-type]
    return concat(
        kind,
        [
            conform(
                kind, {**columns, "file": kind, "ordinal": np.arange(1, rows + 1, dtype=np.uint64)}, rows
            )
        ],
    )


def times(seconds: np.ndarray) -> pa.Array:
    """Seconds after the start as a column."""
    return pa.array(START + seconds.astype(np.int64) * SECOND).cast(TIMESTAMP)


def addresses(numbers: np.ndarray, base: int = 0x0A000000) -> pa.Array:
    """IPv4 addresses as a column."""
    octets = np.zeros((len(numbers), 16), np.uint8)
    octets[:, 10:12] = 0xFF
    octets[:, 12:] = (numbers + base).astype(">u4").view(np.uint8).reshape(-1, 4)
    return from_bytes(octets)


def macs(numbers: np.ndarray) -> pa.Array:
    """MAC addresses as a column."""
    return from_bytes(numbers.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:])


if __name__ == "__main__":
    sys.exit(main())
