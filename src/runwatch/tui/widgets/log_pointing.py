"""The mouse over log lines: the wheel, the scroll bar, a click on a line.

Must not move anything: it says what is asked for, and the log view decides.
"""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widget import Widget

from runwatch.tui.widgets.log_frame import Frame

BAR_CELLS = 1
"""Width of the scroll bar."""
_WHEEL_ROWS = 3


class LogPointing(Widget):
    """The half of the log canvas that hears the mouse; the other half draws."""

    class Scrolled(Message):
        """The mouse asks for other rows; what is drawn stays until the log view has them."""

        def __init__(self, row: int, *, absolute: bool = False) -> None:
            super().__init__()
            self.row = row
            """First row wanted, or how many rows further down it lies."""
            self.absolute = absolute
            """Whether it is the row itself."""

    class Picked(Message):
        """A row was clicked."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row
            """Which."""

    frame: Frame | None
    top: int
    _grabbed: int | None = None

    @property
    def rows(self) -> int:
        """Rows in sight, where none is wrapped."""
        return self.size.height

    def row_under(self, y: int) -> int | None:
        """Return the row that a line of the view shows; None below the last."""
        raise NotImplementedError

    def scroll_sideways(self, cells: int) -> None:
        """Move the messages."""
        raise NotImplementedError

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._wheel(-1, sideways=event.ctrl or event.shift)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._wheel(1, sideways=event.ctrl or event.shift)

    def _on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        event.stop()
        self._wheel(-1, sideways=True)

    def _on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        event.stop()
        self._wheel(1, sideways=True)

    def _wheel(self, direction: int, *, sideways: bool) -> None:
        if sideways:
            self.scroll_sideways(4 * direction)
        else:
            self.post_message(self.Scrolled(direction * _WHEEL_ROWS))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll bar's thumb, or turn a page above or below it."""
        thumb = self._thumb()
        if event.x < self.size.width - BAR_CELLS or thumb is None:
            return
        if event.y in thumb:
            self._grabbed = event.y - thumb.start
            self.capture_mouse()
        else:
            self.post_message(self.Scrolled(self.rows if event.y >= thumb.stop else -self.rows))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Go where the thumb is drawn to."""
        thumb = self._thumb()
        if self._grabbed is not None and thumb is not None and self.frame is not None:
            room = max(self.rows - len(thumb), 1)
            share = max(0, min(event.y - self._grabbed, room)) / room
            self.post_message(self.Scrolled(round(share * (self.frame.row_count - self.rows)), absolute=True))

    def on_mouse_up(self) -> None:
        """Let go of the scroll bar."""
        if self._grabbed is not None:
            self._grabbed = None
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on a line."""
        row = self.row_under(event.y)
        if event.x < self.size.width - BAR_CELLS and row is not None:
            self.post_message(self.Picked(row))

    def _thumb(self) -> range | None:
        """Return the lines that the scroll bar's thumb covers; None where all rows are in sight."""
        count, rows = self.frame.row_count if self.frame else 0, self.rows
        if count <= rows:
            return None
        length = max(round(rows * rows / count), 1)
        first = round(self.top / (count - rows) * (rows - length))
        return range(first, first + length)
