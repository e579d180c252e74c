"""Query types and response codes in one spelling, whatever a log calls them."""

from __future__ import annotations

import re

import pyarrow as pa

from netaudit.records.addresses import by_distinct

_NUMBERED = re.compile(r"(?:TYPE|CLASS|RCODE|QUERY)?[-= ]?(\d{1,5})\Z")
_RCODES = {
    "SUCCESS": "NOERROR", "NO ERROR": "NOERROR", "FAILURE": "SERVFAIL", "SERVERFAILURE": "SERVFAIL",
    "SERVER FAILURE": "SERVFAIL", "NAMEERROR": "NXDOMAIN", "NAME ERROR": "NXDOMAIN",
    "NON-EXISTENT DOMAIN": "NXDOMAIN", "FORMATERROR": "FORMERR", "NOTIMPLEMENTED": "NOTIMP",
    "FORM ERROR": "FORMERR", "NOT IMPLEMENTED": "NOTIMP", "QUERY REFUSED": "REFUSED",
}  # fmt: skip


def qtype_column(text: pa.Array) -> pa.Array:
    """Query types as dnspython prints them: ``TYPE65``, ``type=65``, ``65`` and ``HTTPS`` are one."""
    return by_distinct(text, _qtype, pa.string())


def rcode_column(text: pa.Array) -> pa.Array:
    """Response codes as dnspython prints them; BIND's ``failure`` is ``SERVFAIL``."""
    return by_distinct(text, _rcode, pa.string())


def _qtype(word: str) -> str:
    import dns.rdatatype

    word = word.strip().upper()
    if word == "*":
        return "ANY"
    if match := _NUMBERED.match(word):
        number = int(match[1])
        return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number)) if number <= 0xFFFF else word
    return word


def _rcode(word: str) -> str:
    import dns.rcode

    word = word.strip().upper()
    if match := _NUMBERED.match(word):
        number = int(match[1])
        return dns.rcode.to_text(dns.rcode.Rcode.make(number)) if number <= 0xFFF else word
    return _RCODES.get(word, word)
