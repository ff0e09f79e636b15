"""runwatch's own lines on stderr while a command is recorded without the app: one a step, alert and result.

Must not block the recorder: a reader that does not read costs lines, not time.
"""

from __future__ import annotations

import os
import select

from runwatch.events import Event
from runwatch.events.lifecycle import StepCompleted
from runwatch.events.notices import AlertRaised, Degraded, LimitReached, RecorderReplaced
from runwatch.fold.metrics import Metrics
from runwatch.views import console

TOLD = (StepCompleted, AlertRaised, LimitReached, RecorderReplaced, Degraded)
"""Events that leave a line."""
_KINDS = {"alert.raised", "limit.reached", "recorder.replaced", "degraded"}


class Talk:
    """Says what is new in the metrics since it spoke last."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._steps: set[int] = set()
        self._notices = 0
        self._due = False
        self._color = enabled and os.isatty(2) and not os.environ.get("NO_COLOR")

    def pass_over(self, metrics: Metrics) -> None:
        """Take for said what a recorder said before it began again."""
        self._due = False
        self._steps |= {step.step for step in metrics.steps if step.status is not None}
        self._notices = sum(notice.kind in _KINDS for notice in metrics.notices)

    def event(self, event: Event) -> None:
        """Note an event; ``due`` tells whether it leaves a line."""
        self._due = self._due or (self._enabled and isinstance(event, TOLD))

    @property
    def due(self) -> bool:
        """Whether there is something to say."""
        return self._due

    def update(self, metrics: Metrics) -> None:
        """Say which steps ended and what was raised."""
        self._due = False
        for step in metrics.steps:
            if step.status is not None and step.step not in self._steps:
                self._steps.add(step.step)
                self.line(console.step(step, color=self._color))
        raised = [notice for notice in metrics.notices if notice.kind in _KINDS]
        for notice in raised[self._notices :]:
            self.line(console.notice(notice, color=self._color))
        self._notices = len(raised)

    def lines(self, lines: list[str]) -> None:
        """Say several lines."""
        for line in lines:
            self.line(line)

    def line(self, text: str) -> None:
        """Write one line in one write, if somebody takes it now."""
        if not self._enabled:
            return
        try:
            if select.select([], [2], [], 0.2)[1]:
                os.write(2, text.encode(errors="backslashreplace") + b"\n")
        except OSError:
            self._enabled = False  # the terminal is gone

    @property
    def color(self) -> bool:
        """Whether colours are wanted."""
        return self._color
