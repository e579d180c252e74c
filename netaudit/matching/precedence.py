"""Which hits are silenced, and by which exception.

An exception silences what its own list holds on the same value with a lower rank, and so on every
value of an event whose asked name it covers (a CNAME target is a finding on the asked name). An
exception on an allow-list of the office silences all lists alike.
"""

from __future__ import annotations

import numpy as np

NONE = -1


def silencers(
    row: np.ndarray,
    value: np.ndarray,
    asked: np.ndarray,
    source: np.ndarray,
    rank: np.ndarray,
    allow: np.ndarray,
    local: np.ndarray,
) -> np.ndarray:
    """For each hit the index of the exception that silences it, or `NONE`.

    Args:
        row: int64, the event.
        value: int64, one number for each distinct value within an event.
        asked: bool, whether the value is the name that the event asked for.
        source: int64, the list.
        rank: int64, `Rules.rank`.
        allow: bool, whether it is an exception.
        local: bool, whether its list is an allow-list of the office.
    """
    by = np.full(len(row), NONE, np.int64)
    exceptions = np.flatnonzero(allow)
    if not exceptions.size:
        return by
    lists = int(source.max()) + 2
    values = int(value.max()) + 2
    # Keys: the value itself; all of the event where the asked name is covered.
    narrow = row * values + value
    whole = row * values + (values - 1)
    everywhere = np.full(len(row), lists - 1)
    for chosen, key in ((exceptions, narrow), (exceptions[asked[exceptions]], whole)):
        own = chosen[~local[chosen]]
        _settle(by, own, key * lists + source, rank)
        office = chosen[local[chosen]]
        _settle(by, office, key * lists + everywhere, np.where(allow & local, 1, 0))
    by[exceptions] = NONE
    return by


def _settle(by: np.ndarray, chosen: np.ndarray, key: np.ndarray, rank: np.ndarray) -> None:
    """Write into `by` the best of the `chosen` exceptions with the same key and a higher rank."""
    if not chosen.size:
        return
    order = np.lexsort((-chosen, rank[chosen], key[chosen]))
    ordered = chosen[order]
    last = np.flatnonzero(np.diff(key[ordered], append=key[ordered][-1] + 1))
    best = ordered[last]
    place = np.minimum(np.searchsorted(key[best], key), len(best) - 1)
    winner = best[place]
    silent = (key[winner] == key) & (rank[winner] > rank) & (by == NONE)
    by[silent] = winner[silent]
