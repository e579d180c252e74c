"""TLS and DTLS ClientHellos to columns (RFC 8446 section 4.1.2, RFC 6066 section 3, RFC 7301)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netaudit.kernels.status import Status
from netaudit.kernels.window import Bools, Ints, Octets, Window

MAX_EXTENSIONS = 256
"""Of one hello; no type may come twice, and fewer than a hundred are assigned."""

SERVER_NAME, ALPN, SUPPORTED_VERSIONS, ENCRYPTED_HELLO = 0, 16, 43, 0xFE0D


class Hellos(NamedTuple):
    """One row a hello. A part that is absent has length 0."""

    status: Octets
    """TRUNCATED rows keep what stood before the cut."""
    version: Ints
    """The hello's own (legacy) version."""
    sni_at: Ints
    sni_length: Ints
    alpn_at: Ints
    """The list of length-prefixed protocol names."""
    alpn_length: Ints
    versions_at: Ints
    """The supported_versions, two octets each."""
    versions_length: Ints
    ech: Bools
    """Whether an encrypted hello, or grease that looks like one, is there."""


def is_hello(window: Window, at: Ints, length: Ints) -> Bools:
    """Whether a TLS record that begins a ClientHello stands at each offset."""
    found = np.zeros(len(at), np.bool_)
    rows = np.flatnonzero(length >= 6)
    rows = rows[window.octets[at[rows]] == 0x16]  # RFC 8446 section 5.1: handshake
    version = window.u16(at[rows] + 1)
    is_client_hello = window.u8(at[rows] + 5) == 1
    found[rows] = (version >= 0x0300) & (version <= 0x0304) & is_client_hello
    return found


def is_dtls_hello(window: Window, at: Ints, length: Ints) -> Bools:
    """Whether a DTLS record with a whole ClientHello stands at each offset (RFC 6347 section 4)."""
    found = np.zeros(len(at), np.bool_)
    rows = np.flatnonzero(length >= 25)
    rows = rows[window.u8(at[rows]) == 0x16]
    here = at[rows]
    version = window.u16(here + 1)
    is_version = (version == 0xFEFF) | (version == 0xFEFD) | (version == 0x0100)
    is_whole = window.u16(here + 15) == window.u16(here + 23)  # this fragment is all of it
    found[rows] = is_version & (window.u8(here + 13) == 1) & is_whole
    return found


def read_hellos(window: Window, at: Ints, length: Ints, *, dtls: bool = False) -> Hellos:
    """Read hellos from their handshake type octet on, record headers already taken out.

    Args:
        window: The octets.
        at: Where each handshake message begins.
        length: Octets that are there.
        dtls: Whether the longer DTLS handshake header and the cookie are there.
    """
    count = len(at)
    status = np.full(count, Status.TRUNCATED, np.uint8)
    head = 12 if dtls else 4
    version = np.zeros(count, np.int64)
    parts = np.zeros((6, count), np.int64)
    ech = np.zeros(count, np.bool_)
    result = Hellos._make((status, version, *parts, ech))
    rows = np.flatnonzero(length >= head + 35)
    limit = at + length
    limit[rows] = np.minimum(limit[rows], at[rows] + head + _u24(window, at[rows] + 1))
    rows = rows[limit[rows] >= at[rows] + head + 35]
    version[rows] = window.u16(at[rows] + head)
    here = at + head + 34
    rows = _skip_vector(window, rows, here, limit, 1)  # session id
    if dtls:
        rows = _skip_vector(window, rows, here, limit, 1)  # cookie
    rows = _skip_vector(window, rows, here, limit, 2)  # cipher suites
    rows = _skip_vector(window, rows, here, limit, 1)  # compression methods
    bare = here[rows] + 2 > limit[rows]
    status[rows[bare]] = Status.OK  # a hello without extensions
    rows = rows[~bare]
    stop = here[rows] + 2 + window.u16(here[rows])
    status[rows] = np.where(stop > limit[rows], Status.TRUNCATED, Status.OK)
    limit[rows] = np.minimum(limit[rows], stop)
    here[rows] += 2
    _read_extensions(window, rows, here, limit, result)
    return result


def _skip_vector(window: Window, rows: Ints, here: Ints, limit: Ints, width: int) -> Ints:
    """Step over a vector with a length of `width` octets; gives the rows where it is whole."""
    rows = rows[here[rows] + width <= limit[rows]]
    size = window.u8(here[rows]) if width == 1 else window.u16(here[rows])
    here[rows] += width + size
    return rows[here[rows] <= limit[rows]]


def _read_extensions(window: Window, rows: Ints, here: Ints, limit: Ints, out: Hellos) -> None:
    """All hellos together, one extension a round."""
    for _ in range(MAX_EXTENSIONS):
        rows = rows[here[rows] + 4 <= limit[rows]]
        if not rows.size:
            return
        at = here[rows]
        type_, size = window.u16(at), window.u16(at + 2)
        here[rows] = at + 4 + size
        whole = here[rows] <= limit[rows]
        out.status[rows[~whole]] = Status.TRUNCATED
        rows, type_, size, at = rows[whole], type_[whole], size[whole], at[whole] + 4
        named = type_ == SERVER_NAME
        _server_name(window, rows[named], at[named], size[named], out=out)
        # both are one list with a length of its own before it
        for wanted, width, where, length in (
            (ALPN, 2, out.alpn_at, out.alpn_length),
            (SUPPORTED_VERSIONS, 1, out.versions_at, out.versions_length),
        ):
            chosen = (type_ == wanted) & (size >= width)
            where[rows[chosen]] = at[chosen] + width
            length[rows[chosen]] = size[chosen] - width
        out.ech[rows[type_ == ENCRYPTED_HELLO]] = True
    out.status[rows] = Status.MALFORMED


def _server_name(window: Window, rows: Ints, at: Ints, size: Ints, *, out: Hellos) -> None:
    """The first entry of the list, where it is a host name (type 0)."""
    fits = size >= 5
    rows, at, size = rows[fits], at[fits], size[fits]
    length = window.u16(at + 3)
    sound = (window.u8(at + 2) == 0) & (length + 5 <= size)
    out.status[rows[~sound]] = Status.MALFORMED
    out.sni_at[rows[sound]] = at[sound] + 5
    out.sni_length[rows[sound]] = length[sound]


def _u24(window: Window, at: Ints) -> Ints:
    return (window.u8(at) << 16) | window.u16(at + 1)
