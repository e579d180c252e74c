r"""Log lines whose layout the administrator declared: squid's logformat, nginx's log_format, Apache's LogFormat.

A layout is literal text with codes in it. It becomes one RE2 expression with a group for each code
that says something here; the other codes match anything, as little as they can.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from netaudit.errors import ConfigError
from netaudit.intake.times import Context

_ADDRESS = r"[0-9A-Fa-f.:]*[0-9A-Fa-f](?:%[^\s\]]+)?"
_WORD = r"[^\s\"]*?"
_ANY = r".*?"
_NUMBER = r"-|\d+"

PATTERNS = {
    "epoch": r"\d{9,11}(?:\.\d{1,9})?",
    "milliseconds": r"\d{1,9}",
    "stamp": r"[^\]\"]*?",
    "elapsed": _NUMBER,
    "client": _ADDRESS,
    "client_port": r"\d*",
    "account": r"\S+?",
    "method": r"[^\s\"]*?",
    "url": r"[^\s\"]*?",
    "request": _ANY,
    "host": _WORD,
    "server": rf"-|{_ADDRESS}",
    "server_port": r"-|\d*",
    "action": r"[A-Z0-9_]*",
    "hierarchy": r"[A-Z0-9_-]*",
    "status": r"-|\d{1,3}",
    "bytes_in": _NUMBER,
    "bytes_out": _NUMBER,
}
"""What each part of a line looks like."""

_MOST = 2_000


def expression(layout: str, code: str, meaning: Mapping[str, str], context: Context) -> str:
    """The expression for a layout.

    Args:
        layout: As it stands in the server's configuration.
        code: Pattern of its codes; group 1 is what `meaning` knows them by.
        meaning: Code to a key of `PATTERNS`. The first code of a meaning is taken.
        context: For messages.

    Raises:
        ConfigError: The layout does not say when, or from whom.
    """
    parts: list[str] = []
    seen: set[str] = set()
    end = 0
    for found in re.finditer(code, layout[:_MOST]):
        parts.append(_literal(layout[end : found.start()]))
        name = meaning.get(found[1])
        known = name is not None and name not in seen
        parts.append(f"(?P<{name}>{PATTERNS[name]})" if known and name else _ANY)
        seen |= {name} if name else set()
        end = found.end()
    parts.append(_literal(layout[end:_MOST]))
    if not (seen & {"epoch", "stamp"} and "client" in seen):
        raise ConfigError(
            "layout-incomplete",
            "The declared layout of this log names no time or no client.",
            where=context.name,
            hint="Copy the whole layout out of the server's configuration.",
        )
    return f"^{''.join(parts)}$"


def _literal(text: str) -> str:
    """Text as it stands; blanks may be more than one, for codes are padded."""
    return " +".join(re.escape(piece) for piece in re.split(r"[ \t]+", text))
