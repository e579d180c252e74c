"""Names that strangers put on the wire, as text that can be shown."""

from __future__ import annotations

_ENCODINGS = ("utf-8", "gb18030")


def shown(octets: bytes) -> str | None:
    r"""Octets as UTF-8, else GB18030, else with ``\xNN`` for what is not ASCII; None where empty.

    Zeros at the end are padding. What does not print (control characters, marks that turn the
    direction of writing) is escaped, so that no name can steer a terminal or a page.
    """
    plain = octets.rstrip(b"\0")
    if not plain:
        return None
    text = _decoded(plain)
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def wire_name(octets: bytes) -> str | None:
    """A name in labels (RFC 1035 section 3.1, no compression), which may lack its root; None where none."""
    labels, at = [], 0
    while at < len(octets) and octets[at]:
        end = at + 1 + octets[at]
        if octets[at] > 63 or end > len(octets):
            return None
        labels.append(octets[at + 1 : end])
        at = end
    return shown(b".".join(labels))


def _decoded(octets: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return octets.decode(encoding)
        except UnicodeDecodeError:
            continue
    return octets.decode("ascii", "backslashreplace")


def _escape(character: str) -> str:
    return (
        character.encode("ascii", "backslashreplace").decode()
        if ord(character) > 0x7F
        else f"\\x{ord(character):02x}"
    )
