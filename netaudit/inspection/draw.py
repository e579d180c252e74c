"""A random draw that anybody can repeat afterwards: protocol ``netaudit-draw/1``.

The population and the rule are fixed and committed first; entropy that nobody controls alone
comes after; the seed follows from both, and the order from keyed hashes. Anyone with the file
repeats it with SHA-256 and HMAC (the model is RFC 3797).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from netaudit.errors import InputError, UsageError

PROTOCOL = "netaudit-draw/1"


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is published before the entropy is known."""

    v: str
    label: str
    kind: str
    """``object`` or ``inspector``."""
    n: int
    population_sha256: str
    population_size: int
    entropy: str
    """Where the entropy will come from, named in advance."""

    @property
    def hash(self) -> str:
        """C: SHA-256 of the canonical JSON (sorted keys, no spaces, UTF-8)."""
        text = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Draw:
    """A finished draw with everything that is needed to repeat it."""

    commitment: Commitment
    commitment_sha256: str
    revealed: str
    """E, the entropy as opened."""
    seed: str
    ranking: tuple[str, ...]
    """All ids in the order of the draw; the first n are drawn."""
    population: tuple[str, ...]

    @property
    def drawn(self) -> tuple[str, ...]:
        """The chosen ids, in the order of the draw."""
        return self.ranking[: self.commitment.n]


def normal_population(ids: Sequence[str]) -> tuple[str, ...]:
    """NFC, trimmed, unique, sorted by code point.

    Raises:
        InputError: Nothing is left.
    """
    normal = tuple(sorted({unicodedata.normalize("NFC", i).strip() for i in ids} - {""}))
    if not normal:
        raise InputError(
            "population-empty",
            "There is nobody and nothing to draw from.",
            hint="Put one id a line into the population file.",
        )
    return normal


def commit(ids: Sequence[str], *, label: str, n: int, entropy: str, kind: str = "object") -> Commitment:
    """Fix the population and the rule.

    Raises:
        UsageError: More is to be drawn than there is, or nothing.
    """
    population = normal_population(ids)
    if not 0 < n <= len(population):
        raise UsageError(
            "draw-size",
            "{n} cannot be drawn from {size}.",
            n=n,
            size=len(population),
            hint="Choose a number between 1 and the size of the population.",
        )
    body = "".join(f"{i}\n" for i in population).encode()
    return Commitment(PROTOCOL, label, kind, n, hashlib.sha256(body).hexdigest(), len(population), entropy)


def draw(ids: Sequence[str], commitment: Commitment, revealed: str) -> Draw:
    """Draw, once the entropy is opened.

    Raises:
        InputError: The population is not the one that was committed.
    """
    population = normal_population(ids)
    again = commit(
        population, label=commitment.label, n=commitment.n, entropy=commitment.entropy, kind=commitment.kind
    )
    if again != commitment:
        raise InputError(
            "population-changed",
            "The population is not the one that was committed to.",
            hint="Use the file of the day of the commitment, or make a new draw with a new label.",
        )
    c_hex = commitment.hash
    seed = hashlib.sha256(f"{PROTOCOL}|seed|{c_hex}|{revealed}".encode()).digest()
    keys = {
        i: hmac.new(seed, f"{commitment.kind}|{i}".encode(), hashlib.sha256).digest() for i in population
    }
    ranking = tuple(sorted(population, key=lambda i: (keys[i], i)))
    return Draw(commitment, c_hex, revealed, seed.hex(), ranking, population)


def to_record(result: Draw) -> str:
    """The draw as the JSON record that is kept and published."""
    body = {**asdict(result), "drawn": list(result.drawn)}
    return json.dumps(body, ensure_ascii=False, sort_keys=True, indent=2) + "\n"


def verify(record: str) -> tuple[Draw, list[str]]:
    """Repeat a recorded draw.

    Returns:
        The draw as repeated, and what does not hold (empty: everything does).

    Raises:
        InputError: The record is no draw.
    """
    try:
        data = json.loads(record)
        commitment = Commitment(**data["commitment"])
        population, revealed = [str(i) for i in data["population"]], str(data["revealed"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "no-draw-record",
            "This is no record of a draw.",
            hint="Give the JSON file that netaudit inspect draw wrote.",
        ) from error
    again = draw(population, commitment, revealed)
    expected = json.loads(to_record(again))
    return again, sorted(key for key in expected if expected[key] != data.get(key))
