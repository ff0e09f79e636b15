"""The drawing half of the log view: rows of a frame, cell by cell, and the scroll bar beside them.

Must not read a log, nor decide where to stand: the log view tells it, and hears what the mouse asks for.
"""

from __future__ import annotations

import re
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from runwatch.journal.log_lines import LEVELS
from runwatch.journal.log_source import LineKey, Row
from runwatch.tui.widgets.log_frame import Frame
from runwatch.tui.widgets.log_row import Columns, LogStyles, Pane, component_cells, date_of, draw

_KEPT_STRIPS = 600
_WHEEL_ROWS = 3
_BAR_CELLS = 1


class LogCanvas(Widget):
    """Shows the rows of the newest frame by Textual's line API; draws nothing that the frame does not hold.

    It scrolls by itself and not by Textual's scroll bars: those bring a layout of the screen whenever the number of
    lines changes, and cut every line in two.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--time",
        "log--date",
        "log--component",
        "log--key",
        "log--escape",
        "log--hit",
        "log--cursor",
        "log--empty",
        "log--cut",
        "log--bar",
        *(f"log--{level.lower()}" for level in LEVELS),
    }

    class Scrolled(Message):
        """The mouse asks for other rows; what is drawn stays until the log view has them."""

        def __init__(self, row: int, *, absolute: bool = False) -> None:
            super().__init__()
            self.row = row
            """First row wanted, or how many rows further down it lies."""
            self.absolute = absolute
            """Whether it is the row itself."""

    class Resized(Message):
        """Another number of rows is in sight."""

    class Picked(Message):
        """A row was clicked."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row
            """Which."""

    def __init__(self) -> None:
        super().__init__()
        self.frame: Frame | None = None
        self.top = 0
        self.left = 0
        self.cursor: LineKey | None = None
        self.hits: re.Pattern[str] | None = None
        self.empty = ""
        self.columns = Columns(False, False, 0)
        self._wide = 0
        self._grabbed: int | None = None
        self._styles: tuple[LogStyles, LogStyles] | None = None
        self._bars = Segment(" "), Segment(" ")
        self._pane = Pane(0, 0, self.columns, None)
        self._strips: dict[tuple[LineKey, int, bool, bool, bool], Strip] = {}

    @property
    def rows(self) -> int:
        """Rows in sight."""
        return self.size.height

    def clear(self, empty: str) -> None:
        """Show no rows but the sentence about what would fill the view."""
        self.frame, self.top, self.left, self.cursor, self.empty = None, 0, 0, None, empty
        self.columns, self._wide = Columns(False, False, 0), 0
        self.refresh()

    def take(self, frame: Frame) -> None:
        """Draw from a newer frame from now on; where it stands is set by ``place``."""
        self.frame = frame
        known = self.columns  # columns come when a line needs them and never go: nothing jumps back and forth
        self.columns = Columns(
            time=known.time or any(row.time is not None for row in frame.rows),
            level=known.level or any(row.line.level for row in frame.rows),
            component=max(known.component, component_cells(frame.components, self.size.width)),
        )

    def place(self, top: int, cursor: LineKey | None) -> None:
        """Stand at a row, with the cursor on a line; None: no cursor is shown."""
        self.top, self.cursor = top, cursor
        self.refresh()

    def look_for(self, hits: re.Pattern[str] | None) -> None:
        """Mark other hits."""
        self.hits = hits
        self.refresh()

    def row_at(self, row: int) -> Row | None:
        """Return a row, where the frame holds it."""
        frame = self.frame
        if frame is None or not 0 <= row - frame.first < len(frame.rows):
            return None
        return frame.rows[row - frame.first]

    def holds(self, top: int) -> bool:
        """Return True when every row of the view could be drawn with this one as the first."""
        frame = self.frame
        if frame is None:
            return False
        last = min(top + max(self.rows, 1), frame.row_count) - 1
        return frame.first <= top and last < frame.first + len(frame.rows)

    def scroll_sideways(self, cells: int) -> None:
        """Move the messages; the columns stay."""
        room = max(self.size.width - _BAR_CELLS - self.columns.cells, 1)
        self.left = max(0, min(self.left + cells, self._wide - room // 2))
        self.refresh()

    def on_resize(self) -> None:
        """The log view wants other rows now."""
        self.post_message(self.Resized())

    # Mouse

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
        if event.x < self.size.width - _BAR_CELLS or thumb is None:
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
        if event.x < self.size.width - _BAR_CELLS and self.row_at(self.top + event.y) is not None:
            self.post_message(self.Picked(self.top + event.y))

    def _thumb(self) -> range | None:
        """Return the lines that the scroll bar's thumb covers; None where all rows are in sight."""
        count, rows = self.frame.row_count if self.frame else 0, self.rows
        if count <= rows:
            return None
        length = max(round(rows * rows / count), 1)
        first = round(self.top / (count - rows) * (rows - length))
        return range(first, first + length)

    # Drawing

    def notify_style_update(self) -> None:
        """Colors changed."""
        super().notify_style_update()
        self._styles = None
        self._strips.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines without Textual's way through borders and paddings, of which there are none here."""
        width = self._prepare()
        thumb = self._thumb() or ()
        strips = [self._line(y, width, barred=y in thumb) for y in range(crop.y, crop.bottom)]
        return strips if crop.column_span == (0, width) else [strip.crop(*crop.column_span) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """Draw one line of the view."""
        return self._line(y, self._prepare(), barred=y in (self._thumb() or ()))

    def _prepare(self) -> int:
        """Have styles at hand, forget strips that were drawn for another pane; return the width."""
        width = self.size.width
        if self._styles is None:
            self._styles = self._find_styles(lit=False), self._find_styles(lit=True)
            self._bars = (
                Segment(" " * _BAR_CELLS, self._styles[0].ground),
                Segment(" " * _BAR_CELLS, self._style("bar")),
            )
        pane = Pane(max(width - _BAR_CELLS, 0), self.left, self.columns, self.hits)
        if pane != self._pane:
            self._pane = pane
            self._strips.clear()
        return width

    def _line(self, y: int, width: int, *, barred: bool) -> Strip:
        assert self._styles is not None
        frame, number = self.frame, self.top + y
        row = self.row_at(number)
        if row is None:
            if frame is None or not frame.row_count:
                return self._empty_line(y, width)
            return Strip.blank(width, self._styles[0].ground)
        above = self.row_at(number - 1)
        new_date = bool(above and above.time and row.time and date_of(above.time) != date_of(row.time))
        lit = row.key == self.cursor
        key = (row.key, row.size_bytes, new_date, lit, barred)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= _KEPT_STRIPS:
                self._strips.clear()
            segments, cells = draw(row, self._pane, self._styles[lit], new_date=new_date)
            segments.append(self._bars[barred])
            strip = self._strips[key] = Strip(segments, width)
            self._wide = max(self._wide, cells)
        return strip

    def _empty_line(self, y: int, width: int) -> Strip:
        assert self._styles is not None
        if y != max((self.rows - 1) // 2, 0) or not self.empty:
            return Strip.blank(width, self._styles[0].ground)
        style = self.get_visual_style("log--empty")
        content = Content(self.empty).truncate(width, ellipsis=True).center(width)
        return Visual.to_strips(self, content, width, 1, style)[0].adjust_cell_length(width, style.rich_style)

    def _style(self, name: str, ground: Style | None = None) -> Style:
        """Return a part's style on a ground, passed through the app's filters here once instead of in every line."""
        style = ground or Style()
        if name:
            style += self.get_component_rich_style(f"log--{name}", partial=True)
        for line_filter in self.get_line_filters():
            filtered = line_filter.apply([Segment("x", style)], self.background_colors[1])
            style = filtered[0].style or style
        return style

    def _find_styles(self, *, lit: bool) -> LogStyles:
        ground = self.rich_style
        if lit:
            ground += self.get_component_rich_style("log--cursor", partial=True)
        levels: dict[str | None, Style] = {level: self._style(level.lower(), ground) for level in LEVELS}
        return LogStyles(
            ground=self._style("", ground),
            time=self._style("time", ground),
            date=self._style("date", ground),
            component=self._style("component", ground),
            key=self._style("key", ground),
            escape=self._style("escape", ground),
            cut=self._style("cut", ground),
            hit=self._style("hit", ground),
            levels=levels,
            messages={level: levels[level] for level in ("WARN", "ERROR", "FATAL")},
        )
