"""Flows that were seen to begin, remembered until they end: for logs whose end says less than their beginning.

An ASA's teardown does not say which end is inside. A connection-tracking end has the flow's begin,
which matters only where the log does not have it. Numbers of flows wrap and come again, so the key
is all that both records have in common.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST = 1 << 18
"""Flows that are remembered; of more, those that began last."""

_LONGEST = 400
"""Characters of a key."""


class OpenFlows:
    """The open flows of one file."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._keys = pa.array([], pa.string())
        self._note = np.zeros(0, bool)

    def recall(
        self, keys: pa.StringArray, begins: np.ndarray, note: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """For each record in order: whether its flow was seen to begin, and what was noted then.

        Args:
            keys: What a flow is known by.
            begins: Records that begin one; the others end it.
            note: For those that begin one: a mark to remember.
        """
        held = len(self._keys)
        everything = pa.concat_arrays([self._keys, keys.cast(pa.string())])
        code = everything.dictionary_encode().indices.to_numpy()
        starts = np.concatenate((np.ones(held, bool), begins))
        noted = np.concatenate((self._note, note))
        order = np.argsort(code, kind="stable")
        same = np.append([False], np.diff(code[order]) == 0)[: len(order)]
        before = np.append([0], order[:-1])[: len(order)]
        found, answer = starts.copy(), noted & starts
        after_start = order[same & starts[before] & ~starts[order]]
        found[after_start] = True
        answer[after_start] = noted[before[same & starts[before] & ~starts[order]]]
        last = np.append(~same[1:], [True])[: len(order)]
        still = np.sort(order[last & starts[order]])[-MOST:]
        self._keys, self._note = everything.take(pa.array(still)), noted[still]
        return found[held:], answer[held:]


def keys_of(*parts: pa.Array) -> pa.StringArray:
    """One key of several columns; absent parts count as empty, and no key is long."""
    whole = pc.binary_join_element_wise(*[pc.fill_null(part, "") for part in parts], "|")
    return pc.utf8_slice_codeunits(whole, 0, _LONGEST)
