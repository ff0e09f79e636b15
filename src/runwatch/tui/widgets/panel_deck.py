"""The panels: one is shown, its tab stands out in the upper edge.

Must not know what a panel holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.reactive import var

from runwatch.fold.metrics import Metrics
from runwatch.tui.cells import Line
from runwatch.tui.messages import PanelAsked
from runwatch.tui.panels.deck import PANELS
from runwatch.tui.widgets.lines_view import LinesView
from runwatch.tui.widgets.pane import Edge, tabs


class PanelDeck(LinesView):
    """Shows the lines of one panel; a click on a tab asks for another."""

    metrics: var[Metrics] = var(Metrics)
    """Of the run."""
    panel: var[int] = var(0)
    """Which panel, from 0."""

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return the lines of the panel."""
        return PANELS[self.panel].lines(self.metrics, width, height)

    def empty(self) -> tuple[str, str]:
        """What would fill this panel."""
        return PANELS[self.panel].empty

    def top(self, room: int) -> Edge:
        """The tabs."""
        return Edge(tabs([panel.title for panel in PANELS], self.panel, room))

    def watch_metrics(self) -> None:
        """Show the new state."""
        self.rebuild()

    def watch_panel(self) -> None:
        """Show the other panel from its top."""
        self.rebuild()
        self.scroll_home(animate=False)

    def on_click(self, event: events.Click) -> None:
        """A click on a tab shows its panel."""
        tab = event.style.meta.get("tab")
        if tab is not None:
            self.post_message(PanelAsked(tab))
