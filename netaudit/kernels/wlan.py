"""IEEE 802.11 management frames: what each says about a network, and which of them say something new.

A beacon comes ten times a second and says the same each time. So a frame is reduced to a key of
`KEY` octets, which holds everything that an event is made of, and a table of the keys seen lately
tells which frames are due.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netaudit.kernels.compiled import kernel
from netaudit.kernels.octets import Bytes, Ints, Octets, le16, u8, u32
from netaudit.kernels.packet import Rows

SUBTYPE, SECURITY, CHANNEL, SSID_LENGTH, BSSID, STATION, SSID, AUTH = 0, 1, 2, 3, 4, 10, 16, 48
"""Where a key holds what."""
KEY = 49
MAX_SSID = 32

ASSOCIATION, REASSOCIATION, PROBE_REQUEST, PROBE_RESPONSE, BEACON = 0, 2, 4, 5, 8
"""Subtypes that are read (IEEE 802.11 table 9-1)."""

PRIVACY, WPA, RSN, SAE, OWE, WAPI, CUT = 1, 2, 4, 8, 16, 32, 128
"""Bits of a key's security; `RSN` is of suites older than WPA3; `CUT` says that elements may be missing."""

PSK, DOT1X, KEY_SAE, KEY_OWE, CERTIFICATE = 1, 2, 4, 8, 16
"""Bits of a key's ways into the network (`AUTH`); `CERTIFICATE` is WAPI's."""

OK, OTHER, SHORT, ODD_NAME = 0, 1, 2, 3
"""How far a frame could be read: whole; of another subtype; it ends before its elements; its network
name is longer than a name can be, and left out."""

_HEADER, _FCS, _ORDER = 24, 4, 0x80
_SWAPPED = (0x20, 0x40, 0x50)
"""Frame controls that some access points write into CAPWAP with their octets swapped. Unswapped they
would be flags of an association request, which is never protected and never announces more data."""
_E_SSID, _E_CHANNEL, _E_RSN, _E_HT, _E_WAPI, _E_VENDOR = 0, 3, 48, 61, 68, 221
_MICROSOFT_WPA = 0x0050F201
_RSN_SUITES, _WPA_SUITES, _WAPI_SUITES = 0x000FAC00, 0x0050F200, 0x00147200


@kernel
def read_frames(data: Octets, rows: Rows, keys: Bytes, status: Bytes) -> None:
    """Fill `keys`, ``(n, KEY)`` zeros, and `status`, ``(n,)``, from `packet.MESSAGE` rows."""
    for i in range(len(rows)):
        end, key = rows[i].at + rows[i].length, keys[i]
        at = _read_header(data, rows[i].at, end, key)
        if at < 0:
            status[i] = -at
            continue
        status[i] = _read_elements(data, at, end, key)
        if key[SUBTYPE] == PROBE_REQUEST:  # a station that asks has no network yet
            key[CHANNEL] = 0
            key[SECURITY] &= CUT
            key[AUTH] = 0
        elif key[CHANNEL] == 0:
            key[CHANNEL] = rows[i].channel


@kernel
def _read_header(data: Octets, at: int, end: int, key: Bytes) -> int:
    """What comes before the elements (IEEE 802.11 section 9.3.3); where they begin, or less a status."""
    if end - at < _HEADER:
        return -SHORT
    control, flags = u8(data, at), u8(data, at + 1)
    if control == 0 and flags in _SWAPPED:
        control, flags = flags, control
    subtype = control >> 4
    fixed = _fixed_fields(subtype)
    if control & 0x0F or fixed < 0:
        return -OTHER
    body = at + _HEADER + (4 if flags & _ORDER else 0)  # HT Control follows the header
    if body + fixed > end:
        return -SHORT
    is_ap, asks = subtype in (BEACON, PROBE_RESPONSE), subtype == PROBE_REQUEST
    key[SUBTYPE] = subtype
    for i in range(6):
        key[BSSID + i] = 0 if asks else u8(data, at + 16 + i)
        key[STATION + i] = 0 if is_ap else u8(data, at + 10 + i)
    capabilities = u8(data, body + (10 if is_ap else 0))
    key[SECURITY] = 0 if asks else (capabilities >> 4) & PRIVACY
    return body + fixed


@kernel
def _fixed_fields(subtype: int) -> int:
    """Octets before the elements (IEEE 802.11 section 9.3.3), -1 for a subtype that is not read."""
    if subtype == ASSOCIATION:
        return 4
    if subtype == REASSOCIATION:
        return 10
    if subtype == PROBE_REQUEST:
        return 0
    return 12 if subtype in (BEACON, PROBE_RESPONSE) else -1


@kernel
def _read_elements(data: Octets, at: int, end: int, key: Bytes) -> int:
    """Elements into a key (IEEE 802.11 section 9.4.2): the first name, channel and security."""
    status, named = OK, False
    while at + 2 <= end:
        element, length = u8(data, at), u8(data, at + 1)
        body = at + 2
        if body + length > end:
            break
        if element == _E_SSID and not named:
            named = True
            if length > MAX_SSID:
                status = ODD_NAME
            else:
                _read_name(data, body, length, key)
        elif element in (_E_CHANNEL, _E_HT) and length >= 1 and key[CHANNEL] == 0:
            key[CHANNEL] = u8(data, body)
        elif element == _E_RSN:
            key[SECURITY] |= _read_suites(data, body, body + length)
            key[AUTH] |= _read_ways(data, _managers(data, body, body + length), body + length, _RSN_SUITES)
        elif element == _E_WAPI:
            key[SECURITY] |= WAPI
            key[AUTH] |= _read_ways(data, body + 2, body + length, _WAPI_SUITES)
        elif element == _E_VENDOR and length >= 4 and u32(data, body) == _MICROSOFT_WPA:
            key[SECURITY] |= WPA
            begin, stop = body + 4, body + length
            key[AUTH] |= _read_ways(data, _managers(data, begin, stop), stop, _WPA_SUITES)
        at = body + length
    if end - at > _FCS:
        key[SECURITY] |= CUT
    return status


@kernel
def _read_name(data: Octets, at: int, length: int, key: Bytes) -> None:
    """A network's name; one of nothing but zeros is hidden, and like none."""
    some = 0
    for i in range(length):
        key[SSID + i] = u8(data, at + i)
        some |= u8(data, at + i)
    key[SSID_LENGTH] = length if some else 0


@kernel
def _managers(data: Octets, at: int, end: int) -> int:
    """Where the count of key managers is (IEEE 802.11 section 9.4.2.24): after version, group and pairwise."""
    return at + 8 + 4 * le16(data, at + 6) if at + 8 <= end else end


@kernel
def _read_suites(data: Octets, at: int, end: int) -> int:
    """Generations of the key managers of an RSN element."""
    at = _managers(data, at, end)
    count, at, bits = le16(data, at) if at + 2 <= end else 0, at + 2, 0
    for _ in range(min(count, (end - at) // 4)):
        suite = u32(data, at) - _RSN_SUITES
        if suite in (8, 9, 12, 13, 24, 25):  # SAE, and 802.1X with the 192-bit suites of WPA3
            bits |= SAE
        elif suite == 18:
            bits |= OWE
        else:
            bits |= RSN
        at += 4
    return bits or RSN


@kernel
def _read_ways(data: Octets, at: int, end: int, family: int) -> int:
    """Ways in, of a list of key managers that begins with its count.

    An element that ends before its list stands for 802.1X (IEEE 802.11 section 9.4.2.24.1).
    """
    if at + 2 > end:
        return 0 if family == _WAPI_SUITES else DOT1X
    count, at, ways = le16(data, at), at + 2, 0
    for _ in range(min(count, (end - at) // 4)):
        ways |= _way(u32(data, at) - family, family)
        at += 4
    return ways


@kernel
def _way(suite: int, family: int) -> int:
    """The way in that a key manager stands for (IEEE 802.11 table 9-190, GB 15629.11); 0 for unknown ones."""
    if family == _WAPI_SUITES:
        return CERTIFICATE if suite == 1 else PSK if suite == 2 else 0
    if family == _WPA_SUITES:
        return DOT1X if suite == 1 else PSK if suite == 2 else 0
    if suite in (1, 3, 5, 11, 12, 13, 14, 15, 16, 17, 22, 23):  # also FILS, which has a server too
        return DOT1X
    if suite in (2, 4, 6, 19, 20):
        return PSK
    if suite in (8, 9, 24, 25):
        return KEY_SAE
    return KEY_OWE if suite == 18 else 0


SLOTS = 65_536
"""Keys that are remembered."""
WAYS = 16
"""Slots that a key may lie in."""
AGAIN_NS = 3_600 * 10**9
"""A frame that says nothing new is due again after an hour, so that one sees how long it held."""


class Seen(NamedTuple):
    """A table of the keys seen lately."""

    keys: Bytes
    last: Ints
    """When each was last due, nanoseconds."""
    used: Bytes
    lost: Ints
    """``(1,)``: keys that had to go for others."""


def nothing_seen() -> Seen:
    """An empty table."""
    return Seen(
        np.zeros((SLOTS, KEY), np.uint8),
        np.zeros(SLOTS, np.int64),
        np.zeros(SLOTS, np.uint8),
        np.zeros(1, np.int64),
    )


@kernel
def are_due(keys: Bytes, times: Ints, timed: npt.NDArray[np.bool_], seen: Seen, due: Bytes) -> None:
    """Mark in `due` the frames whose key is new or was last due an hour away."""
    for i in range(len(keys)):
        slot = _slot(keys[i], seen)
        known = seen.used[slot] != 0 and _equal(keys[i], seen.keys[slot])
        if known and not (timed[i] and abs(times[i] - seen.last[slot]) >= AGAIN_NS):
            continue
        if not known:
            seen.lost[0] += seen.used[slot]
            for j in range(KEY):
                seen.keys[slot, j] = keys[i, j]
            seen.used[slot] = 1
        seen.last[slot] = times[i]
        due[i] = 1


@kernel
def _slot(key: Bytes, seen: Seen) -> int:
    """Where a key lies or may be put: a free slot, else the one that was due longest ago."""
    value = -3750763034362895579  # FNV-1a; integers wrap round here
    for octet in key:
        value = (value ^ octet) * 1099511628211
    home = (value ^ (value >> 32)) & (SLOTS - 1)
    oldest = home
    for i in range(WAYS):
        slot = (home + i) % SLOTS
        if seen.used[slot] == 0 or _equal(key, seen.keys[slot]):
            return slot
        if seen.last[slot] < seen.last[oldest]:
            oldest = slot
    return oldest


@kernel
def _equal(one: Bytes, other: Bytes) -> bool:
    for i in range(KEY):
        if one[i] != other[i]:
            return False
    return True
