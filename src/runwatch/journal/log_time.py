"""The time a log line states, cheaply, from its raw bytes.

No clock is read: a time of day without a date needs a time near it from the caller. Never raises.
Formats: RFC 3339 and what `logging`, logfmt and common JSON loggers write; numbers are seconds, milli-, micro- or
nanoseconds since the epoch, told apart by their size.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from runwatch.visible import without_color_bytes

HEAD_BYTES = 4096
"""A line's time stands in its first bytes, or nowhere: long lines need not be read whole."""

TIME_KEYS = ("ts", "time", "timestamp", "@timestamp")
"""Names that JSON and logfmt lines use; the first one in the line counts."""

_KEYS = rb"(?:ts|time|timestamp|@timestamp)"
_ISO = rb"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(Z|[+-]\d\d:?\d\d(?!\d))?"
_NUMBER = rb"(\d{9,19}(?:\.\d+)?)"
_VALUE = rb'(?:"' + _ISO + rb'"|' + _NUMBER + rb"(?=\s*[,}]))"
_JSON_FIRST = re.compile(rb'\s*\{\s*"' + _KEYS + rb'"\s*:\s*' + _VALUE)
_JSON_ANYWHERE = re.compile(rb'[{,]\s*"' + _KEYS + rb'"\s*:\s*' + _VALUE)
_LOGFMT = re.compile(rb"(?:^|\s)" + _KEYS + rb'="?(?:' + _ISO + rb"|" + _NUMBER + rb'(?=["\s]|\Z))')
_LOGFMT_START = re.compile(rb"\s*[A-Za-z_@][\w.@-]*=")
_LEVEL_BEFORE = rb"(?:\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\]?:?\s+)?"
_ALL_FIRST = re.compile(rb'^(?:\{"' + _KEYS + rb'": ?"' + _ISO + rb'"|\[?' + _ISO + rb")", re.MULTILINE)
_TEXT = re.compile(rb"\s*" + _LEVEL_BEFORE + rb"[\[(<]?(?:" + _ISO + rb"|(\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?![\d:]))")
_ISO_TEXT = re.compile(_ISO)
_DAY_S = 86400.0
_TEXT_STARTS = frozenset(b" \t[(<0123456789TDINWECF")


def line_time(line: bytes, near: float | None = None) -> float | None:
    """Return the time a line states in seconds since the epoch, or None.

    A time without an offset is taken as this machine's local time. A time of day alone is put on the day that brings
    it closest to ``near`` (seconds since the epoch), and is no time without one.
    """
    head = without_color_bytes(line[:HEAD_BYTES])
    first = head[:1]
    if first == b"{" or (first in b" \t" and head.lstrip()[:1] == b"{"):
        return _json_time(head, whole=len(line) <= HEAD_BYTES)
    found = _TEXT.match(head) if head and head[0] in _TEXT_STARTS else None
    if found:
        if found[1]:
            return _iso(found[1], found[2], found[3])
        return None if near is None else _on_nearest_day(found[4], found[5], near)
    if b"=" in head[:64] and _LOGFMT_START.match(head):
        pair = _LOGFMT.search(head)
        if pair:
            return _iso(pair[1], pair[2], pair[3]) if pair[1] else epoch_seconds(float(pair[4]))
    return None


def line_times(lines: bytes, count: int) -> list[float] | None:
    """Return what ``line_time`` returns for each of ``count`` whole lines, fast, or None where only that can tell.

    Fast are lines that all begin with a date, and JSON lines that all begin with their time.
    """
    found = _ALL_FIRST.findall(lines)
    if len(found) != count:
        return None
    try:
        return [
            _whole_second(date, zone or None) + float(b"." + fraction if fraction else 0)  # type: ignore[operator]
            for date, fraction, zone, *_ in (each if each[0] else each[3:] for each in found)
        ]
    except TypeError:  # a date that does not exist
        return None


def text_time(line: bytes, near: float | None = None) -> tuple[float | None, int]:
    """Return the time at the start of a text line and the number of bytes it takes; (None, 0) without one."""
    found = _TEXT.match(line[:HEAD_BYTES])
    if not found:
        return None, 0
    if found[1]:
        seconds = _iso(found[1], found[2], found[3])
    else:
        seconds = None if near is None else _on_nearest_day(found[4], found[5], near)
    return (None, 0) if seconds is None else (seconds, found.end())


def value_time(value: Any) -> float | None:
    """Return the time that a decoded JSON value states, or None: text in ISO form, or a number since the epoch."""
    if isinstance(value, str):
        found = _ISO_TEXT.fullmatch(value.encode("utf-8", "replace"))
        return _iso(found[1], found[2], found[3]) if found else None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 1e8 <= value < 1e19:
        return epoch_seconds(float(value))
    return None


def epoch_seconds(number: float) -> float:
    """Return seconds for a number of seconds, milli-, micro- or nanoseconds since the epoch, told apart by size."""
    for limit, divisor in ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6)):
        if number < limit:
            return number / divisor
    return number / 1e9


def _json_time(head: bytes, *, whole: bool) -> float | None:
    found = _JSON_FIRST.match(head)
    if not found:
        if whole:
            return _decoded_time(head)
        found = _JSON_ANYWHERE.search(head)
        if not found:
            return None
    return _iso(found[1], found[2], found[3]) if found[1] else epoch_seconds(float(found[4]))


def _decoded_time(line: bytes) -> float | None:
    if not any(key in line for key in (b'"ts"', b'"time', b'"@time')):
        return None
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _JSON_ANYWHERE.search(line)
        if not found:
            return None
        return _iso(found[1], found[2], found[3]) if found[1] else epoch_seconds(float(found[4]))
    return record_time(record) if isinstance(record, dict) else None


def record_time(record: dict[str, Any]) -> float | None:
    """Return the time of a decoded JSON record: that of the first key that states one."""
    for key, value in record.items():
        if key in TIME_KEYS and (seconds := value_time(value)) is not None:
            return seconds
    return None


def _iso(prefix: bytes, fraction: bytes | None, zone: bytes | None) -> float | None:
    base = _whole_second(prefix, zone)
    if base is None or not fraction:
        return base
    return base + float(b"." + fraction)


@lru_cache(maxsize=4096)
def _whole_second(prefix: bytes, zone: bytes | None) -> float | None:
    try:
        value = datetime.fromisoformat(prefix.decode("ascii"))
        if zone is None:
            return value.timestamp()
        if zone != b"Z":
            sign = -60.0 if zone[:1] == b"-" else 60.0
            return value.replace(tzinfo=UTC).timestamp() - sign * (int(zone[1:3]) * 60 + int(zone[-2:]))
        return value.replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _on_nearest_day(clock: bytes, fraction: bytes | None, near: float) -> float | None:
    hours, minutes, seconds = int(clock[0:2]), int(clock[3:5]), int(clock[6:8])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    day = datetime.fromtimestamp(near).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    value = day + hours * 3600 + minutes * 60 + seconds
    if fraction:
        value += float(b"." + fraction)
    while value - near > _DAY_S / 2:
        value -= _DAY_S
    while near - value > _DAY_S / 2:
        value += _DAY_S
    return value
