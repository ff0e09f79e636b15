"""Kinds of value that TOML has no word for: durations (`"2h 30m"`), sizes (`"64 MiB"`), regular expressions.

Must not format: that is `units`.
"""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:ms|min|[smhd])\s*)+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|[smhd])")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


class Seconds(float):
    """A duration in seconds; zero or more."""

    expected = 'a duration such as 90, "45s" or "2h 30m"'


class Bytes(int):
    """A size in bytes; more than zero."""

    expected = 'a size such as 65536 or "64 MiB"'


class Regex(str):
    """A regular expression of Python's `re`."""

    __slots__ = ()
    expected = "a regular expression"


def parse(kind: type, value: object) -> Seconds | Bytes | Regex:
    """Read a raw value as one of the kinds above. Raises ValueError."""
    if kind is Seconds:
        return parse_seconds(value)
    if kind is Bytes:
        return parse_bytes(value)
    if kind is not Regex or not isinstance(value, str):
        raise ValueError(value)
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(value) from error
    return Regex(value)


def parse_seconds(value: object) -> Seconds:
    """Read a number of seconds or a text like `2h 30m`. Raises ValueError."""
    if isinstance(value, str):
        text = value.strip().lower()
        if _DURATION.fullmatch(text):
            return Seconds(sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text)))
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(value)
    return Seconds(value)


def parse_bytes(value: object) -> Bytes:
    """Read a number of bytes or a text like `64 MiB`; kB, MB and GB are powers of ten. Raises ValueError."""
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip().lower())
        if match is None or match[2] not in _BYTES:
            raise ValueError(value)
        value = round(float(match[1]) * _BYTES[match[2]])
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(value)
    return Bytes(value)
