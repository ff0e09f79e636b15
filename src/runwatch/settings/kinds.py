"""Kinds of value that TOML has no word for: durations (`"2h 30m"`), sizes (`"64 MiB"`), regular expressions.

Must not format: that is `units`. What was read is a plain float, int or str.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, NamedTuple, get_args

from msgspec import Meta

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:ms|min|[smhd])\s*)+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|[smhd])")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


class Kind(NamedTuple):
    """How a value of the kind is read."""

    read: Callable[[object], float | int | str]
    """From what stands in the file; raises ValueError."""
    expected: str
    """What a person should have written."""


def parse_seconds(value: object) -> float:
    """Read a number of seconds or a text like `2h 30m`. Raises ValueError."""
    if isinstance(value, str):
        text = value.strip().lower()
        if _DURATION.fullmatch(text):
            return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(value)
    return float(value)


def parse_bytes(value: object) -> int:
    """Read a number of bytes or a text like `64 MiB`; kB, MB and GB are powers of ten. Raises ValueError."""
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip().lower())
        if match is None or match[2] not in _BYTES:
            raise ValueError(value)
        value = round(float(match[1]) * _BYTES[match[2]])
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(value)
    return value


def parse_regex(value: object) -> str:
    """Check a regular expression of Python's `re`. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(value)
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(value) from error
    return value


DURATION = Kind(parse_seconds, 'a duration such as 90, "45s" or "2h 30m"')
SIZE = Kind(parse_bytes, 'a size such as 65536 or "64 MiB"')
REGEX = Kind(parse_regex, "a regular expression")

Seconds = Annotated[float, Meta(extra={"kind": DURATION})]
Bytes = Annotated[int, Meta(extra={"kind": SIZE})]
Regex = Annotated[str, Meta(extra={"kind": REGEX})]


def metas(annotation: Any) -> Iterator[Meta]:
    """Yield what is noted on a type and on the types in it."""
    yield from (meta for meta in getattr(annotation, "__metadata__", ()) if isinstance(meta, Meta))
    for option in get_args(annotation):
        yield from metas(option)


def kind_of(annotation: Any) -> Kind | None:
    """Return the kind of a setting's type, or of the items of its list; None for TOML's own."""
    return next((meta.extra["kind"] for meta in metas(annotation) if meta.extra and "kind" in meta.extra), None)
