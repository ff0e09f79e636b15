"""Plain text in 80 columns: rules, wrapped fields, tables, lists cut in the middle.

Must not know any metric. Every text that goes in may be hostile; every line that comes out is safe and fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from runwatch.units import count, cut_end, cut_middle, display_width, pad
from runwatch.visible import visible

T = TypeVar("T")

WIDTH = 80
RULE = "=" * WIDTH
_LONGEST_CHARS = 4000  # of one text; what is longer is never shown whole, and cutting first keeps hostile input cheap


class Room(NamedTuple):
    """How many entries of each list a summary shows before it cuts the middle out."""

    steps: int = 16
    issues: int = 8
    agents: int = 4
    rows: int = 8
    cycles: int = 6
    costs: int = 10
    errors: int = 6
    notices: int = 8
    questions: int = 6

    def halved(self) -> Room:
        """Return half the room, at least two entries each."""
        return Room(*(max(most // 2, 2) for most in self))

    def times(self, factor: int) -> Room:
        """Return so many times the room."""
        return Room(*(most * factor for most in self))


def one_line(text: object) -> str:
    """Return any text as one visible line, runs of white space as one space."""
    raw = str(text)
    if len(raw) > _LONGEST_CHARS:
        raw = raw[: _LONGEST_CHARS // 2] + "…" + raw[-_LONGEST_CHARS // 2 :]
    return visible(" ".join(raw.split()))


def section(title: str, lines: Iterable[str]) -> list[str]:
    """Return a section between rules, or nothing when it has nothing to say."""
    body = [cut_end(line, WIDTH).rstrip() for line in lines]
    return [RULE, title, RULE, *body, ""] if body else []


def field(label: str, value: object, *, indent: int = 12, most_lines: int = 3) -> list[str]:
    """Return ``label: value``, the value wrapped beneath itself and cut after ``most_lines``."""
    head = f"{label}:"
    prefix = head + " " * max(indent - len(head), 1)
    return wrap(one_line(value), first=prefix, rest=" " * indent, most_lines=most_lines)


def wrap(text: str, *, first: str = "", rest: str = "", most_lines: int = 3) -> list[str]:
    """Break a clean text into lines of at most 80 columns; what is left after ``most_lines`` is cut in the middle."""
    lines: list[str] = []
    prefix = first
    while text and len(lines) < most_lines:
        room = WIDTH - display_width(prefix)
        if len(lines) == most_lines - 1:
            part, text = cut_middle(text, room), ""
        else:
            part, text = _break(text, room)
        lines.append(prefix + part)
        prefix = rest
    return lines or [first.rstrip()]


def _break(text: str, room: int) -> tuple[str, str]:
    if display_width(text) <= room:
        return text, ""
    fitting = cut_end(text, room + 1)[:-1]
    at = fitting.rfind(" ")
    if at > room // 2:
        return fitting[:at].rstrip(), text[at:].lstrip()
    return fitting, text[len(fitting) :]


def wrap_words(words: Sequence[str], *, first: str = "", rest: str = "", most_lines: int = 4) -> list[str]:
    """Lay out the words of a shell command so that it can be pasted: broken between words only, with a backslash."""
    lines, line = [], first
    for word in (visible(word[:_LONGEST_CHARS]) for word in words):
        if line not in (first, rest) and display_width(line) + 1 + display_width(word) > WIDTH - 2:
            lines.append(line + " \\")
            line = rest
        line += word if line in (first, rest) else f" {word}"
    if len(lines) < most_lines:
        return [cut_middle(text, WIDTH) for text in (*lines, line)]
    return [*(cut_middle(text, WIDTH) for text in lines[: most_lines - 1]), rest + "..."]


def ends(items: Sequence[T], most: int) -> tuple[Sequence[T], int, Sequence[T]]:
    """Return the first items, how many are left out, and the last items: ``most`` in all."""
    if len(items) <= most:
        return items, 0, ()
    tail = most // 2
    return items[: most - tail], len(items) - most, items[len(items) - tail :]


def left_out(number: int, what: str) -> str:
    """Return the line that stands for what was cut out of a list."""
    return f"... {count(number)} {what} left out ..."


def table(
    header: Sequence[str], items: Sequence[T], cells: Callable[[T], Sequence[str]], *, most: int, what: str
) -> list[str]:
    """Return an aligned table with a row for each item, cut in the middle; empty without any.

    The first column is text and takes what the others leave it; ``cells`` is called for the items shown alone.
    """
    if not items:
        return []
    head, omitted, tail = ends(items, most)
    shown = [list(header), *([one_line(cell) for cell in cells(item)] for item in (*head, *tail))]
    others = [max(display_width(row[at]) for row in shown) for at in range(1, len(header))]
    longest = max(display_width(row[0]) for row in shown)
    room = min(longest, max(WIDTH - sum(others) - 2 * len(others), 8))
    lines = [_row(row, room, others) for row in shown]
    if omitted:
        lines.insert(1 + len(head), left_out(omitted, what))
    return lines


def _row(row: Sequence[str], room: int, others: Sequence[int]) -> str:
    cells = [pad(row[0], room)]
    cells += [" " * (width - display_width(cell)) + cell for cell, width in zip(row[1:], others, strict=True)]
    return "  ".join(cells).rstrip()


def plural(number: int, singular: str, many: str | None = None) -> str:
    """Return a number with its noun: ``1 step``, ``12 steps``."""
    return f"{count(number)} {singular if number == 1 else many or singular + 's'}"
