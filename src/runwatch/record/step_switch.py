"""Opening and closing steps: by marker lines in the command's output, and by clients of the control socket.

Must not read the output or the socket. Its imports are the supervisor's, and pinned.
"""

from __future__ import annotations

from collections.abc import Callable

from runwatch.journal.writer import EventWriter
from runwatch.record.control import Reply, Request
from runwatch.record.steps import Source, StepBook
from runwatch.sources.markers import Marker


class StepSwitch:
    """What markers and clients do to the steps of one run; safe to use from threads."""

    def __init__(self, book: StepBook, journal: EventWriter, cut: Callable[[int | None], None]) -> None:
        """``cut`` has the output that was written until now filed under the step before."""
        self._book, self._journal, self._cut = book, journal, cut

    def marker(self, marker: Marker) -> int | None:
        """Do what a marker line says; return the step at hand. A step of the SDK or the shell outranks it."""
        step = self._book.current
        if marker.kind in ("error", "warning"):
            if marker.kind == "error":
                self._journal.emit("error", step=step, error_type="ci", message=marker.text, where=marker.where)
            else:
                self._journal.emit("warning", step=step, message=marker.text, where=marker.where)
            return step
        if self._book.last_open("sdk", "shell") is not None:
            return step
        former = self._book.last_open("marker")
        if former is not None:
            self._book.close(former)
            self._journal.emit("step.completed", step=former, status="success")
        if marker.kind == "close":
            return self._book.current
        step = self._book.open("marker")
        self._journal.emit("step.started", step=step, name=marker.text or None, source="marker")
        return step

    def begin(self, request: Request) -> Reply:
        """Open a step for a client, which closes the one that a shell script was in."""
        source: Source = "shell" if request.source == "shell" else "sdk"
        closes = self._book.last_open("shell") if source == "shell" else None
        if closes is not None:
            self._book.close(closes)
        step = self._book.open(source, request.step)
        self._cut(step)
        return Reply(ok=True, step=step, closes=closes)

    def end(self, request: Request) -> Reply:
        """Close a client's step."""
        if request.step is not None:
            self._book.close(request.step)
        self._cut(self._book.current)
        return Reply(ok=True)
