"""What TLS, DTLS and QUIC share: ClientHellos as columns of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.tally import FIRST_KEPT, Tally
from netaudit.kernels import tls
from netaudit.kernels.octets import Bytes, Ints, Octets
from netaudit.kernels.packet import Rows, Status
from netaudit.records.names import normalise_column
from netaudit.sources import ech, encrypted_dns
from netaudit.sources.authority import host_name
from netaudit.sources.ja4 import ja4
from netaudit.sources.messages import columns, words

VERSIONS = {
    0x0002: "ssl2", 0x0300: "ssl3", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3",
    0xFEFF: "dtls1.0", 0xFEFD: "dtls1.2", 0xFEFC: "dtls1.3", 0x0100: "dtls1.0",
}  # fmt: skip
"""Words of the column ``version``; 0x0100 is what OpenSSL sent before RFC 4347."""

MAX_NAMES = 8
"""Names of one hello that become events; RFC 6066 allows one."""

MAX_PROTOCOLS = 32
"""Protocols of one hello that are kept; clients offer two or three."""

NO_HOST_NAME = "the server name is not extractable: it is no host name"
NONE_LISTED = "the server name is not extractable: its list holds none"
SEVERAL_NAMES = "some TLS hellos state several server names; each is an event"
NOT_WHOLE = "some TLS hellos are not whole: their names were read, their fingerprints were not"

Named = tuple[dict[str, Any], Ints]
"""Columns of events, and of each the number of the flow that its name names, -1 for none."""

_SNI, _ECH_OUTER = 1, 2
_SOURCES: list[str | None] = [None, "sni", "ech_outer"]


@dataclass(frozen=True, slots=True)
class Hellos:
    """ClientHellos that were read, and what their spans point into."""

    found: Rows
    """`kernels.tls.HELLO`."""
    data: Octets
    keys: Bytes
    """What `ja4` is made of."""

    def take(self, index: np.ndarray) -> Hellos:
        """Some of them, by index or mask."""
        return Hellos(self.found[index], self.data, self.keys)

    def readable(self) -> np.ndarray:
        """Which hellos are read to their end, or at least to a name."""
        result: np.ndarray = (self.found["status"] == Status.OK) | (self.found["names"] > 0)
        return result

    def names(self) -> pa.Array:
        """Server names in normal form; null where there is none that can be read."""
        return host_names(self._spans("sni"))

    def _spans(self, part: str) -> pa.Array:
        return gather(self.data.u8, self.found[part + "_at"], self.found[part + "_length"])

    def alpn(self) -> pa.Array:
        """Lists of offered protocols; null where there is no such list."""
        return _converted(self._spans("alpn"), _protocols, pa.list_(pa.string()))

    def fingerprints(self) -> pa.Array:
        """JA4; null where the hello is not whole."""
        keys = gather(self.keys, self.found["key_at"], self.found["key_length"])
        return _converted(keys, ja4, pa.string())

    def versions(self) -> pa.Array:
        """The highest version that is offered."""
        distinct, index = np.unique(self.found["version"], return_inverse=True)
        spelled = [_version(int(number)) for number in distinct]
        return pa.array(spelled, pa.string()).take(pa.array(index))


def read(data: Octets, at: Ints, length: Ints, prefix: int) -> Hellos:
    """Read hellos, from their handshake type octet on.

    Args:
        data: The octets.
        at: Where each begins.
        length: Octets that are there.
        prefix: `tls.TCP`, `tls.DTLS` or `tls.QUIC`.
    """
    found = np.zeros(len(at), tls.HELLO)
    keys = np.zeros(int(length.sum()), np.uint8)
    tls.read_hellos(data, at, length, prefix, found)
    tls.fingerprints(data, prefix, found, keys, np.zeros(tls.MAX_VALUES, np.int64))
    return Hellos(found, data, keys)


def events(rows: Rows, hellos: Hellos, tally: Tally, quic: pa.Array | None = None) -> Named:
    """Columns of ``tls`` or ``quic`` events, one row a name of a hello, and the flow that each names.

    Args:
        rows: `packet.MESSAGE` of each hello.
        hellos: The hellos of these rows.
        tally: Counts names that cannot be read, and hellos with more than one.
        quic: The version of the QUIC that carries each, which then stands for TLS's.
    """
    hellos, index = _each_name(hellos)
    rows = rows[index]
    name = hellos.names()
    _count_odd(rows, hellos, name, tally)
    alpn = hellos.alpn()
    over_quic = np.full(len(rows), quic is not None)
    found = {
        **columns(rows),
        "name": name,
        "name_source": words(_sources(hellos.found, name), _SOURCES),
        "alpn": alpn,
        "version": hellos.versions() if quic is None else quic.take(pa.array(index)),
        "ja4": hellos.fingerprints(),
        "transport_detail": encrypted_dns.marks(name, rows["dport"], over_quic, alpn),
    }
    return found, np.where(_valid(name), rows["flow"], -1)


def gather(octets: Bytes, at: Ints, length: Ints) -> pa.Array:
    """Spans of a buffer as a binary column; null where they are empty."""
    view = octets.data
    spans = zip(at.tolist(), length.tolist(), strict=True)
    return pa.array([bytes(view[a : a + size]) if size else None for a, size in spans], pa.large_binary())


def _converted(values: pa.Array, convert: Callable[[bytes], object], type_: pa.DataType) -> pa.Array:
    """`convert` applied once to each distinct value of a binary column."""
    coded = values.dictionary_encode()
    return pa.array([convert(value) for value in coded.dictionary.to_pylist()], type_).take(coded.indices)


def _valid(column: pa.Array) -> np.ndarray:
    result: np.ndarray = column.is_valid().to_numpy(zero_copy_only=False)
    return result


def _sources(found: Rows, name: pa.Array) -> np.ndarray:
    """Where names come from: beside an encrypted hello, a public name is only its outside.

    A hello that hides its name and shows none (draft-ietf-tls-esni-02) has that source and no name.
    """
    public = pc.is_in(name, pa.array(sorted(ech.PUBLIC_NAMES))).to_numpy(zero_copy_only=False)
    hides = found["hidden"] != 0
    outer = (hides & public) | (found["hidden"] & tls.HAS_ESNI != 0) & (found["named"] == 0)
    return np.where(outer, _ECH_OUTER, np.where(_valid(name), _SNI, 0))


def _count_odd(rows: Rows, hellos: Hellos, name: pa.Array, tally: Tally) -> None:
    """Count server names that are there and cannot be given, by reason."""
    found = hellos.found
    missing = (found["named"] != 0) & ~_valid(name) & (found["status"] != Status.TRUNCATED)
    for reason, wrong in (
        (NO_HOST_NAME, missing & (found["names"] > 0)),
        (NONE_LISTED, missing & (found["names"] == 0)),
    ):
        if wrong.any():
            tally.skip(reason, rows["ordinal"][wrong][:FIRST_KEPT], count=int(wrong.sum()))
    if (found["names"] > 1).any():
        tally.notes.add(SEVERAL_NAMES)
    if (found["status"] != Status.OK).any():
        tally.notes.add(NOT_WHOLE)


def _each_name(hellos: Hellos) -> tuple[Hellos, Ints]:
    """One row a server name, and which hello each row is; RFC 6066 allows one name only."""
    found = hellos.found
    index = np.arange(len(found))
    several = np.flatnonzero(found["names"] > 1)
    if not len(several):
        return hellos, index
    extra, spans = [], []
    for row in several.tolist():
        for span in _server_names(hellos.data.u8, found[row])[1:MAX_NAMES]:
            extra.append(row)
            spans.append(span)
    more = found[extra]
    more["sni_at"], more["sni_length"] = np.array(spans, np.int64).reshape(-1, 2).T
    both, origin = np.concatenate([found, more]), np.concatenate([index, np.array(extra, np.int64)])
    order = np.argsort(origin, kind="stable")
    return Hellos(both[order], hellos.data, hellos.keys), origin[order]


def _server_names(octets: Bytes, hello: Rows) -> list[tuple[int, int]]:
    """Spans of all host names of one hello, as `tls.read_hellos` counts them."""
    spans = []
    first = int(hello["ext_at"])
    data = octets[first : int(hello["ext_end"])].tobytes()
    at, end = 0, len(data)
    while at + 4 <= end:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        stop = min(at + 4 + size, end)
        place = at + 6 if data[at : at + 2] == b"\0\0" else stop
        while place + 3 <= stop:
            length = int.from_bytes(data[place + 1 : place + 3], "big")
            if place + 3 + length > stop:
                break
            if data[place] == 0 and length:
                spans.append((first + place + 3, length))
            place += 3 + length
        at += 4 + size
    return spans


def host_names(octets: pa.Array) -> pa.Array:
    """`host_name` over a binary column."""
    coded = octets.dictionary_encode()
    try:
        text = coded.dictionary.cast(pa.string())
    except pa.ArrowInvalid:  # some are no UTF-8
        text = _converted(coded.dictionary, _decoded, pa.string())
    names = normalise_column(text)
    odd = [host_name(word.encode()) if word else None for word in text.filter(names.is_null()).to_pylist()]
    return pc.replace_with_mask(names, names.is_null(), pa.array(odd, pa.string())).take(coded.indices)


def _decoded(octets: bytes) -> str | None:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _protocols(octets: bytes) -> list[str]:
    """ALPN names; GREASE values (RFC 8701) and what is no text are left out."""
    names: list[str] = []
    at = 0
    while at < len(octets) and len(names) < MAX_PROTOCOLS:
        word = octets[at + 1 : at + 1 + octets[at]]
        if word.isascii() and word.decode("ascii").isprintable() and len(word) == octets[at] > 0:
            names.append(word.decode("ascii"))
        at += 1 + octets[at]
    return names


def _version(number: int) -> str | None:
    return "1.3" if number >> 8 == 0x7F else VERSIONS.get(number)  # 0x7f..: a draft of it
