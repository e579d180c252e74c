"""One rule of AdGuard's DNS syntax, read on its own.

The meaning follows https://adguard-dns.io/kb/general/dns-filtering-syntax/: a modifier that is not
known there voids the whole rule, and so does a pattern that needs more than a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from netaudit.matching.entry_columns import OddEntries, listed_name
from netaudit.matching.indicator import Condition, Scope
from netaudit.matching.patterns import usable
from netaudit.matching.rules import CANCELLED, INVALID, TOO_WIDE, RuleSink
from netaudit.records.addresses import Network, parse_ip, parse_network

COSMETIC = "the rule hides parts of pages, which no name decides"
MODIFIER = "the rule has a modifier that does not belong to DNS"
REWRITE = "the rule rewrites answers and blocks nothing"
NOT_BY_NAME = "the rule needs a path or a port, which no name decides"
REGEX = "the regular expression is not supported"

_COSMETIC = re.compile(r"#@?[?$%]{0,2}#|#@%#|\$\$")
_OPTIONS_START = re.compile(r"(?<!\\)\$")
_COMMA = re.compile(r"(?<!\\),")
_URL_START = re.compile(r"\|?(?:https?:|wss?:|:)?//|/")
_SUBTREE = re.compile(r"\|\|([^|^*/$:]+)(?:\^\|?|\||/\*?|\^\*)\Z")
_BELOW = re.compile(r"\|\|\*\.([^|^*/$:]+)(?:\^\|?|\|)\Z")
_EXACT = re.compile(r"\|([^|^*/$:]+)(?:\^\|?|\|)\Z")
_CLIENT = re.compile(r"""(~?)(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^|]+))(?:\||\Z)""")
_END = r"(?:[^a-z0-9.%_-]|$)"
"""What ``^`` stands for: a separator, or the end of the name."""
_SHORTEST = 3


class _Refused(Exception):  # noqa: N818 -- it says why a line is no rule, not that something failed
    """Why a line is no rule."""


@dataclass(frozen=True, slots=True)
class _Modifiers:
    condition: Condition
    important: bool = False
    cancels: bool = False


def read_rules(sink: RuleSink, index: list[int], lines: list[str]) -> None:
    """Put rules into `sink`.

    Args:
        sink: The list.
        index: Line of each in the chunk.
        lines: Trimmed lines.
    """
    rest = OddEntries()
    for line, text in zip(index, lines, strict=True):
        try:
            _read_rule(sink, rest, line, text)
        except _Refused as refusal:
            rest.skip(str(refusal), line)
    rest.put_into(sink)


def _read_rule(sink: RuleSink, rest: OddEntries, line: int, text: str) -> None:
    body = text.removeprefix("@@")
    allow = body != text
    if _COSMETIC.search(body) and not _is_regex(body):
        raise _Refused(COSMETIC)
    pattern, options = _split_options(body)
    modifiers = _read_modifiers(options)
    if modifiers.cancels:
        kept = [option for option in options if option != "badfilter"]
        sink.cancel(text[: len(text) - len(body)] + pattern + ("$" + ",".join(kept) if kept else ""))
        raise _Refused(CANCELLED)
    rank = 2 * modifiers.important + allow
    condition = sink.condition(modifiers.condition)
    if named := _read_named(pattern):
        name, scope = named
        packed = parse_ip(name)
        if packed is None:
            rest.add_name(line, name, text, scope, allow=allow, rank=rank, condition=condition)
        else:
            rest.add_network(line, packed, 128, text, allow=allow, rank=rank, condition=condition)
        return
    expression = _expression(pattern, limited=modifiers.condition.limits)
    rest.add_pattern(line, expression, text, allow=allow, rank=rank, condition=condition)


def _is_regex(pattern: str) -> bool:
    return len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/")


def _split_options(body: str) -> tuple[str, list[str]]:
    """Pattern and modifiers; a ``$`` inside a regular expression starts none."""
    starts = [m.start() for m in _OPTIONS_START.finditer(body)]
    if not starts or _is_regex(body):
        return body, []
    pattern, options = body[: starts[-1]], body[starts[-1] + 1 :]
    return pattern, [o.replace("\\,", ",").strip() for o in _COMMA.split(options)]


def _read_modifiers(options: list[str]) -> _Modifiers:
    important = cancels = False
    parts: dict[str, str] = {}
    for option in options:
        key, _, value = option.partition("=")
        if key == "dnsrewrite":
            raise _Refused(REWRITE)
        if option == "important":
            important = True
        elif option == "badfilter":
            cancels = True
        elif key in {"dnstype", "client", "denyallow"} and key not in parts:
            parts[key] = value
        else:
            raise _Refused(MODIFIER)
    types, not_types = _read_types(parts["dnstype"]) if "dnstype" in parts else ((), ())
    clients, not_clients = _read_clients(parts["client"]) if "client" in parts else ((), ())
    names = _read_denyallow(parts["denyallow"]) if "denyallow" in parts else ()
    condition = Condition(frozenset(types), frozenset(not_types), clients, not_clients, names)
    return _Modifiers(condition, important, cancels)


def _read_types(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from dns import exception, rdatatype

    wanted: tuple[list[str], list[str]] = ([], [])
    for part in value.split("|"):
        try:
            name = rdatatype.to_text(rdatatype.from_text(part.removeprefix("~")))
        except (exception.DNSException, ValueError):
            raise _Refused(INVALID) from None
        wanted[part.startswith("~")].append(name)
    return tuple(wanted[0]), tuple(wanted[1])


def _read_clients(value: str) -> tuple[tuple[str | Network, ...], tuple[str | Network, ...]]:
    wanted: tuple[list[str | Network], list[str | Network]] = ([], [])
    position = 0
    while position < len(value):
        match = _CLIENT.match(value, position)
        if match is None:
            raise _Refused(INVALID)
        quoted = match[2] if match[2] is not None else match[3]
        client = match[4] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        wanted[bool(match[1])].append(_client(client))
        position = match.end()
    if not any(wanted):
        raise _Refused(INVALID)
    return tuple(wanted[0]), tuple(wanted[1])


def _client(text: str) -> str | Network:
    try:
        return parse_network(text)
    except ValueError:
        return text


def _read_denyallow(value: str) -> tuple[str, ...]:
    names = [listed_name(part) for part in value.split("|")]
    if None in names:
        raise _Refused(INVALID)
    return tuple(name for name in names if name is not None)


def _read_named(pattern: str) -> tuple[str, Scope] | None:
    """The name and scope of a pattern that is no more than a name, or an address."""
    for shape, scope in ((_SUBTREE, Scope.SUBTREE), (_BELOW, Scope.BELOW), (_EXACT, Scope.EXACT)):
        if match := shape.match(pattern):
            name = _name_or_address(match[1])
            return (name, scope) if name else None
    bare = _name_or_address(pattern)
    return (bare, Scope.EXACT) if bare else None


def _name_or_address(text: str) -> str | None:
    return text if parse_ip(text) is not None else listed_name(text)


def _expression(pattern: str, *, limited: bool) -> str:
    """RE2 for a mask or a regular expression, searched in a name without regard to case."""
    if _is_regex(pattern):
        body = pattern[1:-1]
        if not usable(body):
            raise _Refused(REGEX)
        return body
    if not limited and len(pattern.strip("*|^")) < _SHORTEST:
        raise _Refused(TOO_WIDE)
    start, mask = _anchor(pattern)
    open_end = not mask.endswith(("|", "/*", "/"))
    mask = mask.removesuffix("|").removesuffix("/*").removesuffix("/")
    if re.search(r"[/?=&]|:[0-9*^]", mask):
        raise _Refused(NOT_BY_NAME)
    if not mask.isascii() or re.search(r"[\s|:$,#@]", mask):
        raise _Refused(INVALID)
    runs = re.split(r"(\*+|\^)", mask.lower())
    middle = "".join(".*" if r[:1] == "*" else _END if r == "^" else re.escape(r) for r in runs)
    expression = start + middle + ("" if open_end else "$")
    if not usable(expression):
        raise _Refused(REGEX)
    return expression


def _anchor(pattern: str) -> tuple[str, str]:
    """What a mask's start stands for, and the rest of the mask."""
    if pattern.startswith("||"):
        return r"(?:^|\.)", pattern[2:]
    if match := _URL_START.match(pattern):
        return "^", pattern[match.end() :]
    if pattern.startswith("|"):
        return "^", pattern[1:]
    return "", pattern
