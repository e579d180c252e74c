"""Captures made for benchmarks: the same each time, and every name in them is found, whatever it is wrapped in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from netaudit.config import Settings
from netaudit.records.addresses import format_ip
from netaudit.records.evidence import Ledger
from netaudit.records.schemas import kind_of
from netaudit.sources import read

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PACKETS = 2_000


@pytest.fixture
def generate(monkeypatch):
    """benchmarks/generate.py, which is no package."""
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    return pytest.importorskip("generate")


def truth(path):
    lines = path.with_name(path.name + ".truth.tsv").read_text(encoding="utf-8").splitlines()
    return sorted(tuple(line.split("\t")) for line in lines[1:])


def found(path):
    rows = []
    ledger = Ledger()
    for batch in read([str(path)], Settings(), ledger):
        if kind_of(batch) in {"dns", "tls", "quic", "http"}:
            for row in batch.select(["ts", "client_ip", "name"]).to_pylist():
                micros = row["ts"].value // 1_000
                at = f"{micros // 10**6}.{micros % 10**6:06d}"
                rows.append((at, format_ip(row["client_ip"]), kind_of(batch), row["name"]))
    assert all(entry.bytes_read + entry.bytes_skipped == entry.size for entry in ledger.files)
    return sorted(rows)


def test_the_same_arguments_give_the_same_octets(generate, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate.generate(tmp_path / name, "office", 500, seed=seed)
    made = {name: (tmp_path / name).read_bytes() for name in "abc"}
    assert made["a"] == made["b"] != made["c"]


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["office", "dns"])
@pytest.mark.parametrize(
    "wrapping", ["plain", "vlan", "pppoe", "gre", "vxlan", "wlan", "fragmented", "dns-over-tcp"]
)
def test_every_name_is_found_and_none_invented(generate, tmp_path, profile, wrapping):
    path = tmp_path / "made.pcap"
    generate.generate(path, profile, PACKETS, wrapping)
    assert len(truth(path)) > 20
    assert found(path) == truth(path)
