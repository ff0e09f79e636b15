"""The time of something that starts, ends, and may start again: a step, an issue.

No I/O, no formatting.
"""

from __future__ import annotations

from runwatch.fold.clock import Moment, elapsed, seconds, until


class Span:
    """First start, last end, and the time between starts and ends, gaps left out."""

    __slots__ = ("_micros", "_opened", "end", "start")

    def __init__(self) -> None:
        self.start: str | None = None
        self.end: str | None = None
        self._opened: Moment | None = None
        self._micros = 0

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self._opened is not None

    def open(self, moment: Moment) -> None:
        """Start, or start again; one that goes on just goes on."""
        if self._opened is None:
            self._opened = moment
            self.end = None
        if self.start is None:
            self.start = moment[0]

    def close(self, moment: Moment, duration: int | None = None) -> None:
        """End; ``duration`` (microseconds) is what the event said, else the difference counts."""
        if duration is None and self._opened is not None:
            duration = elapsed(self._opened, moment)
        self._micros += duration or 0
        self._opened = None
        self.end = moment[0]

    def duration_s(self, now: str | None) -> float:
        """Return seconds, up to ``now`` while it goes on."""
        if self._opened is None:
            return seconds(self._micros)
        return seconds(self._micros + until(self._opened[0], now))
