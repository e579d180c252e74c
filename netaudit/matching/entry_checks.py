"""Which entries of a list are left out when it has been read: repeated, or dangerous.

Each check takes the columns of one kind of entry (names have ``scope``, networks have ``prefix``)
and says which of them to drop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.lookup import Hasher, equal_bytes, repeats
from netaudit.matching import guards
from netaudit.matching.columns import text_bytes

MAX_PATTERNS = 5000
"""Masks and regular expressions of one list; each costs a pass over all names."""

Block = dict[str, Any]


def is_repeated(block: Block) -> np.ndarray:
    """Which entries repeat an earlier one in all that decides a match."""
    tags = (
        block["condition"].astype(np.uint64) << np.uint64(32)
        | block["rank"].astype(np.uint64) << np.uint64(16)
        | block["allow"].astype(np.uint64) << np.uint64(8)
    )
    if "scope" in block:
        tags |= block["scope"].astype(np.uint64)
    hasher = Hasher(0)
    if "prefix" in block:
        high, low, prefix = block["high"], block["low"], block["prefix"]
        hashes = hasher.networks(high, low ^ tags, prefix)
        earlier, later = repeats(hashes)
        same = (
            (high[earlier] == high[later])
            & (low[earlier] == low[later])
            & (prefix[earlier] == prefix[later])
        )
    else:
        data, offsets = text_bytes(block["text"])
        lengths = np.diff(offsets)
        earlier, later = repeats(hasher.strings(data, offsets) ^ hasher.words(tags))
        alike = lengths[earlier] == lengths[later]
        earlier, later = earlier[alike], later[alike]
        same = equal_bytes(data, offsets[earlier], data, offsets[later], lengths[later])
    same &= tags[earlier] == tags[later]
    out = np.zeros(len(tags), bool)
    out[later[same]] = True
    return out


def is_public_suffix(block: Block) -> np.ndarray:
    """Which names cover a public suffix."""
    if "scope" in block:
        return guards.public_suffixes(block["text"], block["scope"])
    return np.zeros(len(block["line"]), bool)


def is_too_wide(block: Block) -> np.ndarray:
    """Which networks and patterns cover a great part of what there is."""
    if "prefix" in block:
        return guards.wide_networks(block["high"], block["low"], block["prefix"])
    if "scope" not in block:
        return np.array([guards.catches_all(e) for e in block["text"].to_pylist()], bool)
    return np.zeros(len(block["line"]), bool)


def is_too_many(block: Block) -> np.ndarray:
    """Which patterns are beyond `MAX_PATTERNS`."""
    is_pattern = "scope" not in block and "prefix" not in block
    return np.arange(len(block["line"])) >= (MAX_PATTERNS if is_pattern else len(block["line"]))
