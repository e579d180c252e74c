"""Names out of real captures against tshark's tables: floors that hold now and must go on holding."""

from __future__ import annotations

import re

import pytest

FLOORS = {"dns": 0.98, "tls": 0.98, "http": 0.93}
MOST_MORE = {"dns": 150, "tls": 10, "http": 10}
"""Names that the tables do not have; many are right, but they must not grow unseen."""


@pytest.mark.slow
def test_recall_of_names(compare):
    said = compare("conformance")
    shares = {
        kind: (int(hit) / int(wanted), int(more))
        for kind, hit, wanted, more in re.findall(r"(\w+) (\d+)/(\d+) \([\d.]+, (\d+) more\)", said)
    }
    for kind, floor in FLOORS.items():
        assert shares[kind][0] >= floor, said
        assert shares[kind][1] <= MOST_MORE[kind], said
    assert "TRACEBACK" not in said
