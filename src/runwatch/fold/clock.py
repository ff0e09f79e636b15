"""The time inside a journal: that of the event at hand, and the differences between two events.

Must not read a real clock. Durations are whole microseconds, so that sums do not depend on their order.
"""

from __future__ import annotations

from datetime import UTC, datetime

from runwatch.events import Event
from runwatch.units import format_time, parse_time

Moment = tuple[str | None, float | None, str | None]
"""``ts`` (canonical), ``mono`` and ``writer`` of an event."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_S = 1e12
CANONICAL_LENGTH = 27
"""Of ``2026-11-21T01:31:55.123456Z``."""


class Clock:
    """The time of the event that is being folded. A line without a time has that of the line before."""

    __slots__ = ("first", "ts")

    def __init__(self) -> None:
        self.ts: str | None = None
        self.first: str | None = None

    def set(self, ts: str) -> None:
        """Take over an event's time; text that is no time is passed over."""
        if len(ts) != CANONICAL_LENGTH or ts[-1] != "Z" or self.first is None:
            canonical = canonical_time(ts)
            if canonical is None:
                return
            ts = canonical
            if self.first is None:
                self.first = ts
        self.ts = ts

    def moment(self, event: Event) -> Moment:
        """Return when ``event``, the one at hand, happened."""
        return self.ts, event.mono, event.writer


def canonical_time(text: str) -> str | None:
    """Return a time as the journal writes it (UTC, microseconds, ``Z``), or None for what is no time."""
    try:
        return format_time(parse_time(text))
    except (ValueError, OverflowError):
        return None


def micros_of(text: str | None) -> int | None:
    """Return microseconds since the epoch, or None for what is no time."""
    if text is None:
        return None
    try:
        return round((parse_time(text) - _EPOCH).total_seconds() * 1e6)
    except (ValueError, OverflowError):
        return None


def micros(duration_s: float | None) -> int | None:
    """Return a duration in whole microseconds, or None for what cannot be one."""
    if duration_s is None or not 0.0 <= duration_s < _MAX_S:
        return None
    return round(duration_s * 1e6)


def elapsed(start: Moment, end: Moment) -> int | None:
    """Return the microseconds between two events, never negative.

    Two readings of ``mono`` are compared when one process made both: only then are they known to be of one boot
    (an envelope names none). Else the times are.
    """
    if start[2] is not None and start[2] == end[2] and start[1] is not None and end[1] is not None:
        return max(0, round((end[1] - start[1]) * 1e6))
    since, until = micros_of(start[0]), micros_of(end[0])
    return None if since is None or until is None else max(0, until - since)


def is_later(moment: Moment, than: Moment) -> bool:
    """Return whether an event happened later than another, by their times; False where either has none."""
    return moment[0] is not None and than[0] is not None and moment[0] > than[0]


def until(start: str | None, now: str | None) -> int:
    """Return the microseconds from ``start`` to ``now``, 0 where either is unknown or now is earlier."""
    since, end = micros_of(start), micros_of(now)
    return 0 if since is None or end is None else max(0, end - since)


def seconds(value: int) -> float:
    """Return microseconds as seconds."""
    return value / 1e6
