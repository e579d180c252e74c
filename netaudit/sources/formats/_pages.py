"""The host of a page that somebody visited, as gateways that audit behaviour write it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.sources.formats._urls import destinations


def visited(url: pa.Array) -> dict[str, pa.Array]:
    """``name``, ``name_source``, ``server_ip`` and ``server_port`` of URLs, which may lack a scheme.

    A port is told only where it or the scheme is written: ``www.example.org/index.htm`` tells none.
    """
    text = pc.utf8_trim_whitespace(url)
    bare = pc.invert(pc.match_substring(text, "://"))
    where = destinations(pc.if_else(bare, pc.binary_join_element_wise("http://", text, ""), text))
    written = pc.match_substring_regex(text, r"^[^/?#]*:\d|://")
    return where | {"server_port": pc.if_else(written, where["server_port"], None)}
