"""Which time a line of one log counts with: its own, the one above, or when its bytes arrived.

Must not order lines of several logs. Three modes, decided by the log:
recorded (``output.idx`` knows its bytes: own time when plausible, else arrival), own (a line of the first block states
a time: own time, else that of the line above) and seen (neither: when this viewer saw the bytes).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from runwatch.journal.log_time import line_time, line_times
from runwatch.journal.output_index import Arrivals

_EARLY_S = 900.0
"""A line may state a time this long before its bytes arrived: programs buffer. More is another time zone."""
_LATEST_S = 4_102_444_800.0
"""From the year 2100 on it is no time: one such line would push all that follow it to the end."""
WINDOW_S = 0.2
"""A line that stands this far from where its time says is put there: several writers of one log, and several logs.

Source: targets.md, "Viewing" (100 to 200 ms).
"""
_SEEN_GAP_S = 0.02
_SEEN_KEPT = 50_000


class ArrivalTimes(Protocol):
    """When the bytes of one log arrived, by offset in the log."""

    def time_of(self, offset: int) -> float | None:
        """Return when a byte arrived, None when nothing tells."""

    def offset_after(self, time: float) -> int | None:
        """Return the first offset that arrived later than ``time``, None when none did."""


class RecordedArrivals:
    """Arrival times from ``output.idx`` for a log that may lie in several files."""

    def __init__(
        self, files: Callable[[str], Arrivals], segments: Callable[[], Sequence[tuple[str, int, int]]]
    ) -> None:
        self._files = files
        self._segments = segments

    def __bool__(self) -> bool:
        return any(len(self._files(name)) for name, _, _ in self._segments())

    def time_of(self, offset: int) -> float | None:
        """Return when the byte at ``offset`` of the log arrived."""
        for name, base, skip in reversed(self._segments()):
            if offset >= base and (found := self._files(name).time_of(offset - base + skip)) is not None:
                return found
            offset = min(offset, base - 1)
        return None

    def offset_after(self, time: float) -> int | None:
        """Return the first offset of the log that arrived later than ``time``."""
        for name, base, skip in self._segments():
            if (found := self._files(name).offset_after(time)) is not None:
                return max(base + found - skip, base)
        return None


class SeenArrivals:
    """Arrival times noted by this viewer as it saw a log grow."""

    def __init__(self) -> None:
        self._arrivals = Arrivals()

    def add(self, time: float, offset: int) -> None:
        """Note that bytes from ``offset`` on were there at ``time``."""
        known = self._arrivals
        if len(known) and (time - known.times[-1] < _SEEN_GAP_S):
            return
        known.add(time, offset)
        if len(known) > _SEEN_KEPT:  # days of following: halve the resolution of the older half
            half = _SEEN_KEPT // 2
            known.times[1:half] = known.times[2:half:2]
            known.offsets[1:half] = known.offsets[2:half:2]

    def time_of(self, offset: int) -> float | None:
        """Return when the byte at ``offset`` was seen."""
        return self._arrivals.time_of(offset)

    def offset_after(self, time: float) -> int | None:
        """Return the first offset seen later than ``time``."""
        return self._arrivals.offset_after(time)


class LineTimes:
    """The rule by which one log's lines get their times."""

    def __init__(self, recorded: RecordedArrivals | None, clock: Callable[[], float] = time.time) -> None:
        self.recorded = recorded
        self.seen = SeenArrivals()
        self.clock = clock
        self.base: float | None = None
        """Time of the first line in the first block that states one."""

    def reset(self) -> None:
        """Forget what was learned of the log's bytes."""
        self.base = None
        self.seen = SeenArrivals()

    @property
    def arrivals(self) -> ArrivalTimes | None:
        """The arrival times that order this log; None when its lines' own times do."""
        if self.recorded is not None and self.recorded:
            return self.recorded
        return self.seen if self.base is None else None

    def own(self, line: bytes) -> float | None:
        """Return the time a line states, unless it is beyond belief."""
        stated = line_time(line)
        return None if stated is None or stated >= _LATEST_S else stated

    def own_of_all(self, lines: bytes, count: int) -> list[float] | None:
        """Return the times that ``count`` lines state, fast; None where they must be looked at one by one."""
        stated = line_times(lines, count)
        return stated if stated is not None and max(stated) < _LATEST_S else None

    def of_line(self, line: bytes, offset: int, arrivals: ArrivalTimes | None) -> float | None:
        """Return the time of the line at ``offset``; None when it counts with the one above."""
        if arrivals is None:
            return self.own(line)
        arrived = arrivals.time_of(offset)
        if arrived is None or arrivals is self.seen:
            return arrived
        stated = line_time(line, arrived)
        return arrived if stated is None or not arrived - _EARLY_S <= stated <= arrived + 1.0 else min(stated, arrived)
