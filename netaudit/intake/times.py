"""Times of logs as columns: aware UTC nanoseconds out of every usual spelling.

A stamp without a zone needs a declared one (`Context.zone`); it is never read as UTC by default.
A stamp without a year gets the year that puts it closest before `Context.collected`, and the
context notes that. Abbreviations such as ``CST`` are refused: they name several zones.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.errors import ConfigError
from netaudit.records.schemas import TIMESTAMP

_YEAR_2201 = 7_289_654_400 * 10**9
_MOST_HOURS = 18  # east or west of UTC, with room to spare
_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{2}):?(\d{2})\Z")
CHINESE_MONTHS = tuple(f"{number}月" for number in range(1, 13))
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
YEAR_INFERRED = "The times carry no year; the year was inferred."
ZONELESS = "The times carry no zone and none is declared: they are left out. Declare it with --tz."
NOT_TAKEN = "This table does not say when it was printed; declare taken_at in its [[source]] options."
FOLD = "Some local times occur twice because the clocks were put back; the earlier was taken."


@dataclass(slots=True)
class Context:
    """What a format must know about the file besides its lines."""

    name: str = ""
    """The file, for messages."""
    zone: dt.tzinfo | None = None
    """Zone declared for times that carry none."""
    collected: dt.datetime | None = None
    """When the file was closed or collected (aware); settles missing years."""
    options: dict[str, str] = field(default_factory=dict)
    """A source's own settings, such as the SSID behind an interface (``ssid.wlan1 = …``)."""
    notes: set[str] = field(default_factory=set)
    """What was inferred while reading; goes into the ledger."""
    tolerant: bool = False
    """Where no zone is declared, leave naive times out and note that, instead of refusing the file:
    for a first look at it."""


def parse_zone(text: str) -> dt.tzinfo:
    """A zone from an IANA name, ``UTC`` or an offset such as ``+08:00``.

    Raises:
        ConfigError: Unknown, or an abbreviation that names several zones.
    """
    if text.upper() in {"UTC", "Z", "GMT"}:
        return dt.UTC
    match = _OFFSET.match(text)
    if match and int(match[2]) <= _MOST_HOURS and int(match[3]) <= 59:
        minutes = int(match[2]) * 60 + int(match[3])
        return dt.timezone(dt.timedelta(minutes=-minutes if match[1] == "-" else minutes))
    if re.fullmatch(r"[A-Z]{2,5}", text):
        raise ConfigError(
            "zone-ambiguous",
            "The zone {zone} is ambiguous or unknown.",
            hint="Use a name such as Asia/Shanghai, or an offset such as +08:00.",
            zone=text,
        )
    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            "zone-unknown",
            "There is no time zone {zone}.",
            hint="Use a name such as Asia/Shanghai, or an offset such as +08:00.",
            zone=text,
        ) from error


def zone_missing(context: Context) -> ConfigError:
    """The error for naive times without a declaration."""
    return ConfigError(
        "zone-missing",
        "The times in this file carry no time zone, and none is declared for it.",
        where=context.name,
        hint='Declare it: --tz Asia/Shanghai, or timezone = "Asia/Shanghai" in its [[source]].',
    )


def from_epoch(text: pa.Array) -> pa.Array:
    """Epoch seconds, milliseconds or nanoseconds as strings (10, 13, 19 digits; ``sec.frac``)."""
    parts = pc.extract_regex(text, r"^(?P<whole>\d{1,19})(?:\.(?P<frac>\d{1,9})\d*)?$")
    text_whole = pc.struct_field(parts, "whole")
    digits = pc.fill_null(pc.utf8_length(text_whole), 0).to_numpy(zero_copy_only=False)
    whole = _integers(text_whole)
    scale = np.select([digits <= 11, digits <= 14, digits <= 17], [10**9, 10**6, 10**3], 1)
    far = whole > _YEAR_2201 // scale
    nanos = np.where(far, 0, whole) * scale + _fraction(pc.struct_field(parts, "frac")) * (digits <= 11)
    return _timestamps(nanos, pc.or_(pc.is_null(parts), pa.array(far)))


def from_iso(text: pa.Array, context: Context) -> pa.Array:
    """ISO 8601 dates and times, with ``T`` or a blank, any fraction, ``Z``, ``+08:00``, ``+0800``.

    Raises:
        ConfigError: Some stamp has no offset and no zone is declared.
    """
    quick = _by_arrow(text)
    if quick is not None:
        nanos, naive = quick
        missing = pc.is_null(text).to_numpy(zero_copy_only=False)
        return from_local(nanos, missing, context) if naive else _timestamps(nanos, pc.is_null(text))
    parts = pc.extract_regex(
        text,
        r"^(?P<y>\d{4})[-/](?P<mo>\d{1,2})[-/](?P<d>\d{1,2})[T ](?P<h>\d{1,2}):(?P<mi>\d{2})"
        r"(?::(?P<s>\d{2})(?:[.,](?P<frac>\d{1,9})\d*)?)?\s*(?P<off>Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?$",
    )
    field_of = {n: pc.struct_field(parts, n) for n in ("y", "mo", "d", "h", "mi", "s", "frac", "off")}
    invalid = pc.is_null(parts).to_numpy(zero_copy_only=False)
    whole = [_integers(field_of[n]) for n in ("y", "mo", "d", "h", "mi", "s")]
    nanos, wrong = from_parts(*[*whole, _fraction(field_of["frac"])])
    invalid = invalid | wrong
    offset = field_of["off"]
    naive = pc.equal(pc.fill_null(offset, ""), "").to_numpy(zero_copy_only=False) & ~invalid
    shift = np.zeros(len(nanos), np.int64)
    if not naive.all():
        east = by_offset(offset)
        invalid = invalid | (pc.is_null(east).to_numpy(zero_copy_only=False) & ~naive)
        shift = pc.fill_null(east, 0).to_numpy(zero_copy_only=False)
    out = nanos - shift
    if naive.any() and _may_localise(context):
        out[naive] = _localise(nanos[naive], context)
    elif naive.any():
        invalid = invalid | naive
    return _timestamps(out, pa.array(invalid))


def _by_arrow(text: pa.Array) -> tuple[np.ndarray, bool] | None:
    """Nanoseconds where Arrow's own parser reads every stamp, and whether all are naive.

    None where it might see something else than the expression of `from_iso`: that reads the rest.
    """
    if not pc.all(pc.match_substring_regex(text, r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d"), min_count=0).as_py():
        return None
    for zone in (None, "UTC"):
        try:
            moments = text.cast(pa.timestamp("ns", zone))
        except pa.ArrowInvalid:
            continue
        nanos = pc.fill_null(moments.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        inside = ((nanos >= 0) & (nanos < _YEAR_2201)).all()
        return (nanos, zone is None) if inside else None
    return None


def from_local(nanos: np.ndarray, invalid: np.ndarray, context: Context) -> pa.Array:
    """Naive nanoseconds (as if UTC) read in the declared zone.

    Raises:
        ConfigError: No zone is declared and some value is valid.
    """
    out = nanos.copy()
    valid = ~invalid
    if valid.any() and not _may_localise(context):
        invalid = np.ones(len(nanos), bool)
    elif valid.any():
        out[valid] = _localise(nanos[valid], context)
    return _timestamps(out, pa.array(invalid))


def from_yearless(month: pa.Array, day: pa.Array, clock: pa.Array, context: Context) -> pa.Array:
    """Syslog stamps (``Nov 23 00:00:52``): English month name, day, ``HH:MM:SS[.frac]`` columns.

    The year is the one that puts the stamp closest before `Context.collected`.
    """
    months = index_of_month(month)
    parts = pc.extract_regex(clock, r"^(?P<h>\d{1,2}):(?P<m>\d{2}):(?P<s>\d{2})(?:\.(?P<f>\d{1,9})\d*)?$")
    hour, minute, second = (_integers(pc.struct_field(parts, n)) for n in "hms")
    frac = _fraction(pc.struct_field(parts, "f"))
    days = _integers(pc.struct_field(pc.extract_regex(day, r"^\s*(?P<d>\d{1,2})$"), "d"))
    collected = context.collected or dt.datetime.now(dt.UTC)
    invalid = pc.is_null(parts).to_numpy(zero_copy_only=False) | (months == 0)
    out = np.zeros(len(months), np.int64)
    settled = invalid.copy()
    limit = _nanos(collected) + 86_400 * 10**9  # a day's grace for clocks and zones
    for year in range(collected.year + 1, collected.year - 5, -1):
        nanos, wrong = from_parts(np.full(len(months), year), months, days, hour, minute, second, frac)
        fits = ~settled & ~wrong & (nanos <= limit)
        out[fits] = nanos[fits]
        settled |= fits
    if (~invalid).any():
        context.notes.add(YEAR_INFERRED)
    return from_local(out, invalid | ~settled, context)


def index_of_month(month: pa.Array) -> np.ndarray:
    """1 to 12 for English month abbreviations and for ``11月``, 0 for anything else."""
    index = pc.coalesce(
        pc.index_in(pc.utf8_title(month), value_set=pa.array(MONTHS)),
        pc.index_in(month, value_set=pa.array(CHINESE_MONTHS)),
    )
    number: np.ndarray = pc.fill_null(pc.add(index, 1), 0).to_numpy(zero_copy_only=False)
    return number


def from_parts(
    year: np.ndarray,
    month: np.ndarray,
    day: np.ndarray,
    hour: np.ndarray,
    minute: np.ndarray,
    second: np.ndarray,
    nanos: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Calendar parts to nanoseconds as if UTC, and which rows are no date (such as 30 February)."""
    wrong = (
        (month < 1)
        | (month > 12)
        | (day < 1)
        | (hour > 23)
        | (minute > 59)
        | (second > 60)
        | (year < 1970)
        | (year > 2200)
    )
    month_start = ((np.where(wrong, 1970, year) - 1970) * 12 + np.where(wrong, 1, month) - 1).astype(
        "datetime64[M]"
    )
    dates = month_start.astype("datetime64[D]") + (np.where(wrong, 1, day) - 1).astype("timedelta64[D]")
    wrong = wrong | (dates.astype("datetime64[M]") != month_start)
    seconds = dates.astype(np.int64) * 86_400 + hour * 3_600 + minute * 60 + second
    return np.where(wrong, 0, seconds * 10**9 + nanos), wrong


def by_offset(text: pa.Array) -> pa.Array:
    """``Z`` and ``+08:00`` spellings as nanoseconds east of UTC (int64, null for anything else)."""
    coded = text.dictionary_encode()
    values = [_offset_nanos(v) for v in coded.dictionary.to_pylist()]
    return pa.array(values, pa.int64()).take(coded.indices)


def _offset_nanos(text: str) -> int | None:
    if text in {"Z", "z"}:
        return 0
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})?", text)
    if match is None:
        return None
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > _MOST_HOURS or minutes > 59:
        return None
    seconds = hours * 3_600 + minutes * 60
    return (-seconds if match[1] == "-" else seconds) * 10**9


def taken_at(context: Context) -> int | None:
    """When a table that states no time was printed: nanoseconds, by the source's ``taken_at`` option.

    It is a time (in the source's zone where it names none), or ``file``: the time of the file
    itself, for an office that keeps it. None where the option is missing: it is never guessed.

    Raises:
        ConfigError: The option is no time, or a naive one and no zone is declared.
    """
    text = context.options.get("taken_at", "")
    if not text:
        context.notes.add(NOT_TAKEN)
        return None
    if text == "file":
        return None if context.collected is None else _nanos(context.collected)
    moment: int | None = from_iso(pa.array([text]), context).cast(pa.int64())[0].as_py()
    if moment is None:
        raise ConfigError(
            "taken-at-no-time",
            "taken_at is {text}, which is no time.",
            where=context.name,
            hint="Write it as 2026-11-23T08:00:00+08:00, or file for the time of the file.",
            text=text,
        )
    return moment


def _may_localise(context: Context) -> bool:
    """Whether naive times can be read; a context that is not tolerant refuses when they cannot."""
    if context.zone is None and context.tolerant:
        context.notes.add(ZONELESS)
        return False
    return True


def _localise(nanos: np.ndarray, context: Context) -> np.ndarray:
    if context.zone is None:
        raise zone_missing(context)
    if isinstance(context.zone, zoneinfo.ZoneInfo):
        naive = pa.array(nanos, pa.timestamp("ns"))
        zone = context.zone.key
        early = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="latest")
        late = pc.assume_timezone(naive, zone, ambiguous="latest", nonexistent="latest")
        if not early.equals(late):
            context.notes.add(FOLD)
        moments: np.ndarray = early.cast(pa.int64()).to_numpy(zero_copy_only=False)
        return moments
    offset = context.zone.utcoffset(None)
    return nanos - int((offset or dt.timedelta()).total_seconds()) * 10**9


def _nanos(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 10**9


def _integers(text: pa.Array) -> np.ndarray:
    """Digit strings as int64; null and empty are 0, what int64 cannot hold is its largest value."""
    filled = pc.if_else(pc.equal(pc.fill_null(text, ""), ""), "0", text)
    length = pc.utf8_length(filled)
    most = str(2**63 - 1)
    huge = pc.or_(
        pc.greater(length, len(most)), pc.and_(pc.equal(length, len(most)), pc.greater(filled, most))
    )
    whole: np.ndarray = pc.if_else(huge, most, filled).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return whole


def _fraction(text: pa.Array) -> np.ndarray:
    """Decimal digits after the point as nanoseconds; null is 0."""
    return _integers(pc.utf8_rpad(pc.fill_null(text, ""), 9, "0"))


def _timestamps(nanos: np.ndarray, invalid: pa.Array) -> pa.Array:
    mask = invalid.to_numpy(zero_copy_only=False)
    return pa.array(nanos, pa.int64(), mask=mask).cast(TIMESTAMP)
