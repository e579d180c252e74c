"""What expressions find in lines."""

from __future__ import annotations

import pyarrow as pa

from netaudit.intake.log_format import extract, said, share


def test_the_first_place_counts():
    lines = pa.array(["user=lisi url=/?user=wangwu", "user= x", "nobody", None])
    assert said(lines, r"\buser=(?P<who>\S*)").to_pylist() == ["lisi", None, None, None]


def test_groups_of_the_lines_that_fit():
    index, found = extract(pa.array(["a 1", "b", "a "]), r"^a (?P<number>\d*)$")
    assert index.tolist() == [0, 2]
    assert found["number"].to_pylist() == ["1", None]


def test_empty_lines_do_not_count_for_a_share():
    assert share(["x", "", " ", "y"], lambda line: line == "x") == 0.5
    assert share([], bool) == 0.0
