"""String and bool columns as NumPy takes them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def text_bytes(strings: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """A string column as the kernels take it: bytes (uint8) and offsets (int64).

    Nulls are empty strings.
    """
    large = pc.fill_null(strings, "").cast(pa.large_string())
    _, offsets, data = large.buffers()
    if offsets is None or not len(large):
        return np.empty(0, np.uint8), np.zeros(len(large) + 1, np.int64)
    octets = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return octets, np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]


def as_mask(values: pa.Array) -> np.ndarray:
    """A bool column; null is False."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), bool)
