"""ClientHellos and HTTP requests of a capture to events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.kernels import http, tls
from netaudit.kernels.status import Status
from netaudit.kernels.window import Ints, Window, gather
from netaudit.records.addresses import by_distinct, parse_ip
from netaudit.records.names import normalise
from netaudit.sources import traffic as packets
from netaudit.sources.traffic import Traffic

PUBLIC_NAMES = frozenset({"cloudflare-ech.com"})
"""Names that stand on the outside of encrypted hellos for everybody's (draft-ietf-tls-esni).

A grease extension looks the same as a real one, and beside it stands the true name. Only a public
name that no site is reached by tells them apart; any other name is taken for what it says.
"""

VERSIONS = {0x0300: "ssl3", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}
DTLS_VERSIONS = {0xFEFF: "dtls1.0", 0xFEFD: "dtls1.2", 0xFEFC: "dtls1.3", 0x0100: "dtls1.0"}


def hello_columns(window: Window, traffic: Traffic, hello: tls.Hellos) -> dict[str, Any]:
    """Columns of ``tls`` events, one row a hello."""
    name = _texts(window, hello.sni_at, hello.sni_length, host_name)
    raw_alpn = _bytes(window, hello.alpn_at, hello.alpn_length)
    version = _versions(window, hello)
    outer = hello.ech & pc.is_in(name, pa.array(sorted(PUBLIC_NAMES))).to_numpy(zero_copy_only=False)
    known = name.is_valid().to_numpy(zero_copy_only=False)
    source = np.where(known, np.where(outer, 2, 1), 0)
    return {
        **packets.columns(traffic),
        "name": name,
        "name_source": packets.words(source, [None, "sni", "ech_outer"]),
        "alpn": _distinct(raw_alpn, _protocols, pa.list_(pa.string())),
        "version": version,
    }


def _versions(window: Window, hello: tls.Hellos) -> pa.Array:
    """The highest supported version, else the hello's own."""
    offered = _bytes(window, hello.versions_at, hello.versions_length)
    listed = _distinct(offered, _highest, pa.string())
    distinct, index = np.unique(hello.version, return_inverse=True)
    own = pa.array([_version(int(v)) for v in distinct], pa.string()).take(pa.array(index))
    return pc.coalesce(listed, own)


def request_columns(traffic: Traffic, found: http.Requests) -> dict[str, Any]:
    """Columns of ``http`` events, one row a request; neither path nor query is kept.

    The name is the Host; where there is none, the authority that the target states.
    """
    window = Window(found.octets.tobytes())
    host = _texts(window, found.host_at, found.host_length, authority_name)
    method = _texts(window, found.method_at, found.method_length, bytes.decode)
    asked = (found.host_length == 0) | pc.equal(method, "CONNECT").to_numpy(zero_copy_only=False)
    length = np.where(asked, found.target_length, 0)
    target = _bytes(window, found.target_at, np.minimum(length, 512))
    host = pc.coalesce(_distinct(target, _target_name, pa.string()), host)
    rows = np.full(len(found.payload), 3)
    return {
        **packets.columns(traffic.take(found.payload)),
        "name": host,
        "name_source": pc.if_else(host.is_valid(), "host", pa.scalar(None, pa.string())),
        "method": method,
        "version": _texts(window, found.version_at, rows, _number),
    }


def _bytes(window: Window, at: Ints, length: Ints) -> pa.Array:
    """Octets of each row as a binary column; null where there are none."""
    spans = gather(window, at, length)
    array = pa.Array.from_buffers(
        pa.binary(),
        len(at),
        [None, pa.py_buffer(spans.offsets.astype(np.int32)), pa.py_buffer(spans.octets.tobytes())],
    )
    return pc.if_else(pa.array(length > 0), array, pa.scalar(None, pa.binary()))


def _texts(window: Window, at: Ints, length: Ints, convert: Any) -> pa.Array:
    return _distinct(_bytes(window, at, length), convert, pa.string())


def _distinct(values: pa.Array, convert: Any, type_: pa.DataType) -> pa.Array:
    return by_distinct(values, convert, type_)


def host_name(octets: bytes) -> str | None:
    """A server name in normal form; an address, which RFC 6066 forbids and clients send, stays."""
    try:
        text = octets.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    return _as_address(text) or normalise(text)


def authority_name(octets: bytes) -> str | None:
    """The host of ``host[:port]`` in normal form; an address stays an address."""
    try:
        text = octets.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    text = text.rsplit("@", 1)[-1]
    if text.startswith("["):
        text = text[1:].split("]", 1)[0]
    elif text.count(":") == 1:
        text = text.split(":", 1)[0]
    return _as_address(text) or normalise(text)


def _as_address(text: str) -> str | None:
    """The text where it is an address; names, which are the rule, are told by their last letter."""
    may_be = text[-1:].isdigit() or ":" in text
    return text.lower() if may_be and parse_ip(text) is not None else None


def _number(octets: bytes) -> str | None:
    """An HTTP version (RFC 9112 section 2.3: one digit, a dot, one digit)."""
    return octets.decode("ascii") if octets in {b"0.9", b"1.0", b"1.1", b"2.0"} else None


def _target_name(octets: bytes) -> str | None:
    """The authority of a CONNECT or absolute-form target (RFC 9112 section 3.2)."""
    scheme, separator, rest = octets.partition(b"://")
    if separator and scheme.isalpha():
        return authority_name(rest.split(b"/", 1)[0].split(b"?", 1)[0])
    return authority_name(octets) if b"/" not in octets and b":" in octets else None


def _protocols(octets: bytes) -> list[str]:
    """ALPN names; GREASE values (RFC 8701) and what is no text are left out."""
    names = []
    at = 0
    while at < len(octets):
        word = octets[at + 1 : at + 1 + octets[at]]
        if word.isascii() and word.decode("ascii").isprintable() and len(word) == octets[at] > 0:
            names.append(word.decode("ascii"))
        at += 1 + octets[at]
    return names


def _highest(octets: bytes) -> str | None:
    offered = [int.from_bytes(octets[i : i + 2], "big") for i in range(0, len(octets) - 1, 2)]
    known = [v for v in offered if _version(v)]
    # a DTLS version counts downwards
    return _version(max(known, key=lambda v: 0x10000 - v if v >= 0xFE00 else v)) if known else None


def _version(number: int) -> str | None:
    if number >> 8 == 0x7F:
        return "1.3"  # a draft of it
    return VERSIONS.get(number) or DTLS_VERSIONS.get(number)


def readable(hello: tls.Hellos) -> np.ndarray:
    """Which hellos are read to their end, or at least to a name."""
    result: np.ndarray = (hello.status == Status.OK) | (hello.sni_length > 0)
    return result
