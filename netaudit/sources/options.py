"""What the command line says about all inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from netaudit.intake.log_format import LogFormat
from netaudit.intake.opening import Identity
from netaudit.sources.left_out import LeftOut


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about all inputs; overrides the configuration."""

    input_format: str = ""
    timezone: str = ""
    jobs: int = 0
    """Cores to use; 0 for all."""
    tolerant: bool = False
    """Read files whose times carry no zone, without these times (`Context.tolerant`)."""
    recognised: Callable[[str, LogFormat, Mapping[str, float]], None] | None = None
    """Told the format of each log before its records come: name, what it is, and how sure formats are of
    the log (nothing where a person named the format)."""
    left_out: LeftOut | None = None
    """Told the reason, the number and the text of the first lines that gave no record."""
    own: Mapping[str, LogFormat] = field(default_factory=dict)
    """The office's own formats; `read` takes those of the settings."""
    promised: dict[str, Identity] | None = None
    """Where given, rows of a log come while it is still being hashed: their `file` is then a key of
    this, and the caller puts the identity's id in its place."""
