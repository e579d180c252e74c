"""The made-up Internet: reserved names (RFC 2606) at documentation addresses (RFC 5737, RFC 3849)."""

from __future__ import annotations

import functools
from dataclasses import dataclass

FLAGGED = "flagged-site.example"
FLAGGED_IMAGE = "img.flagged-site.example"
CASINO = "lucky-casino.example"
PHISHING = "secure-login.mail-verify-account.example"
LOOKALIKE = "notflagged-site.example"
LOOKALIKE_BELOW = "flagged-site.example.cdn-demo.test"
ENCRYPTED_DNS = "doh.resolver-demo.example"
FOREIGN_RESOLVER = "192.0.2.53"
TIME_SERVER = "192.0.2.123"
DEVICE_SERVICE = "sync.device-demo.example"
LONG_TEXT = "policy-text.county-mail.example"


@dataclass(frozen=True, slots=True)
class Site:
    """A server of the made-up Internet."""

    name: str
    ip: str
    weights: tuple[int, int, int] = (0, 0, 0)
    """How often it is visited from the extranet's offices, the Internet offices and the hall."""
    port: int = 443
    ip6: str = ""
    cname: str = ""
    """Canonical name, where `name` is an alias."""


SITES = (
    Site("www.county-portal.example", "198.51.100.10", (9, 3, 6), ip6="2001:db8:10::10"),
    Site("oa.county-portal.example", "198.51.100.11", (14, 0, 0), ip6="2001:db8:10::11"),
    Site("apply.county-portal.example", "198.51.100.12", (8, 1, 14)),
    Site("mail.county-mail.example", "198.51.100.15", (9, 8, 0)),
    Site("files.county-mail.example", "198.51.100.16", (4, 3, 0)),
    Site("statistics.province-demo.example", "198.51.100.18", (6, 0, 0)),
    Site(
        "www.news-demo.example",
        "192.0.2.20",
        (5, 8, 8),
        ip6="2001:db8:20::20",
        cname="news-demo.cdn-demo.test",
    ),
    Site(
        "img.news-demo.example",
        "192.0.2.20",
        (3, 5, 6),
        ip6="2001:db8:20::20",
        cname="news-demo.cdn-demo.test",
    ),
    Site("static.cdn-demo.test", "192.0.2.21", (5, 7, 7), ip6="2001:db8:20::21"),
    Site("update.os-vendor.example", "192.0.2.30", (5, 5, 1), port=80),
    Site("connectivity.os-vendor.example", "192.0.2.31", (2, 2, 5), port=80),
    Site("virus-definitions.av-vendor.example", "192.0.2.32", (4, 4, 0)),
    Site("search.demo-search.example", "198.51.100.40", (4, 9, 6)),
    Site("weather.demo-service.example", "198.51.100.41", (3, 4, 4), port=80),
    Site("map.demo-service.example", "198.51.100.42", (1, 4, 5)),
    Site("learning.demo-school.example", "198.51.100.43", (3, 4, 0)),
    Site("www.demo-bank.test", "198.51.100.44", (1, 4, 2)),
    Site("invoice.demo-tax.example", "198.51.100.45", (3, 4, 2)),
    Site("chat.demo-chat.example", "192.0.2.60", (0, 6, 14)),
    Site("video.demo-video.example", "192.0.2.61", (0, 3, 6), cname="video.cdn-demo.test"),
    Site("shop.demo-shop.example", "192.0.2.62", (0, 4, 4)),
    Site(DEVICE_SERVICE, "192.0.2.70"),
    Site(FLAGGED, "198.51.100.77"),
    Site(FLAGGED_IMAGE, "198.51.100.77"),
    Site(CASINO, "198.51.100.80"),
    Site(LOOKALIKE, "198.51.100.90"),
    Site(LOOKALIKE_BELOW, "198.51.100.91"),
    Site(ENCRYPTED_DNS, "192.0.2.54"),
)
BY_NAME = {site.name: site for site in SITES}


@functools.cache
def dns_messages(name: str, qtype: str, *, edns: bool, truncated: bool) -> tuple[bytes, bytes]:
    """The query and the response for `name` in wire form, both with message id 0.

    Args:
        name: What is asked for; `PHISHING` is answered NXDOMAIN by the office's resolver.
        qtype: Mnemonic of the record type.
        edns: Whether the client speaks EDNS (RFC 6891).
        truncated: Whether the answer does not fit and TC is set (RFC 1035, section 4.1.1).
    """
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rrset

    query = dns.message.make_query(name, qtype, use_edns=edns, payload=1232, id=0)
    response = dns.message.make_response(query, recursion_available=True)
    if truncated:
        response.flags |= dns.flags.TC
        return query.to_wire(), response.to_wire()
    if name == PHISHING:
        response.set_rcode(dns.rcode.NXDOMAIN)
    owner = name
    for owner, type_, data in _records(name, qtype):
        response.answer.append(dns.rrset.from_text(f"{owner}.", 300, "IN", type_, data))
    if not response.answer or response.answer[-1].rdtype != query.question[0].rdtype:
        zone = ".".join(owner.split(".")[-2:])
        soa = f"ns1.{zone}. hostmaster.{zone}. 2026110201 7200 900 1209600 300"
        response.authority.append(dns.rrset.from_text(f"{zone}.", 300, "IN", "SOA", soa))
    return query.to_wire(), response.to_wire(max_size=65_535)


def _records(name: str, qtype: str) -> list[tuple[str, str, str]]:
    """Owner, type and data of the answer section, in its order."""
    if name == LONG_TEXT and qtype == "TXT":
        return [(name, "TXT", " ".join(f'"demo-policy part {part:02} {"x" * 200}"' for part in range(8)))]
    site = BY_NAME.get(name)
    if site is None:
        return []
    alias = [(name, "CNAME", f"{site.cname}.")] if site.cname else []
    owner = site.cname or name
    data = {"A": site.ip, "AAAA": site.ip6, "HTTPS": "1 . alpn=h2" if site.port == 443 else ""}.get(
        qtype, ""
    )
    return [*alias, (owner, qtype, data)] if data else alias
