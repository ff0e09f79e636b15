"""The list of steps at the left, and its one-line form for narrow terminals.

Must not read logs: it says which step was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content
from textual.reactive import reactive, var
from textual.widget import Widget

from runwatch.fold.metrics import Metrics
from runwatch.tui.cells import Line
from runwatch.tui.look import DIM
from runwatch.tui.messages import StepAsked
from runwatch.tui.panels import steps
from runwatch.tui.widgets.lines_view import LinesView
from runwatch.tui.widgets.pane import Edge


class StepsPane(LinesView):
    """Every step with its state and duration; the cursor stands on the one whose logs are shown."""

    HAS_CURSOR = True
    EMPTY: ClassVar[tuple[str, str]] = ("No steps yet", "`runwatch step` opens one")

    metrics: var[Metrics] = var(Metrics)
    """Of the run."""
    selected: var[int | None] = var(None)
    """The step whose logs are shown; None: outside steps."""
    log_steps: var[tuple[int | None, ...]] = var(())
    """Steps that have logs; None first where there are logs outside steps."""

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return one row a step."""
        self._entries = self._listed()
        self.set_reactive(LinesView.cursor, self._row_of_selected())
        return steps.lines(self._entries, width)

    def _listed(self) -> list[steps.Entry]:
        known = [step for step in self.log_steps if step is not None]
        rows = steps.entries(self.metrics, None in self.log_steps, known)
        # Without steps the run is shown as a whole: a lone row would say nothing.
        return rows if len(rows) > 1 or (rows[:1] and rows[0].number is not None) else []

    def _row_of_selected(self) -> int:
        return next((index for index, entry in enumerate(self._entries) if entry.step == self.selected), 0)

    def top(self, room: int) -> Edge:
        """Name and tally."""
        return Edge(Content.styled("Steps", "bold"), Content.styled(steps.tally(self.metrics), DIM))

    def bottom(self, room: int) -> Edge:
        """The progress bar."""
        return Edge(steps.progress(self.metrics, room))

    def watch_metrics(self) -> None:
        """Show the new state."""
        self.rebuild()

    def watch_log_steps(self) -> None:
        """A folder of logs came or went."""
        self.rebuild()

    def watch_selected(self) -> None:
        """Move the cursor to the step that is shown."""
        self.rebuild()
        self.watch_cursor(self.cursor, self.cursor)

    def watch_cursor(self, old: int, new: int) -> None:
        """Moving the cursor shows the step under it."""
        super().watch_cursor(old, new)
        if old != new and new < len(self._entries) and self._entries[new].step != self.selected:
            self.post_message(StepAsked(self._entries[new].step))


class StepStrip(Widget):
    """The list of steps as one line, where there is no room for a pane."""

    metrics: reactive[Metrics] = reactive(Metrics)
    """Of the run."""
    selected: reactive[int | None] = reactive(None)
    """The step whose logs are shown."""

    def render(self) -> Content:
        """Return the line."""
        return steps.strip(self.metrics, self.selected, self.size.width - 2)
