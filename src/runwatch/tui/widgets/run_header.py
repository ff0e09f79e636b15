"""The header line as a widget.

Must not decide what stands in it.
"""

from __future__ import annotations

from pathlib import Path

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from runwatch.fold.metrics import Metrics
from runwatch.tui.cells import clean
from runwatch.tui.panels import header
from runwatch.tui.state import Life

_ERRORS = "Errors: those that the run recorded. Lines of level ERROR are counted below the log."


class RunHeader(Widget):
    """One line: run, model, state, cost, tokens, errors."""

    metrics: reactive[Metrics] = reactive(Metrics)
    """Of the run."""
    life: reactive[Life] = reactive(Life.OPENING)
    """Its condition."""
    stalled_s: reactive[float | None] = reactive(None)
    """For how many seconds its recorder has given no sign; None while it does."""
    read_ratio: reactive[float] = reactive(1.0)
    """How much of the journal is folded, 0 to 1."""

    def __init__(self, run_dir: Path, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run_dir = run_dir
        self.tooltip = Content(f"{clean(run_dir)}\n{_ERRORS}")

    def render(self) -> Content:
        """Return the line."""
        run = self.metrics.run
        heading = header.Heading(
            self.metrics,
            self.life,
            run.framework or self._run_dir.parent.name,
            run.run_id or self._run_dir.name,
            self.read_ratio,
            self.stalled_s,
        )
        return header.content(heading, self.size.width)
