"""What all panes share: a thin frame whose top and bottom edges hold a left and a right part.

Must not know what the pane shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style

from runwatch.tui.look import DIM
from runwatch.tui.widgets.letting_go import LettingGo

EMPTY = Content("")
_RULE = "─"
_AROUND = 6
"""Cells of an edge that the frame keeps: a corner, a rule and a blank on either side."""


class Edge(NamedTuple):
    """Text in one edge of a frame."""

    left: Content = EMPTY
    """Set left; is cut when both are too long."""
    right: Content = EMPTY
    """Set right."""


class Pane(LettingGo):
    """A framed widget. Subclasses say what stands in the edges and call ``reframe`` when that changes."""

    ALLOW_MAXIMIZE = True
    _edges: tuple[Content, Content] | None = None

    def top(self, room: int) -> Edge:
        """Return the text of the upper edge; ``room`` is its width in cells."""
        return Edge()

    def bottom(self, room: int) -> Edge:
        """Return the text of the lower edge; ``room`` is its width in cells."""
        return Edge()

    @property
    def is_active(self) -> bool:
        """Whether the focus is here or inside."""
        return self.has_focus or self.has_focus_within

    def reframe(self) -> None:
        """Draw the edges again."""
        room = self.outer_size.width - _AROUND
        if room <= 0 or not self.is_mounted:
            return
        top, bottom = self._fitted(self.top(room), room), self._fitted(self.bottom(room), room)
        # Setting a title draws the whole pane again, even when it is the same one.
        shown = self._edges
        if shown is None or not shown[0].is_same(top):
            self.border_title = top
        if shown is None or not shown[1].is_same(bottom):
            self.border_subtitle = bottom
        self._edges = (top, bottom)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw a part of the pane; the edges, which are as wide as it is, stand in its first frame already."""
        if self._edges is None:
            self.reframe()
        return super().render_lines(crop)

    def _fitted(self, edge: Edge, room: int) -> Content:
        rule = "$accent" if self.is_active else "$rw-rule"
        left, right = edge
        gap = room - left.cell_length - right.cell_length
        if not left.cell_length:
            return right.truncate(room, ellipsis=True)
        if not right.cell_length:
            return left.truncate(room, ellipsis=True) if gap < 0 else left
        if gap < 3:
            left = left.truncate(max(0, room - right.cell_length - 3), ellipsis=True)
            gap = room - left.cell_length - right.cell_length
        if gap < 3:
            return right.truncate(room, ellipsis=True)
        return Content.assemble(left, (f" {_RULE * (gap - 2)} ", rule), right)

    def on_resize(self) -> None:
        """The edges are as wide as the pane."""
        self.reframe()

    def on_focus(self) -> None:
        """The rule between the parts takes the color of the frame."""
        self.call_later(self.reframe)

    def on_blur(self) -> None:
        """As for focus."""
        self.call_later(self.reframe)

    def on_descendant_focus(self) -> None:
        """As for focus."""
        self.call_later(self.reframe)

    def on_descendant_blur(self) -> None:
        """As for focus."""
        self.call_later(self.reframe)


def tabs(names: Sequence[str], active: int, room: int, lead: Content = EMPTY) -> Content:
    """Return tabs for an edge: the active one bold in the accent, the others dim, each with its index as click meta.

    Where not all fit, those around the active one are shown between ‹ and ›.
    """
    widths = [len(name) for name in names]
    room -= lead.cell_length
    between = next((each for each in (" │ ", "  ") if _needed(widths, each) <= room), " │ ")
    start, end = _window(widths, active, room, between)
    parts: list[Content] = [lead]
    if start > 0:
        parts.append(_tab("‹ ", DIM, start - 1))
    for index in range(start, end):
        if index > start:
            parts.append(Content.styled(between, "$rw-rule"))
        parts.append(_tab(names[index], "bold $accent" if index == active else DIM, index))
    if end < len(names):
        parts.append(_tab(" ›", DIM, end))
    return Content("").join(parts)


def _tab(name: str, style: str, index: int) -> Content:
    return Content.styled(name, style).stylize(Style.from_meta({"tab": index}))


def _needed(widths: Sequence[int], between: str) -> int:
    return sum(widths) + len(between) * (len(widths) - 1)


def _window(widths: Sequence[int], active: int, room: int, between: str) -> tuple[int, int]:
    """Return the slice of tabs that fits around the active one; each arrow takes two cells."""
    if _needed(widths, between) <= room:
        return 0, len(widths)
    active = max(0, min(active, len(widths) - 1))
    start, end, used = active, active + 1, widths[active] + 4
    while True:
        if end < len(widths) and used + widths[end] + len(between) <= room:
            used += widths[end] + len(between)
            end += 1
        elif start > 0 and used + widths[start - 1] + len(between) <= room:
            start -= 1
            used += widths[start] + len(between)
        else:
            return start, end
