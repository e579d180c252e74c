"""A piece of a file as arrays: gathers of octets and big-endian integers at any offsets.

Callers guarantee that ``at + width <= len(data)``; every kernel masks its rows before it reads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Window:
    """Bytes that are read at many offsets at once."""

    __slots__ = ("data", "octets")

    def __init__(self, data: bytes) -> None:
        """Look at `data`; nothing is copied."""
        self.data = data
        self.octets: Octets = np.frombuffer(data, np.uint8)

    def u8(self, at: Ints) -> Ints:
        """The octets at `at`."""
        return self.octets[at].astype(np.int64)

    def u16(self, at: Ints, order: str = ">") -> Ints:
        """16-bit integers at `at`, network order unless said otherwise."""
        return self._gather(at, order + "u2")

    def u32(self, at: Ints, order: str = ">") -> Ints:
        """32-bit integers at `at`."""
        return self._gather(at, order + "u4")

    def rows(self, at: Ints, width: int) -> Octets:
        """``(len(at), width)`` octets."""
        return self._every(np.dtype((np.void, width)))[at].view(np.uint8).reshape(-1, width)

    def sliding(self, dtype: str) -> npt.NDArray[Any]:
        """The integer that begins at each octet, without a copy."""
        return self._every(np.dtype(dtype))

    def _gather(self, at: Ints, dtype: str) -> Ints:
        return self._every(np.dtype(dtype))[at].astype(np.int64)

    def _every(self, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        # one element begins at each octet: a strided view, bounds-checked by its length
        count = max(len(self.data) - dtype.itemsize + 1, 0)
        if not count:
            return np.empty(0, dtype)
        return np.ndarray((count,), dtype, self.data, 0, (1,))


class Spans(NamedTuple):
    """Pieces of different length, one after another (as Arrow holds strings)."""

    octets: Octets
    offsets: Ints
    """``len + 1`` positions in `octets`."""


def gather(window: Window, at: Ints, length: Ints) -> Spans:
    """Copy ``window[at : at + length]`` of every row into one run."""
    offsets = np.concatenate(([0], np.cumsum(length)))
    # octet k of the run comes from k - (where its row begins there) + (where it begins here)
    source = np.arange(offsets[-1]) + np.repeat(at - offsets[:-1], length)
    return Spans(window.octets[source], offsets)


def join(parts: list[Spans]) -> Spans:
    """Several runs as one."""
    bases = np.cumsum([0, *(len(p.octets) for p in parts)])
    return Spans(
        np.concatenate([np.empty(0, np.uint8), *(p.octets for p in parts)]),
        np.concatenate(
            [np.zeros(1, np.int64), *(p.offsets[1:] + b for p, b in zip(parts, bases, strict=False))]
        ),
    )
