"""The log view: draws a LogSource of any size with Textual's line API.

Must not read a file: rows come from a reader thread, which owns the source while it is shown.
"""

from __future__ import annotations

from textual.scroll_view import ScrollView

from runwatch.journal.log_source import LogSource
from runwatch.tui.widgets import log_messages


class LogView(ScrollView, can_focus=True):
    """A window over log lines that follows the end until somebody moves up."""

    FollowChanged = log_messages.FollowChanged
    Stats = log_messages.Stats
    Noticed = log_messages.Noticed

    def __init__(self, *, empty: str = "No log yet.", id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._source: LogSource | None = None

    def show(self, source: LogSource | None, *, empty: str | None = None) -> None:
        """Show another source from its end, following; None shows nothing. Called on the event loop; returns at once.

        ``empty`` is the sentence in the middle while there is no line: what would fill the view, and how.
        """
        self._source = source
        self.empty = self.empty if empty is None else empty
        self.refresh()

    @property
    def following(self) -> bool:
        """True while the newest line stays in view."""
        return True
