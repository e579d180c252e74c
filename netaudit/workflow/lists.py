"""Which block lists are in force: those of the configuration, else all that netaudit ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from netaudit.case.case import ListVersion
from netaudit.case.notice import Notice
from netaudit.config import ListChoice, Settings
from netaudit.errors import UsageError
from netaudit.i18n import Text
from netaudit.matching.blocklist import Blocklist, read_blocklist, read_list_file
from netaudit.matching.index import IndicatorIndex, build_index
from netaudit.resources import folder

NOTICE_LIST = "notice.list"
"""File in a case with the destinations that its letter names."""


@dataclass(frozen=True, slots=True)
class ListsInUse:
    """The lists of a run."""

    lists: tuple[Blocklist, ...]

    def index(self, case_folder: Path | None = None, notice: Notice | None = None) -> IndicatorIndex:
        """All of them compiled, with what the case's letter names as one more list."""
        named = _notice_list(case_folder, notice) if case_folder and notice else ()
        return build_index((*self.lists, *named))

    def versions(self) -> tuple[ListVersion, ...]:
        """What was used, for the paper."""
        return tuple(ListVersion(b.id, _title(b), b.sha256, len(b.rules), b.date) for b in self.lists)


def _title(listed: Blocklist) -> Text:
    title = listed.described.title
    return Text(title["en"], title.get("zh-CN", ""), title.get("zh-TW", ""))


def lists_in_use(settings: Settings, given: Sequence[str] = ()) -> ListsInUse:
    """The lists that the command line gives, else the configured, else the shipped ones.

    Args:
        settings: The office.
        given: ``FORMAT:FILE`` each, or the path of a ``.toml`` description.

    Raises:
        UsageError: Not of that form, or a list of that id is not shipped.
        BlocklistError: A list cannot be read.
    """
    if given:
        return ListsInUse(tuple(_given(text) for text in given))
    if settings.blocklist:
        return ListsInUse(tuple(_chosen(choice, settings) for choice in settings.blocklist))
    return ListsInUse(tuple(read_blocklist(path) for path in sorted(folder("blocklists").glob("*.toml"))))


def _given(text: str) -> Blocklist:
    if text.endswith(".toml"):
        return read_blocklist(Path(text))
    format_, colon, path = text.partition(":")
    if not colon:
        raise UsageError(
            "list-form",
            "{text} is no FORMAT:FILE.",
            text=text,
            hint="Write --list domains:bad.txt (see: netaudit lists formats).",
        )
    return read_list_file(Path(path), format_, _list_id(path), "other")


def _chosen(choice: ListChoice, settings: Settings) -> Blocklist:
    if choice.path and choice.format:
        return read_list_file(
            settings.folder / choice.path,
            choice.format,
            choice.id,
            choice.category or "other",
            allow=choice.allow,
            reason=choice.reason,
        )
    path = settings.folder / choice.path if choice.path else folder("blocklists") / f"{choice.id}.toml"
    if not path.is_file():
        raise UsageError(
            "list-unknown",
            "There is no block list {name}.",
            name=choice.id,
            where=str(path),
            hint="Known here: " + ", ".join(sorted(p.stem for p in folder("blocklists").glob("*.toml"))),
        )
    return read_blocklist(path)


def _list_id(path: str) -> str:
    return Path(path).name.split(".")[0] or "list"


def _notice_list(case_folder: Path, notice: Notice) -> tuple[Blocklist, ...]:
    """The letter's destinations, written into the case so that a finding can quote them."""
    entries = sorted({text for clue in notice.clues for text in (clue.dst_name, clue.dst_ip) if text})
    if not entries:
        return ()
    path = case_folder / NOTICE_LIST
    path.write_text("".join(f"{entry}\n" for entry in entries), encoding="utf-8")
    return (read_list_file(path, "domains-subtree", "notice", "notice", severity="high"),)
