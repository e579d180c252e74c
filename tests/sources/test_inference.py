"""Names inferred for flows from earlier answers."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels.inference import NAMES, TIMES
from netaudit.records.addresses import parse_ip
from netaudit.sources.inference import Answers

SECOND = 10**9
HOUR = 3600
CLIENT, OTHER, CDN = "10.0.0.7", "2001:db8::7", "192.0.2.80"


def packed(*addresses):
    return np.frombuffer(b"".join(map(parse_ip, addresses)), np.uint8).reshape(-1, 16)


def taught(*answers, **room):
    """Learnt from (client, name, address, second)."""
    known = Answers(**room)
    for client, name, address, second in answers:
        known.learn(
            packed(client), pa.array([name], pa.string()), packed(address), np.array([second * SECOND])
        )
    return known


def inferred(known, client, server, second):
    found = known.infer(packed(client), packed(server), np.array([second * SECOND]))
    return found.name[0].as_py(), found.age_s[0].as_py(), found.also[0].as_py()


def test_the_latest_answer_before_the_flow_names_it_and_says_its_age():
    known = taught(
        (CLIENT, "a.example", CDN, 100), (CLIENT, "a.example", CDN, 200), (CLIENT, "a.example", CDN, 300)
    )
    assert inferred(known, CLIENT, CDN, 250) == ("a.example", 50.0, None)
    assert inferred(known, CLIENT, CDN, 100) == ("a.example", 0.0, None)
    assert inferred(known, CLIENT, CDN, 99) == (None, None, None)


def test_nothing_is_inferred_for_another_client_or_another_address():
    known = taught((CLIENT, "a.example", CDN, 100))
    assert inferred(known, OTHER, CDN, 101) == (None, None, None)
    assert inferred(known, CLIENT, "192.0.2.81", 101) == (None, None, None)


def test_two_names_for_one_address_are_both_told():
    known = taught((CLIENT, "flagged.example", CDN, 100), (CLIENT, "plain.example", CDN, 200))
    assert inferred(known, CLIENT, CDN, 100 + 3 * HOUR) == (
        "plain.example",
        3 * HOUR - 100.0,
        ["flagged.example"],
    )
    assert inferred(known, CLIENT, CDN, 150) == ("flagged.example", 50.0, None)


def test_an_answer_older_than_a_day_says_nothing():
    known = taught((CLIENT, "a.example", CDN, 100))
    assert inferred(known, CLIENT, CDN, 100 + 24 * HOUR)[0] == "a.example"
    assert inferred(known, CLIENT, CDN, 101 + 24 * HOUR)[0] is None


def test_a_group_has_no_name():
    for group in ("224.0.0.251", "239.255.255.250", "ff02::fb"):
        assert inferred(taught((CLIENT, "a.example", group, 1)), CLIENT, group, 2) == (None, None, None)


def test_the_first_answer_is_known_however_often_it_was_renewed():
    known = taught(*((CLIENT, "a.example", CDN, second) for second in range(100, 100 + 10 * TIMES)))
    assert inferred(known, CLIENT, CDN, 100) == ("a.example", 0.0, None)
    assert inferred(known, CLIENT, CDN, 110) == ("a.example", 10.0, None)  # what lies between is forgotten
    assert inferred(known, CLIENT, CDN, 1000)[1] == 1000 - (100 + 10 * TIMES - 1)


def test_ten_thousand_names_of_one_address_are_bounded():
    names = [f"n{k}.example" for k in range(10_000)]
    known = Answers()
    client, address = packed(*[CLIENT] * len(names)), packed(*[CDN] * len(names))
    known.learn(client, pa.array(names), address, np.arange(len(names)) * SECOND)
    name, _, also = inferred(known, CLIENT, CDN, 20_000)
    assert [name, *also] == names[: -NAMES - 1 : -1]


def test_what_was_learnt_first_is_forgotten_first():
    known = taught(*((CLIENT, f"n{k}.example", f"192.0.2.{k}", k) for k in range(10)), entries=4)
    kept = [inferred(known, CLIENT, f"192.0.2.{k}", 50)[0] for k in range(10)]
    assert kept == [None] * 6 + [f"n{k}.example" for k in range(6, 10)]
    assert known.forgotten == 6


def test_names_that_were_pushed_out_are_not_told():
    known = taught(*((CLIENT, f"n{k}.example", f"192.0.2.{k}", k) for k in range(10)), text=32)
    kept = [inferred(known, CLIENT, f"192.0.2.{k}", 50)[0] for k in range(10)]
    assert kept == [None] * 7 + ["n7.example", "n8.example", "n9.example"]


def test_names_may_be_coded_or_missing():
    known = Answers()
    name = pa.array(["a.example", None, "b.example"]).dictionary_encode().slice(1)
    known.learn(packed(CLIENT, CLIENT), name, packed(CDN, CDN), np.array([1, 2]) * SECOND)
    assert inferred(known, CLIENT, CDN, 3) == ("b.example", 1.0, None)
    nothing = known.infer(packed(CLIENT)[:0], packed(CLIENT)[:0], np.zeros(0, np.int64))
    assert len(nothing.name) == len(nothing.age_s) == len(nothing.also) == 0


few = st.tuples(
    st.sampled_from([CLIENT, OTHER]),
    st.sampled_from(["a.example", "b.example", "c.example"]),
    st.sampled_from([CDN, "192.0.2.81", "2001:db8::80"]),
    st.integers(0, 200_000),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(few, max_size=6), few)
def test_it_is_what_a_search_through_all_answers_finds(answers, flow):
    client, _, server, start = flow
    latest = {}
    for who, name, address, second in answers:
        if (who, address) == (client, server) and second <= start <= second + 24 * HOUR:
            latest[name] = max(second, latest.get(name, 0))
    name, age, also = inferred(taught(*answers), client, server, start)
    told = [] if name is None else [name, *(also or [])]
    assert sorted(told) == sorted(latest)
    assert [latest[n] for n in told] == sorted(latest.values(), reverse=True)
    assert age == (start - latest[name] if told else None)
