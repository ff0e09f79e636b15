"""The line below a log in which a time to go to is typed.

Must not look for it: it says what was typed.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from runwatch.tui.cells import clean

_FORMS = "14:26:01 · 2026-10-20T14:26Z · 10m before the end"


class LogTimeBar(Horizontal):
    """A prompt, the time, and how one is written."""

    class Entered(Message):
        """What was typed is complete."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text
            """What was typed."""

    def compose(self) -> ComposeResult:
        """Prompt, text, forms."""
        yield Static("time", id="prompt", markup=False)
        yield Input(compact=True, select_on_focus=True)
        yield Static(_FORMS, id="hits", markup=False)

    def begin(self) -> None:
        """Take the keys."""
        self.screen.set_focus(self.query_one(Input))  # at once: the next key is for it

    def refuse(self, sentence: str) -> None:
        """Say why it is no time."""
        self.query_one("#hits", Static).update(Content.styled(clean(sentence), "$rw-failed"))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say again how a time is written."""
        event.stop()
        self.query_one("#hits", Static).update(Content.styled(_FORMS, "$rw-dim"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go there."""
        event.stop()
        if event.value.strip():
            self.post_message(self.Entered(event.value.strip()))
