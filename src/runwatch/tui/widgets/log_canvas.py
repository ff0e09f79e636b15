"""The drawing half of the log view: rows of a frame, cell by cell, and the scroll bar beside them.

Must not read a log, nor decide where to stand: the log view tells it.
"""

from __future__ import annotations

import re
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.visual import Visual

from runwatch.journal.log_lines import LEVELS
from runwatch.journal.log_source import LineKey, Row
from runwatch.tui.widgets.log_frame import Frame
from runwatch.tui.widgets.log_pointing import BAR_CELLS, LogPointing
from runwatch.tui.widgets.log_row import (
    Columns,
    LogStyles,
    Pane,
    component_cells,
    date_of,
    draw,
    draw_wrapped,
    hit_cells,
)
from runwatch.tui.widgets.log_wrap import Place, Wrapping

_KEPT_STRIPS = 600


class LogCanvas(LogPointing):
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

    class Resized(Message):
        """Another number of rows is in sight."""

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
        self._styles: tuple[LogStyles, LogStyles] | None = None
        self._bars = Segment(" "), Segment(" ")
        self._pane = Pane(0, 0, self.columns, None)
        self._strips: dict[tuple[LineKey, int, bool, bool, bool], Strip] = {}
        self.wraps = False
        self._wrapping = Wrapping(self._lines_of)
        self._places: list[Place] = []
        self._placed_for: tuple[object, ...] = ()
        self._hit_in: LineKey | None = None
        self._drawn_rows: dict[tuple[LineKey, int, bool, bool], list[list[Segment]]] = {}

    @property
    def shown(self) -> tuple[int, int]:
        """The first and the last row of which something is in sight."""
        if not self.wraps:
            return self.top, self.top + max(self.rows, 1) - 1
        self._prepare()
        return (self._places[0].row, self._places[-1].row) if self._places else (self.top, self.top)

    def turn(self) -> None:
        """Begin with other rows, though the cursor may stay in sight."""
        self._wrapping.forget()

    def row_under(self, y: int) -> int | None:
        """Return the row that a line of the view shows; None below the last."""
        row = self._row_of(y)
        return None if row is None or self.row_at(row) is None else row

    def _row_of(self, y: int) -> int | None:
        if not self.wraps:
            return self.top + y
        return self._places[y].row if y < len(self._places) else None

    def wrap(self, *, on: bool) -> None:
        """Show long rows on several lines, or cut."""
        self.wraps, self.left = on, 0
        self.refresh()

    def clear(self, empty: str) -> None:
        """Show no rows but the sentence about what would fill the view."""
        self.frame, self.top, self.left, self.cursor, self.empty = None, 0, 0, None, empty
        self._hit_in = None
        self._drawn_rows.clear()
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
        self._bring_hit()
        self.refresh()

    def look_for(self, hits: re.Pattern[str] | None) -> None:
        """Mark other hits."""
        self.hits = hits
        self.refresh()

    def show_hit(self, key: LineKey) -> None:
        """Move the messages sideways, once the line is drawn, so that a hit in it can be seen."""
        self._hit_in = key
        self._bring_hit()

    def _bring_hit(self) -> None:
        """Leave the messages where they are when a hit is in sight; else go to the first one, from the left edge."""
        row = next((row for row in self.frame.rows if row.key == self._hit_in), None) if self.frame else None
        if row is None or self.hits is None or self._hit_in != self.cursor:
            return
        self._hit_in = None
        self._prepare()
        assert self._styles is not None
        room = self.size.width - BAR_CELLS - self.columns.cells - 1
        hits = hit_cells(row, self.hits, self._styles[0])
        if self.wraps or not hits or any(self.left <= hit.start and hit.stop <= self.left + room for hit in hits):
            return
        self.left = 0 if hits[0].stop <= room else max(hits[0].start - room // 3, 0)
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
        """Move the messages; the columns stay. Nothing moves where they are wrapped."""
        if self.wraps:
            return
        room = max(self.size.width - BAR_CELLS - self.columns.cells, 1)
        self.left = max(0, min(self.left + cells, self._wide - room // 2))
        self.refresh()

    def on_resize(self) -> None:
        """The log view wants other rows now."""
        self.post_message(self.Resized())

    # Drawing

    def notify_style_update(self) -> None:
        """Colors changed."""
        super().notify_style_update()
        self._styles = None
        self._strips.clear()
        self._drawn_rows.clear()

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
                Segment(" " * BAR_CELLS, self._styles[0].ground),
                Segment(" " * BAR_CELLS, self._style("bar")),
            )
        pane = Pane(max(width - BAR_CELLS, 0), self.left, self.columns, self.hits)
        if pane != self._pane:
            self._pane = pane
            self._strips.clear()
            self._drawn_rows.clear()
        wanted = (self.frame, self.top, self.cursor, pane, self.rows)
        if self.wraps and wanted != self._placed_for:
            self._placed_for = wanted
            self._place_lines()
        return width

    def _place_lines(self) -> None:
        """Find which lines of which rows are in sight."""
        frame = self.frame
        rows = frame.rows if frame else []
        at = next((number for number, row in enumerate(rows) if row.key == self.cursor), None)
        last = frame.first + len(rows) - 1 if frame else -1
        cursor = None if at is None or frame is None else frame.first + at
        if cursor is None and self.cursor is not None:
            cursor = self.top
        if len(self._drawn_rows) > _KEPT_STRIPS:
            self._drawn_rows.clear()
        self._places = self._wrapping.places(self.top, cursor, last, self.rows)

    def _lines_of(self, number: int) -> int:
        row = self.row_at(number)
        return 0 if row is None else len(self._wrapped(row, self._is_new_date(number, row), lit=False))

    def _wrapped(self, row: Row, new_date: bool, *, lit: bool) -> list[list[Segment]]:
        assert self._styles is not None
        key = (row.key, row.size_bytes, new_date, lit)
        lines = self._drawn_rows.get(key)
        if lines is None:
            lines = draw_wrapped(row, self._pane, self._styles[lit], new_date=new_date, most=max(self.rows, 1))
            self._drawn_rows[key] = lines
        return lines

    def _is_new_date(self, number: int, row: Row) -> bool:
        above = self.row_at(number - 1)
        return bool(above and above.time and row.time and date_of(above.time) != date_of(row.time))

    def _line(self, y: int, width: int, *, barred: bool) -> Strip:
        assert self._styles is not None
        frame, number = self.frame, self._row_of(y)
        row = None if number is None else self.row_at(number)
        if row is None or number is None:
            if frame is None or not frame.row_count:
                return self._empty_line(y, width)
            return Strip.blank(width, self._styles[0].ground)
        new_date = self._is_new_date(number, row)
        lit = row.key == self.cursor
        if self.wraps:
            lines = self._wrapped(row, new_date, lit=lit)
            return Strip([*lines[min(self._places[y].part, len(lines) - 1)], self._bars[barred]], width)
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
