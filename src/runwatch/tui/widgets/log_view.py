"""The log view: what keys and mouse do, whether it follows, and where it stands while lines come and go.

Must not read a file or draw a cell: a reader thread does the first, the canvas the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from runwatch.tui.widgets import log_messages
from runwatch.tui.widgets.log_canvas import LogCanvas
from runwatch.tui.widgets.log_reader import Found, Frame, LogReader, Want
from runwatch.tui.widgets.log_row import shown

if TYPE_CHECKING:
    from runwatch.journal.log_hits import Pattern
    from runwatch.journal.log_source import LineKey, LogSource
    from runwatch.tui.widgets.log_search_bar import LogSearchBar

_SIDEWAYS = 8


class LogView(Widget, can_focus=True):
    """A window over log lines that follows the end until somebody moves up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow the end of the log", show=False, id="log.follow"),
        Binding("slash", "search", "Search the log", show=False, id="log.search"),
        Binding("n", "search_next", "Next hit", show=False, id="log.next"),
        Binding("N", "search_previous", "Previous hit", show=False, id="log.previous"),
        Binding("up,k", "move(-1)", "Line up", show=False, id="log.up"),
        Binding("down,j", "move(1)", "Line down", show=False, id="log.down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="log.page_up"),
        Binding("pagedown,ctrl+f,space", "page(1)", "Page down", show=False, id="log.page_down"),
        Binding("home,g", "first", "First line", show=False, id="log.first"),
        Binding("end,G", "last", "Newest line", show=False, id="log.last"),
        Binding("left,h", "sideways(-1)", "Left", show=False, id="log.left"),
        Binding("right", "sideways(1)", "Right", show=False, id="log.right"),
        Binding("y", "copy", "Copy the line", show=False, id="log.copy"),
        Binding("escape", "clear_search", "End the search", show=False, id="log.clear_search"),
    ]

    BLANK = True
    """The canvas covers all of it."""

    FollowChanged = log_messages.FollowChanged
    Stats = log_messages.Stats

    class _FrameReady(Message, bubble=False):
        """The reader has a newer frame."""

    class _HitFound(Message, bubble=False):
        """The reader has looked for a hit."""

        def __init__(self, found: Found) -> None:
            super().__init__()
            self.found = found

    class _Said(Message, bubble=False):
        """Something happened to a file."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(self, *, empty: str = "No log yet.", id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._canvas = LogCanvas()
        self._bar: LogSearchBar | None = None
        self._source: LogSource | None = None
        self._reader: LogReader | None = None
        self._frame: Frame | None = None
        self._frame_waits = False
        self._following = True
        self._seen = 0
        self._cursor: LineKey | None = None
        self._cursor_y = 0
        self._anchor: LineKey | None = None
        self._top = 0
        self._pattern: Pattern | None = None

    def compose(self) -> ComposeResult:
        """The canvas; the search bar comes when it is asked for."""
        yield self._canvas

    @property
    def following(self) -> bool:
        """True while the newest line stays in view."""
        return self._following

    def show(self, source: LogSource | None, *, empty: str | None = None) -> None:
        """Show another source from its end, following; None shows nothing. Called on the event loop; returns at once.

        ``empty`` is the sentence in the middle while there is no line: what would fill the view, and how.
        """
        self.empty = self.empty if empty is None else empty
        self._source, self._frame = source, None
        self._cursor = self._anchor = None
        self._set_following(True)
        self._canvas.clear(self.empty)
        if self._reader is not None:
            self._reader.show(source, self._want())

    def on_mount(self) -> None:
        """Begin to read."""
        self._canvas.clear(self.empty)
        self._reader = LogReader(self._hear_frame, self._hear_found, self._hear_said)
        self._reader.show(self._source, self._want())
        self._reader.start()

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        if self._reader is not None:
            self._reader.close()

    def on_resize(self) -> None:
        """Another number of rows is in sight."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Keep the cursor in sight when the view became lower."""
        self._cursor_y = max(min(self._cursor_y, self._canvas.rows - 1), 0)
        self._ask()

    # What the reader's thread calls

    def _hear_frame(self, frame: Frame) -> None:
        self._frame = frame
        if not self._frame_waits:
            self._frame_waits = True
            self.post_message(self._FrameReady())

    def _hear_found(self, found: Found) -> None:
        self.post_message(self._HitFound(found))

    def _hear_said(self, sentence: str) -> None:
        self.post_message(self._Said(sentence))

    # What follows from it, on the event loop

    def on_log_view__frame_ready(self) -> None:
        """Draw the newest frame."""
        self._frame_waits = False
        frame = self._frame
        if frame is None or frame.source is not self._source:
            return
        self._canvas.take(frame)
        if self._following:
            self._seen = frame.row_count
            self._canvas.place(max(frame.row_count - self._canvas.rows, 0), None)
        elif frame.want.end:
            self._stand_on(frame.row_count - 1)
        else:
            self._settle(frame)
        self._tell(frame)

    def _settle(self, frame: Frame) -> None:
        """Keep the line under the cursor where it is on the screen, whatever came above it."""
        if not frame.exact:
            self._seen = frame.row_count
        if frame.want != self._want() and not self._canvas.holds(self._top):
            return  # a newer one is under way
        if frame.want == self._want():
            self._top = frame.top
        if self._cursor is None:
            row = self._canvas.row_at(self._top + self._cursor_y) or (frame.rows[-1] if frame.rows else None)
            self._cursor = row.key if row else None
            at = self._top + self._cursor_y
        else:
            at = frame.cursor if frame.cursor is not None else self._top + self._cursor_y
        self._cursor_y = max(at - self._top, 0)
        self._anchor = self._cursor
        self._canvas.place(self._top, self._cursor)
        if frame.want != self._want() and self._reader is not None:
            self._reader.want(self._want())

    def on_log_view__hit_found(self, message: _HitFound) -> None:
        """Stand on the hit, in the middle unless it is in sight."""
        found = message.found
        if found.key is None:
            self.notify("No line matches.", timeout=3, markup=False)
            return
        if found.wrapped:
            self.notify("The search went on from the other end.", timeout=2, markup=False)
        self._set_following(False)
        rows = [row.key for row in self._frame.rows] if self._frame else []
        if self._frame and found.key in rows:
            at = self._frame.first + rows.index(found.key)
            if self._top <= at < self._top + self._canvas.rows:
                self._stand_on(at)
                return
        self._cursor = self._anchor = found.key
        self._cursor_y = self._canvas.rows // 2
        self._ask(top=-self._cursor_y)

    def on_log_view__said(self, message: _Said) -> None:
        """Say what happened to a file."""
        self.notify(shown(message.sentence), timeout=6, markup=False)

    def on_log_canvas_scrolled(self, message: LogCanvas.Scrolled) -> None:
        """Follow the scroll bar or the wheel."""
        message.stop()
        self._go_to(message.top)

    def on_log_canvas_picked(self, message: LogCanvas.Picked) -> None:
        """Put the cursor on a line."""
        message.stop()
        self._set_following(False)
        self._stand_on(message.row)

    # Keys

    def action_follow(self) -> None:
        """Follow the end, or cease to."""
        if self._following:
            self._cease_to_follow()
        else:
            self.action_last()

    def action_move(self, rows: int) -> None:
        """Move the cursor; up from the end ceases to follow, down from it follows again."""
        frame = self._frame
        if frame is None or not frame.row_count or (self._following and rows > 0):
            return
        at = self._row_of_cursor() + rows
        if at >= frame.row_count:
            self.action_last()
            return
        self._set_following(False)
        self._stand_on(max(at, 0))

    def action_page(self, pages: int) -> None:
        """Move by what is in sight, the cursor staying at its place on the screen."""
        if not (self._following and pages > 0):
            rows = pages * max(self._canvas.rows - 1, 1)
            self._go_to(self._canvas.top + rows, self._row_of_cursor() + rows)

    def action_first(self) -> None:
        """Go to the first line."""
        self._cursor = self._anchor = None
        self._cursor_y = 0
        self._set_following(False)
        self._ask(top=0)

    def action_last(self) -> None:
        """Go to the newest line and follow."""
        self._set_following(True)
        self._cursor = self._anchor = None
        if self._frame is not None and self._canvas.holds(top := self._end_top()):
            self._canvas.place(top, None)
        self._ask()

    def action_sideways(self, direction: int) -> None:
        """Move the messages left or right."""
        self._canvas.scroll_sideways(direction * _SIDEWAYS)

    def action_copy(self) -> None:
        """Copy the line under the cursor, as it stands in the log."""
        row = self._canvas.row_at(self._row_of_cursor())
        if row is not None:
            self.app.copy_to_clipboard(row.line.text)
            self.notify("Line copied.", timeout=2)

    # Where it stands

    def _row_of_cursor(self) -> int:
        if self._following:
            return self._frame.row_count - 1 if self._frame else 0
        return self._top + self._cursor_y

    def _end_top(self) -> int:
        return max((self._frame.row_count if self._frame else 0) - self._canvas.rows, 0)

    def _cease_to_follow(self) -> None:
        if self._frame and self._frame.row_count:
            self._set_following(False)
            self._stand_on(self._frame.row_count - 1)

    def _stand_on(self, at: int) -> None:
        """Put the cursor on a row and keep it in sight."""
        height = max(self._canvas.rows, 1)
        top = self._canvas.top
        top = at if at < top else max(at - height + 1, 0) if at >= top + height else top
        row = self._canvas.row_at(at)
        self._cursor_y = at - top
        self._cursor = self._anchor = row.key if row else None
        self._go(top, at if row else None)

    def _go_to(self, top: int, cursor: int | None = None) -> None:
        """Go to a row; the cursor goes along, or stays on its line while that is in sight. At the end, follow."""
        last = self._end_top()
        if top >= last and (self._following or top > self._top or not last):
            self.action_last()
            return
        height = max(self._canvas.rows, 1)
        at = self._row_of_cursor() if cursor is None else cursor
        self._set_following(False)
        top = max(top, 0)
        at = max(top, min(at, top + height - 1))
        row = self._canvas.row_at(at)
        self._cursor_y = at - top
        self._cursor = self._anchor = row.key if row else None
        self._go(top, at if row else None)

    def _go(self, top: int, anchor: int | None) -> None:
        if (
            anchor is None and self._frame is not None
        ):  # far away: count from a line that is known, if it is not too far
            for row, at in ((self._canvas.row_at(self._canvas.top), self._canvas.top),):
                if row is not None and abs(top - at) < 4 * self._canvas.rows:
                    self._anchor, anchor = row.key, at
        self._top = top
        if self._canvas.holds(top):
            self._canvas.place(top, self._cursor)
        self._ask(top=top if anchor is None else top - anchor)

    def _want(self, top: int | None = None) -> Want:
        height = self._canvas.rows
        if self._following:
            return Want(height)
        if top is not None:
            self._offset = top
        elif self._anchor is not None and self._anchor == self._cursor:
            self._offset = -self._cursor_y
        return Want(height, end=False, anchor=self._anchor, top=self._offset, cursor=self._cursor)

    _offset = 0

    def _ask(self, top: int | None = None) -> None:
        if self._reader is not None:
            self._reader.want(self._want(top))

    def _set_following(self, following: bool) -> None:
        if following == self._following:
            return
        self._following = following
        if not following:
            self._top = self._canvas.top
            self._seen = self._frame.row_count if self._frame else 0
        self.post_message(self.FollowChanged(following))

    def _tell(self, frame: Frame) -> None:
        new = 0 if self._following else max(frame.row_count - self._seen, 0)
        self.post_message(self.Stats(frame.row_count, frame.errors, self._following, new, frame.exact))
        if self._bar is not None and frame.pattern is not None and frame.pattern is self._pattern:
            self._bar.count(frame.hits, whole=frame.searched)

    # Search

    async def action_search(self) -> None:
        """Ask for what to look for."""
        if self._bar is None:
            from runwatch.tui.widgets.log_search_bar import LogSearchBar

            self._bar = LogSearchBar()
            await self.mount(self._bar)
            self.call_after_refresh(self._fit)
        self._bar.begin()

    def action_search_next(self) -> None:
        """Go to the next hit below."""
        self._look(forward=True)

    def action_search_previous(self) -> None:
        """Go to the next hit above."""
        self._look(forward=False)

    async def action_clear_search(self) -> None:
        """End the search and take its marks away."""
        if self._bar is None:
            return
        bar, self._bar = self._bar, None
        self._search_for(None)
        self.focus()
        await bar.remove()
        self.call_after_refresh(self._fit)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape means the search only while there is one."""
        return self._bar is not None if action == "clear_search" else True

    def on_log_search_bar_changed(self, message: LogSearchBar.Changed) -> None:
        """Count and mark while it is typed."""
        message.stop()
        self._search_for(message.pattern)

    def on_log_search_bar_entered(self, message: LogSearchBar.Entered) -> None:
        """Go to the nearest hit: above when the end is in view, else below."""
        message.stop()
        self.focus()
        self._look(forward=not self._following)

    def _search_for(self, pattern: Pattern | None) -> None:
        self._pattern = pattern
        self._canvas.look_for(pattern.shown if pattern else None)
        if self._reader is not None:
            self._reader.search(pattern)

    def _look(self, *, forward: bool) -> None:
        if self._reader is not None and self._pattern is not None:
            self._reader.look(None if self._following else self._cursor, forward=forward)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click anywhere brings the keys here."""
        self.focus(scroll_visible=False)
