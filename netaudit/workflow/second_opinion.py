"""A second opinion: what tshark reads in the same capture, and where the two readings differ.

tshark runs through pyshark in a process group of its own, under limits of time, memory and output,
and is killed with everything it started when it passes one of them. tshark always reads the original;
of a sample, netaudit reads a copy of the first packets with the same numbers.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from netaudit.config import Settings
from netaudit.errors import CaptureError, UsageError
from netaudit.intake.opening import ByteStream, Identity
from netaudit.records.addresses import format_ip, parse_ip
from netaudit.records.evidence import Ledger
from netaudit.records.printed import text
from netaudit.records.schemas import kind_of
from netaudit.sources.evidence_file import EvidenceWriter, Piece
from netaudit.workflow.packets import original
from netaudit.workflow.reading import events

KINDS = ("dns", "tls", "quic", "http")
READ_BY_TSHARK = ("", "gz", "zst")
"""Compressions that tshark expands itself; others are expanded for it."""
FIRST_KEPT = 5
WHERE_TSHARK_LOOKS = {
    "dns": {53, 5353, 5355},
    "tls": {443, 465, 636, 853, 993, 995},
    "quic": {443},
    "http": {80, 3128, 8080},
}
"""Ports under which tshark knows a protocol without a guess."""
_PLAIN = re.compile(r"[a-z0-9._-]+\Z")

DECRYPTED = "tshark read it with secrets that the capture carries"
MALFORMED = "tshark calls this packet malformed"
QUOTED = "it is quoted in an ICMP error: nobody sent it here"
TO_GROUP = "an announcement to a group: nobody asked"
OTHER_SPELLING = "the two spell this name differently: it holds unusual octets"
ODD_PORT = "tshark looks for it on other ports"
NOT_READ = "the other did not read it"
_BY_FLAG = {"decrypted": DECRYPTED, "malformed": MALFORMED, "quoted": QUOTED}
EXPECTED = frozenset({DECRYPTED, MALFORMED, QUOTED, TO_GROUP, OTHER_SPELLING})
"""Reasons for which a difference is no disagreement."""

OUT_OF_TIME = "it took too long"
TOO_MUCH_OUTPUT = "it printed too much"
DIED = "it ended without a word"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for tshark."""

    seconds: float = 600.0
    memory: int = 4 << 30
    """Octets of address space, of each of its processes."""
    output: int = 256 << 20
    """Octets of names."""


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """A name that only one of the two read."""

    kind: str
    client: str
    server: str
    name: str
    only: str
    """``tshark`` or ``netaudit``."""
    reason: str
    """A message id in English."""
    packets: tuple[int, ...]
    """The first few packet numbers."""

    @property
    def counts(self) -> bool:
        """Whether it is a disagreement."""
        return self.reason not in EXPECTED


@dataclass(frozen=True, slots=True)
class Opinion:
    """Both readings side by side."""

    name: str
    sha256: str
    sample: int
    """Packets that were looked at, from the first; 0 = all."""
    both: int
    """Names (by kind, client and server) that both read."""
    differences: tuple[Difference, ...]
    unfinished: str
    """Why tshark did not get to the end; empty where it did."""

    @property
    def agree(self) -> bool:
        """Whether no difference is a disagreement."""
        return not any(difference.counts for difference in self.differences)


_Key = tuple[str, str, str, str]


@dataclass(slots=True)
class _Reading:
    """What one of the two read: by kind, client, server and name."""

    packets: dict[_Key, list[int]] = field(default_factory=dict)
    flags: dict[_Key, set[str]] = field(default_factory=dict)
    port: dict[_Key, int] = field(default_factory=dict)

    def add(self, key: _Key, packet: int, port: int, flags: Iterable[str] = ()) -> None:
        packets = self.packets.setdefault(key, [])
        if len(packets) < FIRST_KEPT:
            packets.append(packet)
        self.port[key] = port
        flags = set(flags)
        self.flags[key] = self.flags[key] & flags if key in self.flags else flags


def judge(
    argument: str, settings: Settings, *, sample: int = 20_000, limits: Limits | None = None
) -> Opinion:
    """Compare netaudit's reading of a capture with tshark's.

    Args:
        argument: One capture.
        settings: The office.
        sample: Packets from the first on; 0 = all.
        limits: For tshark.

    Raises:
        UsageError: There is no tshark or no pyshark here.
        CaptureError: The input is no capture.
    """
    from netaudit.kernels.magics import is_capture

    _require_tshark()
    with (
        original(argument, settings) as identity,
        tempfile.TemporaryDirectory(prefix="netaudit-") as folder,
    ):
        with ByteStream(identity) as stream:
            if not is_capture(stream.peek(64)):
                raise CaptureError(
                    "not-a-capture",
                    "This file is no capture.",
                    where=identity.name,
                    hint="tshark reads captures only.",
                )
            compression = stream.compression
        ours = _ours(_sampled(identity, sample, Path(folder)) if sample else identity.path, settings)
        path = identity.path
        if compression not in READ_BY_TSHARK:
            path = _expanded(identity, Path(folder))
        empty = Path(folder) / "empty"
        empty.mkdir()
        theirs, unfinished = _theirs(path, sample, limits or Limits(), empty)
        both = ours.packets.keys() & theirs.packets.keys()
        last = max((max(p) for p in theirs.packets.values()), default=0)
        differences = [*_only_tshark(theirs, both), *_only_netaudit(ours, both)]
        if unfinished:  # what lies after its last word it cannot have read
            differences = [d for d in differences if d.packets[0] <= last]
        return Opinion(
            identity.name, identity.sha256, sample, len(both), tuple(sorted(differences)), unfinished
        )


def _require_tshark() -> None:
    from importlib.util import find_spec

    missing = "tshark" if shutil.which("tshark") is None else "" if find_spec("pyshark") else "pyshark"
    if missing:
        raise UsageError(
            "no-judge",
            "There is no {program} here.",
            hint="Install it (Debian: apt install tshark; Python: pip install pyshark), or leave --judge out.",
            program=missing,
        )


def _sampled(identity: Identity, sample: int, folder: Path) -> Path:
    """The first packets as a file of their own."""
    from netaudit.sources.blocks import records

    path = folder / "sample.pcapng"
    with ByteStream(identity) as stream, path.open("wb") as out:
        writer = EvidenceWriter(out, f"the first {sample} packets", "netaudit")
        for record in records(stream):
            if record.ordinal > sample:
                break
            writer.write(Piece(record.ts, record.link_type, record.wirelen, record.data, ""))
    return path


def _expanded(identity: Identity, folder: Path) -> Path:
    path = folder / "expanded"
    with ByteStream(identity) as stream, path.open("wb") as out:
        while block := stream.read(1 << 20):
            out.write(block)
    return path


def _ours(path: Path, settings: Settings) -> _Reading:
    reading = _Reading()
    for batch in events([str(path)], settings, Ledger()):
        kind = kind_of(batch)
        if kind not in KINDS:
            continue
        columns = [text(batch.column(c)).to_pylist() for c in ("client_ip", "server_ip", "name")]
        numbers = [batch.column(c).to_pylist() for c in ("ordinal", "server_port")]
        for client, server, name, packet, port in zip(*columns, *numbers, strict=True):
            if key := _key(kind, client, server, name):
                reading.add(key, packet, port or 0)
    return reading


def _key(kind: str, client: str | None, server: str | None, name: str | None) -> _Key | None:
    """What is compared; None where there is no name. A dot in a label is printed plain by tshark."""
    plain = (name or "").lower().rstrip(".").replace("\\.", ".")
    if kind == "http" and plain.count(":") == 1:
        plain = plain.partition(":")[0]
    return (kind, _address(client), _address(server), plain) if plain and plain != "<root>" else None


def _address(text_: str | None) -> str:
    """In the one form of netaudit; tshark prints ::ffff:192.0.2.1 as such."""
    octets = parse_ip(text_ or "")
    return format_ip(octets) if octets else ""


def _theirs(path: Path, sample: int, limits: Limits, folder: Path) -> tuple[_Reading, str]:
    reading, unfinished = _Reading(), DIED
    with closing(_run(path, sample, limits, folder)) as rows:
        for row in rows:
            if "end" in row:
                unfinished = str(row.get("reason", ""))
            elif key := _key(row["kind"], row["client"], row["server"], row["name"]):
                reading.add(key, row["packet"], row["port"], row["flags"])
    return reading, unfinished


def _run(path: Path, sample: int, limits: Limits, folder: Path) -> Generator[dict[str, Any], None, None]:
    """Lines of the program `intake.tshark`; the last has ``end``, and ``reason`` where it failed.

    It runs in an empty folder: both Python and pyshark would take orders from files where they are.
    """
    program = [sys.executable, "-P", "-m", "netaudit.intake.tshark"]
    ends = os.pipe()
    with os.fdopen(ends[0], "rb") as out:
        try:
            process = subprocess.Popen(
                [*program, str(path.resolve()), str(sample), str(limits.memory)],
                stdin=subprocess.DEVNULL,
                stdout=ends[1],
                stderr=subprocess.DEVNULL,
                cwd=folder,
                start_new_session=True,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(str(Path(p).absolute()) for p in sys.path if p),
                },
            )
        finally:
            os.close(ends[1])
        try:
            for line in _lines(out, limits):
                yield json.loads(line)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and whatever it started
            process.wait()


def _lines(out: IO[bytes], limits: Limits) -> Iterator[bytes]:
    """Lines as they come; where a limit is passed, a last one that says so."""
    deadline, left, rest = time.monotonic() + limits.seconds, limits.output, b""
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        while selector.select(max(deadline - time.monotonic(), 0)):
            block = os.read(out.fileno(), 1 << 16)
            left -= len(block)
            if not block:
                return
            if left < 0:
                yield _end(TOO_MUCH_OUTPUT)
                return
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
    yield _end(OUT_OF_TIME)


def _end(reason: str) -> bytes:
    return json.dumps({"end": "stopped", "reason": reason}).encode()


def _only_tshark(theirs: _Reading, both: set[_Key]) -> Iterator[Difference]:
    for key in theirs.packets.keys() - both:
        flag = next((_BY_FLAG[f] for f in sorted(theirs.flags[key]) if f in _BY_FLAG), "")
        reason = flag or _general(key)
        yield Difference(*key, "tshark", reason, tuple(theirs.packets[key]))


def _only_netaudit(ours: _Reading, both: set[_Key]) -> Iterator[Difference]:
    for key in ours.packets.keys() - both:
        reason = _general(key)
        if reason == NOT_READ and ours.port[key] not in WHERE_TSHARK_LOOKS[key[0]]:
            reason = ODD_PORT
        yield Difference(*key, "netaudit", reason, tuple(ours.packets[key]))


def _general(key: _Key) -> str:
    kind, client, _, name = key
    if not _PLAIN.match(name):
        return OTHER_SPELLING
    if kind == "dns" and client.startswith(("224.", "239.", "ff0")):
        return TO_GROUP
    return NOT_READ
