"""Transport protocols by name or number, as logs print them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.sources.formats._values import words

_PROTOCOLS = {
    "1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp", "51": "ah",
    "58": "icmpv6", "132": "sctp", "ipv6-icmp": "icmpv6", "icmp6": "icmpv6",
}  # fmt: skip
_NO_PROTOCOL = {"any", "reserved", "unknown", "other", "-", "--", "n/a", "null"}


def transport_column(text: pa.Array) -> pa.Array:
    """Protocol names in lower case, from names or numbers."""
    return words(text, _protocol)


def _protocol(text: str) -> str | None:
    word = text.strip().lower()
    return None if word in _NO_PROTOCOL else _PROTOCOLS.get(word, word) or None


def transports(text: pa.Array) -> pa.Array:
    """``UDP`` and ``TCP`` in lower case; any other word is null."""
    lower = pc.ascii_lower(text)
    return pc.if_else(pc.is_in(lower, value_set=pa.array(["udp", "tcp"])), lower, None)
