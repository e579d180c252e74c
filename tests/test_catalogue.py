"""The committed catalogues say everything that the code says."""

from __future__ import annotations

from netaudit.i18n.catalogue import stale


def test_catalogues_are_whole_and_fresh():
    assert stale() == []
