"""DNS names, questions and records, judged by dnspython."""

import dns.exception
import dns.message
import dns.name
import dns.rrset
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import dnswire
from netaudit.kernels.status import Status
from netaudit.kernels.window import Window


def read_one(message: bytes, at: int, **options) -> tuple[int, int, str]:
    window = Window(message)
    names = dnswire.read_names(
        window, np.array([at]), np.array([0]), np.array([len(message)]), **({"fold": True} | options)
    )
    return int(names.status[0]), int(names.after[0]), names.text.octets.tobytes().decode("ascii")


labels = st.lists(st.binary(min_size=1, max_size=20), max_size=10)


@settings(max_examples=80, deadline=None)
@given(labels)
def test_names_are_spelled_as_dnspython_spells_them(parts):
    name = dns.name.Name([*parts, b""])
    wire = b"\0" * 12 + name.to_wire() + b"tail"
    status, after, text = read_one(wire, 12, fold=False, final_dot=True)
    assert (status, text) == (Status.OK, name.to_text())
    assert after == len(wire) - 4
    folded = read_one(wire, 12)[2]
    assert folded == (dns.name.Name([part.lower() for part in parts]).to_text() if parts else ".")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (b"\xc0\x0c", Status.MALFORMED),  # to itself
        (b"\xc0\x20" + b"\0" * 40, Status.MALFORMED),  # forwards
        (b"\xc0\x04", Status.MALFORMED),  # into the header
        (b"\x40" + b"a" * 64 + b"\0", Status.MALFORMED),  # a label of 64
        (b"\x05abc", Status.TRUNCATED),
        ((b"\x3f" + b"a" * 63) * 4 + b"\0", Status.MALFORMED),  # 257 octets
        ((b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0", Status.OK),  # just 255
        (b"\x01a" * 127 + b"\0", Status.OK),
        (b"\x01a" * 128 + b"\0", Status.MALFORMED),
    ],
)
def test_hostile_names(name, status):
    assert read_one(b"\0" * 12 + name, 12)[0] == status


def test_two_pointers_that_point_at_each_other():
    message = b"\0" * 12 + b"\xc0\x0e\xc0\x0c"
    assert read_one(message, 12)[0] == Status.MALFORMED
    assert read_one(message, 14)[0] == Status.MALFORMED


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=1, max_size=80), st.integers(0, 60))
def test_any_octets_are_read_as_dnspython_reads_them_or_refused(body, at):
    message = b"\0" * 12 + body
    at = 12 + at % len(body)
    status, after, text = read_one(message, at, fold=False, final_dot=True)
    try:
        name, used = dns.name.from_wire(message, at)
    except dns.exception.DNSException:
        assert status != Status.OK
        return
    if status == Status.OK:
        assert (text, after) == (name.to_text(), at + used)
    else:  # stricter than dnspython: no pointer into the header
        assert b"\xc0" in message[at:] or max(message) >= 0xC0


def test_a_dot_inside_a_label_is_no_separator():
    assert read_one(b"\0" * 12 + b"\x03a.b\x03com\0", 12)[2] == "a\\.b.com"


def test_records_of_many_messages_advance_together():
    query = dns.message.make_query("www.example.org", "A")
    response = dns.message.make_response(query)
    response.answer = [
        dns.rrset.from_text("www.example.org.", 60, "IN", "CNAME", "cdn.example.net."),
        dns.rrset.from_text("cdn.example.net.", 60, "IN", "A", "192.0.2.1", "192.0.2.2"),
    ]
    wires = [response.to_wire(), query.to_wire(), response.to_wire()[:-3]]
    at = np.cumsum([0, *(len(w) for w in wires[:-1])])
    length = np.array([len(w) for w in wires])
    window = Window(b"".join(wires))
    messages = dnswire.read_messages(window, at, length)
    assert messages.answers.tolist() == [3, 0, 3]
    questions = dnswire.read_questions(window, at, length, messages.questions)
    assert questions.qtype.tolist() == [1, 1, 1]
    records = dnswire.read_records(window, questions.after, at + length, messages.answers)
    assert records.message.tolist() == [0, 0, 0, 2, 2]
    assert records.type.tolist() == [5, 1, 1, 5, 1]
    assert records.status.tolist() == [Status.OK, Status.OK, Status.TRUNCATED]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6))
def test_garbage_never_raises_and_never_reads_outside(parts):
    window = Window(b"".join(parts))
    length = np.array([len(p) for p in parts])
    at = np.cumsum(length) - length
    messages = dnswire.read_messages(window, at, length)
    questions = dnswire.read_questions(window, at, length, messages.questions)
    ok = np.where(questions.status == Status.OK, messages.answers, 0)
    records = dnswire.read_records(window, questions.after, at + length, ok)
    assert (records.at + records.length <= (at + length)[records.message]).all()
