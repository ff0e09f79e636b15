"""One log line as cells: columns for time, level and component, then the message with its fields.

Must not read or look for anything, and knows no color: styles are handed in. Every text passes ``visible`` here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len, chop_cells
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
_LONGEST_WORD = 20
"""A word that is longer is broken where the line ends."""
_LEAST_ROOM = 8
"""Messages in fewer cells are not wrapped."""
FOLDED = "↻ "
"""In front of a line that was redrawn: only its last state is shown."""
_SLACK = 200
"""Characters that take no cell may push others into sight."""
_Part: TypeAlias = "tuple[str, Style]"


_FARTHEST_HIT = 1 << 16
"""Hits further to the right in a line are not looked for."""
_MOST_HITS = 100


class LogStyles(NamedTuple):
    """How the parts of a line look on one ground."""

    ground: Style
    """The line itself."""
    time: Style
    date: Style
    component: Style
    key: Style
    escape: Style
    cut: Style
    hit: Style
    levels: dict[str | None, Style]
    """By name of level."""
    messages: dict[str | None, Style]
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


class Pane(NamedTuple):
    """What a line is drawn into."""

    width: int
    """Cells of the line."""
    left: int
    """Cells by which messages are scrolled sideways; the columns stay."""
    columns: Columns
    """In front of the messages."""
    hits: re.Pattern[str] | None
    """What to mark."""


def draw(row: Row, pane: Pane, styles: LogStyles, *, new_date: bool) -> tuple[list[Segment], int]:
    """Return a line that fills the pane's width, and the width of its message.

    ``new_date`` says that its date is not that of the line above.
    """
    columns = pane.columns
    segments = _front(row, columns, styles, new_date=new_date)
    room = pane.width - columns.cells
    if room < 0:
        return list(Strip(segments).crop(0, pane.width)), 0
    parts, cells = _message(row, styles, pane.left + pane.width + _SLACK)
    if pane.hits is not None:
        parts = list(_marked(parts, pane.hits, styles.hit))
    if pane.left or cells > room:
        parts = _seen(parts, cells, pane.left, room, styles)
    elif cells < room:
        parts.append((" " * (room - cells), styles.ground))
    segments.extend(_merged(parts))
    return segments, cells


def draw_wrapped(row: Row, pane: Pane, styles: LogStyles, *, new_date: bool, most: int) -> list[list[Segment]]:
    """Return a line on as many as it takes, ``most`` at the most; those below begin where its message does."""
    columns = pane.columns
    room = pane.width - columns.cells
    if room < _LEAST_ROOM:
        return [draw(row, pane, styles, new_date=new_date)[0]]
    parts, _ = _message(row, styles, room * most + _SLACK)
    if pane.hits is not None:
        parts = list(_marked(parts, pane.hits, styles.hit))
    texts = _broken("".join(text for text, _ in parts), room, most + 1)
    front = _front(row, columns, styles, new_date=new_date)
    lines: list[list[Segment]] = []
    for number, text in enumerate(texts[:most]):
        shown, parts = _taken(parts, len(text))
        spare = room - cell_len(text)
        if number == most - 1 < len(texts) - 1:
            shown, spare = _seen(shown, room + 1, 0, room, styles), 0
        shown.append((" " * spare, styles.ground))
        lines.append([*(front if not number else [Segment(" " * columns.cells, styles.ground)]), *_merged(shown)])
    return lines


def _broken(text: str, room: int, most: int) -> list[str]:
    """Return up to ``most`` pieces of a text that fit into ``room`` cells, broken behind a word where one ends near."""
    pieces: list[str] = []
    at = 0
    while len(pieces) < most and (at < len(text) or not pieces):
        piece = (chop_cells(text[at : at + room], room) or [""])[0]
        word = piece.rfind(" ") + 1
        if at + len(piece) < len(text) and text[at + len(piece)] != " " and word > len(piece) - _LONGEST_WORD:
            piece = piece[:word] or piece
        pieces.append(piece)
        at += len(piece)
    return pieces


def _taken(parts: list[_Part], length: int) -> tuple[list[_Part], list[_Part]]:
    """Return the first so many characters, and the rest."""
    taken = list(_first(parts, length))
    rest: list[_Part] = []
    for text, style in parts:
        if len(text) > length:
            rest.append((text[max(length, 0) :], style))
        length -= len(text)
    return taken, rest


def _front(row: Row, columns: Columns, styles: LogStyles, *, new_date: bool) -> list[Segment]:
    """Return what stands in front of a message."""
    level = row.line.level
    segments: list[Segment] = []
    if columns.time:
        text = "" if row.time is None else _date_and_minute(int(row.time)) if new_date else time_of_day(row.time)
        segments.append(Segment(text.ljust(TIME_CELLS + 1), styles.date if new_date else styles.time))
    if columns.level:
        segments.append(Segment((level or "").ljust(LEVEL_CELLS + 1), styles.levels.get(level, styles.ground)))
    if columns.component:
        segments.append(Segment(_component(row.component, columns.component), styles.component))
    return segments


def _seen(parts: list[_Part], cells: int, left: int, room: int, styles: LogStyles) -> list[_Part]:
    """Return what of a message can be seen, with a mark where it goes on to the right."""
    cut = cells > left + room
    strip = Strip([Segment(text, style) for text, style in parts], cells).crop(left, left + room - cut)
    seen: list[_Part] = [(segment.text, segment.style or styles.ground) for segment in strip]
    if cut and room:
        seen.append(("›", styles.cut))
    seen.append((" " * (room - strip.cell_length - cut), styles.ground))
    return seen


def _merged(parts: list[_Part]) -> Iterable[Segment]:
    """Put neighbors of one style together: they are drawn faster, and are fewer bytes for a terminal far away."""
    text, style = "", None
    for more, other in parts:
        if other is not style and text:
            yield Segment(text, style)
            text = ""
        text, style = text + more, other
    if text:
        yield Segment(text, style)


@lru_cache(maxsize=512)
def _component(name: str, cells: int) -> str:
    return pad(visible(name), cells) + " "


def time_of_day(seconds: float) -> str:
    """Return the UTC time of day to the millisecond: ``14:26:01.120``."""
    whole, milliseconds = divmod(int(seconds * 1000 + 0.5), 1000)
    return f"{_clock(whole)}.{milliseconds:03d}"


def day_and_time(seconds: float) -> str:
    """Return the UTC date and time of day: ``2026-10-20 14:26:01.120``."""
    try:
        return f"{datetime.fromtimestamp(int(seconds + 0.0005), UTC):%Y-%m-%d} {time_of_day(seconds)}"
    except (ValueError, OverflowError, OSError):
        return time_of_day(seconds)


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


def _message(row: Row, styles: LogStyles, reach: int) -> tuple[list[_Part], int]:
    """Return the message with its fields, safe to show, and its width; what lies beyond ``reach`` may be left out."""
    line = row.line
    style = styles.messages.get(line.level, styles.ground)
    parts: list[_Part] = [(FOLDED, styles.cut)] if row.folded else []
    if line.message:
        parts.append((line.message, style))
    for key, value in line.fields:
        if key not in _QUIET_FIELDS:
            if parts:
                parts.append(("  ", styles.ground))
            parts.append((f"{key}=", styles.key))
            parts.append((value, style))
    if row.size_bytes > 2 * len(line.text) + 4096:  # only a window of it was read
        parts.append((f" … {size(row.size_bytes)} in all", styles.key))
    whole = "".join([text for text, _ in parts])
    if whole.isascii() and whole.isprintable():
        return parts, len(whole)
    if len(whole) > reach:
        parts = list(_first(parts, reach))
    parts = [part for text, style in parts for part in _escapes_apart(shown(text), style, styles.escape)]
    return parts, sum(cell_len(text) for text, _ in parts) + max(len(whole) - reach, 0)


def hit_cells(row: Row, hits: re.Pattern[str], styles: LogStyles) -> list[range]:
    """Return the cells of a message that its hits take, from the left."""
    text = "".join(text for text, _ in _message(row, styles, _FARTHEST_HIT)[0])
    places = [(each.start(), each.end()) for each in islice(hits.finditer(text), _MOST_HITS)]
    return [range(cell_len(text[:start]), cell_len(text[:end])) for start, end in places]


def _first(parts: list[_Part], length: int) -> Iterable[_Part]:
    for text, style in parts:
        if length > 0:
            yield text[:length], style
        length -= len(text)


def shown(text: str) -> str:
    """Return text from a log with nothing in it that a terminal would obey, tabs as spaces."""
    text = visible(text)
    return text.expandtabs(_TAB_CELLS) if "\t" in text else text


def _escapes_apart(text: str, style: Style, escape: Style) -> Iterable[_Part]:
    """Set escape sequences, which are shown and not obeyed, apart from what they surround."""
    at = 0
    for found in _ESCAPE.finditer(text):
        if found.start() > at:
            yield text[at : found.start()], style
        yield found[0], escape
        at = found.end()
    if at < len(text):
        yield text[at:], style


def _marked(parts: list[_Part], hits: re.Pattern[str], mark: Style) -> Iterable[_Part]:
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


def component_cells(names: Iterable[str], width: int) -> int:
    """Return how many cells the component column takes in a view of this width; 0 for a single component."""
    lengths = [cell_len(visible(name)) for name in names]
    return 0 if len(lengths) < 2 else min(max(lengths), 13 if width >= 84 else 9)
