"""Encrypted ClientHellos: which visible names are only the outside of one.

Clients that have no key send a grease extension that nobody can tell from a real one, and beside
it stands the true name (RFC 9849 section 6.2, formerly draft-ietf-tls-esni). So the extension alone hides nothing:
what tells is the name itself. A *public name* stands on the outside of everybody's encrypted
hellos to one provider. Some are known; others a DNS answer states.
"""

from __future__ import annotations

from netaudit.records.names import normalise

PUBLIC_NAMES = frozenset({
    "cloudflare-ech.com",  # Cloudflare, all of its customers
    "cover.defo.ie",  # the DEfO project's own servers
    "public.tls-ech.dev",  # the test site tls-ech.dev
})  # fmt: skip
"""Public names of providers, by which no other site is reached."""

ECH_VERSION = 0xFE0D


def public_names_of(ech_config_list: bytes) -> list[str]:
    """Public names of an ECHConfigList, the ``ech`` parameter of an HTTPS record (RFC 9848).

    Args:
        ech_config_list: The parameter's octets, two octets of length first.

    Returns:
        Names in normal form, in order, each once; none of a list that is not whole.
    """
    stop = 2 + int.from_bytes(ech_config_list[:2], "big")
    if stop != len(ech_config_list):
        return []
    names: list[str] = []
    at = 2
    while at + 4 <= stop:
        version = int.from_bytes(ech_config_list[at : at + 2], "big")
        end = at + 4 + int.from_bytes(ech_config_list[at + 2 : at + 4], "big")
        if end > stop:
            break
        name = _public_name(ech_config_list[at + 4 : end]) if version == ECH_VERSION else None
        if name is not None and name not in names:
            names.append(name)
        at = end
    return names


def _public_name(contents: bytes) -> str | None:
    """The public name of one ECHConfigContents: behind configuration id, KEM, key and cipher suites."""
    suites = 5 + int.from_bytes(contents[3:5], "big")
    at = (
        suites + 2 + int.from_bytes(contents[suites : suites + 2], "big") + 1
    )  # and the maximum name length
    octets = contents[at + 1 : at + 1 + contents[at]] if at < len(contents) else b""
    if not octets or len(octets) != contents[at] or not octets.isascii():
        return None
    return normalise(octets.decode("ascii"))
