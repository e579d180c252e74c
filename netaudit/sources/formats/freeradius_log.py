"""FreeRADIUS's own log (``radius.log``, or a system log) and the sessions of its ``linelog``.

A line names the station and the client's short name, and neither SSID nor address. What follows a
slash in the brackets is the password where logging is set up badly, and is never kept: of
``[lisi/secret]`` and ``[host/pc-7/secret]`` the names remain. Of the two lines of a tunnel (EAP),
the inner one knows who it was: the outer one that follows it is kept without its name.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, peel_text, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._patterns import CUT_OFF, Matches, first_match
from netaudit.sources.formats._stations import called_station
from netaudit.sources.formats._values import among_others, mask, words

_BEGUN = r"^(?:: )?(?:Auth: )?(?:\(\d+\) +)?(?:Login OK|Login incorrect|Invalid user)\b.*\[|^(?:Disc|C)onnect: \["
# The user's name may hold anything: the last `(from client` is the server's
_LOGIN = (
    r"^(?:: )?(?:Auth: )?(?:\((?P<request>\d+)\) +)?(?P<message>Login OK|Login incorrect|Invalid user)"
    r"(?: \(.*?\))?: \[(?P<name>.*)\] \(from client (?P<client>\S+) port (?P<port>\d+)"
    r"(?: cli (?P<station>[^\s()]*))?(?P<tunnel> via TLS tunnel)?\)"
)
_SESSION = (
    r"^(?P<message>Disconnect|Connect): \[(?P<name>.*)\] \(did (?P<called>.*) cli (?P<station>\S*) "
    r"port (?P<port>\d*) ip (?P<ip>[0-9a-fA-F:.]*)\)"
)
_OWN = re.compile(_BEGUN)
_MACHINE = "host"


def _open(context: Context) -> Parse:
    tunnels = _Tunnels()

    def parse(chunk: Chunk) -> Parsed:
        peeled = peel(chunk.lines)
        begun = mask(pc.match_substring_regex(peeled.rest, _BEGUN))
        found = first_match(pc.if_else(pa.array(begun), peeled.rest, None), (_LOGIN, _SESSION))
        index, got = found.matched()
        rows = _rows(got, tunnels.outer(got)) | {
            "ts": read_stamps(peeled.stamp.take(pa.array(index)), context)
        }
        torn = np.flatnonzero(begun & (found.which < 0))
        return Parsed(
            [Rows("radius", rows, index)] if len(index) else [],
            refused({CUT_OFF: torn}),
            len(chunk.lines) - len(index) - len(torn),
        )

    return parse


def _rows(got: Matches, outer: np.ndarray) -> dict[str, pa.Array]:
    return {
        "message": got["message"],
        "account": pc.if_else(pa.array(outer), None, words(got["name"], _without_password)),
        "client_mac": mac_column(got["station"]),
        "client_ip": ip_column(got["ip"]),
        "nas": got["client"],
        "nas_port": got["port"],
        **called_station(got["called"], pa.nulls(len(outer), pa.string())),
    }


def _without_password(name: str) -> str | None:
    parts = name.split("/")
    if parts[0] == _MACHINE and len(parts) > 1:
        return "/".join(parts[:2])
    return parts[0] or None


class _Tunnels:
    """Tells the outer line of a tunnel, right after the inner one of the same station and client."""

    KEPT = 4096
    """Log-ons of the chunk before, whose outer line may begin the next."""

    def __init__(self) -> None:
        self._place = pa.array([], pa.string())
        self._inner = np.empty(0, bool)

    def outer(self, got: Matches) -> np.ndarray:
        """``(n,)`` bool: which log-ons are such outer lines."""
        before = len(self._inner)
        place = pc.binary_join_element_wise(got["client"], got["station"], got["message"], " ")
        place = pa.concat_arrays([self._place, place])
        inner = np.append(self._inner, mask(pc.is_valid(got["tunnel"])))
        key = pc.fill_null(place.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False)
        order = np.lexsort((np.arange(len(key)), key))
        follows = (np.diff(key[order], prepend=-2) == 0) & (key[order] >= 0)
        follows &= np.append([False], inner[order])[:-1] & ~inner[order]
        found = np.zeros(len(key), bool)
        found[order[follows]] = True
        self._place, self._inner = place[-self.KEPT :], inner[-self.KEPT :]
        return found[before:]


FORMAT = LogFormat(
    title="FreeRADIUS log and linelog",
    kinds=("radius",),
    reference="https://www.freeradius.org/documentation/",
    sniff=lambda lines: among_others(peel_text(lines), _OWN.search),
    open=_open,
    samples=(
        Sample(
            "Mon Nov 23 00:19:14 2026 : Auth: (0) Login OK: [wangwu] (from client wlc-3f port 3 cli "
            "52-54-00-AA-00-01)\n"
            "Mon Nov 23 00:19:14 2026 : Auth: (1) Login incorrect (pap: Cleartext password does not match "
            '"known good" password): [lisi/secret] (from client wlc-3f port 3 cli 52-54-00-AA-00-01)',
            (
                {
                    "kind": "radius",
                    "ts": "2026-11-22T16:19:14.000000000Z",
                    "message": "Login OK",
                    "account": "wangwu",
                    "client_mac": "52:54:00:aa:00:01",
                    "nas": "wlc-3f",
                    "nas_port": "3",
                },
                {"kind": "radius", "message": "Login incorrect", "account": "lisi"},
            ),
            timezone="Asia/Shanghai",
            note="a password that was logged is not kept",
        ),
        Sample(
            "(549117) Login OK: [john.doe@example.org] (from client abcdef port 8 cli 0a-44-5b-4f-04-cf via TLS "
            "tunnel)\n(549117) Login OK: [anonymous@example.org] (from client abcdef port 8 cli 0a-44-5b-4f-04-cf)",
            (
                {"kind": "radius", "ts": None, "account": "john.doe@example.org"},
                {"kind": "radius", "account": None, "client_mac": "0a:44:5b:4f:04:cf"},
            ),
            note="no time at all; a tunnel: the outer name is not who it was",
        ),
        Sample(
            "2026-11-23T00:19:14+08:00 radius radiusd[812]: Connect: [wangwu] (did 00-1A-1E-AA-BB-C0:GOV-STAFF cli "
            "52-54-00-AA-00-01 port 3 ip 10.60.0.109)\n"
            "2026-11-23T00:29:14+08:00 radius radiusd[812]: Disconnect: [wangwu] (did 00-1A-1E-AA-BB-C0:GOV-STAFF cli "
            "52-54-00-AA-00-01 port 3 ip 10.60.0.109) 600 seconds",
            (
                {
                    "kind": "radius",
                    "ts": "2026-11-22T16:19:14.000000000Z",
                    "message": "Connect",
                    "client_ip": "10.60.0.109",
                    "ssid": "GOV-STAFF",
                    "bssid": "00:1a:1e:aa:bb:c0",
                },
                {"kind": "radius", "message": "Disconnect", "account": "wangwu"},
            ),
            note="linelog, as its own configuration has it",
        ),
        Sample("(29559) Login OK: [wangwu] (from client abc", note="cut off"),
        Sample(
            "Ignoring request to auth address * port 1812 bound to server default from unknown client 192.0.2.4 port "
            "9459 proto udp",
            note="nobody logged on",
        ),
    ),
)
