"""Encrypted ClientHellos: which visible names are only the outside of one.

Clients that have no key send a grease extension that nobody can tell from a real one, and beside
it stands the true name (RFC 9849 section 6.2, formerly draft-ietf-tls-esni). So the extension alone hides nothing:
what tells is the name itself. A *public name* stands on the outside of everybody's encrypted
hellos to one provider.
"""

from __future__ import annotations

PUBLIC_NAMES = frozenset({
    "cloudflare-ech.com",  # Cloudflare, all of its customers
    "cover.defo.ie",  # the DEfO project's own servers
    "public.tls-ech.dev",  # the test site tls-ech.dev
})  # fmt: skip
"""Public names of providers, by which no other site is reached."""
