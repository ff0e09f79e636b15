"""The drawing half of the log view: rows of a frame, cell by cell, and the scroll bar beside them.

Must not read a log or keep state of its own beyond what is drawn: where it stands is told by the log view.
"""

from __future__ import annotations

import re
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from runwatch.journal.log_lines import LEVELS
from runwatch.journal.log_source import LineKey, Row
from runwatch.tui.widgets.log_reader import Frame
from runwatch.tui.widgets.log_row import Columns, DrawnRow, LogStyles, component_cells, date_of, draw, widest

_KEPT_ROWS = 600


class LogCanvas(ScrollView, can_focus=False):
    """Shows the rows of the newest frame; draws nothing that the frame does not hold."""

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
        *(f"log--{level.lower()}" for level in LEVELS),
    }

    class Scrolled(Message):
        """A person moved the scroll bar or the wheel; what is drawn stays until the log view answers."""

        def __init__(self, top: int) -> None:
            super().__init__()
            self.top = top
            """First row wanted."""

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
        self.cursor: LineKey | None = None
        self.hits: re.Pattern[str] | None = None
        self.empty = ""
        self.columns = Columns(False, False, 0)
        self._wide = 0
        self._placing = False
        self._styles: LogStyles | None = None
        self._drawn: dict[tuple[LineKey, int, bool], DrawnRow] = {}

    @property
    def room(self) -> Size:
        """Cells for rows: the scroll bar has its own."""
        return self.scrollable_content_region.size

    def clear(self, empty: str) -> None:
        """Show no rows but the sentence about what would fill the view."""
        self.frame, self.top, self.cursor, self.empty = None, 0, None, empty
        self.columns, self._wide = Columns(False, False, 0), 0
        self._drawn.clear()
        self._place_bars(0)
        self.set_scroll(0, 0)
        self.refresh()

    def take(self, frame: Frame) -> None:
        """Draw from a newer frame from now on; where it stands is set by ``place``."""
        self.frame = frame
        self._widen_columns(frame)

    def place(self, top: int, cursor: LineKey | None) -> None:
        """Stand at a row, with the cursor on a line; None: no cursor is shown."""
        self.top, self.cursor = top, cursor
        self._place_bars(top)
        self.refresh()

    def look_for(self, hits: re.Pattern[str] | None) -> None:
        """Mark other hits."""
        self.hits = hits
        self._drawn.clear()
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
        last = min(top + max(self.room.height, 1), frame.row_count) - 1
        return frame.first <= top and last < frame.first + len(frame.rows)

    def scroll_sideways(self, cells: int) -> None:
        """Move the messages; the columns stay."""
        room = max(self.room.width - self.columns.cells, 1)
        furthest = max(self._wide - room // 2, 0)
        self.set_scroll(max(0, min(int(self.scroll_x) + cells, furthest)), None)
        self.refresh()

    def _place_bars(self, top: int) -> None:
        """Set the scroll bar without a layout of the screen, which a changed virtual size would bring."""
        count = self.frame.row_count if self.frame else 0
        size = Size(self.room.width, count)
        self._placing = True
        self.set_reactive(Widget.virtual_size, size)
        self.set_reactive(Widget.scroll_y, float(top))
        self.set_reactive(Widget.scroll_target_y, float(top))
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            bar.window_virtual_size = count
            bar.window_size = self.room.height
            bar.position = top
        self._placing = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask the log view for other rows: they are not drawn before they were read."""
        if self._placing or round(old_value) == round(new_value):
            return
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        self.post_message(self.Scrolled(round(new_value)))

    def _on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        event.stop()
        self.scroll_sideways(4)

    def _on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        event.stop()
        self.scroll_sideways(-4)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on a line."""
        offset = event.get_content_offset(self)
        if offset is not None and self.row_at(self.top + offset.y) is not None:
            self.post_message(self.Picked(self.top + offset.y))

    def notify_style_update(self) -> None:
        """Colors changed."""
        super().notify_style_update()
        self._styles = None
        self._drawn.clear()

    def _widen_columns(self, frame: Frame) -> None:
        """Columns come when a line needs them and never go: nothing jumps back and forth."""
        known = self.columns
        columns = Columns(
            time=known.time or any(row.time is not None for row in frame.rows),
            level=known.level or any(row.line.level for row in frame.rows),
            component=max(known.component, component_cells(frame.components, self.room.width)),
        )
        if columns != known:
            self.columns = columns
            self._drawn.clear()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the view."""
        width = self.room.width
        row_number = self.top + y
        row = self.row_at(row_number)
        ground = self.rich_style
        if row is None:
            if self.frame is None or not self.frame.row_count:
                return self._empty_line(y, width)
            return Strip.blank(width, ground)
        if row.key == self.cursor:
            ground += self.get_component_rich_style("log--cursor", partial=True)
        above = self.row_at(row_number - 1)
        drawn = self._draw(row, above)
        return self._fit(drawn, width, ground)

    def _draw(self, row: Row, above: Row | None) -> DrawnRow:
        new_date = bool(above and above.time and row.time and date_of(above.time) != date_of(row.time))
        key = (row.key, row.size_bytes, new_date)
        drawn = self._drawn.get(key)
        if drawn is None:
            if len(self._drawn) >= _KEPT_ROWS:
                self._drawn.clear()
            if self._styles is None:
                self._styles = self._find_styles()
            drawn = draw(row, self.columns, self._styles, new_date=new_date, hits=self.hits)
            self._drawn[key] = drawn
            self._wide = max(self._wide, widest([drawn]))
        return drawn

    def _fit(self, drawn: DrawnRow, width: int, ground: Style) -> Strip:
        left = int(self.scroll_x)
        room = max(width - self.columns.cells, 0)
        message = drawn.message.crop(left, left + room)
        cut = drawn.message.cell_length > left + room
        if cut and room:
            mark = Segment("›", self.get_component_rich_style("log--cut", partial=True))
            message = Strip.join([message.crop(0, room - 1), Strip([mark], 1)])
        whole = Strip.join([drawn.columns, message])
        return whole.adjust_cell_length(width).apply_style(ground)

    def _empty_line(self, y: int, width: int) -> Strip:
        if y != max((self.room.height - 1) // 2, 0) or not self.empty:
            return Strip.blank(width, self.rich_style)
        style = self.get_visual_style("log--empty")
        content = Content(self.empty).truncate(width, ellipsis=True).center(width)
        return Visual.to_strips(self, content, width, 1, style)[0].adjust_cell_length(width, style.rich_style)

    def _find_styles(self) -> LogStyles:
        def style(name: str) -> Style:
            return self.get_component_rich_style(f"log--{name}", partial=True)

        levels = {level: style(level.lower()) for level in LEVELS}
        return LogStyles(
            time=style("time"),
            date=style("date"),
            component=style("component"),
            key=style("key"),
            escape=style("escape"),
            hit=style("hit"),
            levels=levels,
            messages={level: levels[level] for level in ("WARN", "ERROR", "FATAL")},
        )
