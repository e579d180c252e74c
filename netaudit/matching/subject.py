"""What a person or a log writes when it means a host: the name or address in it."""

from __future__ import annotations

import re

from netaudit.records.addresses import format_ip, parse_ip
from netaudit.records.names import normalise

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#]*@)?([^/?#]*)")
_BRACKETS = re.compile(r"\[([^\]]*)\](?::\d*)?\Z")
_PORT = re.compile(r"(.*):\d{1,5}\Z", re.DOTALL)


def host_of(text: str) -> str | None:
    """The name in normal form or the text of the address that `text` means.

    Args:
        text: A name, an address, ``host:port``, ``[address]:port``, or a URL.

    Returns:
        None where there is neither a name nor an address; the root is no host.
    """
    text = text.strip()
    if match := _URL.match(text):
        text = match[1]
    if match := _BRACKETS.match(text):
        packed = parse_ip(match[1])
        return format_ip(packed) if packed is not None else None
    packed = parse_ip(text)
    if packed is None and (match := _PORT.match(text)):
        text = match[1]
        packed = parse_ip(text)
    if packed is not None:
        return format_ip(packed)
    name = normalise(text)
    return None if name == "." else name
