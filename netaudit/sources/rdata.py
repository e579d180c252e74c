"""Record data of the rarer DNS types in presentation form, as dnspython prints them."""

from __future__ import annotations

import struct
from functools import lru_cache

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from netaudit.kernels.octets import Bytes

_WITH_NAMES = frozenset({
    2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 17, 18, 21, 24, 26, 30, 33, 35, 36, 38, 39,
})  # fmt: skip
"""Types whose data hold names that some sender compresses (RFC 3597 section 4)."""
_NAME_AT = {46: 18, 47: 0, 64: 2, 65: 2}
"""Where the name stands in RRSIG, NSEC, SVCB and HTTPS; nobody may compress it (RFC 4034, RFC 9460)."""
_REMEMBERED = 1024


def rdata_text(octets: Bytes, start: int, at: int, length: int, rdclass: int, rdtype: int) -> str:
    """Record data in presentation form; what does not parse in the generic form of RFC 3597.

    Args:
        octets: What the message lies in.
        start: Where the message begins: names may point back as far as that.
        at: Where the data begin.
        length: Their octets.
        rdclass: Class of the record.
        rdtype: Type of the record.
    """
    data = octets[at : at + length].tobytes()
    if rdtype in _WITH_NAMES or (rdtype in _NAME_AT and _has_pointer(data, _NAME_AT[rdtype])):
        return _spell(octets[start : at + length].tobytes(), rdclass, rdtype, at - start, length)
    spell = _spell_once if length <= _REMEMBERED else _spell
    return spell(data, rdclass, rdtype, 0, length)


def _has_pointer(data: bytes, at: int) -> bool:
    """Whether the name there is compressed, or none."""
    while at < len(data) and data[at]:
        if data[at] > 63:
            return True
        at += data[at] + 1
    return False


def _spell(message: bytes, rdclass: int, rdtype: int, at: int, length: int) -> str:
    try:
        class_, type_ = dns.rdataclass.RdataClass.make(rdclass), dns.rdatatype.RdataType.make(rdtype)
        return dns.rdata.from_wire(class_, type_, message, at, length).to_text()
    except (dns.exception.DNSException, ValueError, struct.error, IndexError):
        return dns.rdata.GenericRdata(rdclass, rdtype, message[at : at + length]).to_text()  # type: ignore[arg-type]


_spell_once = lru_cache(maxsize=8192)(_spell)
