"""What a terminal leaves in a saved session: control characters, pagers, prompts, echoed commands."""

from __future__ import annotations

import re

MAX_WIDTH = 1_200
"""Characters of a line with all that the terminal adds; no device prints wider rows."""

_LONGEST_PROMPT = 300
"""Characters, with the command behind it."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_STEP = re.compile(r"\x1b\[(?P<count>\d{0,4})[\d;?]*(?P<final>[A-Za-z])|\x1b.?|(?P<char>.)", re.DOTALL)
_PAGER = re.compile(
    r"<?-{2,4} ?\(?more(?: \d{1,3}%)?\)? ?-{2,4}>?(?:, next page: space, next line: enter, quit: control-c)?",
    re.IGNORECASE,
)
_COMMANDS = (
    r"(?:sh(?:ow?)?|dis(?:p(?:lay)?)?|do|get|diagnose|exit|quit|logout|screen-length|term(?:inal)?|enable?|run|more|cat|"
    r"sudo|arp|ip|ndp|netstat|/?(?:ip|ipv6|interface)|print|snmp\w*|set|undo|no|config\w*|end|save)\b"
)
_PROMPT = re.compile(
    r"\s*(?:<(?P<vrp>[\w.()-]{1,64})>|\[[~*]?(?:[\w.-]{1,64}@)?(?P<square>[\w. -]{1,64}?)\](?: ?/[\w/ -]*)?(?: ?[>#])?"
    r"|\((?P<round>[\w.-]{1,64})\) ?[>#]"
    r"|(?:RP/[\w/]{1,32}:)?(?:[\w.-]{1,32}@)?(?P<plain>[A-Za-z][\w.-]{0,63})(?:\([\w.-]{1,64}\)|[:/][\w~.-]{0,64}){0,12} ?[>#$])"
    rf"\s*(?P<command>{_COMMANDS}.*)?\Z"
)
_ECHO = re.compile(r"\s*(?:sh(?:ow)?|dis(?:play|p)?|do sh\w*|get) \S")


def plain(line: str) -> str:
    """A line as the terminal showed it: backspaces and cursor moves done, the pager's words gone."""
    shown = _replayed(line) if _CONTROL.search(line) else line.expandtabs()
    found = _PAGER.search(shown)
    return shown[: found.start()] + shown[found.end() :] if found else shown


def _replayed(line: str) -> str:
    cells: list[str] = []
    at = 0
    for step in _STEP.finditer(line.expandtabs()):
        char, final = step["char"], step["final"]
        if char == "\b" or final == "D":
            at = max(0, at - (int(step["count"] or 1) if final else 1))
        elif char == "\r":
            at = 0
        elif final == "K":
            del cells[at:]
        elif char and char.isprintable():
            cells[at : at + 1] = [char]
            at += 1
    return "".join(cells)


def prompt(line: str) -> str | None:
    """The device that a prompt names, with or without a command behind it; None where there is none."""
    found = _PROMPT.match(line) if len(line) < _LONGEST_PROMPT else None
    return (
        next((name for name in found.group("vrp", "square", "round", "plain") if name), None)
        if found
        else None
    )


def is_command(line: str) -> bool:
    """Whether a line without a prompt begins as commands of devices do."""
    return bool(_ECHO.match(line))
