"""The only door to the database. Small things are JSON bodies of the frozen dataclasses."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from netaudit.attribution.trace import FunnelStep, Trace
from netaudit.case.case import Case, CaseState, ListVersion
from netaudit.case.finding import Finding, Statement
from netaudit.case.notice import Notice
from netaudit.case.rectification import Task
from netaudit.errors import StoreError
from netaudit.policy.verdict import Verdict
from netaudit.records.evidence import EvidenceFile

FILE_NAME = "case.sqlite"
APPLICATION_ID = 0x6E_65_74_61  # "neta"
ANCHOR = "audit.head"
"""Number and hash of the last audit entry, beside the database: a cut end of the log shows."""
_GENESIS = "0" * 64

_ITEMS: dict[str, tuple[str, Any]] = {
    "findings": ("finding", Finding),
    "verdicts": ("verdict", Verdict),
    "traces": ("trace", Trace),
    "funnel": ("funnel", FunnelStep),
    "ledger": ("ledger", EvidenceFile),
    "lists": ("list", ListVersion),
    "tasks": ("task", Task),
    "statements": ("statement", Statement),
}
"""Field of `Case` to the kind of its rows and their type."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One look at the case, or one change to it; chained to the entry before."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    reason: str
    digest: str
    """SHA-256 of what the case says once this is done."""
    prev: str
    hash: str

    def computed_hash(self) -> str:
        """What `hash` must be."""
        parts = [getattr(self, f.name) for f in fields(self) if f.name != "hash"]
        return hashlib.sha256("\x1f".join(str(p) for p in parts).encode()).hexdigest()


class Store:
    """One case folder, opened."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open the case in `folder`.

        Raises:
            StoreError: No case there, one made by a newer program, or a damaged one.
        """
        self.folder = folder
        self._head: AuditEntry | None = None
        path = folder / FILE_NAME
        if not create and not path.is_file():
            raise StoreError(
                "no-case",
                "There is no case in this folder.",
                where=str(folder),
                hint="Name the case's folder, or make one: netaudit case new {folder}",
                folder=str(folder),
            )
        folder.mkdir(parents=True, exist_ok=True)
        with _explained(path):
            self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
            try:
                self._db.row_factory = sqlite3.Row
                self._db.execute("PRAGMA secure_delete = ON")
                self._migrate(path)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a verb of `workflow` is one transaction."""
        with _explained(self.folder / FILE_NAME):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._head = None
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            if self._head is not None:
                (self.folder / ANCHOR).write_text(f"{self._head.seq} {self._head.hash}\n", encoding="ascii")
                self._head = None

    def read_case(self) -> Case:
        """The whole case."""
        converter = _converter()
        head = {row["key"]: json.loads(row["value"]) for row in self._run("get_meta")}
        if not head:
            raise StoreError(
                "no-case",
                "There is no case in this folder.",
                where=str(self.folder),
                hint="Name the case's folder, or make one: netaudit case new {folder}",
                folder=str(self.folder),
            )
        values: dict[str, Any] = {}
        for name, (kind, type_) in _ITEMS.items():
            rows = self._run("get_items", kind=kind)
            values[name] = tuple(converter.structure(json.loads(r["body"]), type_) for r in rows)
        for field in fields(Case):
            if field.name in head:
                values[field.name] = converter.structure(head[field.name], _HEAD_TYPES.get(field.name, str))
        return Case(**values)

    def write_case(self, case: Case) -> None:
        """Replace the case by `case`; call within `transaction`."""
        converter = _converter()
        for field in fields(Case):
            value = getattr(case, field.name)
            if field.name not in _ITEMS:
                self._run("put_meta", key=field.name, value=_json(converter.unstructure(value)))
                continue
            kind, _ = _ITEMS[field.name]
            self._run("drop_items", kind=kind)
            for position, thing in enumerate(value):
                body = _json(converter.unstructure(thing))
                id_ = (
                    getattr(thing, "id", "")
                    or hashlib.sha256(f"{position}{body}".encode()).hexdigest()[:16]
                )
                self._run("put_item", kind=kind, position=position, id=id_, body=body)

    def remember(self, known: dict[str, str]) -> None:
        """Keep what pseudonyms stand for; call within `transaction`."""
        for pseudonym, value in sorted(known.items()):
            self._run("put_identity", pseudonym=pseudonym, value=value)

    def identity(self, pseudonym: str) -> str | None:
        """What a pseudonym stands for. Only `workflow.reveal` calls this, and logs it."""
        row = next(iter(self._run("get_identity", pseudonym=pseudonym)), None)
        return None if row is None else str(row["value"])

    def forget_identities(self) -> None:
        """Drop all identities (end of their retention)."""
        self._run("drop_identities")

    def log(self, *, at: dt.datetime, actor: str, action: str, subject: str, reason: str = "") -> None:
        """Append to the audit chain; call within `transaction`."""
        last = next(iter(self._run("last_audit")), None)
        seq, prev = (last["seq"] + 1, last["hash"]) if last else (1, _GENESIS)
        stamp = at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        entry = AuditEntry(seq, stamp, actor, action, subject, reason, self.digest(), prev, "")
        values = {f.name: getattr(entry, f.name) for f in fields(entry)}
        self._head = replace(entry, hash=entry.computed_hash())
        self._run("put_audit", **{**values, "hash": self._head.hash})

    def digest(self) -> str:
        """SHA-256 over everything that the case says."""
        whole = hashlib.sha256()
        for row in self._run("get_content"):
            whole.update("\x1f".join(str(cell) for cell in row).encode() + b"\x1e")
        return whole.hexdigest()

    def audit(self) -> list[AuditEntry]:
        """The whole chain, oldest first."""
        return [AuditEntry(**dict(row)) for row in self._run("get_audit")]

    def broken_audit_entry(self) -> int | None:
        """Number of the first entry that does not follow from the one before, or that is missing at
        the end although the anchor beside the database names it; None where the chain holds.
        """  # noqa: D205 -- one sentence
        prev, chain = _GENESIS, self.audit()
        for number, entry in enumerate(chain, 1):
            if entry.seq != number or entry.prev != prev or entry.hash != entry.computed_hash():
                return number
            prev = entry.hash
        seq, head = self._anchor()
        if not chain or seq > len(chain):
            return len(chain) + 1
        return None if chain[seq - 1].hash == head else seq

    def _anchor(self) -> tuple[int, str]:
        """Number and hash of the last entry as the file beside the database has it."""
        try:
            seq, _, head = (self.folder / ANCHOR).read_text(encoding="ascii").strip().partition(" ")
            return int(seq), head
        except (OSError, ValueError):
            return 1, ""

    def _run(self, name: str, /, **values: Any) -> list[sqlite3.Row]:
        with _explained(self.folder / FILE_NAME):
            return self._db.execute(_queries()[name], values).fetchall()

    def _migrate(self, path: Path) -> None:
        done = self._db.execute("PRAGMA user_version").fetchone()[0]
        steps = _migrations()
        if done > len(steps):
            raise StoreError(
                "store-newer",
                "This case was made by a newer netaudit.",
                where=str(path),
                hint="Update netaudit.",
            )
        for number, script in enumerate(steps[done:], done + 1):
            self._db.executescript(
                f"BEGIN; PRAGMA application_id = {APPLICATION_ID};"
                f" {script} PRAGMA user_version = {number}; COMMIT;"
            )


_HEAD_TYPES: dict[str, Any] = {
    "notice": Notice | None,
    "state": CaseState,
    "facts": dict[str, Any],
    "opened_at": dt.datetime,
    "as_of": dt.datetime,
    "segments": tuple[tuple[str, str, str], ...],
}


@cache
def _queries() -> dict[str, str]:
    text = files("netaudit.store").joinpath("queries.sql").read_text(encoding="utf-8")
    found = re.findall(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", text, re.MULTILINE | re.DOTALL)
    return dict(found)


@cache
def _migrations() -> tuple[str, ...]:
    folder = files("netaudit.store").joinpath("migrations")
    scripts = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return tuple(f.read_text(encoding="utf-8") for f in scripts)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(
            "store-unusable",
            "The case's database cannot be used: {reason}.",
            where=str(path),
            hint="If another netaudit is at work on it, wait; else restore it from a backup.",
            reason=str(error),
        ) from error


@cache
def _converter() -> Any:
    from cattrs.preconf.json import make_converter

    converter = make_converter()
    converter.register_unstructure_hook(bytes, lambda value: value.hex())
    converter.register_structure_hook(bytes, lambda value, _: bytes.fromhex(value))
    return converter


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def case_json(case: Case) -> dict[str, Any]:
    """A case as plain JSON values, as ``netaudit schema case`` describes them."""
    plain: dict[str, Any] = _converter().unstructure(case)
    return plain
