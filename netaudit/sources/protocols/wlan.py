"""IEEE 802.11 management frames to ``wlan`` events: networks on the air, and who asks for which.

Frames that say the same are one event an hour. A beacon or probe response has the network's radio
(`bssid`), name and security; a probe request only says which name a station looks for, so it has no
radio; an association request has both. Security is in the words of the certification: ``OPEN``,
``WEP``, ``WPA``, ``WPA2``, ``WPA3``, ``OWE``, ``WAPI``, joined by ``+``, or ``WPA2/WPA3`` where a
network takes both of them. `auth` tells what security does not: by which ways one gets in.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from netaudit.intake.tally import Tally
from netaudit.kernels import wlan
from netaudit.kernels.octets import Bytes
from netaudit.kernels.packet import Kind
from netaudit.sources.messages import Messages, words
from netaudit.sources.protocols import Events, Protocol
from netaudit.sources.protocols._fields import frame, stations
from netaudit.sources.protocols._text import shown

MESSAGES = {
    wlan.ASSOCIATION: "association",
    wlan.REASSOCIATION: "reassociation",
    wlan.PROBE_REQUEST: "probe-request",
    wlan.PROBE_RESPONSE: "probe-response",
    wlan.BEACON: "beacon",
}

_CUT_SHORT = "a Wi-Fi management frame is cut short"
_LONG_NAME = "a Wi-Fi network's name is too long"
_NOT_ALL = "the elements of a Wi-Fi frame could not all be read"


class Reader:
    """Remembers what was said lately."""

    def __init__(self, tally: Tally) -> None:
        """Begin a file."""
        self._tally = tally
        self._seen = wlan.nothing_seen()

    def read(self, messages: Messages) -> Iterator[Events]:
        """Events of a block: of every frame that says something new."""
        if not len(messages):  # most captures hold none, and need no compiled kernel
            return
        keys = np.zeros((len(messages), wlan.KEY), np.uint8)
        status = np.zeros(len(messages), np.uint8)
        wlan.read_frames(messages.arena, messages.rows, keys, status)
        self._count(messages, _CUT_SHORT, status == wlan.SHORT, lost=True)
        self._count(messages, _LONG_NAME, status == wlan.ODD_NAME)
        # who joins a network names it: what does not is another frame, its first octets swapped
        joins = np.isin(keys[:, wlan.SUBTYPE], (wlan.ASSOCIATION, wlan.REASSOCIATION))
        nameless = (status == wlan.OK) & joins & (keys[:, wlan.SSID_LENGTH] == 0)
        good = np.flatnonzero(((status == wlan.OK) | (status == wlan.ODD_NAME)) & ~nameless)
        messages, keys = messages.take(good), keys[good]
        cut = (keys[:, wlan.SECURITY] & wlan.CUT) != 0
        self._count(messages, _NOT_ALL, cut)
        due = np.zeros(len(messages), np.uint8)
        rows = messages.rows
        wlan.are_due(keys, np.ascontiguousarray(rows["ts"]), rows["timed"] != 0, self._seen, due)
        new = np.flatnonzero(due)
        if new.size:
            yield _events(messages.take(new), keys[new])

    def close(self) -> Iterator[Events]:
        """Nothing is held back; what had to be forgotten is counted."""
        lost = int(self._seen.lost[0])
        if lost:
            self._tally.skip(
                "a Wi-Fi frame was forgotten: too many different ones", count=lost, matters=False
            )
        yield from ()

    def _count(self, messages: Messages, reason: str, rows: np.ndarray, *, lost: bool = False) -> None:
        found = messages.rows[rows]
        if len(found):
            size = int(found["length"].sum()) if lost else 0
            self._tally.skip(reason, found["ordinal"][:5], count=len(found), size=size, matters=lost)


def _events(messages: Messages, keys: Bytes) -> Events:
    subtype, channel = keys[:, wlan.SUBTYPE], keys[:, wlan.CHANNEL].astype(np.uint16)
    everyone = np.ones(len(keys), np.bool_)
    kinds, kind = np.unique(subtype, return_inverse=True)
    columns = frame(messages.rows) | {
        "client_mac": stations(keys[:, wlan.STATION : wlan.STATION + 6], everyone),
        "message": words(kind, [MESSAGES[k] for k in kinds.tolist()]),
        "ssid": _names(keys),
        "bssid": stations(keys[:, wlan.BSSID : wlan.BSSID + 6], everyone),
        "security": _securities(keys[:, wlan.SECURITY], subtype == wlan.PROBE_REQUEST),
        "auth": _auths(keys, subtype == wlan.PROBE_REQUEST),
        "channel": pa.array(channel, mask=channel == 0),
    }
    return Events("wlan", columns)


def _names(keys: Bytes) -> pa.Array:
    name = np.ascontiguousarray(keys[:, wlan.SSID : wlan.SSID + wlan.MAX_SSID])
    length = keys[:, wlan.SSID_LENGTH]
    return pa.array(
        [shown(octets[:n].tobytes()) for octets, n in zip(name, length, strict=True)], pa.string()
    )


def _securities(bits: Bytes, asks: np.ndarray) -> pa.Array:
    kinds, index = np.unique(np.where(asks, wlan.PRIVACY | wlan.CUT, bits), return_inverse=True)
    return words(index, [security(int(k)) for k in kinds])


def security(bits: int) -> str | None:
    """The word for the bits of a frame; None where a frame that is cut does not tell."""
    rsn = ["WPA2"] * bool(bits & wlan.RSN) + ["WPA3"] * bool(bits & wlan.SAE)
    parts = ["WPA"] * bool(bits & wlan.WPA) + ["/".join(rsn)] * bool(rsn)
    parts += ["OWE"] * bool(bits & wlan.OWE) + ["WAPI"] * bool(bits & wlan.WAPI)
    if parts:
        return "+".join(parts)
    if not bits & wlan.PRIVACY:
        return "OPEN"
    return None if bits & wlan.CUT else "WEP"


def _auths(keys: Bytes, asks: np.ndarray) -> pa.Array:
    said = np.where(asks, wlan.PRIVACY | wlan.CUT, keys[:, wlan.SECURITY]).astype(np.int64)
    kinds, index = np.unique(said << 8 | keys[:, wlan.AUTH], return_inverse=True)
    return words(index, [auth(int(k) & 0xFF, int(k) >> 8) for k in kinds])


_WAYS = {
    wlan.PSK: "psk",
    wlan.KEY_SAE: "sae",
    wlan.DOT1X: "802.1x",
    wlan.KEY_OWE: "owe",
    wlan.CERTIFICATE: "certificate",
}


def auth(ways: int, bits: int) -> str | None:
    """The word for the ways into a network; None where none is named that is known.

    Args:
        ways: Bits of `kernels.wlan.AUTH`.
        bits: Those of its security.
    """
    said = security(bits)
    if said in {"OPEN", "WEP"}:
        return said.lower()
    return "+".join(word for bit, word in _WAYS.items() if ways & bit) or None


PROTOCOL = Protocol("Wi-Fi management", (Kind.WLAN,), Reader)
