"""The recorded errors of a run, one by one, read from its journal: the metrics hold them in groups.

Must not keep them: a run may record a million.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runwatch.events import Event
from runwatch.events.lifecycle import RunCompleted, RunStarted, is_seal
from runwatch.events.notices import ErrorRecorded
from runwatch.fold.clock import canonical_time
from runwatch.journal.follow import Follower, read_line
from runwatch.views.facts import RecordedError


class ErrorRows:
    """Reads on from where the last call ended, up to the seal."""

    def __init__(self, journal: Path) -> None:
        self._follower = Follower(journal)
        self._sealed = False
        self._started: RunStarted | None = None
        self._before = b""
        """The last line that has a time."""
        self.restarted = True
        """Whether the errors that come next are the first."""

    def new(self) -> Iterator[list[RecordedError]]:
        """Yield the errors that came since the last call, a piece of the journal at a time."""
        while not self._sealed and (lines := self._follower.read()):
            if self._follower.restarted:
                self._follower.restarted = False
                self._started = None
                self.restarted = True
            found = [error for line in lines if (error := self._error(line)) is not None]
            if found:
                yield found

    def close(self) -> None:
        """Close the journal."""
        self._follower.close()

    def _error(self, line: bytes) -> RecordedError | None:
        if self._sealed:
            return None
        former = self._before
        if b'"ts"' in line:
            self._before = line
        # Most lines are neither, and need not be decoded to know it.
        if b'"error"' not in line and b'"run.' not in line:
            return None
        event = read_line(line)
        if isinstance(event, RunStarted):
            self._started = self._started or event
        elif isinstance(event, RunCompleted):
            self._sealed = is_seal(event, self._started)
        if not isinstance(event, ErrorRecorded):
            return None
        return RecordedError(
            time=canonical_time(event.ts) if event.ts is not None else _time_of(former),
            error_type=event.error_type,
            message=event.message,
            issue=event.issue,
            step=event.step,
            agent=event.agent,
            component=event.component,
        )


def _time_of(line: bytes) -> str | None:
    """Return the time of a line; one without has that of the line before."""
    event = read_line(line) if line else None
    ts = event.ts if isinstance(event, Event) else None
    return None if ts is None else canonical_time(ts)
