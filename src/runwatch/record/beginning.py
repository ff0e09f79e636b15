"""A journal that was emptied, replaced or deleted while its run went on: what the new one has to say first.

Must not decide what an event means. What was acknowledged before and is gone cannot be had again: how much that is at
the most is said, once, and the run's first event is written again, so that its command and framework are known.
"""

from __future__ import annotations

import os
import stat

from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter

ASIDE = "events.jsonl.replaced"
"""Name of what stood in the journal's place and was no file."""
_STARTED = b'{"type":"run.started"'


class Beginning:
    """What one recorder knows of its run's journal: the first event, and how many lines there were."""

    def __init__(self, paths: RunPaths, writer: EventWriter) -> None:
        self._paths, self._writer = paths, writer
        self._started: bytes | None = None
        self._lines = 0
        self._before: int | None = None
        """How many lines the journal had that is gone; None unless there is something to say."""
        self._stands = False
        """Whether the journal at hand holds the first event."""
        self._is_copy = True
        """Whether it begins as the former one did, so that its lines are those of that one."""

    def restarted(self) -> None:
        """Take note that another journal is read from its beginning."""
        self._before = max(self._lines, self._before or 0)
        self._lines, self._stands, self._is_copy = 0, False, False

    def take(self, lines: list[bytes]) -> bool:
        """Take in what was read; False where these are the first lines of a journal that is no copy of the former."""
        copied = bool(self._lines) or self._started is None or lines[0] == self._started
        if not self._lines:
            self._is_copy = copied
        self._lines += len(lines)
        if not self._stands:
            found = next((line for line in lines if line.startswith(_STARTED)), None)
            self._stands, self._started = found is not None, found or self._started
        return copied

    def caught_up(self) -> None:
        """Say what is missing, now that all of the new journal was read."""
        if self._before is None or not self._is_there():
            return
        missing, self._before = self._before - (self._lines if self._is_copy else 0), None
        if not self._stands and self._started is not None:
            self._stands = self._writer.again(self._started)
            missing -= self._stands
        if missing > 0:
            self._writer.emit(
                "warning",
                message="the journal was emptied, replaced or deleted while the run went on: "
                f"of its events up to {missing} are lost",
                where="recorder",
            )

    def restore(self) -> None:
        """At the end, begin a journal where it alone is gone; a run that is gone stays gone.

        What was put in its place and is no file (a pipe, a folder, a link) is kept beside it.
        """
        if self._started is None or self._is_there() or not self._paths.logs.is_dir():
            return
        try:
            if os.path.lexists(self._paths.journal):
                os.rename(self._paths.journal, self._paths.journal.with_name(ASIDE))
        except OSError:
            return
        if self._before is None:
            self.restarted()
        if self._writer.reopen():
            self.caught_up()

    def _is_there(self) -> bool:
        try:
            return stat.S_ISREG(os.lstat(self._paths.journal).st_mode)
        except OSError:
            return False
