"""The end of a run in place of its logs: the finalizer's stages and the summary.

Must not read a file of the run.
"""

from __future__ import annotations

from textual.containers import Vertical
from textual.reactive import var
from textual.screen import Screen

from runwatch.tui import messages
from runwatch.tui.state import Snapshot
from runwatch.tui.widgets.key_bar import KeyBar


class RunEnd(Screen[None]):
    """A screen that can show the end of its run; it is there from the first time on."""

    snapshot: var[Snapshot] = var(Snapshot)
    """All that the feed last saw."""

    _end_waits = False
    """The end came while somebody was typing."""

    @property
    def shows_end(self) -> bool:
        """Whether the end is shown, and not the logs."""
        return self.has_class("-ending")

    def action_summary(self) -> None:
        """Show the end of the run in place of its logs."""
        # A key's action runs for whoever had the key, often the app; data is bound only by the screen itself.
        self.post_message(messages.EndAsked())

    async def on_end_asked(self, message: messages.EndAsked) -> None:
        """Show the end of the run."""
        await self.open_end()

    async def open_end(self) -> None:
        """Show the end of the run; a handler of this screen's own must call it."""
        from textual.widgets import Input  # a hundredth of a second that the first frame need not wait for

        if not self.query("#ending"):
            await self.mount(self._ending(), before=self.query_one(KeyBar))
        if isinstance(self.focused, Input):
            self._end_waits = True  # what is being typed must not become commands
            return
        self._end_waits = False
        self.add_class("-ending")
        self.query_one("#summary").focus()
        self.refresh_bindings()

    def watch_focused(self) -> None:
        """Show the end that waited until the typing was done."""
        if self._end_waits:
            self.call_later(self.open_end)

    def action_back(self) -> None:
        """Show the logs again."""
        self.remove_class("-ending")
        self.query_one("#log").focus()
        self.refresh_bindings()

    def _ending(self) -> Vertical:
        from runwatch.tui.widgets.ending_pane import EndingPane, SummaryPane

        bound = RunEnd.snapshot
        return Vertical(EndingPane().data_bind(bound), SummaryPane(id="summary").data_bind(bound), id="ending")
