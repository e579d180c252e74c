"""A small office's logs from short rows: times are seconds after `NOON`, addresses text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from netaudit.attribution.logs import Logs
from netaudit.attribution.trace import Question
from netaudit.config import Segment, Settings, Unit, Wireless
from netaudit.records.addresses import parse_ip, parse_mac
from netaudit.records.evidence import EvidenceFile
from netaudit.records.schemas import IP, MAC, concat, conform, schema

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
PUBLIC = "203.0.113.5"

SETTINGS = Settings(
    unit=Unit(egress=("203.0.113.0/29",), timezone="Asia/Shanghai"),
    segment=(
        Segment("office", ("10.1.0.0/24",), addressing="dhcp"),
        Segment("server", ("10.1.0.192/28",), addressing="static"),
        Segment("hall", ("10.2.0.0/24",), purpose="guest"),
    ),
    wireless=(
        Wireless("GUEST", segment="hall", auth="psk", per_user_auth=False),
        Wireless("STAFF", segment="office", auth="802.1x", per_user_auth=True),
    ),
)


def moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else NOON + dt.timedelta(seconds=seconds)


def table(kind: str, rows: list[dict[str, Any]]) -> pa.Table:
    columns: dict[str, Any] = {}
    fields = {field.name: field.type for field in schema(kind)}
    for name in {n for row in rows for n in row}:
        values = [row.get(name) for row in rows]
        if name in {"ts", "ts_end"}:
            values = [moment(v) for v in values]
        elif fields[name] == IP:
            values = [parse_ip(v) if v else None for v in values]
        elif fields[name] == MAC:
            values = [parse_mac(v) if v else None for v in values]
        plain = pa.string() if pa.types.is_dictionary(fields[name]) else fields[name]
        columns[name] = pa.array(values, plain)
    columns.setdefault("file", pa.array([f"file-{kind}"] * len(rows), pa.string()))
    columns["ordinal"] = pa.array(range(1, len(rows) + 1), pa.uint64())
    return concat(kind, [conform(kind, columns, len(rows))])


def entry(kind: str, first: float, last: float, site: str = "", file: str = "") -> EvidenceFile:
    return EvidenceFile(
        id=file or f"file-{kind}",
        name=kind,
        sha256="",
        size=0,
        format="",
        kinds=(kind,),
        first=moment(first),
        last=moment(last),
        site=site,
    )


@pytest.fixture
def make_logs() -> Callable[..., Logs]:
    """Logs from rows by kind; each kind covers the day around noon, or what `spans` says."""

    def make(
        settings: Settings = SETTINGS,
        ledger: list[EvidenceFile] | None = None,
        **rows: list[dict[str, Any]],
    ) -> Logs:
        tables = {kind: table(kind, values) for kind, values in rows.items()}
        entries = [entry(kind, -43_200, 43_200) for kind in rows] if ledger is None else ledger
        return Logs.build(tables=tables, ledger=entries, settings=settings)

    return make


@pytest.fixture
def ask() -> Callable[..., Question]:
    """A question from text and seconds."""

    def make(at: float, until: float | None = None, **said: Any) -> Question:
        for name in ("public_ip", "client_ip", "dst_ip"):
            if name in said:
                said[name] = parse_ip(said[name])
        if "mac" in said:
            said["mac"] = parse_mac(said["mac"])
        start = moment(at)
        assert start is not None
        return Question(at=start, until=moment(until), **said)

    return make


@pytest.fixture
def nat_row() -> Callable[..., dict[str, Any]]:
    """One record of a translation."""

    def make(message: str, ts: float | None, inside: str, port: int = 20500, **more: Any) -> dict[str, Any]:
        return {
            "message": message,
            "ts": ts,
            "client_ip": inside,
            "client_port": 5000,
            "public_ip": PUBLIC,
            "public_port": port,
            "server_ip": "198.51.100.7",
            "server_port": 443,
            "transport": "tcp",
            "session": "1",
        } | more

    return make
