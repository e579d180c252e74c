"""Scripted situations: what the logs hold, what is asked, what has to be answered, and how a person reads it.

Each file of `situations/` is one: a title in three languages, the office's settings where they are
not the usual ones (`office.toml`), its logs as tables of text, and questions as on the command line,
each with its whole answer. Times are the office's own, of 2026-11-23 where no date is given. What a
person reads for a reason or a reach is in `sentences.toml`, once, word for word.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from netaudit.attribution import walk_back, walk_back_all
from netaudit.attribution.logs import Logs
from netaudit.attribution.presentation import trace_dict
from netaudit.attribution.reasons import LOCALES
from netaudit.attribution.trace import Question, Reach, Reason
from netaudit.cli.session import Session
from netaudit.cli.trace import address_of, mac_of, print_trace, seconds_of
from netaudit.config import Settings, read_table
from netaudit.records.evidence import EvidenceFile
from netaudit.records.schemas import concat, schema
from tests.attribution.conftest import NOON, table

HERE = Path(__file__).parent
DAY = dt.datetime(2026, 11, 23)  # noqa: DTZ001 -- the zone is set where it is used
ZONE = ZoneInfo("Asia/Shanghai")
ANSWER = {"what", "hops", "reach", "place", "reasons", "stable", "why", "details"}
SENTENCES = tomllib.loads((HERE / "sentences.toml").read_text("utf-8"))


def moment(text):
    """``12:00:05``, ``11-22 12:00:05`` or ``2025-11-22 12:00:05`` in the office's zone."""
    date, _, clock = text.rpartition(" ")
    date = {0: "2026-11-23", 5: f"2026-{date}"}.get(len(date), date)
    return dt.datetime.fromisoformat(f"{date} {clock}").replace(tzinfo=ZONE)


def rows_of(log):
    """The rows of a log: a head and lines of cells between bars; an empty cell is one that says nothing."""
    head, *lines = ([cell.strip() for cell in line.split("|")] for line in log["rows"].strip().splitlines())
    types = {field.name: field.type for field in schema(log["kind"])}
    assert set(head) <= set(types), f"{log['kind']} has no {set(head) - set(types)}"
    return [
        {
            name: cell_of(text, str(types[name]), name)
            for name, text in zip(head, cells, strict=True)
            if text
        }
        | {name: value for name, value in log.get("same", {}).items() if name not in head}
        | {"site": log.get("site"), "file": log["file"]}
        for cells in lines
    ]


def cell_of(text, type_, name):
    if name in {"ts", "ts_end"}:
        return (moment(text) - NOON).total_seconds()
    return int(text) if type_.startswith(("int", "uint")) else text


@cache
def situation(path):
    """A file, and its logs as they are looked up in."""
    said = tomllib.loads(path.read_text("utf-8"))
    office = tomllib.loads((HERE / "office.toml").read_text("utf-8"))
    settings = read_table(office | said.get("settings", {}), Settings, path.name)
    ledger, tables = [], {}
    for number, log in enumerate(said.get("log", [])):
        log.setdefault("file", f"{log['kind']}-{number}")
        first, last = map(moment, log.get("covers", ["00:00:00", "23:59:59"]))
        ledger.append(
            EvidenceFile(
                id=log["file"], name=log["file"], sha256="", size=0, format="", kinds=(log["kind"],),
                first=first, last=last, site=log.get("site", ""), segments=tuple(log.get("segments", ())),
            )
        )  # fmt: skip
        tables.setdefault(log["kind"], []).append(table(log["kind"], rows_of(log)))
    joined = {
        kind: concat(kind, [b for t in parts for b in t.to_batches()]) for kind, parts in tables.items()
    }
    return said, Logs.build(tables=joined, ledger=ledger, settings=settings)


def question(ask):
    """What is asked, as the command line takes it."""
    public, public_port = address_of(ask.get("public"))
    client, client_port = address_of(ask.get("client"))
    dst, dst_port = address_of(ask.get("dst"))
    return Question(
        at=moment(ask["at"]),
        until=moment(ask["until"]) if "until" in ask else None,
        public_ip=public,
        client_ip=client,
        mac=mac_of(ask.get("mac")),
        port=public_port or client_port,
        transport=ask.get("proto", ""),
        dst_ip=dst,
        dst_port=dst_port,
        skew_s=seconds_of(ask.get("skew", "120s")),
        site=ask.get("site", ""),
    )


def answered(trace):
    """A trace as a situation's file writes it."""
    hops = [
        f"{hop.hop.value} {hop.outcome.value} {', '.join(c.value for c in hop.candidates)}".strip()
        for hop in trace.hops
    ]
    return {
        "hops": hops,
        "reach": trace.reach.value,
        "place": dict(trace.place),
        "reasons": [reason.value for reason in trace.reasons],
    }


def expected(ask):
    return {"place": {}, "reasons": []} | {
        name: ask[name] for name in ("hops", "reach", "place", "reasons") if name in ask
    }


FILES = sorted((HERE / "situations").glob("*.toml"))
ASKED = [
    pytest.param(path, number, id=f"{path.stem}-{number}")
    for path in FILES
    for number in range(len(tomllib.loads(path.read_text("utf-8"))["ask"]))
]


@pytest.mark.parametrize(("path", "number"), ASKED)
def test_the_answer(path, number):
    said, logs = situation(path)
    ask = said["ask"][number]
    trace = walk_back(question(ask), logs)
    assert answered(trace) == expected(ask)
    hops = {hop.hop.value: hop for hop in trace.hops}
    assert {name: list(hops[name].skew_stable_s or ()) for name in ask.get("stable", {})} == ask.get(
        "stable", {}
    )
    assert {n: [c.why for c in hops[n].candidates] for n in ask.get("why", {})} == ask.get("why", {})
    for name, details in ask.get("details", {}).items():
        assert details.items() <= dict(hops[name].candidates[0].details).items()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("path", "number"), ASKED)
def test_what_a_person_reads(path, number, locale, capsys):
    said, logs = situation(path)
    ask = said["ask"][number]
    trace = walk_back(question(ask), logs)
    table_of = [SENTENCES[code] for code in ask.get("reasons", [])]
    shown = trace_dict(trace, locale)
    assert [(r["sentence"], r["needed"]) for r in shown["reasons"]] == [
        (words["sentence"][locale], words["needed"][locale]) for words in table_of
    ]
    print_trace(
        trace, Session(None, locale, quiet=True, verbose=False, no_color=True, jobs=None, debug=False)
    )
    lines = capsys.readouterr().out.splitlines()
    words = [
        line
        for code, words in zip(ask.get("reasons", []), table_of, strict=True)
        for line in (f"  {code}: {words['sentence'][locale]}", f"    → {words['needed'][locale]}")
    ]
    at = len(lines) - len(words)
    assert lines[at:] == words
    place = lines[at - 1].partition(" (")[2]
    assert lines[at - 1].partition(" (")[0].endswith(f" {SENTENCES['reach'][ask['reach']][locale]}")
    assert all(text in place for text in ask.get("place", {}).values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_many_at_once_and_in_another_order(path):
    said, logs = situation(path)
    asked = [question(ask) for ask in said["ask"]]
    assert walk_back_all(asked[::-1], logs) == [walk_back(one, logs) for one in asked[::-1]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_situation_says_only_what_is_read(path):
    said, _ = situation(path)
    assert set(said) <= {"title", "test", "settings", "log", "ask"}
    assert set(said["title"]) == set(LOCALES)
    assert (
        len(set(said["title"].values())) == len(LOCALES) or said["title"]["zh-CN"] == said["title"]["zh-TW"]
    )
    asked = {"public", "client", "mac", "at", "until", "proto", "dst", "skew", "site"}
    for ask in said["ask"]:
        assert set(ask) <= asked | ANSWER
    for log in said.get("log", []):
        assert set(log) <= {"kind", "file", "site", "segments", "covers", "same", "rows"}


def test_every_reason_every_reach_and_every_outcome_occurs():
    asked = [ask for path in FILES for ask in situation(path)[0]["ask"]]
    assert {code for ask in asked for code in ask.get("reasons", [])} == {r.value for r in Reason}
    assert {ask["reach"] for ask in asked} == {r.value for r in Reach}
    assert set(SENTENCES) == {r.value for r in Reason} | {"reach"}
    outcomes = {tuple(hop.split()[:2]) for ask in asked for hop in ask["hops"]}
    for hop in ("nat", "lease", "station", "asset"):
        assert {outcome for name, outcome in outcomes if name == hop} == {
            "held",
            "ambiguous",
            "missing",
            "not_covered",
        }
