"""hosts files: an address and names; every name that is sent nowhere is listed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.matching.columns import as_mask
from netaudit.matching.entry_columns import take_names, without_comment
from netaudit.matching.indicator import Scope
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import INVALID, LOCAL, RuleSink
from netaudit.records.addresses import V4_PREFIX, parse_ip

MAPPING = "the line gives a name a real address"


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, "#")
    take_hosts(sink, index, lines)


def take_hosts(sink: RuleSink, index: np.ndarray, lines: pa.Array) -> None:
    """Put trimmed hosts lines into `sink`.

    Args:
        sink: The list.
        index: Line of each in the chunk.
        lines: The lines, none of them empty or a comment.
    """
    parts = pc.utf8_split_whitespace(without_comment(lines, "#"))
    counts = pc.list_value_length(parts).to_numpy(zero_copy_only=False)
    kinds = _kinds(pc.list_element(parts, 0))
    kinds[counts < 2] = INVALID
    for reason in (INVALID, MAPPING, LOCAL):
        sink.skip(reason, index[kinds == reason])
    words = pc.list_flatten(parts)
    parent = pc.list_parent_indices(parts).to_numpy(zero_copy_only=False)
    heads = np.zeros(len(words), bool)
    heads[(np.cumsum(counts) - counts)[counts > 0]] = True
    names = np.flatnonzero(~heads & (kinds[parent] == ""))
    words, parent = words.take(pa.array(names)), parent[names]
    zero = as_mask(pc.equal(words, "0.0.0.0"))  # noqa: S104 -- a word of the file, nothing is bound
    sink.skip(LOCAL, index[parent[zero]])
    kept = np.flatnonzero(~zero)
    take_names(
        sink,
        index[parent[kept]],
        words.take(pa.array(kept)),
        lines.take(pa.array(parent[kept])),
        scope=Scope.EXACT,
        single_labels=True,
        addresses=False,
    )


def _kinds(addresses: pa.Array) -> np.ndarray:
    """Why a line with each of these addresses lists nothing; empty where it does."""
    coded = addresses.dictionary_encode()
    reasons = np.array([_kind(a) for a in coded.dictionary.to_pylist()], object)
    kinds: np.ndarray = reasons[coded.indices.to_numpy(zero_copy_only=False)]
    return kinds


def _kind(address: str) -> str:
    packed = parse_ip(address)
    if packed is None:
        return INVALID
    if packed in {bytes(16), bytes(15) + b"\x01", V4_PREFIX + bytes(4)}:
        return ""
    if packed.startswith(V4_PREFIX + b"\x7f"):
        return ""
    local = packed == V4_PREFIX + b"\xff" * 4 or packed[0] == 0xFF or packed[:2] == b"\xfe\x80"
    return LOCAL if local else MAPPING


FORMAT = ListFormat(
    title="hosts file",
    names=("hosts", "urlhaus-hostfile"),
    reference="hosts(5); https://github.com/StevenBlack/hosts",
    parse=_parse,
    samples=(
        ListSample(
            "127.0.0.1 localhost\n0.0.0.0 bad.example www.bad.example # note\n::1 ads.example\n",
            hits=("bad.example", "www.bad.example", "ads.example"),
            misses=("localhost", "a.bad.example", "note"),
        ),
        ListSample(
            "192.0.2.7 nas.corp.example\n",
            misses=("nas.corp.example",),
            note="An address that is no sink is a mapping, not a listing.",
        ),
    ),
)
