"""Where a request went, out of its URL: the host and the port, never path or query, user or password."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import empty_to_null
from netaudit.records.addresses import ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.formats._values import port

# RFC 3986 section 3.2: [userinfo@]host[:port] behind a scheme, or alone with a port (CONNECT); a backslash stands
# in neither, and browsers and servers do not agree on where it leads
_URL = (
    r"^(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:[^/?#@\\\s]*@)?)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%[^\]\s]*)?\]|[^/?#@:\[\]\\\s]+)(?::(?P<port>\d{0,5}))?(?P<tail>[/?#].*)?$"
)
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "ftp": 21}


def destinations(url: pa.Array) -> dict[str, pa.Array]:
    """Host and port of absolute URLs and of ``host:port``; all null where there is no host.

    Args:
        url: ``http://user@host:port/path?query``, ``host:443``, ``[2001:db8::1]:443``. A path alone,
            or a word without scheme and port, names no host.

    Returns:
        The columns of `named`, and ``server_port``: that of the scheme where none is written.
    """
    parts = pc.extract_regex(pc.utf8_trim_whitespace(url), _URL)
    scheme = empty_to_null(pc.ascii_lower(pc.struct_field(parts, "scheme")))
    number = empty_to_null(pc.struct_field(parts, "port"))
    tail = empty_to_null(pc.struct_field(parts, "tail"))
    absolute = pc.or_(pc.is_valid(scheme), pc.and_(pc.is_valid(number), pc.is_null(tail)))
    host = pc.if_else(absolute, pc.utf8_trim(pc.struct_field(parts, "host"), "[]"), None)
    usual = pc.index_in(scheme, value_set=pa.array(list(_PORTS)))
    default = pa.array(list(_PORTS.values()), pa.uint16()).take(usual)
    return {
        **named(host),
        "server_port": pc.if_else(
            pc.is_valid(host), pc.if_else(pc.is_valid(number), port(number), default), None
        ),
    }


def visited(url: pa.Array) -> dict[str, pa.Array]:
    """``name``, ``name_source``, ``server_ip`` and ``server_port`` of URLs, which may lack a scheme.

    A port is told only where it or the scheme is written: ``www.example.org/index.htm`` tells none.
    """
    text = pc.utf8_trim_whitespace(url)
    bare = pc.invert(pc.match_substring(text, "://"))
    where = destinations(pc.if_else(bare, pc.binary_join_element_wise("http://", text, ""), text))
    written = pc.match_substring_regex(text, r"^[^/?#]*:\d|://")
    return where | {"server_port": pc.if_else(written, where["server_port"], None)}


def named(host: pa.Array) -> dict[str, pa.Array]:
    """``name`` and ``name_source`` of hosts that are names, ``server_ip`` of those that are addresses."""
    name = normalise_column(host)
    return {
        "name": name,
        "name_source": pc.if_else(pc.is_valid(name), "host", None),
        "server_ip": ip_column(host),
    }
