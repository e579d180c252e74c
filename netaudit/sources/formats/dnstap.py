"""dnstap (BIND, Unbound, Knot, dnsdist, CoreDNS): what a server tells of each message it got or sent.

The file is a Frame Streams container (`intake.containers`); a line is one frame in hex. Rows are
messages between a client and this server; those between it and other servers are passed over. A
query and its response are two rows. Frames are not in the order of time.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, share
from netaudit.records.addresses import V4_PREFIX, by_distinct
from netaudit.records.schemas import IP, TIMESTAMP
from netaudit.sources.formats._outcome import parsed
from netaudit.sources.formats._values import mask
from netaudit.sources.formats._wire import body, from_hex, pieces, read_messages

UNREADABLE = "This frame is no dnstap message with a client and a time that can be read."

_TYPE = "protobuf:dnstap.Dnstap "
# dnstap.proto, Message.Type: a message that a client, or a resolver, exchanged with this server
_ASKED = (1, 5)  # AUTH_QUERY, CLIENT_QUERY
_ANSWERED = (2, 6)
_LAST_KNOWN = 14
_TRANSPORT = (None, "udp", "tcp", "tcp", "tcp", "udp", "tcp", "udp")
_DETAIL = (None, None, None, "dot", "doh", "dnscrypt", "dnscrypt", "doq")
_YEAR_2201_S = 7_289_654_400


def _open(context: times.Context) -> Parse:  # noqa: ARG001 -- its times carry their zone
    def parse(chunk: Chunk) -> Parsed:
        index = np.flatnonzero(mask(pc.starts_with(chunk.lines, _TYPE)))
        digits = pc.utf8_slice_codeunits(chunk.lines.take(pa.array(index)), len(_TYPE))
        frames = from_hex(digits)
        taps, octets = _taps(frames)
        known = (taps["sound"] != 0) & (taps["type"] >= 1) & (taps["type"] <= _LAST_KNOWN)
        answered = np.isin(taps["type"], _ANSWERED)
        wanted = np.flatnonzero(known & (answered | np.isin(taps["type"], _ASKED)))
        columns = _columns(taps[wanted], answered[wanted], octets)
        good = mask(pc.and_(pc.is_valid(columns["client_ip"]), pc.is_valid(columns["ts"])))
        keep = pa.array(good)
        rows = Rows("dns", {n: c.filter(keep) for n, c in columns.items()}, index[wanted[good]])
        rows.columns["name_source"] = "qname"
        bad = np.union1d(index[~known], index[wanted[~good]])
        return parsed(len(chunk.lines), [rows], {UNREADABLE: bad})

    return parse


def _taps(frames: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The fields of frames, and the octets that they point into."""
    from netaudit.kernels.dnstap import TAP, read_taps
    from netaudit.kernels.octets import octets

    sizes = pc.fill_null(pc.binary_length(frames), 0).to_numpy(zero_copy_only=False)
    taps, whole = np.zeros(len(frames), TAP), np.frombuffer(bytearray(body(frames)), np.uint8)
    read_taps(octets(whole), np.cumsum(sizes, dtype=np.int64), taps)
    return taps, whole


def _columns(taps: np.ndarray, answered: np.ndarray, octets: np.ndarray) -> dict[str, pa.Array]:
    message = np.where(answered & (taps["response_size"] > 0), "response", "query")
    at = np.where(message == "response", taps["response_at"], taps["query_at"])
    size = np.where(message == "response", taps["response_size"], taps["query_size"])
    read = read_messages(pieces(octets, at, size))
    is_response = pa.array(answered)
    return {
        "ts": _stamps(taps, answered),
        "client_ip": by_distinct(pieces(octets, taps["client_at"], taps["client_size"]), _address, IP),
        "client_port": _port(taps["client_port"]),
        "server_ip": by_distinct(pieces(octets, taps["server_at"], taps["server_size"]), _address, IP),
        "server_port": _port(taps["server_port"]),
        "transport": _words(taps["protocol"], _TRANSPORT),
        "transport_detail": _words(taps["protocol"], _DETAIL),
        "name": read.name,
        "qtype": read.qtype,
        "rcode": pc.if_else(is_response, read.rcode, None),
        "answers": read.answers,
    }


def _address(packed: bytes) -> bytes | None:
    if len(packed) == 4:
        return V4_PREFIX + packed
    return packed if len(packed) == 16 else None


def _port(number: np.ndarray) -> pa.Array:
    return pa.array(number, mask=(number < 0) | (number > 65_535)).cast(pa.uint16())


def _words(number: np.ndarray, vocabulary: tuple[str | None, ...]) -> pa.Array:
    known = np.where((number >= 0) & (number < len(vocabulary)), number, 0)
    return pa.array(vocabulary, pa.string()).take(pa.array(known))


def _stamps(taps: np.ndarray, answered: np.ndarray) -> pa.Array:
    """A response's own time where it has one, else its query's."""
    own = answered & (taps["response_s"] >= 0)
    seconds = np.where(own, taps["response_s"], taps["query_s"])
    nanos = np.maximum(np.where(own, taps["response_ns"], taps["query_ns"]), 0)
    wrong = (seconds < 0) | (seconds >= _YEAR_2201_S) | (nanos >= 10**9)
    return pa.array(np.where(wrong, 0, seconds) * 10**9 + np.where(wrong, 0, nanos), mask=wrong).cast(
        TIMESTAMP
    )


def _sniff(lines: list[str]) -> float:
    return share(lines, lambda line: line.startswith(_TYPE))


_SAMPLES = (
    Sample(
        "protobuf:dnstap.Dnstap 0a07646e736469737412012d1a012d725c0805100118012204ac1300012a04ac13000230b6ea02383540"
        "cde682b3064d5ee12d23523792ca012000010000000000010377777706676f6f676c6503636f6d000001000100002904d000000000"
        "000c000a000802ea4e79e724518c7801\n"
        "protobuf:dnstap.Dnstap 0a07646e736469737412012d1a012d72600806100118012204ac1300012a04ac13000230b6ea02383560"
        "cde682b3066d3c15e123723b92ca818000010001000000010377777706676f6f676c6503636f6d0000010001c00c00010001000001"
        "110004d83ad54400002902000000000000007801",
        (
            {
                "kind": "dns", "ts": "2024-06-05T18:49:49.590209374Z", "client_ip": "172.19.0.1",
                "client_port": 46390, "server_ip": "172.19.0.2", "server_port": 53, "transport": "udp",
                "name": "www.google.com", "qtype": "A", "rcode": None, "answers": None,
            },
            {
                "kind": "dns", "ts": "2024-06-05T18:49:49.601953596Z", "client_ip": "172.19.0.1",
                "name": "www.google.com", "rcode": "NOERROR", "answers": ["216.58.213.68"],
            },
        ),
        note="CLIENT_QUERY and CLIENT_RESPONSE of dnsdist",
    ),
    Sample("protobuf:dnstap.Dnstap 0a07646e7364", note="a frame that is cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="dnstap (Frame Streams; BIND, Unbound, Knot, dnsdist, CoreDNS)",
    kinds=("dns",),
    reference="https://github.com/dnstap/dnstap.pb/blob/master/dnstap.proto",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
