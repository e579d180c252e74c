r"""Domain names in one normal form.

Lower case, A-labels, no root dot, RFC 4343 escapes (``\.`` for a dot inside a label, ``\DDD``
for what is not printable ASCII). The root itself is ``.``.
"""

from __future__ import annotations

import ipaddress
import re

import pyarrow as pa
import pyarrow.compute as pc

_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})  # UTS 46 section 2.3
_ESCAPE = re.compile(r"\\(\d{3}|.)", re.DOTALL)
_PLAIN = re.compile(r"[!-~]+\Z")

MAX_NAME = 253
MAX_LABEL = 63


def normalise(name: str) -> str | None:
    """The normal form of a seen or listed name, or None where it is no name.

    An address literal, an empty label, a label over 63 or a name over 253 octets is no name
    (RFC 1035 section 2.3.4). Pure ASCII skips IDNA: traffic holds ``_dmarc`` and odd hyphens.
    """
    text = name.strip()
    if text in {"", "."}:
        return "." if text else None
    if not text.isascii():
        ascii_form = _to_ascii(text.translate(_DOTS))
        if ascii_form is None:
            return None
        text = ascii_form
    labels = split_labels(text.lower())
    if labels and labels[-1] == "":
        labels.pop()
    if not labels or not all(0 < _octets(label) <= MAX_LABEL for label in labels):
        return None
    joined = ".".join(labels)
    if sum(_octets(label) + 1 for label in labels) - 1 > MAX_NAME or not _PLAIN.match(joined):
        return None
    return None if _is_address(joined) else joined


def split_labels(name: str) -> list[str]:
    """Labels of a name in presentation form; an escaped dot does not split."""
    if "\\" not in name:
        return name.split(".")
    labels, start, position = [], 0, 0
    while position < len(name):
        if name[position] == "\\":
            position += 2
        elif name[position] == ".":
            labels.append(name[start:position])
            position += 1
            start = position
        else:
            position += 1
    labels.append(name[start:])
    return labels


_USUAL = r"^(?:[a-z0-9_-]{1,63}\.)*[a-z_][a-z0-9_-]{0,62}$"
"""Names that are in normal form but for case and root dot; the last label is no number, so that
addresses are left to `normalise`."""


def normalise_column(text: pa.Array) -> pa.Array:
    """`normalise` over a string column, as a string column; what is no name is null."""
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    coded = text if pa.types.is_dictionary(text.type) else text.dictionary_encode()
    lower = pc.ascii_lower(coded.dictionary)
    lower = pc.if_else(pc.ends_with(lower, "."), pc.utf8_slice_codeunits(lower, 0, -1), lower)
    usual = pc.and_(
        pc.match_substring_regex(lower, _USUAL), pc.less_equal(pc.binary_length(lower), MAX_NAME)
    )
    odd = pc.invert(usual)
    rest = [normalise(word) if word else None for word in coded.dictionary.filter(odd).to_pylist()]
    return pc.replace_with_mask(lower, odd, pa.array(rest, pa.string())).take(coded.indices)


def _octets(label: str) -> int:
    return len(_ESCAPE.sub("x", label)) if "\\" in label else len(label)


def _to_ascii(text: str) -> str | None:
    import idna

    try:
        return idna.encode(text, uts46=True, transitional=False, std3_rules=False).decode()
    except (idna.IDNAError, UnicodeError):
        return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
