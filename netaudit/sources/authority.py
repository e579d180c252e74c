"""Who is named in a hello, a Host line or a request target: names and addresses in one normal form."""

from __future__ import annotations

from netaudit.records.addresses import format_ip, parse_ip
from netaudit.records.names import normalise


def host_name(octets: bytes) -> str | None:
    """A host in normal form, None where it is none.

    An address, which RFC 6066 section 3 forbids as a server name and clients send, stays an
    address, in the text form of RFC 5952.
    """
    text = _text(octets)
    return None if text is None else _name(text)


def authority_name(octets: bytes) -> str | None:
    """The host of ``[user@]host[:port]`` in normal form (RFC 3986 section 3.2), None where it is none.

    An IPv6 address keeps its brackets: they are part of a host (RFC 3986 section 3.2.2).
    """
    text = _text(octets)
    if text is None:
        return None
    text = text.rsplit("@", 1)[-1]
    if text.startswith("["):
        inside = _name(text[1:].split("]", 1)[0])
        return f"[{inside}]" if inside is not None and ":" in inside else inside
    if text.count(":") == 1:
        text = text.split(":", 1)[0]
    return _name(text)


def target_name(octets: bytes) -> str | None:
    """The authority that a request target states (RFC 9112 section 3.2), None where it states none.

    That is the absolute form, ``http://host/...``, and CONNECT's ``host:port``. It ends with a space.
    """
    octets = octets.partition(b" ")[0]
    scheme, separator, rest = octets.partition(b"://")
    if separator and scheme.isalpha():
        return authority_name(rest.split(b"/", 1)[0].split(b"?", 1)[0])
    return authority_name(octets) if b"/" not in octets and b":" in octets else None


def _text(octets: bytes) -> str | None:
    try:
        return octets.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None


def _name(text: str) -> str | None:
    # names, which are the rule, are told by their last letter: no address is tried for them
    if text[-1:].isdigit() or ":" in text:
        packed = parse_ip(text)
        if packed is not None:
            return format_ip(packed)
    return normalise(text)
