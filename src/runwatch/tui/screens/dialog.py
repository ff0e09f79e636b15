"""A small question over the screen: a sentence, and two or three things to choose from.

Must not act on the answer: whoever asked does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from runwatch.tui.cells import Line, clean, left, line
from runwatch.tui.look import DIM
from runwatch.tui.widgets.lines_view import LinesView
from runwatch.tui.widgets.pane import Edge

_KEY = 5
_WORDS = 18


@dataclass(frozen=True)
class Choice:
    """One thing to choose."""

    answer: str
    """What the dialog returns."""
    key: str
    """The key that chooses it."""
    words: str
    """What it does, in two or three words."""
    more: str = ""
    """What follows from it."""


class _Choices(LinesView):
    HAS_CURSOR = True

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return one row a choice."""
        return [
            line((left(choice.key, _KEY), "bold $rw-key"), left(choice.words, _WORDS), (clean(choice.more), DIM))
            for choice in self._choices
        ]

    def get_content_width(self, container: object, viewport: object) -> int:
        """As wide as its longest line."""
        return max(_KEY + _WORDS + cell_len(clean(choice.more)) for choice in self._choices)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """One row a choice."""
        return len(self._choices)

    def top(self, room: int) -> Edge:
        """The question."""
        return Edge(Content.styled(clean(self._title), "bold"))


class Dialog(ModalScreen[str]):
    """Asks; ``esc`` gives the last choice."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss_last", "Back", id="dialog.back")]

    def __init__(self, title: str, choices: Sequence[Choice], cursor: int = 0) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._cursor = cursor

    def compose(self) -> ComposeResult:
        """The framed choices."""
        view = _Choices(self._title, self._choices)
        view.set_reactive(LinesView.cursor, self._cursor)
        yield view

    def on_key(self, event: events.Key) -> None:
        """A choice's own key chooses it."""
        for choice in self._choices:
            if choice.key == event.key:
                event.stop()
                self.dismiss(choice.answer)

    def on_lines_view_chosen(self, message: LinesView.Chosen) -> None:
        """Enter or a click."""
        self.dismiss(self._choices[message.index].answer)

    def action_dismiss_last(self) -> None:
        """Change nothing."""
        self.dismiss(self._choices[-1].answer)
