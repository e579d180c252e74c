"""Names and addresses of a list's lines as columns: what several formats share.

What is plain goes through Arrow and NumPy; only the rest is looked at one by one.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.kernels.lookup import parse_ipv4
from netaudit.matching.columns import as_mask, text_bytes
from netaudit.matching.indicator import Scope
from netaudit.matching.rules import INVALID, LOCAL, SINGLE_LABEL, RuleSink
from netaudit.records.addresses import network_range, parse_ip
from netaudit.records.names import normalise, split_labels

HOST_BITS = "bits of the address behind its prefix are left out"

PLAIN_NAME = r"(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9_-]{0,62}"
"""RE2 for names that are in normal form as they stand; length is checked beside it."""
_IPV4_WITH_PREFIX = r"^(?P<address>[0-9.]{7,15})(?:/(?P<bits>[0-9]|[12][0-9]|3[0-2]))?$"
_LISTED = re.compile(r"[a-z0-9_.\\-]+\Z")
_MAX_PLAIN = 253

_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "local", "broadcasthost"})
_SENTINELS = re.compile(r"ip6-[a-z]+\Z")


def without_comment(lines: pa.Array, mark: str) -> pa.Array:
    """Trimmed lines, cut at the first `mark`."""
    if not pc.any(pc.match_substring(lines, mark)).as_py():
        return lines
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(lines, f"(?s){mark}.*", ""))


def plain_names(words: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Words in lower case and without a root dot, and which of them are plain names (bool)."""
    lowered = pc.ascii_lower(words)
    rooted = pc.ends_with(lowered, ".")
    if pc.any(rooted).as_py():
        lowered = pc.if_else(rooted, pc.utf8_slice_codeunits(lowered, 0, -1), lowered)
    plain = pc.and_(
        pc.match_substring_regex(lowered, f"^{PLAIN_NAME}$"),
        pc.less_equal(pc.binary_length(lowered), _MAX_PLAIN),
    )
    return lowered, as_mask(plain) & ~as_mask(pc.equal(lowered, "localhost.localdomain"))


def take_names(
    sink: RuleSink,
    index: np.ndarray,
    words: pa.Array,
    entry: pa.Array,
    *,
    scope: Scope,
    single_labels: bool = False,
    addresses: bool = True,
) -> None:
    """Put words that should be names into `sink`.

    Args:
        sink: The list.
        index: Line of each word in the chunk.
        words: One name each, trimmed.
        entry: The line of each as it stands.
        scope: What each name covers.
        single_labels: Whether the format lists top-level domains.
        addresses: Whether an address is an entry; else it is invalid.
    """
    lowered, plain = plain_names(words)
    chosen = pa.array(np.flatnonzero(plain))
    sink.names(index[plain], lowered.take(chosen), entry.take(chosen), scope=scope.code)
    odd = np.flatnonzero(~plain)
    rest = OddEntries()
    for line, word, raw in zip(
        index[odd].tolist(),
        words.take(pa.array(odd)).to_pylist(),
        entry.take(pa.array(odd)).to_pylist(),
        strict=True,
    ):
        address = parse_ip(word)
        if address is not None and addresses:
            rest.add_network(line, address, 128, raw)
            continue
        name = listed_name(word)
        if word.lower() in _LOCAL_NAMES or _SENTINELS.match(word.lower()):
            rest.skip(LOCAL, line)
        elif name is None:
            rest.skip(INVALID, line)
        elif not single_labels and len(split_labels(name)) < 2:
            rest.skip(SINGLE_LABEL, line)
        else:
            rest.add_name(line, name, raw, scope)
    rest.put_into(sink)


def take_addresses(sink: RuleSink, index: np.ndarray, words: pa.Array, entry: pa.Array) -> None:
    """Put words that should be addresses, networks or ranges into `sink`; see `take_names`."""
    parts = pc.extract_regex(words, _IPV4_WITH_PREFIX)
    bits_text = pc.fill_null(pc.struct_field(parts, "bits"), "")
    value, good = parse_ipv4(*text_bytes(pc.struct_field(parts, "address")))
    bits = pc.if_else(pc.equal(bits_text, ""), "32", bits_text)
    prefix = bits.cast(pa.uint8()).to_numpy(zero_copy_only=False).astype(np.uint64)
    mask = (np.uint64(0xFFFFFFFF) << (np.uint64(32) - prefix)) & np.uint64(0xFFFFFFFF)
    address = value.astype(np.uint64)
    sink.note(HOST_BITS, index[good & (address & ~mask != 0)])
    chosen = np.flatnonzero(good)
    sink.networks(
        index[good],
        np.zeros(len(chosen)),
        (address & mask)[good] | np.uint64(0xFFFF << 32),
        (prefix[good] + 96).astype(np.uint8),
        entry.take(pa.array(chosen)),
    )
    odd = np.flatnonzero(~good)
    rest = OddEntries()
    for line, word, raw in zip(
        index[odd].tolist(),
        words.take(pa.array(odd)).to_pylist(),
        entry.take(pa.array(odd)).to_pylist(),
        strict=True,
    ):
        networks = read_networks(word)
        if not networks:
            rest.skip(INVALID, line)
        elif "/" in word and networks[0][0] != parse_ip(word.partition("/")[0]):
            sink.note(HOST_BITS, [line])
        for packed, length in networks:
            rest.add_network(line, packed, length, raw)
    rest.put_into(sink)


def read_networks(text: str) -> list[tuple[bytes, int]]:
    """An address, network, dotted mask or range as (16 bytes, prefix of 0 to 128); else empty.

    A range becomes the fewest networks that make it up. IPv4-mapped IPv6 is IPv4.
    """
    first, dash, last = (part.strip() for part in text.partition("-"))
    if dash:
        low, high = parse_ip(first), parse_ip(last)
        if low is None or high is None or low > high:
            return []
        ends = ipaddress.IPv6Address(low), ipaddress.IPv6Address(high)
        return [(n.network_address.packed, n.prefixlen) for n in ipaddress.summarize_address_range(*ends)]
    address, slash, mask = text.partition("/")
    try:
        network = ipaddress.ip_network(address.split("%", 1)[0] + slash + mask, strict=False)
    except ValueError:
        return []
    packed = network_range(network)[0]
    return [(packed, network.prefixlen + (96 if network.version == 4 else 0))]


def listed_name(text: str) -> str | None:
    """The normal form of a name on a list, or None.

    Stricter than for seen names: only letters, digits, hyphens, underscores and escaped octets,
    so that a URL, a mask or a mark of another syntax is never taken for a name.
    """
    name = normalise(text)
    return name if name is not None and name != "." and _LISTED.match(name) else None


@dataclass(slots=True)
class OddEntries:
    """Entries that were read one by one, on their way into a sink."""

    names: list[tuple[int, str, str, int, bool, int, int]] = field(default_factory=list)
    networks: list[tuple[int, int, int, int, str, bool, int, int]] = field(default_factory=list)
    patterns: list[tuple[int, str, str, bool, int, int]] = field(default_factory=list)
    skipped: dict[str, list[int]] = field(default_factory=dict)

    def add_name(
        self,
        line: int,
        name: str,
        entry: str,
        scope: Scope,
        *,
        allow: bool = False,
        rank: int = 0,
        condition: int = 0,
    ) -> None:
        """An entry for a name; see `RuleSink.names`."""
        self.names.append((line, name, entry, scope.code, allow, rank, condition))

    def add_network(
        self,
        line: int,
        packed: bytes,
        prefix: int,
        entry: str,
        *,
        allow: bool = False,
        rank: int = 0,
        condition: int = 0,
    ) -> None:
        """An entry for a network: 16 bytes and a prefix length of 0 to 128."""
        high, low = int.from_bytes(packed[:8], "big"), int.from_bytes(packed[8:], "big")
        self.networks.append((line, high, low, prefix, entry, allow, rank, condition))

    def add_pattern(
        self,
        line: int,
        expression: str,
        entry: str,
        *,
        allow: bool = False,
        rank: int = 0,
        condition: int = 0,
    ) -> None:
        """An entry that is a regular expression (RE2)."""
        self.patterns.append((line, expression, entry, allow, rank, condition))

    def skip(self, reason: str, line: int) -> None:
        """A line that is no entry, or not all of it."""
        self.skipped.setdefault(reason, []).append(line)

    def put_into(self, sink: RuleSink) -> None:
        """Hand everything over."""
        if self.names:
            line, name, entry, scope, allow, rank, condition = map(list, zip(*self.names, strict=True))
            sink.names(line, name, entry, scope=scope, allow=allow, rank=rank, condition=condition)
        if self.networks:
            line, high, low, prefix, entry, allow, rank, condition = map(
                list, zip(*self.networks, strict=True)
            )
            sink.networks(line, high, low, prefix, entry, allow=allow, rank=rank, condition=condition)
        if self.patterns:
            line, name, entry, allow, rank, condition = map(list, zip(*self.patterns, strict=True))
            sink.patterns(line, name, entry, allow=allow, rank=rank, condition=condition)
        for reason, lines in self.skipped.items():
            sink.skip(reason, lines)
