"""Values that belong to rows: several answers to one question, several questions in one message."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.sources.formats._values import mask


def first_of(count: int, owner: np.ndarray, value: pa.Array) -> pa.Array:
    """The first value of each owner.

    Args:
        count: Number of owners, 0 to `count` - 1.
        owner: Of each value.
        value: Nulls are passed over.

    Returns:
        `count` values; null where an owner has none.
    """
    have = np.flatnonzero(mask(pc.is_valid(value)))
    owners, at = np.unique(owner[have], return_index=True)
    index = np.full(count, -1)
    index[owners] = have[at]
    return value.take(pa.array(index, mask=index < 0))


def lists_of(count: int, owner: np.ndarray, value: pa.Array) -> pa.Array:
    """The values of each owner as `count` lists, in their order; null where an owner has none."""
    have = mask(pc.is_valid(value))
    owner, value = owner[have], value.filter(pa.array(have))
    order = np.argsort(owner, kind="stable")
    sizes = np.bincount(owner, minlength=count)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), value.take(pa.array(order)))
    return pc.if_else(pa.array(sizes > 0), lists, pa.scalar(None, lists.type))


def members(lists: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """The owner of each member of some lists, and the members."""
    return pc.list_parent_indices(lists).to_numpy(zero_copy_only=False), pc.list_flatten(lists)


def latest_before(
    asked: pa.Array, asked_at: np.ndarray, told: pa.Array, told_at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each thing told, what was asked last before it under the same key.

    Args:
        asked: Key of each question; null is nobody's.
        asked_at: Line of each.
        told: Key of each reply.
        told_at: Line of each.

    Returns:
        Indices of questions and of their replies, in the order of the replies' lines.
    """
    coded = pa.concat_arrays([asked, told]).dictionary_encode()
    key = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    line = np.concatenate((asked_at, told_at))
    order = np.lexsort((line, key))
    is_question = order < len(asked)
    last = np.maximum.accumulate(np.where(is_question, np.arange(len(order)), -1))
    fits = ~is_question & (last >= 0) & (key[order] >= 0) & (key[order] == key[order[last]])
    question, reply = order[last[fits]], order[fits] - len(asked)
    by_line = np.argsort(told_at[reply], kind="stable")
    return question[by_line], reply[by_line]
