"""Extract: the packets that are evidence, as a capture of their own.

A packet is written as it was captured, with its own time, cut after the headers and the part that
holds the name (`sources.cut`). Its comment says of which file (SHA-256) it is which packet, so that
every octet can be found in the original again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from netaudit import __version__
from netaudit.case.case import Case
from netaudit.config import Settings
from netaudit.errors import CaptureError, CaseError, InputError, UsageError
from netaudit.intake.opening import ByteStream, Identity, identify
from netaudit.records.evidence import Ledger
from netaudit.sources import Options, Progress
from netaudit.sources.evidence_file import EvidenceWriter, Piece
from netaudit.sources.inputs import Input, opened
from netaudit.sources.parts import Parts, Wanted
from netaudit.store import Store
from netaudit.store.database import FILE_NAME
from netaudit.workflow.packets import wanted_of
from netaudit.workflow.reading import events
from netaudit.workflow.selection import Selection

EXTRACT = "extract"
NOT_A_CAPTURE = "evidence of this file are lines, which a capture cannot hold"
GONE = "an evidence file is no longer there"
CHANGED = "an evidence file was changed"


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was written."""

    packets: int
    octets_cut: int
    sha256: str
    """Of the file that was written."""
    left_out: tuple[tuple[str, str], ...]
    """Files whose evidence is not in it, and why (a message id)."""
    ledger: Ledger
    """What was read for it."""


def extract(
    argument: str,
    settings: Settings,
    where: Selection,
    output: Path,
    *,
    with_payload: bool,
    now: dt.datetime,
    actor: str = "",
    options: Options | None = None,
    progress: Progress | None = None,
) -> Extracted:
    """Write the packets behind the events of a capture, or behind the findings of a case.

    Args:
        argument: A capture, a folder or archive of captures, or a case's folder.
        settings: The office.
        where: Which events; of a case also ``finding``. Empty = all.
        output: The pcapng file to write. It appears under its name only when it is whole.
        with_payload: Write the packets whole.
        now: For the case's log.
        actor: Who does it, for the case's log.
        options: What the command line says about the input.
        progress: Told how far reading is.

    Raises:
        NetauditError: Nothing fits, or the input cannot be read.
    """
    folder = Path(argument)
    is_case = (folder / FILE_NAME).is_file()
    if not is_case and not where.terms:
        raise UsageError(
            "where-missing",
            "Which packets are evidence?",
            where=argument,
            hint="Add --where name=example.org, for instance.",
        )
    if argument == "-":
        raise UsageError(
            "needs-file", "Standard input can be read only once.", hint="Put it into a file first."
        )
    if not is_case and where.values("finding"):
        raise UsageError(
            "finding-without-case",
            "Findings are of a case.",
            where=argument,
            hint="Name the case's folder.",
        )
    ledger = Ledger()
    left_out: list[tuple[str, str]] = []
    arguments, only = [argument], None
    if is_case:
        with Store(folder) as store:
            case = store.read_case()
        only = _evidence(case, where.values("finding"), folder)
        arguments = _files(case, folder, only, left_out)
    batches = events(arguments, settings, ledger, options=options, progress=progress)
    found = _restricted(wanted_of(batches, where), only, where)
    if not is_case and ledger.errors:
        raise ledger.errors[0]
    with opened(arguments, settings) as (inputs, _):
        result = _write(inputs, ledger, found, output, where, left_out, with_payload=with_payload)
    if is_case:
        with Store(folder) as store, store.transaction():
            store.log(
                at=now,
                actor=actor,
                action=EXTRACT,
                subject=f"{output.name} {result.sha256}",
                reason=str(where),
            )
    return result


def _evidence(case: Case, wanted: Collection[str], folder: Path) -> dict[str, set[int]]:
    """File id to the ordinals on which the findings rest."""
    unknown = sorted(set(wanted) - {finding.id for finding in case.findings})
    if unknown:
        raise CaseError(
            "no-finding",
            "This case has no finding {finding}.",
            finding=unknown[0],
            where=str(folder),
            hint="See: netaudit case show {folder}",
            folder=str(folder),
        )
    only: dict[str, set[int]] = {}
    for finding in case.findings:
        if not wanted or finding.id in wanted:
            for evidence in finding.evidence:
                only.setdefault(evidence.file, set()).add(evidence.ordinal)
    return only


def _files(
    case: Case, folder: Path, only: Mapping[str, set[int]], left_out: list[tuple[str, str]]
) -> list[str]:
    """The evidence files that are still there and are what they were."""
    found = []
    for entry in case.ledger:
        if entry.id not in only:
            continue
        path = folder / entry.path
        try:
            same = bool(entry.path) and identify(path).sha256 == entry.sha256
        except InputError:
            left_out.append((entry.name, GONE))
            continue
        if same:
            found.append(str(path))
        else:
            left_out.append((entry.name, CHANGED if entry.path else GONE))
    return found


def _restricted(
    found: dict[str, dict[int, dict[str, frozenset[str]]]],
    only: dict[str, set[int]] | None,
    where: Selection,
) -> dict[str, Wanted]:
    """Of a case, what its findings rest on; also where no event is read there any more."""
    if only is None:
        return dict(found)
    everything = all(key == "finding" for key, _ in where.terms)
    return {
        file: {
            ordinal: found.get(file, {}).get(ordinal, {})
            for ordinal in ordinals
            if everything or ordinal in found.get(file, {})
        }
        for file, ordinals in only.items()
    }


def _write(
    inputs: list[Input],
    ledger: Ledger,
    found: Mapping[str, Wanted],
    output: Path,
    where: Selection,
    left_out: list[tuple[str, str]],
    *,
    with_payload: bool,
) -> Extracted:
    part = output.with_name(output.name + ".part")
    entries = {entry.name: entry for entry in ledger.files if entry.id in found}
    comment = "; ".join(
        (
            f"netaudit {__version__}: packets that are evidence",
            f"where {where}" if where.terms else "of all findings",
            "packets whole" if with_payload else "cut after the headers and the name",
        )
    )
    packets = cut = 0
    try:
        with part.open("wb") as out:
            writer = EvidenceWriter(out, comment, f"netaudit {__version__}")
            for item in inputs:
                entry = entries.get(item.name)
                if entry is None or not found[entry.id]:
                    continue
                if not entry.format.startswith("pcap"):
                    left_out.append((entry.name, NOT_A_CAPTURE))
                    continue
                identity = Identity(item.path, item.name, entry.sha256, entry.size)
                some, less = _copy(identity, found[entry.id], writer, with_payload=with_payload)
                packets, cut = packets + some, cut + less
        if not packets:
            raise _nothing(left_out, output)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return Extracted(packets, cut, identify(output).sha256, tuple(left_out), ledger)


def _copy(
    identity: Identity, wanted: Wanted, writer: EvidenceWriter, *, with_payload: bool
) -> tuple[int, int]:
    """Packets written, and octets left away."""
    from netaudit.sources.blocks import records

    parts = Parts(wanted)
    with ByteStream(identity) as stream:
        for record in records(stream):
            parts.see(record)
            if parts.done:
                break
    if parts.fragmented:
        with ByteStream(identity) as stream:
            for record in records(stream):
                parts.see_fragment(record)
    packets = cut = 0
    last = max(parts.kept, default=0)
    with ByteStream(identity) as stream:
        for record in records(stream):
            size = parts.kept.get(record.ordinal)
            if size is not None:
                data = record.data if with_payload else record.data[:size]
                comment = f"sha256={identity.sha256} packet={record.ordinal}"
                if record.ts is None:
                    comment += " time unknown"
                writer.write(Piece(record.ts, record.link_type, record.wirelen, data, comment))
                packets, cut = packets + 1, cut + len(record.data) - len(data)
            if record.ordinal >= last:
                break
    return packets, cut


def _nothing(left_out: list[tuple[str, str]], output: Path) -> CaptureError:
    reasons = sorted({why for _, why in left_out})
    return CaptureError(
        "nothing-to-extract",
        "No packet fits, so nothing was written.",
        where=", ".join(name for name, _ in left_out) or str(output),
        hint="{reason}" if reasons else "Look at the events first: netaudit events FILE",
        reason="; ".join(reasons),
    )
