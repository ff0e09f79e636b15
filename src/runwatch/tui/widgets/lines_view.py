"""A scrolling pane of fitted lines, drawn one by one as they come into view, with or without a cursor.

Must not know what the lines mean. A hundred thousand of them cost no more than those in sight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from runwatch.tui.cells import Line
from runwatch.tui.look import DIM, READING
from runwatch.tui.widgets.pane import Pane


class LinesView(Pane, ScrollView, can_focus=True):
    """Shows what ``build`` returns; a subclass with ``HAS_CURSOR`` has a row to choose."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("pageup,ctrl+b", "move_page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("pagedown,ctrl+f,space", "move_page(1)", "Page down", show=False, id="list.page_down"),
        Binding("home", "move_end(-1)", "First", show=False, id="list.first"),
        Binding("end,G", "move_end(1)", "Last", show=False, id="list.last"),
        Binding("enter", "choose", "Choose", show=False, id="list.choose"),
    ]
    HAS_CURSOR: ClassVar[bool] = False
    EMPTY: ClassVar[tuple[str, str]] = ("", "")
    MARGIN: ClassVar[int] = 1
    """Cells between the rows and the scroll bar, once there is one."""

    cursor: reactive[int] = reactive(0, layout=False, repaint=False)
    """Index of the chosen row."""
    reading: var[bool] = var(False)
    """Whether what would fill it is still being read: it is not known to be empty."""

    class Chosen(Message):
        """A row was chosen with enter or the mouse."""

        def __init__(self, view: LinesView, index: int) -> None:
            super().__init__()
            self.view = view
            """Where."""
            self.index = index
            """Which row."""

        @property
        def control(self) -> LinesView:
            """Where; for selectors."""
            return self.view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self._strips: dict[tuple[int, bool], Strip] = {}
        self._stale = True
        self._width = -1
        self._fitted_to = 0
        self._told: str | None = None

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return the rows for this many cells."""
        return ()

    def empty(self) -> tuple[str, str]:
        """Return what would fill an empty pane, and how."""
        return self.EMPTY

    def rebuild(self) -> None:
        """Ask ``build`` again, at once when the pane can be seen, else when it comes into sight."""
        self._stale = True
        size = self.scrollable_content_region.size
        if not self.is_mounted or size.area == 0 or not self.is_on_screen:
            return
        self._stale = False
        old, at = self._lines, self.cursor
        self._fitted_to = size.width
        self._lines = self.build(size.width, size.height)
        if self.MARGIN and len(self._lines) > size.height:
            self._fitted_to -= self.MARGIN
            self._lines = self.build(self._fitted_to, size.height)
        self.virtual_size = Size(size.width, len(self._lines))
        self.set_reactive(LinesView.cursor, max(0, min(self.cursor, len(self._lines) - 1)))
        self.reframe()
        if old and self._lines and self._width == size.width:
            self._refresh_changed(old)
            if at != self.cursor:
                self._forget(at)
                self._forget(self.cursor)
        else:
            self._width = size.width
            self._strips.clear()
            self.refresh()

    def _refresh_changed(self, old: Sequence[Line]) -> None:
        """Draw again only what differs: most of what is seen stays as it is from one moment to the next."""
        for index in range(max(len(old), len(self._lines))):
            before = old[index].content if index < len(old) else None
            after = self._lines[index].content if index < len(self._lines) else None
            if before is None or after is None or not before.is_same(after):
                self._forget(index)

    def _forget(self, index: int) -> None:
        self._strips.pop((index, True), None)
        self._strips.pop((index, False), None)
        self.refresh_line(index)

    def on_resize(self) -> None:
        """Lines are fitted to the width, and the chosen one stays in sight."""
        self.rebuild()
        self.call_after_refresh(self._keep_in_sight)

    def on_show(self) -> None:
        """What changed while out of sight is shown now."""
        if self._stale:
            self.rebuild()
        self.call_after_refresh(self._keep_in_sight)

    def on_focus(self) -> None:
        """The cursor's row looks different with the focus."""
        self._strips.pop((self.cursor, True), None)

    def on_blur(self) -> None:
        """As for focus."""
        self._strips.pop((self.cursor, True), None)

    def notify_style_update(self) -> None:
        """Colors changed."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """Draw one row of the pane."""
        width = self.size.width
        index = y + self.scroll_offset.y
        if not self._lines:
            return self._empty_line(y, width)
        if index >= len(self._lines):
            return Strip.blank(width, self.visual_style.rich_style)
        lit = self.HAS_CURSOR and index == self.cursor
        key = (index, lit)
        strip = self._strips.get(key)
        if strip is None:
            # What is too long would be wrapped, and lose its last words without a sign.
            # Where there is a scroll bar, the sign stands before it.
            fitted = self._lines[index].content.truncate(min(width, self._fitted_to), ellipsis=True)
            strip = self._strips[key] = self._drawn(fitted, width, lit)
        return strip

    def _drawn(self, content: Content, width: int, lit: bool) -> Strip:
        style = self.get_visual_style("lines--cursor") if lit else self.visual_style
        strips = Visual.to_strips(self, content, width, 1, style, pad=True)
        return (strips[0] if strips else Strip.blank(width)).adjust_cell_length(width, style.rich_style)

    def _empty_line(self, y: int, width: int) -> Strip:
        middle = max(0, (self.size.height - 2) // 2)
        if y not in (middle, middle + 1):
            return Strip.blank(width, self.visual_style.rich_style)
        said = (READING, "") if self.reading else self.empty()
        text = dict(zip((middle, middle + 1), said, strict=True)).get(y, "")
        content = Content.styled(text, f"{DIM} bold" if y == middle else DIM).truncate(width, ellipsis=True)
        return self._drawn(content.center(width), width, lit=False)

    def watch_reading(self) -> None:
        """Say something else where there is nothing."""
        if not self._lines:
            self.refresh()

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw both rows again and keep the new one in sight."""
        for index in (old, new):
            self._forget(index)
        self._keep_in_sight()

    def _keep_in_sight(self) -> None:
        if self.HAS_CURSOR and self.size.height:
            self.scroll_to_region(Region(0, self.cursor, self.size.width, 1), animate=False, force=True)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The tooltip holds what the row under the mouse had to cut."""
        index = event.get_content_offset_capture(self).y + self.scroll_offset.y
        whole = self._lines[index].whole if 0 <= index < len(self._lines) else None
        if whole != self._told:
            self._told = whole
            self.tooltip = Content(whole) if whole else None

    def on_click(self, event: events.Click) -> None:
        """A click on a row chooses it; one on an edge is left to the subclass."""
        offset = event.get_content_offset(self)
        if offset is None or not self.HAS_CURSOR:
            return
        index = offset.y + self.scroll_offset.y
        if index < len(self._lines):
            self.cursor = index
            self.action_choose()

    def action_move(self, rows: int) -> None:
        """Move the cursor, or scroll where there is none."""
        if self.HAS_CURSOR:
            self.cursor = max(0, min(len(self._lines) - 1, self.cursor + rows))
        else:
            self.scroll_relative(y=rows, animate=False)

    def action_move_page(self, pages: int) -> None:
        """Move by what is in sight."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_move_end(self, side: int) -> None:
        """Move to the first or the last row."""
        self.action_move(side * max(len(self._lines), 1))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there is no cursor, nothing can be chosen."""
        return self.HAS_CURSOR if action == "choose" else True

    def action_choose(self) -> None:
        """Tell which row was chosen."""
        if self.HAS_CURSOR and self._lines:
            self.post_message(self.Chosen(self, self.cursor))
