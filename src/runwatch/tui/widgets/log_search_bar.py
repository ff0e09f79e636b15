"""The line below a log in which a search is typed, with the number of its hits.

Must not search: it says what was typed.
"""

from __future__ import annotations

import re
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from runwatch.journal.log_hits import Pattern
from runwatch.tui.cells import clean
from runwatch.tui.look import DIM
from runwatch.units import count, cut_middle

_LONGEST_SCOPE = 26


class LogSearchBar(Horizontal):
    """A prompt, what is looked for, how many lines match, and the keys that lead to them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "regex", "Regular expression on or off", show=False, id="search.regex"),
    ]

    class Changed(Message):
        """Something else is looked for; None: nothing, or no regular expression."""

        def __init__(self, pattern: Pattern | None) -> None:
            super().__init__()
            self.pattern = pattern
            """What to look for."""

    class Entered(Message):
        """What was typed is complete."""

    def __init__(self) -> None:
        super().__init__()
        self._regex = False
        self._hits: tuple[int, str, bool, bool] | None = None
        self._fault = ""

    def compose(self) -> ComposeResult:
        """Prompt, text, hits."""
        yield Static("/", id="prompt", markup=False)
        yield Input(compact=True, select_on_focus=True)
        yield Static("", id="hits", markup=False)

    def begin(self) -> None:
        """Take the keys, with what was looked for last selected."""
        self.screen.set_focus(self.query_one(Input))  # at once: the next key is for it

    def count(self, hits: int, scope: str, *, whole: bool, looking: bool = False) -> None:
        """Show how many lines of what match; ``whole``: every line was looked at; ``looking``: for the next of them."""
        if self._hits != (hits, scope, whole, looking):
            self._hits = (hits, scope, whole, looking)
            self._show()

    def action_regex(self) -> None:
        """Take the text as a regular expression, or no longer."""
        self._regex = not self._regex
        self.query_one("#prompt", Static).update("re/" if self._regex else "/")
        self._change()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for it while it is typed."""
        event.stop()
        self._change()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the nearest hit."""
        event.stop()
        self.post_message(self.Entered())

    def on_descendant_focus(self) -> None:
        """Other keys lead on while typing."""
        self._show()

    def on_descendant_blur(self) -> None:
        """As for focus."""
        self._show()

    def _change(self) -> None:
        text = self.query_one(Input).value
        self._hits, self._fault, pattern = None, "", None
        if text:
            try:
                pattern = Pattern(text, regex=self._regex)
            except re.error as error:
                self._fault = f"no regular expression: {error}"
        self.post_message(self.Changed(pattern))
        self._show()

    def _show(self) -> None:
        typing = self.query_one(Input).has_focus
        keys = "enter go · ctrl+r regex · esc end" if typing else "n next · N previous · esc end"
        told: list[tuple[str, str]] = []
        if self._fault:
            told = [(self._fault, "$rw-failed")]
        elif self._hits is not None:
            hits, scope, whole, looking = self._hits
            told = [(f"{count(hits)}{'' if whole else '+'} line{'' if hits == 1 else 's'}", "$rw-running")]
            told.append((f" in {cut_middle(clean(scope), _LONGEST_SCOPE)}", DIM))
            if looking:
                told.append((" · looking…", "$rw-dim"))
        self.query_one("#hits", Static).update(Content.assemble(*told, "   ", (keys, "$rw-dim")))
