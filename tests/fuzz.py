"""Damaged captures through the whole reader: ``python tests/fuzz.py --seconds 600``.

Mutates captures made here, and those of the shared folder where there is one, so that their
structure mostly stays: octets and lengths inside of packets, packets of one capture in another,
other link types and byte orders, cuts. No input may raise, take long, or have a ledger that does not
add up. Kernels are compiled with checks of every index (``NUMBA_BOUNDSCHECK``), into a cache of their
own. What fails is kept in ``tests/abuse/seeds``, where a test reads it again ever after.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import os
import random
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEEDS = HERE / "abuse" / "seeds"
MOST_SECONDS = 5.0
HANGS_SECONDS = 60
LARGEST = 64 << 10
LINKS = (0, 1, 8, 9, 12, 50, 51, 101, 104, 105, 107, 113, 117, 119, 127, 147, 149, 163, 192, 228, 239, 276)
VALUES = (0, 1, 2, 3, 4, 7, 8, 12, 63, 64, 127, 128, 192, 255, 256, 1500, 0x7FFF, 0x8000, 0xFFF8, 0xFFFF,
          0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)  # fmt: skip


class Defect(Exception):  # noqa: N818 -- a finding
    """Something that no input may bring about."""


def check(content: bytes, name: str = "case.pcap") -> float:
    """Read one capture; the seconds that it took."""
    from netaudit.config import Settings
    from netaudit.records.evidence import Ledger
    from netaudit.sources import Options, read

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        ledger = Ledger()
        begin = time.perf_counter()
        rows = sum(
            batch.num_rows for batch in read([str(path)], Settings(), ledger, options=Options(jobs=1))
        )
        took = time.perf_counter() - begin
    for error in ledger.errors:
        if error.code == "reader-failed":
            raise Defect(str(error)) from error.__cause__
    for entry in ledger.files:
        if entry.bytes_read + entry.bytes_skipped != entry.size or entry.bytes_read < 0:
            raise Defect(f"{entry.bytes_read} read, {entry.bytes_skipped} skipped of {entry.size}")
        if entry.format and entry.records != rows:
            raise Defect(f"{entry.records} records in the ledger, {rows} seen")
        if any(first < 1 for skipped in entry.skipped for first in skipped.first):
            raise Defect(f"a packet that is none: {entry.skipped}")
    if took > MOST_SECONDS:
        raise Defect(f"{took:.1f} s")
    return took


def seeds() -> list[bytes]:
    """Captures to begin with."""
    sys.path.insert(0, str(HERE))
    from abuse_frames import everything

    found = everything()
    shared = (
        Path(os.environ.get("NETAUDIT_SHARED", HERE.parent.parent / "shared")) / "conformance" / "pcaps"
    )
    paths = sorted(shared.iterdir()) if shared.is_dir() else []
    found += [path.read_bytes() for path in paths if path.stat().st_size <= LARGEST]
    return found


def records(content: bytes) -> list[bytes]:
    """Packets of a classic little-endian pcap; nothing of anything else."""
    found, at = [], 24
    while content[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") and at + 16 <= len(content):
        size = struct.unpack_from("<I", content, at + 8)[0]
        if at + 16 + size > len(content):
            break
        found.append(content[at + 16 : at + 16 + size])
        at += 16 + size
    return found


def written(packets: list[bytes], link: int) -> bytes:
    """Packets as a capture, one a second."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link)
    return head + b"".join(
        struct.pack("<IIII", 1_700_000_000 + k, 0, len(one), len(one)) + one
        for k, one in enumerate(packets)
    )


def changed(octets: bytes, chance: random.Random) -> bytes:
    """A few octets, or something that may be a length, are others; or a part is gone or there twice."""
    out = bytearray(octets)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        if not out:
            break
        at = chance.randrange(len(out))
        match chance.randrange(7):
            case 0:
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                out[at] = chance.choice(VALUES) & 0xFF
            case 2 | 3:
                out[at : at + 2] = struct.pack(chance.choice("<>") + "H", chance.choice(VALUES) & 0xFFFF)
            case 4:
                out[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(VALUES))
            case 5:
                del out[at : at + chance.choice((1, 2, 4, 16, len(out)))]
            case _:
                out[at:at] = out[max(at - chance.choice((1, 4, 20, 40)), 0) : at]
    return bytes(out)


def mutated(pool: list[bytes], chance: random.Random) -> bytes:
    """One damaged capture."""
    content = chance.choice(pool)
    packets = records(content)
    if not packets or chance.random() < 0.25:
        return changed(content, chance)  # the container itself
    link = struct.unpack_from("<I", content, 20)[0]
    others = records(chance.choice(pool)) if chance.random() < 0.2 else []
    packets = (packets + others)[: chance.choice((1, 5, 40, 400))]
    for _ in range(chance.choice((1, 3, 10))):
        at = chance.randrange(len(packets))
        match chance.randrange(6):
            case 0:
                packets[at] = packets[at][: chance.randrange(len(packets[at]) + 1)]
            case 1:
                packets.insert(chance.randrange(len(packets)), packets[at])
            case 2:
                other = chance.randrange(len(packets))
                packets[at], packets[other] = packets[other], packets[at]
            case _:
                packets[at] = changed(packets[at], chance)
    out = written(packets, chance.choice(LINKS) if chance.random() < 0.05 else link)
    return changed(out, chance) if chance.random() < 0.1 else out


def inputs(seed: int) -> Iterator[bytes]:
    """Damaged captures without end, the same ones for the same seed."""
    chance, pool = random.Random(seed), seeds()
    while True:
        yield mutated(pool, chance)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run for a time; 1 where something failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--unchecked", action="store_true", help="kernels as they are for users")
    given = options.parse_args()
    if not given.unchecked:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        os.environ["NUMBA_BOUNDSCHECK"] = "1"
        os.environ["XDG_CACHE_HOME"] = str(cache / "netaudit-fuzz")
    begun = time.perf_counter()
    for content in seeds():  # compiles everything
        try:
            check(content)
        except Defect as defect:
            if not str(defect).endswith(" s"):
                raise
    _say(f"{time.perf_counter() - begun:.0f} s for the seeds")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun, count, failed, slowest = time.perf_counter(), 0, 0, 0.0
    current = Path(tempfile.gettempdir()) / f"netaudit-fuzz-{os.getpid()}.pcap"
    for content in inputs(given.seed):
        if time.perf_counter() - begun > given.seconds:
            break
        current.write_bytes(content)
        faulthandler.dump_traceback_later(HANGS_SECONDS, exit=True)
        count += 1
        try:
            slowest = max(slowest, check(content))
        except Exception as defect:  # noqa: BLE001 -- whatever it is, it is a defect
            failed += 1
            SEEDS.mkdir(exist_ok=True)
            kept = SEEDS / f"{hashlib.sha256(content).hexdigest()[:12]}.pcap"
            kept.write_bytes(content)
            _say(f"{kept.name}: {type(defect).__name__}: {defect}")
        faulthandler.cancel_dump_traceback_later()
    current.unlink(missing_ok=True)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    _say(f"{count} inputs, {failed} failed, slowest {slowest:.2f} s, memory grew by {grown} MiB")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
