"""All keys on one screen, as they are bound now.

Must not bind a key of another screen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from runwatch.tui.cells import Line, beside, blank, left, line
from runwatch.tui.look import DIM, DONE, FAILED, INTERRUPTED, PENDING, RUNNING, SKIPPED, WARNING, Mark
from runwatch.tui.widgets.lines_view import LinesView
from runwatch.tui.widgets.log_row import FOLDED
from runwatch.tui.widgets.pane import Edge

_KEYS = 14
"""Cells for the keys of one action."""

Rooms = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""(heading, [(keys, what they do)])."""


def rooms(bindings: Iterable[tuple[str, str, str]]) -> Rooms:
    """Group (binding id, key, description) by room, keys of one binding together, in the order they come."""
    found: dict[str, dict[str, list[str]]] = {}
    for id, key, description in bindings:
        keys = found.setdefault(id.partition(".")[0], {}).setdefault(description, [])
        if key not in keys:
            keys.append(key)
    return [(room, [(" ".join(keys), what) for what, keys in rows.items()]) for room, rows in found.items()]


class _Keys(LinesView):
    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms = rooms

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return the rooms and what the signs mean, in two columns where there is room."""
        blocks = [*(_block(heading, rows) for heading, rows in self._rooms), _signs()]
        if width < 76:
            return [each for block in blocks for each in block]
        one, other = _columns(blocks)
        return beside(one, other, (width - 3) // 2)

    def top(self, room: int) -> Edge:
        """The title, and how to close it."""
        return Edge(Content.styled("Keys", "bold"), Content.styled("a key does it · esc closes", DIM))


def _columns(blocks: Sequence[Sequence[Line]]) -> tuple[list[Line], list[Line]]:
    """Return the blocks in two columns as equal as whole blocks can be, in their order from the first to the second."""
    lengths = [sum(map(len, blocks[:count])) for count in range(len(blocks) + 1)]
    cut = min(range(len(lengths)), key=lambda count: abs(lengths[count] - lengths[-1] / 2))
    one, other = ([each for block in part for each in block] for part in (blocks[:cut], blocks[cut:]))
    return one, other


def _signs() -> list[Line]:
    marks: tuple[tuple[Mark, str], ...] = (
        (DONE, "ended well"),
        (RUNNING, "goes on"),
        (PENDING, "planned"),
        (FAILED, "failed"),
        (SKIPPED, "skipped"),
    )
    marks = (*marks, (INTERRUPTED, "interrupted"), (WARNING, "needs a look"))
    rows = [line((left(mark.glyph, _KEYS), mark.style), "  ", words) for mark, words in marks]
    rows += [
        line((left(sign, _KEYS), DIM), "  ", words)
        for sign, words in (
            (FOLDED.strip(), "a redrawn line: its last state"),
            ("›", "a line that goes on"),
        )
    ]
    return [line(("Signs", "bold $accent")), *rows, blank()]


def _block(heading: str, rows: Sequence[tuple[str, str]]) -> list[Line]:
    shown = [line((left(keys, _KEYS), "bold $rw-key"), "  ", (what, "")) for keys, what in rows]
    return [line((heading.capitalize(), "bold $accent")), *shown, blank()]


class HelpScreen(ModalScreen[str]):
    """Lists the keys; one of them closes the list and does what it says there. Returns that key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", id="help.close"),
    ]

    def __init__(self, rooms: Rooms, keys: Collection[str] = ()) -> None:
        """``keys``: those that the list names, as the terminal sends them."""
        super().__init__()
        self._rooms = rooms
        self._beneath = keys

    def on_key(self, event: events.Key) -> None:
        """A key that moves the list moves it; any other that it names is for the screen beneath."""
        if event.key in self._beneath and event.key not in self.active_bindings:
            event.stop()
            self.dismiss(event.key)

    def compose(self) -> ComposeResult:
        """The framed list."""
        yield _Keys(self._rooms)
