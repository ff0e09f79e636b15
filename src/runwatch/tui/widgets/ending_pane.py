"""The two panes of a run's end: the finalizer's stages, and the summary that it wrote.

Must not read a file: both show the snapshot they are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content
from textual.reactive import var

from runwatch.tui.cells import Line
from runwatch.tui.look import DIM
from runwatch.tui.panels import ending
from runwatch.tui.state import STAGES, Snapshot
from runwatch.tui.widgets.lines_view import LinesView
from runwatch.tui.widgets.pane import Edge

_LOW = 30
"""A screen of fewer rows is low."""


class EndingPane(LinesView):
    """Result, progress, stages, archive and commit."""

    MARGIN = 0

    snapshot: var[Snapshot] = var(Snapshot)
    """How the run stands."""

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return the rows."""
        return ending.lines(self.snapshot, width, brief=self._is_brief(self.snapshot))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As high as all of it will be, so that nothing moves when the last rows come."""
        return self._height(self.snapshot, width)

    def _height(self, snapshot: Snapshot, width: int) -> int:
        return ending.height_of(snapshot, width, brief=self._is_brief(snapshot))

    def _is_brief(self, snapshot: Snapshot) -> bool:
        """On a low terminal the stages make room for the summary once they are through."""
        return snapshot.ending.complete and self.screen.size.height < _LOW

    def top(self, room: int) -> Edge:
        """Name and tally of the stages."""
        name = "Ended" if self.snapshot.ending.complete else "Ending"
        tally = f"stages {self.snapshot.ending.finished}/{len(STAGES)}"
        return Edge(Content.styled(name, "bold"), Content.styled(tally, DIM))

    def watch_snapshot(self, old: Snapshot, new: Snapshot) -> None:
        """Show the new state."""
        if self._height(old, self.size.width) != self._height(new, self.size.width):
            self.refresh(layout=True)
        self.rebuild()


class SummaryPane(LinesView):
    """The text of logs_summary.txt."""

    MARGIN = 0
    EMPTY: ClassVar[tuple[str, str]] = ("The summary appears here", "once the finalizer has written it")

    snapshot: var[Snapshot] = var(Snapshot)
    """How the run stands."""

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return the text's lines."""
        return ending.summary_lines(self.snapshot.summary or "", width)

    def top(self, room: int) -> Edge:
        """The file's name."""
        # Without corners the frame leaves no room around its title.
        around = "" if self.styles.border_left[0] else " "
        return Edge(Content.styled(f"{around}logs_summary.txt{around}", "bold"))

    def watch_snapshot(self, old: Snapshot, new: Snapshot) -> None:
        """Show a newer text."""
        if old.summary != new.summary:
            self.rebuild()
