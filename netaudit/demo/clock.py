"""Time in the demonstration: whole microseconds since 1970 (UTC), and how logs write them down.

Names of months and days are tables here, because `strftime` follows the user's locale.
"""

from __future__ import annotations

import datetime as dt

ZONE = dt.timezone(dt.timedelta(hours=8))
"""Asia/Shanghai; without daylight saving, so that a fixed offset is the whole truth."""
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def moment(day: int, clock: str) -> int:
    """Microseconds of a local time ``HH:MM:SS[.ffffff]`` on a day of November 2026."""
    local = dt.datetime.combine(dt.date(2026, 11, day), dt.time.fromisoformat(clock), ZONE)
    return int(local.timestamp()) * SECOND + local.microsecond


def local(at_us: int) -> dt.datetime:
    """The moment as an aware local time, to the second."""
    return dt.datetime.fromtimestamp(at_us // SECOND, ZONE)


def rfc3339(at_us: int) -> str:
    """``2026-11-04T06:05:09.123456Z``."""
    return f"{dt.datetime.fromtimestamp(at_us // SECOND, dt.UTC):%Y-%m-%dT%H:%M:%S}.{at_us % SECOND:06}Z"


def bind_stamp(at_us: int) -> str:
    """BIND's default form, local and without a zone: ``02-Nov-2026 08:31:12.265``."""
    when = local(at_us)
    thousandths = at_us % SECOND // 1000
    return f"{when.day:02}-{_MONTHS[when.month - 1]}-{when.year} {when:%H:%M:%S}.{thousandths:03}"


def ctime(at_us: int) -> str:
    """The C library's form, local and without a zone: ``Wed Nov  4 14:01:13 2026``."""
    when = local(at_us)
    return f"{_DAYS[when.weekday()]} {syslog_stamp(at_us)} {when.year}"


def syslog_stamp(at_us: int) -> str:
    """RFC 3164, section 4.1.2, local and without a year: ``Nov  4 14:01:13``."""
    when = local(at_us)
    return f"{_MONTHS[when.month - 1]} {when.day:>2} {when:%H:%M:%S}"


def lease_stamp(at_us: int) -> str:
    """The form of dhcpd.leases(5), UTC with the weekday's digit in front: ``3 2026/11/04 06:05:09``."""
    when = dt.datetime.fromtimestamp(at_us // SECOND, dt.UTC)
    return f"{when.isoweekday() % 7} {when:%Y/%m/%d %H:%M:%S}"


def radius_stamp(at_us: int) -> str:
    """How a switch writes Event-Timestamp: ``Nov  4 2026 14:01:13 CST``."""
    when = local(at_us)
    return f"{_MONTHS[when.month - 1]} {when.day:>2} {when.year} {when:%H:%M:%S} CST"
