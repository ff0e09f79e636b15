"""Where a log view stands: at the end and following, or on a line that stays where it is while others come and go.

Must not read rows: it says what it wants to see, and takes the frames that answer.
"""

from __future__ import annotations

from runwatch.journal.log_source import LineKey
from runwatch.tui.widgets.log_canvas import LogCanvas
from runwatch.tui.widgets.log_frame import Frame, Want

_NEAR_ROWS = 1000
"""Rows this near are counted from a line that is known; further away their number is good enough."""


class LogStanding:
    """Moves a canvas. Rows are counted from a line that is known, so that lines that come above it move nothing."""

    def __init__(self, canvas: LogCanvas) -> None:
        self._canvas = canvas
        self.following = True
        """The newest line stays in sight."""
        self.seen = 0
        """Lines there were when it ceased to follow."""
        self.cursor: LineKey | None = None
        """The line at hand; None at the end, and while it is not known yet."""
        self._cursor_y = 0
        self._anchor: LineKey | None = None
        self._offset = 0
        self._top = 0
        self._height = 0
        """Rows that were in sight when any were: hidden behind something else, the view has none."""

    @property
    def top(self) -> int:
        """First row that should be in sight; it is drawn once it was read."""
        return self._end_top() if self.following else self._top

    @property
    def row(self) -> int:
        """Row of the line at hand."""
        return self._count() - 1 if self.following else self._top + self._cursor_y

    def want(self) -> Want:
        """Return what it wants to see."""
        height = self._canvas.rows
        if self.following:
            return Want(height)
        wrapped = self._canvas.wraps
        return Want(height, end=False, anchor=self._anchor, top=self._offset, cursor=self.cursor, wrapped=wrapped)

    def follow(self) -> None:
        """Go to the newest line and follow it."""
        self.following, self.cursor, self._anchor = True, None, None
        if self._canvas.holds(top := self._end_top()):
            self._canvas.place(top, None)

    def release(self) -> None:
        """Cease to follow, where it stands."""
        if self.following:
            self.following = False
            self._top, self.seen = self._canvas.top, self._count()

    def first(self) -> None:
        """Go to the first line."""
        self.release()
        self.cursor = self._anchor = None
        self._cursor_y = self._offset = self._top = 0
        if self._canvas.holds(0):
            self._settle_cursor(0)

    def stand_on(self, row: int) -> None:
        """Put the cursor on a row and keep it in sight."""
        height = max(self._canvas.rows, 1)
        top = self.top
        top = row if row < top else max(row - height + 1, 0) if row >= top + height else top
        self.release()
        self._go(top, row)

    def go_to(self, top: int, row: int | None = None) -> None:
        """Go to rows from ``top`` on, with the cursor on ``row`` or on its line while that is in sight.

        At the end it follows.
        """
        last = self._count() - 1 if self._canvas.wraps else self._end_top()
        if top >= last and (self.following or top > self._top or not last):
            self.follow()
            return
        row = self.row if row is None else row
        self.release()
        top = max(top, 0)
        self._go(top, max(top, min(row, top + max(self._canvas.rows, 1) - 1)))

    def see(self, key: LineKey) -> None:
        """Put the cursor on a line, in the middle unless it is in sight."""
        self.release()
        frame = self._canvas.frame
        keys = [row.key for row in frame.rows] if frame else []
        if frame is not None and key in keys:
            row = frame.first + keys.index(key)
            if self._canvas.top <= row < self._canvas.top + self._canvas.rows:
                self.stand_on(row)
                return
        self.cursor = self._anchor = key
        self._cursor_y = self._canvas.rows // 2
        self._offset = -self._cursor_y

    def fit(self) -> None:
        """Keep the end, or the cursor, in sight in a view of another height."""
        if self.following and self._canvas.holds(top := self._end_top()):
            self._canvas.place(top, None)
        if self._cursor_y >= self._canvas.rows > 0:
            self._cursor_y = self._canvas.rows - 1
            if self._anchor is not None and self._anchor == self.cursor:
                self._offset = -self._cursor_y

    def take(self, frame: Frame) -> None:
        """Draw from a newer frame, standing where it should."""
        self._canvas.take(frame)
        if self.following:
            self._canvas.place(self._end_top(), None)
            return
        if not frame.exact:
            self.seen = frame.row_count  # what is estimated cannot tell what is new
        if frame.want == self.want():
            self._top = frame.top
            self._settle_cursor(frame.cursor)
        elif self._canvas.holds(self._top):
            self._canvas.place(self._top, self.cursor)  # the one that was asked for is under way

    def _settle_cursor(self, row: int | None) -> None:
        """Learn which line the cursor is on, and count from it from now on."""
        row = self._top + self._cursor_y if self.cursor is None or row is None else row
        found = self._canvas.row_at(row) or self._canvas.row_at(self._count() - 1)
        if found is not None and self.cursor is None:
            self.cursor = found.key
            row = min(row, self._count() - 1)
        self._cursor_y = max(row - self._top, 0)
        if self.cursor is not None:
            self._anchor, self._offset = self.cursor, -self._cursor_y
        self._canvas.place(self._top, self.cursor)

    def _go(self, top: int, row: int) -> None:
        self._top, self._cursor_y = top, row - top
        found = self._canvas.row_at(row)
        self.cursor = self._anchor = found.key if found else None
        self._offset = top - row if found else top
        near = self._canvas.row_at(self._canvas.top) if abs(top - self._canvas.top) < _NEAR_ROWS else None
        if found is None and near is not None:
            self._anchor, self._offset = near.key, top - self._canvas.top
        if self._canvas.holds(top):
            self._canvas.place(top, self.cursor)

    def _count(self) -> int:
        return self._canvas.frame.row_count if self._canvas.frame else 0

    def _end_top(self) -> int:
        self._height = self._canvas.rows or self._height
        return max(self._count() - self._height, 0)
