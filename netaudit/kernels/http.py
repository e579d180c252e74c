"""HTTP/1 request heads to columns (RFC 9112 sections 2 and 3): method, target, Host, version.

Payloads are cut into lines all at once; a request is a line that begins with a method and ends
with the version. Bodies and everything but these four is left alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netaudit.kernels.status import Status
from netaudit.kernels.window import Bools, Ints, Octets, Spans, Window, gather

METHODS = (
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH",
    b"PROPFIND", b"PROPPATCH", b"MKCOL", b"COPY", b"MOVE", b"LOCK", b"UNLOCK", b"SEARCH",
    b"REPORT", b"M-SEARCH", b"NOTIFY", b"SUBSCRIBE", b"UNSUBSCRIBE",
)  # fmt: skip
"""RFC 9110 section 9, WebDAV (RFC 4918), UPnP."""

MAX_HEAD = 65_536
_PAD = 16


def _heads() -> tuple[np.ndarray, np.ndarray]:
    """Each method with its space as the first eight octets, and a mask of those that count."""
    words = [(m + b" ")[:8] for m in METHODS]
    values = [int.from_bytes(w.ljust(8, b"\0"), "big") for w in words]
    masks = [int.from_bytes(b"\xff" * len(w) + b"\0" * (8 - len(w)), "big") for w in words]
    return np.array(values, np.uint64), np.array(masks, np.uint64)


_VALUES, _MASKS = _heads()
_INITIALS = np.zeros(256, np.bool_)
_INITIALS[[m[0] for m in METHODS]] = True


class Requests(NamedTuple):
    """One row a request; offsets are into `octets`. A part that is absent has length 0."""

    payload: Ints
    """Which of the payloads it is in."""
    status: Octets
    """TRUNCATED: the head does not end here and holds no Host yet."""
    octets: Octets
    begin: Ints
    """Where in its payload it begins."""
    method_at: Ints
    method_length: Ints
    target_at: Ints
    target_length: Ints
    host_at: Ints
    host_length: Ints
    version_at: Ints
    """Of the three octets after ``HTTP/``."""

    def take(self, rows: np.ndarray) -> Requests:
        """Some rows."""
        columns = {name: getattr(self, name)[rows] for name in self._fields if name != "octets"}
        return Requests(octets=self.octets, **columns)


def is_request(window: Window, at: Ints, length: Ints) -> Bools:
    """Whether each payload begins with a method and a space."""
    found = np.zeros(len(at), np.bool_)
    rows = np.flatnonzero(length >= 8)
    rows = rows[_INITIALS[window.octets[at[rows]]]]
    found[rows] = _begins_with_method(window.sliding(">u8")[at[rows]])
    return found


def _begins_with_method(first: np.ndarray) -> Bools:
    result: Bools = ((first[:, None].astype(np.uint64) & _MASKS) == _VALUES).any(axis=1)
    return result


def read_requests(window: Window, at: Ints, length: Ints) -> Requests:
    """Read all requests of payloads that begin with one.

    A later request in the same payload counts only while those before it were GET or HEAD, which
    have no body: what a body quotes is no request.
    """
    spans = gather(window, at, np.minimum(length, MAX_HEAD))
    text = Window(spans.octets.tobytes() + b"\0" * _PAD)
    lines = _split_lines(spans)
    first = text.sliding(">u8")[lines.at].astype(np.uint64)
    is_blank = lines.whole & (lines.length == 0)
    follows_blank = np.append(True, is_blank[:-1])[: len(lines.at)] | lines.is_first
    asks = np.flatnonzero(follows_blank & (lines.length >= 5) & _begins_with_method(first))
    asks = asks[lines.is_first[asks] | _well_ended(text, lines, asks)]
    asks = asks[_after_bodyless(lines.payload[asks], text, lines.at[asks])]
    hosts = np.flatnonzero(_is_host(first) & (lines.length >= 5) & lines.whole)
    return _requests(text, lines, asks, hosts, np.flatnonzero(is_blank), starts=spans.offsets)


class _Lines(NamedTuple):
    payload: Ints
    at: Ints
    length: Ints
    whole: Bools
    """Whether its end was seen."""
    is_first: Bools


def _split_lines(spans: Spans) -> _Lines:
    """Lines of all payloads; what is behind the last line end is a line that is not whole."""
    starts, stops = spans.offsets[:-1], spans.offsets[1:]
    ends = np.flatnonzero(spans.octets == 0x0A)
    at = np.concatenate((starts, ends + 1))
    # a line ends at the first line feed from its beginning on, or where its payload does
    at = np.unique(at[at < len(spans.octets)])
    payload = np.searchsorted(stops, at, side="right")
    index = np.searchsorted(ends, at)
    feed = np.append(ends, len(spans.octets))[index]
    whole = feed < stops[payload]
    stop = np.where(whole, feed, stops[payload])
    has_return = (stop > at) & (spans.octets[np.maximum(stop - 1, 0)] == 0x0D)
    return _Lines(payload, at, stop - has_return - at, whole, np.isin(at, starts))


def _well_ended(text: Window, lines: _Lines, index: Ints) -> Bools:
    """Whether lines end with ``HTTP/d.d``."""
    stop = lines.at[index] + lines.length[index]
    long_enough = lines.whole[index] & (lines.length[index] >= 14)
    at = np.where(long_enough, stop - 8, 0)
    protocol = text.u32(at) == int.from_bytes(b"HTTP", "big")
    result: Bools = long_enough & protocol & (text.u8(at + 4) == 0x2F)
    return result


def _is_host(first: np.ndarray) -> Bools:
    """Whether a line's first eight octets begin with ``Host:`` in any case."""
    folded = (first >> np.uint64(24)) | np.uint64(0x2020202000)
    result: Bools = folded == np.uint64(int.from_bytes(b"host:", "big"))
    return result


def _after_bodyless(payload: Ints, text: Window, at: Ints) -> Bools:
    """Whether all requests before it in its payload were GET or HEAD."""
    begin = text.u32(at)
    has_body = (begin != int.from_bytes(b"GET ", "big")) & (begin != int.from_bytes(b"HEAD", "big"))
    before = np.cumsum(has_body) - has_body
    first = np.searchsorted(payload, payload)
    result: Bools = before == before[first] if len(payload) else has_body
    return result


def _requests(
    text: Window, lines: _Lines, asks: Ints, hosts: Ints, blanks: Ints, *, starts: Ints
) -> Requests:
    """Put each request line together with the Host line of its own head."""
    total = len(lines.at)
    payload = lines.payload[asks]
    last = np.searchsorted(lines.payload, payload, side="right")  # behind the payload's lines
    blank = np.append(blanks, total)[np.searchsorted(blanks, asks)]
    host = np.append(hosts, total)[np.searchsorted(hosts, asks)]
    head_end = np.minimum(blank, last)
    has_host = host < head_end
    ended = _well_ended(text, lines, asks)
    complete = ended & (has_host | (blank < last))
    status = np.where(complete, Status.OK, Status.TRUNCATED)
    status[lines.whole[asks] & ~ended] = Status.MALFORMED
    at, length = lines.at[asks], lines.length[asks]
    method_length = _method_lengths(text, at)
    target_at = at + method_length + 1
    chosen = np.where(has_host, host, 0)
    nothing = np.zeros(len(asks), np.int64)
    return Requests(
        payload,
        status.astype(np.uint8),
        text.octets,
        at - starts[payload],
        at,
        method_length,
        target_at,
        np.maximum(at + length - 9 - target_at, 0),
        np.where(has_host, lines.at[chosen] + 5, nothing) if total else nothing,
        np.where(has_host, lines.length[chosen] - 5, nothing) if total else nothing,
        np.where(ended, at + length - 3, 0),
    )


def _method_lengths(text: Window, at: Ints) -> Ints:
    """Octets before the first space (UNSUBSCRIBE, the longest, has eleven)."""
    result: Ints = np.argmax(text.rows(at, _PAD - 4) == 0x20, axis=1).astype(np.int64)
    return result
