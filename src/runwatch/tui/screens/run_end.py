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
from runwatch.tui.widgets.log_pane import LogPane


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
        await self.open_end(asked=True)

    async def open_end(self, *, asked: bool = False) -> None:
        """Show the end of the run; a handler of this screen's own must call it. ``asked``: a person wants it now."""
        if not self.query("#ending"):
            await self.mount(self._ending(), before=self.query_one(KeyBar))
        if not asked and self._is_typed_in():
            self._end_waits = True  # what is being typed must not become commands
            return
        self._end_waits = False
        self.add_class("-ending")
        # At once, here and below: put off, it would take the focus from a question that was asked meanwhile.
        self.set_focus(self.query_one("#summary"), scroll_visible=False)
        self.refresh_bindings()

    def _is_typed_in(self) -> bool:
        """Whether the next letter belongs to a question about the log."""
        from textual.widgets import Input  # a hundredth of a second that the first frame need not wait for

        view = self.query_one(LogPane).view
        return isinstance(self.focused, Input) or (view is not None and view.asks)

    def watch_focused(self) -> None:
        """Show the end that waited until the typing was done."""
        if self._end_waits:
            self.call_later(self._end_typing)

    async def _end_typing(self) -> None:
        """Show the end that waited, but not over what somebody asked for meanwhile and is shown now."""
        if not self._end_waits or self._is_typed_in():
            return
        view = self.query_one(LogPane).view
        if view is None or not view.answered:
            await self.open_end()
            return
        self._end_waits = False
        bound = (each.binding for each in self.active_bindings.values() if each.binding.id == "run.summary")
        keys = [self.app.get_key_display(binding) for binding in bound]
        self.notify(f"The run has ended{f': {keys[0]} shows its summary' if keys else ''}.", timeout=8, markup=False)

    def action_back(self) -> None:
        """Show the logs again."""
        self.remove_class("-ending")
        self.set_focus(self.query_one("#log"), scroll_visible=False)
        self.refresh_bindings()

    def _ending(self) -> Vertical:
        from runwatch.tui.widgets.ending_pane import EndingPane, SummaryPane

        bound = RunEnd.snapshot
        return Vertical(EndingPane().data_bind(bound), SummaryPane(id="summary").data_bind(bound), id="ending")
