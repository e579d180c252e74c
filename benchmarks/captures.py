"""The whole job, ``netaudit events FILE -o OUT`` to Parquet, against its peers in one run; ratios count.

    python benchmarks/captures.py office.pcap --check
    python benchmarks/captures.py office.pcap --without scapy tshark --rounds 5
    python benchmarks/captures.py --wrapped --packets 1000000

Every program is a process of its own, and all take turns, round by round; the median counts. Before
that the file is read once (warm cache) and netaudit runs once (it compiles, once for a computer).
Peak memory is that of the largest process (some 20 MiB, what this program has, at least). With --check the names that netaudit wrote are compared
with the truth beside the capture (``FILE.truth.tsv``, see generate.py). What is printed is Markdown.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
NETAUDIT = [sys.executable, "-m", "netaudit", "--quiet"]
OURS = "netaudit"
ONE_JOB = "netaudit --jobs 1"
TWO_JOBS = "netaudit --jobs 2"
HEAD_PACKETS = 20_000
"""What scapy reads; its rate holds for the rest."""
WRAPPINGS = {
    "office": ("plain", "vlan", "pppoe", "gre", "vxlan", "wlan", "fragmented"),
    "dns": ("plain", "vlan", "pppoe", "gre", "vxlan", "wlan", "fragmented", "dns-over-tcp"),
}
FIELDS = ("frame.time_epoch", "ip.src", "dns.qry.name", "tls.handshake.extensions_server_name", "http.host")


@dataclass(frozen=True, slots=True)
class Capture:
    """A file and how much it is."""

    path: Path
    packets: int
    size: int


@dataclass(slots=True)
class Program:
    """One of those that take turns."""

    name: str
    command: list[str]
    packets: int
    size: int
    ran: list[Usage] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return statistics.median(usage.seconds for usage in self.ran)

    @property
    def peak_mib(self) -> float:
        return max(usage.peak_mib for usage in self.ran)

    @property
    def rate(self) -> float:
        """Packets a second."""
        return self.packets / self.seconds


@dataclass(frozen=True, slots=True)
class Usage:
    seconds: float
    peak_mib: float


def run(command: list[str]) -> Usage:
    """Run a program to its end; 3 means that netaudit found something it could not read."""
    with tempfile.TemporaryFile() as complaints:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=complaints)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in {0, 3}:
            complaints.seek(0)
            said = complaints.read(2_000).decode(errors="replace")
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {said}")
    return Usage(seconds, usage.ru_maxrss / 1024)


def measure(path: Path) -> Capture:
    """Count the packets of a pcap file."""
    return Capture(path, sum(1 for _ in records(path)), path.stat().st_size)


def records(path: Path) -> Iterator[int]:
    """The end of each record; without the whole file in memory, which would count as that of every child."""
    with path.open("rb", buffering=1 << 20) as stream:
        order = {b"\xa1\xb2": ">", b"\xd4\xc3": "<", b"\x4d\x3c": "<"}.get(stream.read(24)[:2])
        if order is None:
            raise SystemExit(f"{path} is no pcap file")
        length, at = struct.Struct(order + "I"), 24
        while len(header := stream.read(16)) == 16:
            octets = length.unpack_from(header, 8)[0]
            stream.seek(octets, os.SEEK_CUR)
            at += 16 + octets
            yield at


def head_of(capture: Capture, folder: Path) -> Capture:
    """The first packets as a file of their own."""
    path, end, packets = folder / "head.pcap", 24, 0
    for packets, end in enumerate(records(capture.path), 1):  # noqa: B007 -- needed behind the loop
        if packets == HEAD_PACKETS:
            break
    with capture.path.open("rb") as whole, path.open("wb") as part:
        while part.tell() < end:
            part.write(whole.read(min(1 << 20, end - part.tell())))
    return Capture(path, packets, end)


def ours(capture: Capture, output: Path, jobs: int | None = None) -> list[str]:
    """The whole job."""
    threads = ["--jobs", str(jobs)] if jobs else []
    return [*NETAUDIT, *threads, "events", str(capture.path), "--format", "parquet", "-o", str(output)]


def programs(capture: Capture, head: Capture, output: Path, without: Iterable[str]) -> list[Program]:
    """Those that are there; of the others a word."""
    file = str(capture.path)
    commands = {
        OURS: ours(capture, output),
        ONE_JOB: ours(capture, output, 1),
        TWO_JOBS: ours(capture, output, 2),
        "cat": ["cat", file],
        "tcpdump": ["tcpdump", "-r", file, "-w", "/dev/null", "udp port 53"],
        "capinfos": ["capinfos", "-c", file],
        "tshark": [
            "tshark",
            "-n",
            "-r",
            file,
            "-T",
            "fields",
            *(w for name in FIELDS for w in ("-e", name)),
        ],
        "nfstream": [sys.executable, str(HERE / "peers.py"), "nfstream", file],
        "dpkt": [sys.executable, str(HERE / "peers.py"), "dpkt", file],
        "scapy": [sys.executable, str(HERE / "peers.py"), "scapy", str(head.path)],
    }
    found = []
    for name, command in commands.items():
        if name in without:
            continue
        if not is_there(name, command):
            print(f"* {name} is missing here and was left out.")
            continue
        of = head if name == "scapy" else capture
        found.append(Program(name, command, of.packets, of.size))
    return found


def is_there(name: str, command: list[str]) -> bool:
    if command[0] != sys.executable:
        return shutil.which(command[0]) is not None
    asked = subprocess.run(
        [sys.executable, "-c", f"import {name.split(maxsplit=1)[0]}"], capture_output=True, check=False
    )
    return asked.returncode == 0


def take_turns(running: list[Program], rounds: int) -> None:
    """Everyone once a round, so that the machine's other work falls on all alike."""
    for _ in range(rounds):
        for program in running:
            program.ran.append(run(program.command))


def warm_up(capture: Capture, output: Path) -> None:
    run(["cat", str(capture.path)])
    run(ours(capture, output))


def table(capture: Capture, running: list[Program]) -> str:
    """Markdown; the last column is how many times a peer's time for a packet netaudit's is shorter."""
    rate = next(program.rate for program in running if program.name == OURS)
    out = [
        (
            f"`{capture.path.name}`: {capture.packets:,} packets, {capture.size / 10**6:,.0f} MB, "
            f"{capture.size / capture.packets:.0f} octets a packet\n"
        ),
        "| program | s | packets/s | MB/s | peak MiB | netaudit is faster by |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for program in running:
        name = (
            f"{program.name} (first {program.packets:,} packets)"
            if program.name == "scapy"
            else program.name
        )
        ratio = "" if program.name == OURS else f"{rate / program.rate:.2f}"
        out.append(
            f"| {name} | {program.seconds:.2f} | {program.rate:,.0f} | {program.size / program.seconds / 1e6:,.0f} "
            f"| {program.peak_mib:,.0f} | {ratio} |"
        )
    rates = {program.name: program.rate for program in running}
    if "tcpdump" in rates:
        out.append(f"\nnetaudit takes {rates['tcpdump'] / rate:.2f} times as long as tcpdump.")
    if ONE_JOB in rates and TWO_JOBS in rates:
        out.append(f"Two jobs are {rates[TWO_JOBS] / rates[ONE_JOB]:.2f} times as fast as one.")
    return "\n".join(out)


# ---- names against the truth --------------------------------------------------------------------------------


def check(written: Path, truth: Path) -> str:
    """Compare every (time, client, kind, name), however often it is there."""
    code = [sys.executable, __file__, "--compare", str(written), str(truth)]
    return subprocess.run(code, capture_output=True, text=True, check=True).stdout.strip()


def compare(written: Path, truth: Path) -> str:
    """In a process of its own: the others' memory is measured in children of one that stays small."""
    want, got = read_truth(truth), read_events(written)
    missing, more = want - got, got - want
    out = [
        f"names: {want.total():,} in the truth, {(want & got).total():,} found, {missing.total():,} missing, {more.total():,} invented"
    ]
    for word, rows in (("missing", missing), ("invented", more)):
        out += [f"  {word}: {' '.join(map(str, row))}" for row in sorted(rows)[:5]]
    return "\n".join(out)


def read_truth(path: Path) -> Counter[tuple[int, str, str, str]]:
    """Rows by time in microseconds, client, kind, name."""
    rows: Counter[tuple[int, str, str, str]] = Counter()
    with path.open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            at, client, kind, name = line.rstrip("\n").split("\t")
            seconds, _, micros = at.partition(".")
            rows[int(seconds) * 10**6 + int(micros), client, kind, name] += 1
    return rows


def read_events(path: Path) -> Counter[tuple[int, str, str, str]]:
    """The same of what netaudit wrote."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset

    kinds = pa.array(["dns", "tls", "quic", "http"])
    rows: Counter[tuple[int, str, str, str]] = Counter()
    for batch in pyarrow.dataset.dataset(path).to_batches(columns=["ts", "client_ip", "kind", "name"]):
        named = batch.filter(
            pc.and_(
                pc.is_in(batch.column("kind").cast(pa.string()), kinds), batch.column("name").is_valid()
            )
        )
        columns = [
            named.column("ts").cast(pa.int64()),
            *(named.column(n).cast(pa.string()) for n in ("client_ip", "kind", "name")),
        ]
        lists = [column.to_pylist() for column in columns]
        rows.update((ts // 1_000, *rest) for ts, *rest in zip(*lists, strict=True))
    return rows


# ---- the same traffic inside something else -----------------------------------------------------------------


def wrapped(packets: int, rounds: int, folder: Path) -> None:
    """Rates of every wrapping as parts of the plain rate, and whether all names are right."""
    for profile, wrappings in WRAPPINGS.items():
        running = []
        for wrapping in wrappings:
            path = folder / f"{profile}-{wrapping}.pcap"
            make = [sys.executable, str(HERE / "generate.py"), str(path), "--packets", str(packets)]
            run([*make, "--profile", profile, "--wrap", wrapping])
            capture = measure(path)
            warm_up(capture, folder / f"{profile}-{wrapping}.parquet")
            command = ours(capture, folder / f"{profile}-{wrapping}.parquet")
            running.append(Program(wrapping, command, capture.packets, capture.size))
        take_turns(running, rounds)
        print(
            f"\n{profile}, {packets:,} packets each\n\n| wrapping | packets/s | MB/s | of the plain rate | names |"
        )
        print("|---|---:|---:|---:|---|")
        for program in running:
            path = folder / f"{profile}-{program.name}.pcap"
            said = check(path.with_suffix(".parquet"), path.with_name(path.name + ".truth.tsv"))
            print(
                f"| {program.name} | {program.rate:,.0f} | {program.size / program.seconds / 1e6:,.0f} "
                f"| {program.rate / running[0].rate:.2f} | {said.splitlines()[0].removeprefix('names: ')} |"
            )
            path.unlink()


def against_peers(path: Path, given: argparse.Namespace, folder: Path) -> None:
    capture = measure(path)
    output = folder / "events.parquet"
    warm_up(capture, output)
    running = programs(capture, head_of(capture, folder), output, given.without)
    take_turns(running, given.rounds)
    print(table(capture, running))
    if given.check:
        print(check(output, path.with_name(path.name + ".truth.tsv")))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("captures", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="compare the names with FILE.truth.tsv")
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="PROGRAM", help="leave out, such as scapy"
    )
    parser.add_argument("--wrapped", action="store_true", help="the same traffic inside something else")
    parser.add_argument("--packets", type=int, default=1_000_000, help="of each wrapped capture")
    parser.add_argument("--compare", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.compare:
        print(compare(*given.compare))
        return
    with tempfile.TemporaryDirectory(prefix="captures-") as folder:
        for path in given.captures:
            against_peers(path, given, Path(folder))
        if given.wrapped:
            wrapped(given.packets, given.rounds, Path(folder))


if __name__ == "__main__":
    main()
