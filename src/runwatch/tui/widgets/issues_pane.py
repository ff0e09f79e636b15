"""The list of issues at the left.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content
from textual.reactive import var

from runwatch.fold.metrics import Metrics
from runwatch.tui.cells import Line
from runwatch.tui.look import DIM
from runwatch.tui.panels import issues
from runwatch.tui.widgets.lines_view import LinesView
from runwatch.tui.widgets.pane import Edge


class IssuesPane(LinesView):
    """Every issue with its state and its agents' attempts."""

    EMPTY: ClassVar[tuple[str, str]] = ("No issues", "issue.started adds one")

    metrics: var[Metrics] = var(Metrics)
    """Of the run."""

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return one row an issue."""
        return issues.lines(self.metrics, width)

    def top(self, room: int) -> Edge:
        """Name and tally."""
        return Edge(Content.styled("Issues", "bold"), Content.styled(issues.tally(self.metrics), DIM))

    def watch_metrics(self) -> None:
        """Show the new state; at the end it stays there while issues are added, for those at work stand last."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        before = self.virtual_size.height
        self.rebuild()
        if at_end and self.virtual_size.height > before:
            self.call_after_refresh(self.scroll_end, animate=False)
