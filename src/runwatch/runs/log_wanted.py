"""Which log lines a person wants, from the words in which that is said, and how a line is printed.

No file is opened here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

from runwatch.errors import UsageError
from runwatch.journal.log_lines import LEVELS, level_name
from runwatch.journal.log_source import Row
from runwatch.units import parse_time

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)\Z")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\Z")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted; all of them by default."""

    step: int | None = None
    """Only this step."""
    components: tuple[str, ...] = ()
    """Only these."""
    level: str | None = None
    """This level and those above it; a line without one goes with the record it belongs to, or counts as INFO."""
    since: float | None = None
    """Seconds since the epoch."""
    pattern: re.Pattern[str] | None = None
    """Searched in the whole line."""


def wanted_level(name: str) -> str:
    """Return one of LEVELS. Raises UsageError."""
    level = level_name(name)
    if level is None:
        raise UsageError(f"There is no level {name!r}: it is one of {', '.join(LEVELS)}.")
    return level


def wanted_pattern(text: str) -> re.Pattern[str]:
    """Return a compiled pattern. Raises UsageError."""
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"{text!r} is no regular expression ({error}): escape what is meant literally.") from None


def wanted_time(text: str, now: datetime) -> float:
    """Return the seconds since the epoch of a time, a time of day (UTC, the last one) or an age such as ``10m``."""
    if match := _AGO.match(text):
        return now.timestamp() - float(match[1]) * _UNITS_S[match[2]]
    if match := _CLOCK.match(text):
        seconds = float(match[3] or 0)
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        moment = day + timedelta(hours=int(match[1]), minutes=int(match[2]), seconds=seconds)
        return (moment if moment <= now else moment - timedelta(days=1)).timestamp()
    try:
        return parse_time(text).timestamp()
    except ValueError:
        raise UsageError(f"{text!r} is no time: write 2026-10-20T14:23:45Z, 14:23:45 or 10m.") from None


def text_of(row: Row) -> str:
    """Return a line as it is printed: time, level, component, message, fields."""
    moment = datetime.fromtimestamp(row.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if row.time else "-" * 24
    fields = "".join(f"  {key}={value}" for key, value in row.line.fields)
    return f"{moment} {row.line.level or '-':5} {row.component:12} {row.line.message}{fields}"
