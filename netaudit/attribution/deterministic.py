"""Deterministic NAT (RFC 7422): translations that follow from the configuration and are in no log."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from netaudit.attribution.columns import FAR
from netaudit.attribution.coverage import CONFIGURATION
from netaudit.attribution.packed import WIDTH
from netaudit.config import DeterministicNat
from netaudit.errors import ConfigError
from netaudit.records.addresses import from_bytes, network_range, parse_network
from netaudit.records.evidence import EvidenceFile
from netaudit.records.moments import moment, nanoseconds
from netaudit.records.schemas import TIMESTAMP, conform

MOST_HOSTS = 1 << 20


def translations(
    declared: Sequence[DeterministicNat],
) -> tuple[pa.RecordBatch | None, list[EvidenceFile]]:
    """The blocks of ports that hosts have, as records of the kind ``nat``, and the time that they cover.

    Raises:
        ConfigError: The hosts do not find room in the ports, or they are too many.
    """
    if not declared:
        return None, []
    batches = [_blocks(nat) for nat in declared]
    whole = pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    return whole, [_entry(nat) for nat in declared]


def _blocks(nat: DeterministicNat) -> pa.RecordBatch:
    inside, public = _numbers((nat.inside,)), _numbers(nat.public)
    ports = nat.last_port - nat.first_port + 1
    size = nat.block or ports * len(public) // max(1, len(inside))
    each = ports // size if size > 0 else 0
    if each * len(public) < len(inside):
        raise ConfigError(
            "nat-no-room",
            "The hosts of {inside} do not find room in the ports of their public addresses.",
            where="deterministic_nat",
            hint="Compare block, first_port, last_port and public with the device's configuration.",
            inside=nat.inside,
        )
    number = np.arange(len(inside))
    low = nat.first_port + number % each * size
    until = min(nanoseconds(nat.until), FAR) if nat.until else FAR
    columns = {
        "ts": pa.array(np.full(len(inside), nanoseconds(nat.since))).cast(TIMESTAMP),
        "ts_end": pa.array(np.full(len(inside), until)).cast(TIMESTAMP),
        "client_ip": _column(inside),
        "public_ip": _column([public[at] for at in (number // each).tolist()]),
        "public_port": pa.array(low.astype(np.uint16)),
        "public_port_end": pa.array((low + size - 1).astype(np.uint16)),
        "message": "deterministic",
        "site": nat.site,
        "file": CONFIGURATION,
        "ordinal": pa.array(number.astype(np.uint64) + 1),
    }
    return conform("nat", columns, len(inside))


def _numbers(networks: Sequence[str]) -> list[int]:
    """Every address of some networks, in their order, as numbers of 128 bits."""
    found: list[int] = []
    for text in networks:
        low, high = (int.from_bytes(end) for end in network_range(parse_network(text)))
        if len(found) + high - low >= MOST_HOSTS:
            raise ConfigError(
                "nat-too-large",
                "{network} has more than {limit} addresses.",
                where="deterministic_nat",
                hint="Declare the part that is in use.",
                network=text,
                limit=MOST_HOSTS,
            )
        found += range(low, high + 1)
    return found


def _column(numbers: Sequence[int]) -> pa.Array:
    octets = b"".join(number.to_bytes(WIDTH) for number in numbers)
    return from_bytes(np.frombuffer(octets, np.uint8).reshape(-1, WIDTH))


def _entry(nat: DeterministicNat) -> EvidenceFile:
    return EvidenceFile(
        CONFIGURATION,
        CONFIGURATION,
        "",
        0,
        CONFIGURATION,
        ("nat",),
        nat.since,
        nat.until or moment(FAR),
        site=nat.site,
    )
