"""DNS messages to columns (RFC 1035 section 4): names, questions, answer records.

All messages advance together, one label, question or record a step. Every step takes at least one
octet of the message or a pointer that goes strictly backwards, so every loop ends.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netaudit.kernels.status import Status
from netaudit.kernels.window import Ints, Octets, Spans, Window, join

HEADER = 12
MAX_STEPS = 255
"""127 labels, and a pointer before each (RFC 1035 section 2.3.4)."""
MAX_OCTETS = 255
MAX_QUESTIONS = 256
"""Of one message: a multicast sender's datagram holds some dozens, all others one."""

_SPECIAL = b'."();@$\\'


def _presentation(*, fold: bool) -> tuple[Octets, Octets]:
    """Of each octet: its text of up to four octets, and how many they are (RFC 4343 section 2.1)."""
    text = np.zeros((256, 4), np.uint8)
    width = np.zeros(256, np.uint8)
    for octet in range(256):
        char = bytes([octet])
        if char in _SPECIAL:
            word = b"\\" + char
        elif 0x21 <= octet <= 0x7E:
            word = char.lower() if fold else char
        else:
            word = b"\\%03d" % octet
        text[octet, : len(word)] = np.frombuffer(word, np.uint8)
        width[octet] = len(word)
    return text, width


_TEXT = {fold: _presentation(fold=fold) for fold in (False, True)}


class Names(NamedTuple):
    """One row a name."""

    status: Octets
    after: Ints
    """Offset behind the name where it stands (behind its first pointer)."""
    text: Spans
    """Presentation form, ASCII; ``.`` for the root, empty where the name is not OK."""


def read_names(
    window: Window, at: Ints, start: Ints, end: Ints, *, fold: bool, final_dot: bool = False
) -> Names:
    """Read one name a row.

    Args:
        window: The octets.
        at: Where each name begins.
        start: Where its message begins; pointers count from there.
        end: Where its message ends.
        fold: Whether to lower the case.
        final_dot: Whether to write the root's dot, as dnspython does in record data.
    """
    status, after, label_row, label_at, label_size = _walk_labels(window, at, start, end)
    good = status == Status.OK
    keep = good[label_row]
    label_row, label_at, label_size = label_row[keep], label_at[keep], label_size[keep]
    root = good & (np.bincount(label_row, minlength=len(at)) == 0)
    label_row = np.concatenate((label_row, np.flatnonzero(root)))
    label_at = np.concatenate((label_at, at[root]))
    label_size = np.concatenate((label_size, np.zeros(int(root.sum()), np.int64)))
    order = np.argsort(label_row, kind="stable")
    text = _spell(
        window,
        label_row[order],
        label_at[order],
        label_size[order],
        len(at),
        fold=fold,
        final_dot=final_dot,
    )
    return Names(status, after, text)


def _walk_labels(window: Window, at: Ints, start: Ints, end: Ints) -> tuple[Octets, Ints, Ints, Ints, Ints]:
    """Status, end, and every label (row, offset, size), in order within each row."""
    count = len(at)
    status = np.full(count, Status.MALFORMED, np.uint8)
    after = np.full(count, -1, np.int64)
    rows, here, lowest, total = np.arange(count), at.copy(), at.copy(), np.ones(count, np.int64)
    labels: list[tuple[Ints, Ints, Ints]] = []
    for _ in range(MAX_STEPS):
        inside = here < end[rows]
        if not inside.all():
            status[rows[~inside]] = Status.TRUNCATED
            rows, here, lowest, total = (c[inside] for c in (rows, here, lowest, total))
        if not rows.size:
            break
        octet = window.u8(here)
        is_end, is_label, is_pointer = octet == 0, (octet > 0) & (octet < 0x40), octet >= 0xC0
        ended = rows[is_end]
        status[ended] = Status.OK
        after[ended] = np.where(after[ended] < 0, here[is_end] + 1, after[ended])
        total = total + np.where(is_label, octet + 1, 0)
        is_label &= total <= MAX_OCTETS
        labels.append((rows[is_label], here[is_label] + 1, octet[is_label]))
        here = here + np.where(is_label, octet + 1, 0)
        # RFC 1035 section 4.1.4; only backwards, and never into the message's header
        is_pointer &= here + 1 < end[rows]
        jumping = rows[is_pointer]
        target = start[jumping] + (window.u16(here[is_pointer]) & 0x3FFF)
        backwards = (target < lowest[is_pointer]) & (target >= start[jumping] + HEADER)
        first = after[jumping] < 0
        after[jumping] = np.where(first, here[is_pointer] + 2, after[jumping])
        here[is_pointer] = target
        lowest[is_pointer] = target
        going = is_label
        going[is_pointer] = backwards
        rows, here, lowest, total = (c[going] for c in (rows, here, lowest, total))
    if not labels:
        labels.append((rows, rows, rows))
    row, where, size = (np.concatenate(c) for c in zip(*labels, strict=True))
    return status, after, row, where, size


def _spell(
    window: Window, row: Ints, at: Ints, size: Ints, count: int, *, fold: bool, final_dot: bool
) -> Spans:
    """Labels, in order, as text: a dot behind each, and none behind the last but of the root."""
    written = size + 1
    if not final_dot:
        is_last = np.append(row[1:] != row[:-1], True)[: len(row)]
        written -= is_last & (size > 0)
    begins = np.cumsum(written) - written
    run = np.arange(int(written.sum()))
    within = run - np.repeat(begins, written)
    is_dot = within == np.repeat(size, written)
    source = np.minimum(within + np.repeat(at, written), max(len(window.octets) - 1, 0))
    octets = window.octets[source]
    spelling, width = _TEXT[fold]
    widths = width[octets].astype(np.int64)
    widths[is_dot] = 1
    sizes = np.bincount(np.repeat(row, written), weights=widths, minlength=count).astype(np.int64)
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    if (widths == 1).all():
        text = spelling[octets, 0]
        text[is_dot] = ord(".")
        return Spans(text, offsets)
    spelled = spelling[octets]
    spelled[is_dot, 0] = ord(".")
    return Spans(spelled[np.arange(4) < widths[:, None]], offsets)


class Messages(NamedTuple):
    """One row a message."""

    status: Octets
    id: Ints
    flags: Ints
    questions: Ints
    answers: Ints


def read_messages(window: Window, at: Ints, length: Ints) -> Messages:
    """Read the headers (RFC 1035 section 4.1.1)."""
    count = len(at)
    status = np.full(count, Status.TRUNCATED, np.uint8)
    fields = np.zeros((4, count), np.int64)
    rows = np.flatnonzero(length >= HEADER)
    status[rows] = Status.OK
    for field in range(4):
        fields[field, rows] = window.u16(at[rows] + 2 * field)
    return Messages(status, *fields)


class Questions(NamedTuple):
    """One row a question: which message asks what."""

    message: Ints
    name: Names
    qtype: Ints
    qclass: Ints
    status: Octets
    """Of each message: OK, or why its questions could not be read."""
    after: Ints
    """Of each message: offset behind its questions."""


def read_questions(window: Window, at: Ints, length: Ints, count: Ints) -> Questions:
    """Read the question sections (RFC 1035 section 4.1.2).

    A message whose n-th question cannot be read keeps those before it and says so in `status`.
    """
    here, end = at + HEADER, at + length
    status = np.full(len(at), Status.OK, np.uint8)
    found: list[tuple[Ints, Ints, Ints]] = []
    names: list[Names] = []
    rows = np.flatnonzero(count > 0)
    asked = 0
    while rows.size and asked < MAX_QUESTIONS:
        name = read_names(window, here[rows], at[rows], end[rows], fold=True)
        name_status = np.where(
            (name.status == Status.OK) & (name.after + 4 > end[rows]), Status.TRUNCATED, name.status
        )
        good = name_status == Status.OK
        status[rows[~good]] = name_status[~good]
        name = _only(name, good)
        rows = rows[good]
        found.append((rows, window.u16(name.after), window.u16(name.after + 2)))
        names.append(name)
        here[rows] = name.after + 4
        asked += 1
        rows = rows[count[rows] > asked]
    status[rows] = Status.MALFORMED
    nothing = np.zeros(0, np.int64)
    message, qtype, qclass = (np.concatenate(c) for c in zip((nothing,) * 3, *found, strict=True))
    name = Names(
        np.concatenate([np.zeros(0, np.uint8), *(n.status for n in names)]),
        np.concatenate([nothing, *(n.after for n in names)]),
        join([n.text for n in names]),
    )
    return Questions(message, name, qtype, qclass, status, here)


def _only(names: Names, keep: np.ndarray) -> Names:
    """Some of the rows."""
    if keep.all():
        return names
    sizes = np.diff(names.text.offsets)
    octets = names.text.octets[np.repeat(keep, sizes)]
    offsets = np.concatenate(([0], np.cumsum(sizes[keep])))
    return Names(names.status[keep], names.after[keep], Spans(octets, offsets))


class Records(NamedTuple):
    """One row a resource record of the answer sections, in order within each message."""

    message: Ints
    type: Ints
    class_: Ints
    at: Ints
    """Where its data begins."""
    length: Ints
    status: Octets
    """Of each message: OK, or why not all of its answers could be read."""


def read_records(window: Window, here: Ints, end: Ints, count: Ints) -> Records:
    """Read `count` records a message (RFC 1035 section 4.1.3), from `here` on."""
    here = here.copy()
    status = np.full(len(here), Status.OK, np.uint8)
    found: list[tuple[Ints, ...]] = []
    rows = np.flatnonzero(count > 0)
    done = 0
    while rows.size:
        at = _behind_name(window, here[rows], end[rows])
        whole = (at >= 0) & (at + 10 <= end[rows])
        status[rows[~whole]] = Status.TRUNCATED
        rows, at = rows[whole], at[whole]
        size = window.u16(at + 8)
        whole = at + 10 + size <= end[rows]
        status[rows[~whole]] = Status.TRUNCATED
        rows, at, size = rows[whole], at[whole], size[whole]
        found.append((rows, window.u16(at), window.u16(at + 2), at + 10, size))
        here[rows] = at + 10 + size
        done += 1
        rows = rows[count[rows] > done]
    nothing = np.zeros(0, np.int64)
    columns = [np.concatenate(c) for c in zip((nothing,) * 5, *found, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Records._make((*(c[order] for c in columns), status))


def _behind_name(window: Window, here: Ints, end: Ints) -> Ints:
    """Offset behind each name without reading it, -1 where it does not end."""
    after = np.full(len(here), -1, np.int64)
    rows = np.arange(len(here))
    here = here.copy()
    for _ in range(MAX_STEPS):
        inside = here < end[rows]
        rows, here = rows[inside], here[inside]
        if not rows.size:
            break
        octet = window.u8(here)
        after[rows[octet == 0]] = here[octet == 0] + 1
        after[rows[octet >= 0xC0]] = here[octet >= 0xC0] + 2
        going = (octet > 0) & (octet < 0x40)
        rows, here = rows[going], here[going] + octet[going] + 1
    return after
