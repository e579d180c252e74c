"""An office's own log formats: TOML files that become formats like any other.

A file holds patterns (RE2, so linear in the input) or titles, how times are written, what words mean,
and samples with what must be read out of them. Nothing in it is executed. A file that cannot be, or
whose samples do not come out, is an error that names file and key; see docs/own-formats.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from netaudit.errors import ConfigError
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse
from netaudit.intake.times import Context, parse_zone
from netaudit.sources.declared.compiled import NAME, Compiled, compiled
from netaudit.sources.declared.reading import Reading
from netaudit.sources.declared.samples import sample_of
from netaudit.sources.declared.shape import read_shape
from netaudit.sources.trial import COLLECTED, differences

MAX_FILES = 200
_LEAST = {True: 0.05, False: 0.6}
"""Share of the first lines that must be read, with a marker and without."""
_MOST_WITHOUT_MARKER = 0.95
"""So that a format that is sure of its file stays before a pattern that may fit anything."""


def read_formats(folders: Iterable[Path]) -> dict[str, LogFormat]:
    """The formats of some folders by name, sorted.

    Raises:
        ConfigError: A folder is missing, two files have one name, or `read_format` refuses a file.
    """
    found: dict[str, LogFormat] = {}
    for folder in folders:
        paths = sorted(folder.glob("*.toml")) if folder.is_dir() else None
        if paths is None or len(paths) > MAX_FILES:
            raise ConfigError(
                "format-folder",
                "This is no folder with at most {most} formats.",
                where=str(folder),
                hint="Check [formats] folders in netaudit.toml; paths start at that file.",
                most=MAX_FILES,
            )
        for path in paths:
            if path.stem in found:
                raise name_taken(path.stem, str(path))
            found[path.stem] = read_format(path)
    return dict(sorted(found.items()))


def name_taken(name: str, where: str) -> ConfigError:
    """The error for a second format of one name."""
    return ConfigError(
        "format-name-taken",
        "There is another format {name} already.",
        where=where,
        hint="Give the file another name; see: netaudit formats list",
        name=name,
    )


def read_format(path: Path) -> LogFormat:
    """One file as a format; its samples are read as a test.

    Raises:
        ConfigError: What cannot be, with file and key.
    """
    if not NAME.match(path.stem):
        raise ConfigError(
            "format-name",
            "{name} cannot be the name of a format.",
            where=str(path),
            hint="Use letters, digits, _ and -, beginning with a letter or digit.",
            name=path.stem,
        )
    rules = compiled(read_shape(path), str(path))
    shape = rules.shape
    member = LogFormat(
        title=shape.title,  # an office's own words are no message to translate
        kinds=rules.kinds,
        reference=shape.reference,
        sniff=lambda lines: _confidence(rules, lines),
        open=lambda context: _open(rules, context),
        samples=tuple(
            sample_of(sample, rules, f"{path}: sample[{n}]") for n, sample in enumerate(shape.sample)
        ),
    )
    for number, sample in enumerate(member.samples):
        for said in differences(member, sample):
            raise ConfigError(
                "format-sample",
                "The sample is not read as it says: {difference}.",
                where=f"{path}: sample[{number}]",
                hint="Correct the pattern or the sample; see: netaudit formats test FILE",
                difference=said,
            )
    return member


def _open(rules: Compiled, context: Context) -> Parse:
    reading = Reading(rules, context)
    return lambda chunk: reading.account(chunk).parsed()


def _confidence(rules: Compiled, lines: list[str]) -> float:
    """0.5 to 1 where enough of the first lines are read and the marker, if any, is there."""
    if not lines:
        return 0.0
    context = Context(zone=parse_zone("UTC"), collected=COLLECTED)
    nothing = np.array([], np.int64)
    chunk = Chunk(pa.array(lines, pa.string()), 1, nothing, np.zeros(len(lines), np.int64))
    share = Reading(rules, context).account(chunk).share
    by = rules.shape.recognise
    least = by.share if by.share is not None else _LEAST[bool(by.marker)]
    if share < least or (by.marker and not any(by.marker in line for line in lines)):
        return min(share, 1.0) / 2
    return 0.5 + share / 2 if by.marker else min(0.5 + share / 2, _MOST_WITHOUT_MARKER)
