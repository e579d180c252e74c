"""Encrypted DNS: DoT and DoQ by port or ALPN, DoH by the names of public resolvers.

Inside of TLS and QUIC nothing tells a DoH request from any other (RFC 8484). What tells is whom a
host speaks to: `RESOLVERS` are names that are there for DNS only. Each comes from its operator's own
documentation, or from the lists of curl (wiki, DNS-over-HTTPS) and DNSCrypt (public-resolvers).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import by_distinct
from netaudit.sources.messages import words

PORT = 853
"""RFC 7858 section 3.1, RFC 9250 section 4.1.1."""

RESOLVERS = frozenset(
    [
        "1dot1dot1dot1.cloudflare-dns.com",
        "chrome.cloudflare-dns.com",
        "cloudflare-dns.com",
        "dns.cloudflare.com",
        "family.cloudflare-dns.com",
        "mozilla.cloudflare-dns.com",
        "one.one.one.one",
        "security.cloudflare-dns.com",
        "dns.google",
        "dns.google.com",
        "dns64.dns.google",
        "dns.quad9.net",
        "dns9.quad9.net",
        "dns10.quad9.net",
        "dns11.quad9.net",
        "dns12.quad9.net",
        "dns.nextdns.io",
        "anycast.dns.nextdns.io",
        "firefox.dns.nextdns.io",
        "chromium.dns.nextdns.io",
        "dns.adguard-dns.com",
        "family.adguard-dns.com",
        "unfiltered.adguard-dns.com",
        "dns.adguard.com",
        "dns-family.adguard.com",
        "dns-unfiltered.adguard.com",
        "doh.opendns.com",
        "doh.familyshield.opendns.com",
        "doh.sandbox.opendns.com",
        "dns.opendns.com",
        "dns.umbrella.com",
        "dns.alidns.com",
        "doh.pub",
        "dot.pub",
        "sm2.doh.pub",
        "doh.360.cn",
        "dot.360.cn",
        "doh.cleanbrowsing.org",
        "family-filter-dns.cleanbrowsing.org",
        "adult-filter-dns.cleanbrowsing.org",
        "security-filter-dns.cleanbrowsing.org",
        "freedns.controld.com",
        "dns.controld.com",
        "dns.mullvad.net",
        "doh.mullvad.net",
        "adblock.dns.mullvad.net",
        "base.dns.mullvad.net",
        "extended.dns.mullvad.net",
        "family.dns.mullvad.net",
        "all.dns.mullvad.net",
        "dns0.eu",
        "zero.dns0.eu",
        "kids.dns0.eu",
        "open.dns0.eu",
        "protective.joindns4.eu",
        "noads.joindns4.eu",
        "child.joindns4.eu",
        "unfiltered.joindns4.eu",
        "dns.sb",
        "doh.dns.sb",
        "doh.sb",
        "dot.sb",
        "dns.twnic.tw",
        "101.101.101.101",
        "dns.hinet.net",
        "public.dns.iij.jp",
        "doh.xfinity.com",
        "doh.cox.net",
        "dns.shaw.ca",
        "dns.telekom.de",
        "private.canadianshield.cira.ca",
        "protected.canadianshield.cira.ca",
        "family.canadianshield.cira.ca",
        "dns.switch.ch",
        "odvr.nic.cz",
        "dns.digitale-gesellschaft.ch",
        "dns.digitalcourage.de",
        "dns3.digitalcourage.de",
        "dns.njal.la",
        "doh.libredns.gr",
        "dot.libredns.gr",
        "doh.applied-privacy.net",
        "dot1.applied-privacy.net",
        "ordns.he.net",
        "dns.comss.one",
        "common.dot.dns.yandex.net",
        "common.dns.yandex.net",
        "safe.dot.dns.yandex.net",
        "family.dot.dns.yandex.net",
        "doh.dns.apple.com",
        "doh.tiar.app",
        "dot.tiar.app",
        "jp.tiar.app",
        "jp.tiarap.org",
        "doh.tiarap.org",
        "doh.ffmuc.net",
        "dot.ffmuc.net",
        "dns.rethinkdns.com",
        "sky.rethinkdns.com",
        "max.rethinkdns.com",
        "basic.rethinkdns.com",
        "dns.decloudus.com",
        "blitz.ahadns.com",
        "doh.seby.io",
        "dot.seby.io",
        "dns.dnshome.de",
        "wikimedia-dns.org",
        "dns.aa.net.uk",
        "dns.restena.lu",
        "kaitain.restena.lu",
        "anycast.uncensoreddns.org",
        "unicast.uncensoreddns.org",
        "1.1.1.1",
        "1.0.0.1",
        "8.8.8.8",
        "8.8.4.4",
        "9.9.9.9",
        "149.112.112.112",
        "223.5.5.5",
        "223.6.6.6",
        "1.12.12.12",
        "120.53.53.53",
    ]
)
"""Names (and addresses that clients state as one) of public resolvers that speak DoH or DoT."""

CUSTOMERS = (
    ".dns.nextdns.io", ".cloudflare-gateway.com", ".dns.controld.com", ".d.adguard-dns.com", ".doh.pub", ".dot.pub", ".doh.360.cn", ".dot.360.cn",
)  # fmt: skip
"""Ends of names under which a resolver gives each customer a name."""

_WORDS: list[str | None] = [None, "dot", "doq", "doh"]


def is_resolver(name: str) -> bool:
    """Whether a name, in normal form, is that of a public encrypted resolver."""
    return name in RESOLVERS or name.endswith(CUSTOMERS)


def marks(
    name: pa.Array, server_port: np.ndarray, datagrams: np.ndarray, alpn: pa.Array | None = None
) -> pa.Array:
    """The column ``transport_detail`` of connections: ``dot``, ``doq``, ``doh`` or null.

    Args:
        name: What each connection names, in normal form; null where it names nothing.
        server_port: The port of the answering side.
        datagrams: Whether it may be QUIC; DTLS counts as TLS (RFC 8094).
        alpn: Lists of protocols that the client offers (RFC 7858 has ``dot``, RFC 9250 ``doq``).
    """
    result = np.where(_named(name), 3, 0)
    offers = _offers(alpn, len(name))
    result[(server_port == PORT) | (offers > 0)] = 1
    result[(server_port == PORT) & datagrams | (offers == 2)] = 2
    return words(result, _WORDS)


def _named(name: pa.Array) -> np.ndarray:
    found = by_distinct(name, lambda text: is_resolver(text) or None, pa.bool_())
    result: np.ndarray = pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False)
    return result


def _offers(alpn: pa.Array | None, count: int) -> np.ndarray:
    """Of each row 1 where ``dot`` is offered, 2 where ``doq`` or a draft of it is, else 0."""
    result = np.zeros(count, np.int8)
    if alpn is None:
        return result
    row = pc.list_parent_indices(alpn).to_numpy()
    flat = pc.list_flatten(alpn)
    result[row[_true(pc.equal(flat, "dot"))]] = 1
    result[row[_true(pc.match_substring_regex(flat, "^doq(-i[0-9]+)?$"))]] = 2
    return result


def _true(mask: pa.Array) -> np.ndarray:
    result: np.ndarray = pc.fill_null(mask, fill_value=False).to_numpy(zero_copy_only=False)
    return result
