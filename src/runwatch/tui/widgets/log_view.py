"""The log view: how keys and mouse move it, whether it follows, and where it stands while lines come and go.

Must not read a file or draw a cell: a reader thread does the first, the canvas the second.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from runwatch.tui.look import READING
from runwatch.tui.messages import NewestAsked
from runwatch.tui.widgets import log_messages
from runwatch.tui.widgets.log_canvas import LogCanvas
from runwatch.tui.widgets.log_frame import Found, Frame, Look
from runwatch.tui.widgets.log_reader import LogReader
from runwatch.tui.widgets.log_row import shown
from runwatch.tui.widgets.log_seeking import LogSeeking
from runwatch.tui.widgets.log_standing import LogStanding

if TYPE_CHECKING:
    from textual.timer import Timer

    from runwatch.journal.log_source import LogSource

_SIDEWAYS = 8
_STATS_S = 0.25
_PATIENCE_S = 0.2
"""A source that shows its first lines sooner is not said to be read: nothing flashes by."""


class LogView(LogSeeking, can_focus=True):
    """A window over log lines that follows the end until somebody moves up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow the end of the log", show=False, id="log.follow"),
        Binding("up,k", "move(-1)", "Line up", show=False, id="log.up"),
        Binding("down,j", "move(1)", "Line down", show=False, id="log.down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="log.page_up"),
        Binding("pagedown,ctrl+f,space", "page(1)", "Page down", show=False, id="log.page_down"),
        Binding("home,g", "first", "First line", show=False, id="log.first"),
        Binding("end,G", "last", "Newest line", show=False, id="log.last"),
        Binding("left,h", "sideways(-1)", "Left", show=False, id="log.left"),
        Binding("right", "sideways(1)", "Right", show=False, id="log.right"),
        Binding("w", "wrap", "Wrap long lines", show=False, id="log.wrap"),
        Binding("y", "copy", "Copy the line", show=False, id="log.copy"),
    ]

    BLANK = True
    """The canvas covers all of it."""

    behind = False
    """The run goes on elsewhere: the newest line of all does not come here."""

    FollowChanged = log_messages.FollowChanged
    Stats = log_messages.Stats

    class _FrameReady(Message, bubble=False):
        """The reader has a newer frame."""

    class _Said(Message, bubble=False):
        """Something happened to a file."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(self, *, empty: str = "No log yet.", id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._canvas = LogCanvas()
        self._standing = LogStanding(self._canvas)
        self._frame: Frame | None = None
        self._frame_waits = False
        self._told_following = True
        self._stats: log_messages.Stats | None = None
        self._stats_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """The canvas; the search bar comes when it is asked for."""
        yield self._canvas

    def show(self, source: LogSource | None, *, empty: str | None = None, scope: str = "this log") -> None:
        """Show another source from its end, following; None shows nothing. Called on the event loop; returns at once.

        ``empty`` is the sentence in the middle while there is no line: what would fill the view, and how. ``scope``
        names the source where it was searched.
        """
        self.empty = self.empty if empty is None else empty
        self.scope, self._whole = scope, source
        self._standing.follow()
        self._put_on(self._chosen())
        self._tell_following()

    def _put_on(self, source: LogSource | None, look: Look | None = None) -> None:
        """Draw another source, beginning at a line."""
        self._source, self._frame, self._stats = source, None, None
        self._canvas.clear("" if source is not None else self._nothing())
        if self._reader is not None:
            self._reader.show(source, self._standing.want(), look)
            if source is not None:
                self.set_timer(_PATIENCE_S, partial(self._say_reading, source))

    def on_mount(self) -> None:
        """Begin to read."""
        self._canvas.clear(READING if self._source is not None else self._nothing())
        self._reader = LogReader(self._hear_frame, self._hear_found, self._hear_said)
        self._reader.show(self._source, self._standing.want())
        self._reader.start()

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        if self._reader is not None:
            self._reader.close()

    def on_log_canvas_resized(self, message: LogCanvas.Resized) -> None:
        """Another number of rows is in sight."""
        message.stop()
        self._standing.fit()
        self._moved()

    def _say_reading(self, source: LogSource) -> None:
        """Nothing was read yet, and what is not known is not said."""
        if self._frame is None and self._source is source:
            self._canvas.clear(READING)

    # What the reader's thread calls

    def _hear_frame(self, frame: Frame) -> None:
        self._frame = frame
        if not self._frame_waits:
            self._frame_waits = True
            self.post_message(self._FrameReady())

    def _hear_found(self, found: Found) -> None:
        self.post_message(log_messages.HitFound(found))

    def _hear_said(self, sentence: str) -> None:
        self.post_message(self._Said(sentence))

    # What follows from it, on the event loop

    def on_log_view__frame_ready(self) -> None:
        """Draw the newest frame."""
        self._frame_waits = False
        frame = self._frame
        if frame is None or frame.source is not self._source:
            return
        self._canvas.empty = self._nothing() if frame.exact else READING
        before = self._standing.want()
        self._standing.take(frame)
        if self._reader is not None and not self._reader.has_drawn:
            self.call_after_refresh(self._reader.drawn)
        if self._reader is not None and self._standing.want() != before:
            self._reader.want(self._standing.want())  # it knows its line now
        if self._stats_timer is None:
            self._stats_timer = self.set_timer(_STATS_S, self._tell)
            self._tell_stats(frame)
        self._tell_hits(frame)

    def _tell(self) -> None:
        """Tell what came while it was too soon to tell again."""
        self._stats_timer = None
        if self._frame is not None and self._frame.source is self._source:
            self._tell_stats(self._frame)

    def _tell_stats(self, frame: Frame) -> None:
        new = 0 if self.following else max(frame.row_count - self._standing.seen, 0)
        stats = self.Stats(
            frame.row_count, frame.errors, self.following, new, frame.exact, self.level, frame.line_count
        )
        if stats != self._stats:
            self._stats = stats
            self.post_message(stats)

    def on_log_view__said(self, message: _Said) -> None:
        """Say what happened to a file."""
        self.notify(shown(message.sentence), timeout=6, markup=False)

    def on_log_pointing_scrolled(self, message: LogCanvas.Scrolled) -> None:
        """Follow the scroll bar or the wheel."""
        message.stop()
        top = self._canvas.shown[0] if self._canvas.wraps else self._standing.top
        row = message.row if message.absolute else top + message.row
        if self._canvas.wraps and not message.absolute and message.row > 0 and self._canvas.shown[1] >= self._lines - 1:
            self.action_last()
            return
        self._standing.go_to(row, row if self._canvas.wraps else None)
        self._moved()

    def on_log_pointing_picked(self, message: LogCanvas.Picked) -> None:
        """Put the cursor on a line."""
        message.stop()
        self._standing.stand_on(message.row)
        self._moved()

    # Keys

    def action_follow(self) -> None:
        """Follow the end, or cease to; where the run goes on elsewhere, follow it there."""
        if self.behind:
            self.action_last()
            return
        if not self.following:
            self._standing.follow()
        elif self._lines:
            self._standing.stand_on(self._lines - 1)
        self._moved()

    def action_move(self, rows: int) -> None:
        """Move the cursor; up from the end ceases to follow, down from it follows again."""
        if not self._lines or (self.following and rows > 0):
            return
        row = self._standing.row + rows
        if row >= self._lines:
            self._standing.follow()
        else:
            self._standing.stand_on(max(row, 0))
        self._moved()

    def action_page(self, pages: int) -> None:
        """Move by what is in sight, the cursor staying at its place on the screen."""
        if not self._lines or (self.following and pages > 0):
            return
        if self._canvas.wraps:
            self._turn_wrapped(pages)
        else:
            rows = pages * max(self._canvas.rows - 1, 1)
            self._standing.go_to(self._standing.top + rows, self._standing.row + rows)
        self._moved()

    def _turn_wrapped(self, pages: int) -> None:
        """Let the last row in sight become the first, or the first one the last."""
        first, last = self._canvas.shown
        self._canvas.turn()
        if pages > 0 and last >= self._lines - 1:
            self._standing.follow()
        elif pages > 0:
            row = max(last, first + 1)
            self._standing.go_to(row, row)
        else:
            row = max(first if first < last else first - 1, 0)
            self._standing.go_to(max(row - self._canvas.rows + 1, 0), row)

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self._canvas.wrap(on=not self._canvas.wraps)
        self._moved()

    def action_first(self) -> None:
        """Go to the first line."""
        if self._lines:
            self._standing.first()
            self._moved()

    def action_last(self) -> None:
        """Go to the newest line and follow, also where that is another step's."""
        self._standing.follow()
        self._moved()
        if self.behind:
            self.post_message(NewestAsked())

    def action_sideways(self, direction: int) -> None:
        """Move the messages left or right."""
        self._canvas.scroll_sideways(direction * _SIDEWAYS)

    def action_copy(self) -> None:
        """Copy the line under the cursor, as it stands in the log."""
        row = self._canvas.row_at(self._standing.row)
        if row is not None:
            self.app.copy_to_clipboard(row.line.text)
            self.notify("Line copied.", timeout=2)

    @property
    def _lines(self) -> int:
        return self._frame.row_count if self._frame else 0

    def _moved(self) -> None:
        if self._reader is not None:
            self._reader.want(self._standing.want())
        self._tell_following()

    def _tell_following(self) -> None:
        if self._told_following != self.following:
            self._told_following = self.following
            self.post_message(self.FollowChanged(self.following))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click anywhere brings the keys here."""
        self.focus(scroll_visible=False)
