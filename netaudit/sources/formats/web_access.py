"""Access logs of nginx and Apache: combined, with a virtual host, of a declared layout, or JSON.

The stock layout has no host: only an absolute request line (a forward proxy's) names one. A field
that is named in the line itself (``host="…"``) is taken too; anything else must be declared by the
option ``logformat`` of the source. Behind a header such as X-Forwarded-For the client is what that said.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import json_lines
from netaudit.intake.carrier import peel_text
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, share
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column
from netaudit.sources.formats._clf import bare, count, moments, requests, status
from netaudit.sources.formats._endpoints import endpoints
from netaudit.sources.formats._log_layout import expression
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._urls import destinations, named
from netaudit.sources.formats._values import DASH, given, mask, port

CUT = "The line is no request of a web server's access log, or is cut off."
_LINE = (
    r"^\s*(?:(?P<host>[A-Za-z0-9._-]+)(?::(?P<server_port>\d{1,5}))? )?"
    r"(?P<client>[0-9A-Fa-f%\[\]]*[.:][0-9A-Fa-f.:%\[\]]*) \S+ "
    r"(?P<account>|-|[^-\[][^\[]*?|-[^\s\[][^\[]*?) \[(?P<stamp>[^\]]+)\] "
    r"\"(?P<request>(?:[^\"\\]|\\.)*)\" (?P<status>\d{3}|-) (?P<bytes_in>\d+|-)"
    r"(?P<tail>(?: .*)?)$"
)
_NAMED_HOST = (
    r"[ ,;](?:host|http_host|vhost|server_name)=(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^\s\",;]+)[ ,;])"
)
_OWN = re.compile(
    r"\s*(?:[A-Za-z0-9._-]+(?::\d{1,5})? )?[0-9A-Fa-f.:%\[\]]{3,48} \S+ [^\[]*? ?\[\d{1,2}/[A-Z][a-z]{2}/\d{4}:[^\]]{8,24}\] "
    r"\"(?:[^\"\\]|\\.)*\" (?:\d{3}|-) (?:\d+|-)(?: (?!.* [A-Z][A-Z0-9_]+:[A-Z][A-Z_]*$)|$)"
)
_JSON_OWN = re.compile(
    r"\s*\{(?=.*\"(?:remote_addr|client_ip|clientip|remote_ip|remote_host)\")(?=.*\"(?:request|request_method|method)\")"
    r"(?=.*\"(?:status|status_code|response_code)\").*\}\s*\Z"
)
_LONGEST = 2_000
_OPTION = "logformat"
_CODE = r"(\$\{?[a-z0-9_]+\}?|%[<>!,0-9]*(?:\{[^}]*\})?[A-Za-z])"
_MEANING = {
    # nginx
    "$remote_addr": "client", "$realip_remote_addr": "client", "$remote_port": "client_port", "$remote_user": "account",
    "$time_local": "stamp", "$time_iso8601": "stamp", "$msec": "epoch", "$request": "request",
    "$request_method": "method", "$request_uri": "url", "$uri": "url", "$host": "host", "$http_host": "host",
    "$status": "status", "$body_bytes_sent": "bytes_in", "$bytes_sent": "bytes_in", "$request_length": "bytes_out",
    "$server_port": "server_port",
    # Apache
    "%h": "client", "%a": "client", "%{c}a": "client", "%{remote}p": "client_port", "%u": "account", "%t": "stamp",
    "%r": "request", "%m": "method", "%U": "url", "%v": "host", "%V": "host", "%{Host}i": "host", "%{host}i": "host",
    "%s": "status", "%>s": "status", "%b": "bytes_in", "%B": "bytes_in", "%O": "bytes_in", "%I": "bytes_out",
    "%p": "server_port", "%{canonical}p": "server_port",
}  # fmt: skip
_KEYS = {
    "stamp": ("time_iso8601", "@timestamp", "timestamp", "time_local", "time", "msec", "ts"),
    "client": ("remote_addr", "client_ip", "clientip", "remote_ip", "remote_host"),
    "client_port": ("remote_port", "client_port"),
    "account": ("remote_user", "user"),
    "method": ("request_method", "method"),
    "request": ("request",),
    "url": ("uri", "url", "request_uri"),
    "host": ("host", "http_host", "vhost", "server_name"),
    "status": ("status", "status_code", "response_code"),
    "bytes_in": ("body_bytes_sent", "bytes_sent", "bytes"),
}
"""Keys of JSON logs, the preferred first."""
_NAMES = sorted(name for names in _KEYS.values() for name in names)
_SCHEMA = pa.schema([(name, pa.string()) for name in _NAMES])

Cell = Callable[[str], pa.Array]


def _open(context: Context) -> Parse:
    layout = context.options.get(_OPTION, "")
    pattern = expression(_plain(layout), _CODE, _MEANING, context) if layout else _LINE

    def parse(chunk: Chunk) -> Parsed:
        rest = bare(chunk.lines)
        objects = mask(pc.match_substring_regex(rest, r"^\s*\{"))
        rows: list[Rows] = []
        rejected: dict[str, np.ndarray] = {}
        if objects.any():
            found = json_lines.read(pc.if_else(pa.array(objects), rest, ""), _SCHEMA, _NAMES)
            rejected = found.rejected
            rows.append(_rows(_of_object(found), found.index, context))
        index, got = extract(pc.if_else(pa.array(objects), "", rest), pattern)
        rows.append(_rows(_of_groups(got), index, context))
        used = np.concatenate([*(r.line for r in rows), *rejected.values()])
        blank = np.flatnonzero(mask(pc.equal(pc.utf8_trim_whitespace(rest), "")))
        cut = np.setdiff1d(np.arange(len(rest)), np.concatenate((used, blank)))
        return parsed(len(rest), rows, rejected | {CUT: cut})

    return parse


def _plain(layout: str) -> str:
    """A layout as a line shows it: of Apache's ``%t`` the brackets stand in the line, not in the layout."""
    return layout.replace('\\"', '"').replace("%t", "[%t]") if "$" not in layout else layout


def _of_groups(got: dict[str, pa.Array]) -> Cell:
    none = pa.nulls(len(next(iter(got.values()))), pa.string())

    def cell(name: str) -> pa.Array:
        if name == "host" and "tail" in got:
            said = pc.extract_regex(got["tail"], _NAMED_HOST)
            quoted, bare = (given(pc.struct_field(said, form), DASH) for form in ("quoted", "bare"))
            return pc.coalesce(quoted, bare, given(got["host"], DASH))
        return given(got[name], DASH) if name in got else none

    return cell


def _of_object(found: json_lines.Objects) -> Cell:
    none = pa.nulls(len(found.index), pa.string())

    def cell(name: str) -> pa.Array:
        return pc.coalesce(none, *(given(found.column(key), DASH) for key in _KEYS.get(name, ())))

    return cell


def _rows(cell: Cell, index: np.ndarray, context: Context) -> Rows:
    """Requests; an absolute target says more than the host of the server that took it."""
    asked = requests(cell("request"))
    absolute = destinations(cell("url"))
    hosted = _hosted(cell("host"))
    client_ip, client_port = _client(cell("client"))
    columns = {
        "ts": pc.coalesce(moments(cell("stamp"), context), moments(cell("epoch"), context)),
        "client_ip": client_ip,
        "client_port": pc.coalesce(port(cell("client_port")), client_port),
        "transport": "tcp",
        **{name: pc.coalesce(asked[name], absolute[name], hosted[name]) for name in hosted},
        "method": pc.coalesce(asked["method"], cell("method")),
        "status": status(cell("status")),
        "account": cell("account"),
        "bytes_in": count(cell("bytes_in")),
    }
    columns["server_port"] = pc.coalesce(columns["server_port"], port(cell("server_port")))
    good = pc.and_(pc.is_valid(client_ip), pc.is_valid(columns["ts"]))
    return keep(Rows("proxy", columns, index), mask(good))


def _hosted(host: pa.Array) -> dict[str, pa.Array]:
    """A Host header: name or address, perhaps with a port."""
    parts = pc.extract_regex(host, r"^(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\s]+)(?::(?P<port>\d{1,5}))?$")
    bare = pc.utf8_trim(pc.struct_field(parts, "host"), "[]")
    return {**named(bare), "server_port": port(pc.struct_field(parts, "port"))}


def _client(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Address and port of ``10.0.0.1:5000``, ``fd00::1:5000``, ``10.0.0.1:`` or an address alone.

    An IPv6 address with a port has no brackets in nginx, and both may be one address as well. So they
    are parted where the other clients show that this log has ports, or where they are no address.
    """
    ported = mask(pc.match_substring_regex(text, r"^[0-9.]+:\d*$")).any()
    plain = ip_column(pc.utf8_trim(pc.utf8_rtrim(text, ":"), "[]"))
    address, number = endpoints(pc.if_else(pc.or_(ported, pc.is_null(plain)), text, None))
    return pc.coalesce(address, plain), number


def _sniff(lines: list[str]) -> float:
    return share(
        peel_text(lines), lambda line: _OWN.match(line[:_LONGEST]) or _JSON_OWN.match(line[:_LONGEST])
    )


_COMBINED = (
    '10.20.30.11 - lisi [23/Nov/2026:00:56:26 +0800] "GET http://absolute.flagged-site.example/x?y HTTP/1.1" 404 335 "-" '
    '"curl \\x22quoted\\x22"'
)

FORMAT = LogFormat(
    title="nginx or Apache access log (combined, virtual hosts, JSON)",
    kinds=("proxy",),
    reference="https://httpd.apache.org/docs/2.4/logs.html#accesslog",
    sniff=_sniff,
    open=_open,
    samples=(
        Sample(
            _COMBINED
            + '\n10.20.30.12 - - [23/Nov/2026:00:56:26 +0800] "\\x16\\x03\\x01garbage" 400 157 "-" "-"',
            (
                {
                    "kind": "proxy",
                    "ts": "2026-11-22T16:56:26.000000000Z",
                    "client_ip": "10.20.30.11",
                    "client_port": None,
                    "account": "lisi",
                    "method": "GET",
                    "name": "absolute.flagged-site.example",
                    "server_port": 80,
                    "status": 404,
                    "bytes_in": 335,
                },
                {"kind": "proxy", "client_ip": "10.20.30.12", "method": None, "name": None, "status": 400},
            ),
            note="an absolute request line; a broken request",
        ),
        Sample(
            'fd00:20:30:0:0:0:0:11:46910 - - [23/Nov/2026:00:56:26 +0800] "GET / HTTP/1.1" 200 3 "-" "curl/7.88.1" '
            'host="www.flagged-site.example" upstream="127.0.0.1:8000"\n'
            '192.168.50.21: - - [23/Nov/2026:00:56:26 +0800] "GET / HTTP/1.1" 404 335 "-" "-" host="www.corp.test:8080"\n'
            'intra.corp.test:443 10.20.30.13 - - [23/Nov/2026:00:56:26 +0800] "GET / HTTP/1.1" 200 3 "-" "-"',
            (
                {
                    "kind": "proxy",
                    "client_ip": "fd00:20:30::11",
                    "client_port": 46910,
                    "name": "www.flagged-site.example",
                    "server_port": None,
                },
                {
                    "kind": "proxy",
                    "client_ip": "192.168.50.21",
                    "client_port": None,
                    "name": "www.corp.test",
                    "server_port": 8080,
                },
                {
                    "kind": "proxy",
                    "client_ip": "10.20.30.13",
                    "name": "intra.corp.test",
                    "server_port": 443,
                },
            ),
            note="a named host, a client with a port and without brackets, Apache's vhost_combined",
        ),
        Sample(
            '67.43.156.15:80 127.0.0.1 - - [12/Apr/2018:09:48:40 +0200] "" 400 0 "-" "-"\n'
            '67.43.156.15 localhost - - [29/May/2017:19:02:48 +0000] "GET /test2 HTTP/1.1" 200 612 "-" "-" "-"',
            (
                {
                    "kind": "proxy",
                    "client_ip": "127.0.0.1",
                    "server_port": 80,
                    "account": None,
                    "status": 400,
                },
            ),
            note="an address as virtual host; a client that is only named, where the host is not taken for it",
        ),
        Sample(
            '{"time_iso8601":"2026-11-23T00:56:26+08:00","remote_addr":"10.20.30.11","remote_port":"40000","host":'
            '"www.corp.test","request":"GET /x HTTP/1.1","status":200,"body_bytes_sent":3,"remote_user":""}',
            (
                {
                    "kind": "proxy",
                    "ts": "2026-11-22T16:56:26.000000000Z",
                    "client_port": 40000,
                    "name": "www.corp.test",
                    "method": "GET",
                    "status": 200,
                    "bytes_in": 3,
                    "account": None,
                },
            ),
            note="JSON",
        ),
        Sample(_COMBINED[:70], note="cut off"),
    ),
)
