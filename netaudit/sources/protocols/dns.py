"""DNS, mDNS and LLMNR: one event for a question and the response to it (RFC 1035, 6762, 4795)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import dns.opcode
import dns.rcode
import dns.rdatatype
import numpy as np
import pyarrow as pa

from netaudit.intake.tally import FIRST_KEPT, Tally
from netaudit.kernels import dnsjoin, dnswire
from netaudit.kernels import text as spelling
from netaudit.kernels.dnswire import Stage, Trouble
from netaudit.kernels.octets import Bytes, Ints, octets
from netaudit.kernels.packet import MESSAGE, Kind, Rows
from netaudit.sources.dns_columns import MAX_TEXT, mnemonics, names_column, spell_answers
from netaudit.sources.inference import Learned
from netaudit.sources.messages import Messages, columns, words
from netaudit.sources.protocols import Events, Protocol

DETAILS = {5353: "mdns", 5355: "llmnr"}

_GIVEN_UP = "a DNS query was not waited for any longer, because too many waited"
_ANNOUNCED = "a DNS announcement to a group answers nobody"
_ASKS_NOTHING = "a DNS query asks nothing"
_CUT_SHORT = "a DNS message is cut short"
_MALFORMED = "a DNS message is malformed"
_NOT_ALL = "the answers of a DNS message could not all be read"


class _Held(NamedTuple):
    """Queries that wait for their response, in file order."""

    rows: Rows
    asks: Rows
    names: spelling.Texts


class DnsReader:
    """The questions of one file, and the queries that wait."""

    def __init__(self, tally: Tally) -> None:
        """What cannot be read is counted; a message whose answers are damaged keeps its question."""
        self._tally = tally
        self._key = np.array([secrets.randbits(64), secrets.randbits(64)], np.uint64)
        self._held = _Held(np.zeros(0, MESSAGE), np.zeros(0, dnswire.ASK), spelling.texts(0, 0, self._key))
        self._learned: list[Learned] = []

    def read(self, messages: Messages) -> Iterator[Events]:
        """Events that a block completes: answered, answered by nobody, or not asked for."""
        trouble = np.zeros(len(messages), np.uint8)
        done = 0
        while done < len(messages):
            asks, names = self._room(messages, done)
            held = len(self._held.asks)
            done, count = dnswire.read_questions(
                messages.rows, messages.arena, done, asks, held, names, trouble
            )
            yield from self._complete(messages, asks[:count], names, trouble)
        self._account(messages, trouble)

    def close(self) -> Iterator[Events]:
        """The queries that nobody answered."""
        rows, asks, names = self._held
        self._held = _Held(rows[:0], asks[:0], names)
        if len(rows):
            nothing = Messages(rows[:0], octets(np.zeros(0, np.uint8)), 0)
            yield from self._events(nothing, rows, asks, np.arange(len(asks)), names, np.zeros(0, np.uint8))

    def learned(self) -> Iterator[Learned]:
        """The addresses that the answers gave since this was last asked."""
        learned, self._learned = self._learned, []
        yield from learned

    def _room(self, messages: Messages, done: int) -> tuple[Rows, spelling.Texts]:
        """Room for questions and names, with what waits in front."""
        held = self._held
        most = len(held.asks) + len(messages) - done + dnswire.QUESTIONS_ROOM
        size = min(int(messages.rows["length"][done:].sum()), MAX_TEXT)
        before = held.names.written()
        names = spelling.texts(before + size + dnswire.TEXT_ROOM, most, self._key)
        asks = np.empty(most, dnswire.ASK)
        kept = asks[: len(held.asks)]
        kept[:] = held.asks
        numbers = held.asks["name"].astype(np.int64)
        spelling.bring(held.names, numbers, names)
        kept["name"] = numbers
        return asks, names

    def _complete(
        self, messages: Messages, asks: Rows, names: spelling.Texts, trouble: Bytes
    ) -> Iterator[Events]:
        slots = np.zeros(spelling.table_size(len(asks)), np.int64)
        given_up = dnsjoin.join(asks, slots, self._key)
        if given_up:
            self._tally.skip(_GIVEN_UP, count=given_up, matters=False)
        before = self._held.rows
        waits = np.flatnonzero(asks["stage"] == Stage.WAITING)
        done = np.flatnonzero((asks["stage"] == Stage.ALONE) | (asks["stage"] == Stage.ANSWERED))
        self._held = _Held(_rows(before, messages.rows, asks, waits), asks[waits], names)
        self._held.asks["message"] = np.arange(len(waits))
        if len(done):
            yield from self._events(messages, before, asks, done, names, trouble)

    def _events(
        self,
        messages: Messages,
        before: Rows,
        asks: Rows,
        done: Ints,
        names: spelling.Texts,
        trouble: Bytes,
    ) -> Iterator[Events]:
        rows = _rows(before, messages.rows, asks, done)
        partner = asks["partner"][done]
        said = np.where(partner >= 0, partner, done)
        found = _columns(rows, asks, done, said, names)
        first = 0
        while first < len(done):
            answers = spell_answers(messages, asks, said[first:], trouble)
            part = slice(first, first + len(answers.lists))
            own = {name: _part(values, part) for name, values in found.items()}
            yield Events("dns", own | {"answers": answers.lists})
            learnt = answers.learnt["event"] + first
            if len(learnt):
                asker = np.stack([asks[side][said[learnt]] for side in ("client0", "client1")], axis=1)
                name = found["name"].take(pa.array(learnt))
                when = asks["ts"][said[learnt]]
                self._learned.append(Learned(asker.view(np.uint8), name, answers.learnt["address"], when))
            first = part.stop

    def _account(self, messages: Messages, trouble: Bytes) -> None:
        """Count what could not be read."""
        if not trouble.any():
            return
        rows = messages.rows
        broken, cut = (trouble & Trouble.BROKEN) != 0, rows["cut"] != 0
        for reason, which, is_lost, matters in (
            (_ANNOUNCED, (trouble & Trouble.ANNOUNCED) != 0, False, False),
            (_ASKS_NOTHING, (trouble & Trouble.ASKS_NOTHING) != 0, False, False),
            (_CUT_SHORT, broken & cut, True, True),
            (_MALFORMED, broken & ~cut, True, True),
            (_NOT_ALL, (trouble & Trouble.SHORT) != 0, False, True),
        ):
            count = int(which.sum())
            if count:
                size = int(rows["length"][which].sum()) if is_lost else 0
                first = rows["ordinal"][which][:FIRST_KEPT]
                self._tally.skip(reason, first, count=count, size=size, matters=matters)


def _rows(before: Rows, now: Rows, asks: Rows, index: Ints) -> Rows:
    """The messages of some asks: those that waited are of `before`."""
    held = int(np.searchsorted(index, len(before)))
    message = asks["message"][index]
    rows = np.empty(len(index), MESSAGE)
    rows[:held] = before[message[:held]]
    now.take(message[held:], out=rows[held:], mode="clip")  # without `mode` it would copy twice
    return rows


def _columns(rows: Rows, asks: Rows, done: Ints, said: Ints, names: spelling.Texts) -> dict[str, Any]:
    """Events of the asks `done`, without their answers; `said` is where the response stands, if any does."""
    opcode = asks["opcode"][done].astype(np.int64)
    rcode = np.where(asks["response"][said] != 0, asks["rcode"][said].astype(np.int64), -1)
    name, server = asks["name"][done], asks["sport"][done]
    detail = np.zeros(len(done), np.int64)
    for number, port in enumerate(DETAILS, 1):
        detail[server == port] = number
    return {
        **columns(rows, asks["response"][done] != 0),
        "transport_detail": words(detail, [None, *DETAILS.values()]),
        "name": names_column(names, name),
        "name_source": words((name < 0).astype(np.int64), ["qname", None]),
        "qtype": mnemonics(asks["qtype"][done], dns.rdatatype.to_text),
        "rcode": mnemonics(rcode, dns.rcode.to_text),
        "opcode": mnemonics(np.where(opcode != dns.opcode.QUERY, opcode, -1), dns.opcode.to_text),
    }


def _part(values: Any, part: slice) -> Any:
    return values if isinstance(values, str) else values[part]


PROTOCOL = Protocol("dns", (Kind.DNS,), DnsReader)
