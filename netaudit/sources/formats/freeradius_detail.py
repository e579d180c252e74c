r"""FreeRADIUS ``detail`` files: one record per accounting packet, a header line and its attributes.

The header is local time without a zone; ``Timestamp`` is the server's clock as an epoch and wins.
``Acct-Delay-Time`` says how long the NAS had been trying, and is taken off: what is dated is what
happened, not its arrival. Passwords in a record of an authentication are never read.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.intake.times import Context, from_epoch
from netaudit.records.addresses import ip_column
from netaudit.sources.formats import _radius as radius
from netaudit.sources.formats._access_rows import per_address
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._values import mask, unescape, words

_HEADER = r"^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$"
_KEYS = (
    "Acct-Status-Type|Packet-Type|User-Name|Acct-Session-Id|Calling-Station-Id|Called-Station-Id|NAS-IP-Address"
    "|NAS-IPv6-Address|NAS-Identifier|NAS-Port|NAS-Port-Id|NAS-Port-Type|Framed-IP-Address|Framed-IPv6-Address"
    "|Tunnel-Private-Group-Id|Acct-Delay-Time|Timestamp"
)
_PAIR = rf'^\s+(?P<key>{_KEYS})(?::\d+)? [:+]?= (?:"(?P<text>.*)"|(?P<bare>[^"].*?))\s*$'
_HEADER_LINE = re.compile(_HEADER)
_PAIR_LINE = re.compile(r"\s+[A-Za-z][A-Za-z0-9.-]*(?::\d+)? [:+]?= ")


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _HEADER))


def _sniff(lines: list[str]) -> float:
    seen = [line for line in lines if line.strip()]
    own = sum(bool(_HEADER_LINE.match(line) or _PAIR_LINE.match(line)) for line in seen)
    headed = any(_HEADER_LINE.match(line) and _PAIR_LINE.match(after) for line, after in pairwise(seen))
    return own / len(seen) if headed else 0.0


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        records = Stanzas.beginning(_starts(chunk.lines))
        pairs = _Pairs(chunk.lines, records)
        said = pc.coalesce(pairs.last("Acct-Status-Type"), pairs.last("Packet-Type"))
        columns = _columns(pairs) | {
            "ts": _times(pairs, chunk.lines.take(pa.array(records.first)), context),
            "message": pc.ascii_lower(said),
        }
        what = mask(pc.is_valid(said))
        whole_record = _closed(chunk.lines, records) | _stamped(pairs)
        good = what & whole_record
        record, address = _addresses(pairs, np.flatnonzero(good))
        rows = {name: column.take(pa.array(record)) for name, column in columns.items()}
        orphan = records.orphans(chunk.lines)[:1]
        return Parsed(
            [Rows("radius", rows | {"client_ip": address}, records.first[record])],
            refused(
                {
                    "A record is cut off.": np.concatenate((orphan, records.first[~whole_record])),
                    "A record does not say what kind of packet it is.": records.first[whole_record & ~what],
                }
            ),
        )

    return parse


class _Pairs:
    """The attributes of a chunk's records that are read at all."""

    def __init__(self, lines: pa.StringArray, records: Stanzas) -> None:
        self.records = records
        self.line, found = extract(lines, _PAIR)
        self.key = found["key"]
        self.value = pc.coalesce(found["text"], found["bare"])

    def all(self, key: str) -> tuple[np.ndarray, pa.Array]:
        """Lines and values of an attribute, in order."""
        here = mask(pc.equal(self.key, key))
        return self.line[here], self.value.filter(pa.array(here))

    def last(self, key: str) -> pa.Array:
        """One value per record, null where it has none."""
        return self.records.column(*self.all(key))


def _columns(pairs: _Pairs) -> dict[str, pa.Array]:
    return radius.columns(lambda key: words(pairs.last(key), unescape))


def _times(pairs: _Pairs, header: pa.StringArray, context: Context) -> pa.Array:
    """The server's stamp less the delay; the header where a record has no stamp."""
    stamp = from_epoch(pairs.last("Timestamp"))
    missing = pc.is_null(stamp)
    if mask(missing).any():
        stamp = pc.coalesce(stamp, read_stamps(pc.if_else(missing, header, None), context))
    return radius.happened(stamp, pairs.last("Acct-Delay-Time"))


def _closed(lines: pa.StringArray, records: Stanzas) -> np.ndarray:
    """Whether a blank line follows each record."""
    blank = mask(pc.equal(pc.utf8_trim_whitespace(lines), "")).astype(np.int64)
    closed: np.ndarray = records.total(blank) > 0
    return closed


def _stamped(pairs: _Pairs) -> np.ndarray:
    """Whether the attribute that the server writes last is there, with all its digits."""
    return mask(pc.match_substring_regex(pairs.last("Timestamp"), r"^\d{10}$"))


def _addresses(pairs: _Pairs, good: np.ndarray) -> tuple[np.ndarray, pa.Array]:
    """Records and client addresses: one row per address, and one for a record without any."""
    owners, texts = [], []
    for key in ("Framed-IP-Address", "Framed-IPv6-Address"):
        line, value = pairs.all(key)
        owners.append(pairs.records.owner[line])
        texts.append(value)
    return per_address(good, np.concatenate(owners), ip_column(pa.concat_arrays(texts)))


_START = r"""
Mon Nov 23 00:19:17 2026
	Acct-Status-Type = Start
	User-Name = "OFFICE\\lisi"
	Acct-Session-Id = "5F3A0002"
	Framed-IP-Address = 10.1.0.110
	Framed-IPv6-Address = fd00:60::1ea
	Calling-Station-Id = "5254.00aa.0002"
	Called-Station-Id = "001A1EAABBD0:办公Wi-Fi"
	NAS-IP-Address = 10.9.0.2
	NAS-Port-Type = Wireless-802.11
	NAS-Port-Id = "ap-3f-012"
	Tunnel-Private-Group-Id:0 = "120"
	Timestamp = 1795364357

""".lstrip("\n")
_STOP = r"""
Mon Nov 23 00:19:21 2026
	Acct-Status-Type = Stop
	User-Name = "null"
	User-Password = "secret"
	Acct-Session-Id = "0000001B"
	Calling-Station-Id = "525400AA0005"
	Called-Station-Id = "00-1A-1E-AA-00-01"
	NAS-Identifier = "sw-3f"
	NAS-Port = 14
	NAS-Port-Type = Ethernet
	Acct-Delay-Time = 2
	Timestamp = 1795364361

""".lstrip("\n")

FORMAT = LogFormat(
    title="FreeRADIUS detail file",
    kinds=("radius",),
    reference="https://wiki.freeradius.org/modules/Rlm_detail",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    samples=(
        Sample(
            _START,
            (
                {
                    "kind": "radius",
                    "ts": "2026-11-22T16:19:17.000000000Z",
                    "message": "start",
                    "account": r"OFFICE\lisi",
                    "client_ip": "10.1.0.110",
                    "client_mac": "52:54:00:aa:00:02",
                    "bssid": "00:1a:1e:aa:bb:d0",
                    "ssid": "办公Wi-Fi",
                    "nas": "10.9.0.2",
                    "nas_port": "ap-3f-012",
                    "vlan": 120,
                    "session": "5F3A0002",
                },
                {"kind": "radius", "client_ip": "fd00:60::1ea", "client_mac": "52:54:00:aa:00:02"},
            ),
            note="two addresses give two rows",
        ),
        Sample(
            _STOP,
            (
                {
                    "kind": "radius",
                    "ts": "2026-11-22T16:19:19.000000000Z",
                    "message": "stop",
                    "account": "null",
                    "client_ip": None,
                    "bssid": None,
                    "ssid": None,
                    "nas": "sw-3f",
                    "nas_port": "14",
                },
            ),
            note="wired; two seconds late; the password is not read",
        ),
        Sample(_START[:200], note="cut off at the end of the file"),
        Sample(
            'Mon Nov 23 00:19:21 2026\n\tUser-Name = "x"\n\tTimestamp = 1795364361\n\n',
            note="no kind of packet",
        ),
    ),
)
