"""The draw against the published test vector, and its promises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.errors import InputError, UsageError
from netaudit.inspection.draw import commit, draw, to_record, verify

POPULATION = [f"办公室-{n:02d}" for n in range(1, 7)] + [f"服务大厅-{n:02d}" for n in range(1, 5)]
REVEALED = "办公室=00112233445566778899aabbccddeeff|纪检=ffeeddccbbaa99887766554433221100"


def committed(ids=POPULATION):
    return commit(ids, label="2026-03-R1", n=3, entropy="nonce:办公室+nonce:纪检")


def test_published_vector():
    commitment = committed()
    assert (
        commitment.population_sha256 == "4151c38221a783a4748ba19c7a57ff6fccf5cb31e00e445ed2d5af873f62eac0"
    )
    assert commitment.hash == "7dc88b496d8b553df9c50359ef4369c5496df9193b994db3f454e714810848f7"
    result = draw(POPULATION, commitment, REVEALED)
    assert result.seed == "9906071bea3eb7bf625e3f0da898924b8596b8d827e2e98248251232e112c580"
    assert result.drawn == ("服务大厅-04", "办公室-05", "办公室-06")


def test_order_and_blanks_of_the_file_do_not_matter():
    shuffled = [f"  {i} " for i in reversed(POPULATION)] + ["", POPULATION[0]]
    assert committed(shuffled) == committed()


def test_a_record_verifies_and_a_changed_one_does_not():
    record = to_record(draw(POPULATION, committed(), REVEALED))
    assert verify(record)[1] == []
    changed = json.loads(record)
    changed["drawn"][0] = "办公室-01"
    assert verify(json.dumps(changed))[1] == ["drawn"]


def test_another_population_is_refused():
    with pytest.raises(InputError, match="not the one"):
        draw([*POPULATION, "门卫-01"], committed(), REVEALED)


@pytest.mark.parametrize("n", [0, -1, 11])
def test_impossible_sizes(n):
    with pytest.raises(UsageError):
        commit(POPULATION, label="x", n=n, entropy="dice")


@settings(max_examples=30)
@given(
    st.sets(st.text(min_size=1, max_size=8).filter(str.strip), min_size=1, max_size=20),
    st.text(max_size=20),
)
def test_everyone_is_ranked_once(ids, revealed):
    result = draw(sorted(ids), commit(sorted(ids), label="p", n=1, entropy="dice"), revealed)
    assert sorted(result.ranking) == sorted(result.population)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"commitment": {"x": 1}}'])
def test_no_record(text):
    with pytest.raises(InputError):
        verify(text)
