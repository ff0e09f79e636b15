"""Which steps a journal has: the one at hand and the highest number.

Must not judge how they went: that is the fold's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from runwatch.events.lifecycle import StepCompleted, StepStarted
from runwatch.journal.follow import events


@dataclass(slots=True)
class Steps:
    """The steps of a journal as of now."""

    last: int = 0
    """Highest number; 0 without any."""
    open: dict[int, str | None] = field(default_factory=dict)
    """Open steps in the order of their opening, each with its source."""

    @property
    def current(self) -> int | None:
        """The step that was opened last and is still open."""
        return next(reversed(self.open), None)

    def last_open(self, source: str) -> int | None:
        """The step that ``source`` opened last and that is still open."""
        return next((step for step in reversed(self.open) if self.open[step] == source), None)


def read_steps(journal: Path) -> Steps:
    """Read a journal through; its cost grows with its size."""
    steps = Steps()
    for _, event in events(journal):
        if isinstance(event, StepStarted) and event.step is not None:
            steps.last = max(steps.last, event.step)
            steps.open.pop(event.step, None)
            steps.open[event.step] = event.source
        elif isinstance(event, StepCompleted) and event.step is not None:
            steps.open.pop(event.step, None)
    return steps


def step_at_hand(journal: Path) -> int | None:
    """Return the step that was opened last and is still open."""
    return read_steps(journal).current
