"""Text fitted to terminal cells: cut in the middle, padded, set right or left, and rows made of such fields.

No metrics, no widgets, no colors: styles are names of theme variables that the caller chose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from runwatch.units import cut_apart, cut_middle
from runwatch.visible import visible

Piece: TypeAlias = "str | tuple[str, str] | Content"
"""Plain text, text with a style, or several of them put together."""

ShortNames: TypeAlias = Mapping[int, Mapping[str, str]]
"""Column to its names to how each is cut."""

GAP = 2
"""Cells between two columns."""


class Line(NamedTuple):
    """One row of a pane."""

    content: Content
    """What is drawn, already fitted to the width."""
    whole: str | None = None
    """What was cut, for the tooltip; None when nothing was."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    title: str
    """Heading."""
    width: int
    """Cells that all of it takes; of the flexible column, the least."""
    align: Literal["left", "right"] = "right"
    """Numbers stand right."""
    flexible: bool = False
    """Takes the width that is left; at most one does."""
    most: int | None = None
    """Cells that the flexible column takes at the most: numbers far from their name are hard to read."""
    keep: int = 9
    """Columns with less of it go first when the pane is narrow."""
    least: int | None = None
    """Cells that it can do with before another column goes; None: all."""

    @property
    def needed(self) -> int:
        """Cells without which it is not shown."""
        return self.width if self.least is None else min(self.least, self.width)


def clean(text: object) -> str:
    """Return text from outside as one line that a terminal cannot obey."""
    return visible(str(text)).replace("\t", " ")


def left(text: str, width: int) -> str:
    """Return ``text`` in exactly ``width`` cells, set left; what is longer loses its middle."""
    return set_cell_size(cut_middle(text, width), width)


def right(text: str, width: int) -> str:
    """Return ``text`` in exactly ``width`` cells, set right; what is longer loses its middle."""
    text = cut_middle(text, width)
    return set_cell_size(" " * max(0, width - cell_len(text)) + text, width)


def line(*pieces: Piece, whole: str | None = None) -> Line:
    """Put pieces together to one row."""
    return Line(Content.assemble(*pieces), whole)


def blank() -> Line:
    """Return an empty row."""
    return Line(Content(""))


def field(piece: Piece, width: int, align: Literal["left", "right"] = "left") -> Content:
    """Return a piece in exactly ``width`` cells; text is cut in the middle, content at its end."""
    if isinstance(piece, Content):
        content = piece.truncate(width, ellipsis=True)
        room = width - content.cell_length
        return content.pad_left(room) if align == "right" else content.pad_right(room)
    text, style = (piece, "") if isinstance(piece, str) else piece
    return Content.styled(right(text, width) if align == "right" else left(text, width), style)


def fit(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """Return (index, cells) of the columns that have room in ``width``; the first to go are those kept least.

    What is left over goes to those that need it, the ones kept longest first, then to the flexible one.
    """
    shown = list(range(len(columns)))
    while len(shown) > 1 and _needed(columns, shown) > width:
        shown.remove(min(reversed(shown), key=lambda index: columns[index].keep))
    spare = max(0, width - _needed(columns, shown))
    cells = {index: columns[index].needed for index in shown}
    for index in sorted(shown, key=lambda index: -columns[index].keep):
        more = min(spare, columns[index].width - cells[index])
        cells[index] += more
        spare -= more
    return [(index, _grown(columns[index], cells[index], spare)) for index in shown]


def _grown(column: Column, cells: int, spare: int) -> int:
    if not column.flexible:
        return cells
    grown = cells + spare
    return grown if column.most is None else min(grown, column.most)


def _needed(columns: Sequence[Column], shown: Sequence[int]) -> int:
    return sum(columns[index].needed for index in shown) + GAP * (len(shown) - 1)


def heading(columns: Sequence[Column], width: int, style: str = "$rw-dim") -> Line:
    """Return the row of column titles."""
    cells = [field((columns[index].title, style), cells, columns[index].align) for index, cells in fit(columns, width)]
    return Line(Content(" " * GAP).join(cells))


def short_names(columns: Sequence[Column], width: int, names: Mapping[int, Iterable[str]]) -> ShortNames:
    """Return how names that have no room in their column are cut, so that different ones look different.

    ``names``: column to all that stands in it.
    """
    rooms = dict(fit(columns, width))
    return {index: cut_apart(texts, rooms[index]) for index, texts in names.items() if index in rooms}


def row(columns: Sequence[Column], pieces: Sequence[Piece], width: int, short: ShortNames | None = None) -> Line:
    """Return one row of a table; texts that had to be cut are kept whole for the tooltip.

    ``short`` says how some of them are cut; all others lose their middle.
    """
    cells: list[Content] = []
    cut: list[str] = []
    for index, room in fit(columns, width):
        piece = pieces[index]
        text = piece[0] if isinstance(piece, tuple) else piece
        if isinstance(text, str) and cell_len(text) > room:
            cut.append(text)
            text = short[index].get(text, text) if short is not None and index in short else text
            piece = (text, piece[1]) if isinstance(piece, tuple) else text
        cells.append(field(piece, room, columns[index].align))
    return Line(Content(" " * GAP).join(cells), "\n".join(cut) or None)


def beside(one: Sequence[Line], other: Sequence[Line], width: int, gap: int = 3) -> list[Line]:
    """Return two blocks side by side, the first ``width`` cells wide."""
    rows = []
    for index in range(max(len(one), len(other))):
        first = one[index] if index < len(one) else blank()
        second = other[index] if index < len(other) else blank()
        content = Content.assemble(field(first.content, width), " " * gap, second.content)
        rows.append(Line(content, first.whole or second.whole))
    return rows
