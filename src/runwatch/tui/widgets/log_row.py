"""One log line as cells: columns for time, level and component, then the message with its fields.

Must not read or look for anything, and knows no color: styles are handed in. Every text passes ``visible`` here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from runwatch.journal.log_source import Row
from runwatch.units import pad, size
from runwatch.visible import visible

TIME_CELLS = 12
LEVEL_CELLS = 5
_QUIET_FIELDS = frozenset({"run_id", "step", "logger"})
"""The same in every line of a view: the frame says it already."""
_ESCAPE = re.compile(r"␛(?:\[[0-?]*[ -/]*[@-~]|\][^␇␛]*(?:␇|␛\\)?|.)?")
_TAB_CELLS = 4


class LogStyles(NamedTuple):
    """How the parts of a line look; each says only what differs from the line's ground."""

    time: Style
    date: Style
    component: Style
    key: Style
    escape: Style
    hit: Style
    levels: dict[str, Style]
    """By name of level."""
    messages: dict[str, Style]
    """Of messages, for the levels that color them."""


class Columns(NamedTuple):
    """What stands in front of the messages of a view."""

    time: bool
    """A line seen so far has a time."""
    level: bool
    """A line seen so far has a level."""
    component: int
    """Cells for the component; 0 where there is only one."""

    @property
    def cells(self) -> int:
        """Width of all, with the gap behind each."""
        return (
            self.time * (TIME_CELLS + 1) + self.level * (LEVEL_CELLS + 1) + (self.component + 1) * bool(self.component)
        )


class DrawnRow(NamedTuple):
    """A line in two parts: the columns stay where they are when the message is scrolled sideways."""

    columns: Strip
    message: Strip


def draw(row: Row, columns: Columns, styles: LogStyles, *, new_date: bool, hits: re.Pattern[str] | None) -> DrawnRow:
    """Return the cells of a line; ``new_date`` says that its date is not that of the line above."""
    level = row.line.level
    front: list[Segment] = []
    if columns.time:
        text = "" if row.time is None else _date_and_minute(int(row.time)) if new_date else time_of_day(row.time)
        front.append(Segment(text.ljust(TIME_CELLS + 1), styles.date if new_date else styles.time))
    if columns.level:
        front.append(Segment((level or "").ljust(LEVEL_CELLS + 1), styles.levels.get(level or "")))
    if columns.component:
        front.append(Segment(pad(visible(row.component), columns.component) + " ", styles.component))
    parts = list(_message(row, styles))
    if hits is not None:
        parts = list(_marked(parts, hits, styles.hit))
    return DrawnRow(Strip(front, columns.cells), Strip([Segment(text, style) for text, style in parts]))


def time_of_day(seconds: float) -> str:
    """Return the UTC time of day to the millisecond: ``14:26:01.120``."""
    whole, milliseconds = divmod(int(seconds * 1000 + 0.5), 1000)
    return f"{_clock(whole)}.{milliseconds:03d}"


def date_of(seconds: float) -> int:
    """Return a number that is the same for all times of one UTC day."""
    return int(seconds // 86400)


@lru_cache(maxsize=512)
def _clock(whole: int) -> str:
    minutes, seconds = divmod(whole % 86400, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


@lru_cache(maxsize=64)
def _date_and_minute(whole: int) -> str:
    try:
        return f"{datetime.fromtimestamp(whole, UTC):%b %d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return _clock(whole)


def _message(row: Row, styles: LogStyles) -> Iterable[tuple[str, Style | None]]:
    line = row.line
    style = styles.messages.get(line.level or "")
    text = shown(line.message)
    if "␛" in text:
        yield from _escapes_apart(text, style, styles.escape)
    elif text:
        yield text, style
    first = not text
    for key, value in line.fields:
        if key not in _QUIET_FIELDS:
            yield "" if first else "  ", None
            yield f"{shown(key)}=", styles.key
            yield shown(value), style
            first = False
    if row.size_bytes > 2 * len(line.text) + 4096:  # only a window of it was read
        yield f" … {size(row.size_bytes)} in all", styles.key


def shown(text: str) -> str:
    """Return text from a log with nothing in it that a terminal would obey, tabs as spaces."""
    text = visible(text)
    return text.expandtabs(_TAB_CELLS) if "\t" in text else text


def _escapes_apart(text: str, style: Style | None, escape: Style) -> Iterable[tuple[str, Style | None]]:
    """Set escape sequences, which are shown and not obeyed, apart from what they surround."""
    at = 0
    for found in _ESCAPE.finditer(text):
        if found.start() > at:
            yield text[at : found.start()], style
        yield found[0], escape
        at = found.end()
    if at < len(text):
        yield text[at:], style


def _marked(
    parts: list[tuple[str, Style | None]], hits: re.Pattern[str], mark: Style
) -> Iterable[tuple[str, Style | None]]:
    """Mark what a search found, also where it runs over several parts."""
    whole = "".join(text for text, _ in parts)
    spans = [found.span() for found in hits.finditer(whole) if found.end() > found.start()]
    base = 0
    for text, style in parts:
        at, end = base, base + len(text)
        for start, stop in spans:
            if stop <= at or start >= end:
                continue
            if start > at:
                yield whole[at:start], style
            yield whole[max(start, at) : min(stop, end)], mark
            at = min(stop, end)
        if at < end:
            yield whole[at:end], style
        base = end


def widest(rows: Iterable[DrawnRow]) -> int:
    """Return the cells of the longest message."""
    return max((row.message.cell_length for row in rows), default=0)


def component_cells(names: Iterable[str], width: int) -> int:
    """Return how many cells the component column takes in a view of this width; 0 for a single component."""
    lengths = [cell_len(visible(name)) for name in names]
    return 0 if len(lengths) < 2 else min(max(lengths), 13 if width >= 90 else 9)
