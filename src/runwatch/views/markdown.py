"""Markdown that hostile text cannot break out of: code spans, fences, tables, folded sections.

Must not know any metric. Every text from outside goes through code() or fence(): inside code no forge obeys HTML,
emphasis, links, mentions, issue numbers or emoji names. **Source**: CommonMark 0.31, sections 4.5 and 6.1; GitHub
Flavored Markdown 0.29, section 4.10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from runwatch.units import cut_middle, usd
from runwatch.views.layout import ends, left_out, one_line
from runwatch.visible import visible

T = TypeVar("T")

_TICKS = re.compile("`+")
_BEFORE_PIPE = re.compile(r"(\\*)\|")
_MOST_COLUMNS = 200  # of one text in a line
_MOST_LINE_CHARS = 500  # of one line in a fence


def code(text: object, *, most: int = _MOST_COLUMNS) -> str:
    """Return any text as one code span; nothing in it is obeyed; a pipe in it is table()'s to escape."""
    shown = cut_middle(one_line(text), most)
    if not shown:
        return "(empty)"
    ticks = "`" * (_longest_run(shown) + 1)
    gap = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{ticks}{gap}{shown}{gap}{ticks}"


def money(amount: float | None) -> str:
    """Return an amount as a code span: a forge takes text between two dollar signs for mathematics."""
    return code(usd(amount))


def fence(lines: Iterable[str], language: str = "text") -> list[str]:
    """Return lines as a fenced block whose fence is longer than any run of backticks in it."""
    shown = [cut_middle(visible(line), _MOST_LINE_CHARS) for line in lines]
    ticks = "`" * max(3, _longest_run("\n".join(shown)) + 1)
    return [f"{ticks}{language}", *shown, ticks]


def _longest_run(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)


def table(
    header: Sequence[str], items: Sequence[T], cells: Callable[[T], Sequence[str]], *, most: int, what: str
) -> list[str]:
    """Return a table with a row for each item, numbers to the right, its middle cut where it is long; empty without.

    ``cells`` makes finished Markdown of one item; it is called for those that are shown alone.
    """
    if not items:
        return []
    head, omitted, tail = ends(items, most)
    lines = [_row(header), "|" + "|".join(["---", *["---:"] * (len(header) - 1)]) + "|"]
    lines += [_row(cells(item)) for item in head]
    lines += [_row([left_out(omitted, what), *[""] * (len(header) - 1)])] if omitted else []
    return lines + [_row(cells(item)) for item in tail]


def _row(cells: Sequence[str]) -> str:
    # A row is split before its code spans are seen: a pipe needs a backslash there, and an odd number of them.
    return "| " + " | ".join(_BEFORE_PIPE.sub(_escaped, cell) for cell in cells) + " |"


def _escaped(found: re.Match[str]) -> str:
    return "\\" * (2 * len(found[1]) + 1) + "|"


def folded(title: str, lines: Sequence[str]) -> list[str]:
    """Return a section that a reader unfolds; nothing where it has nothing to say. The title is ours, never hostile."""
    body = "\n".join(lines).strip("\n")
    return ["<details>", f"<summary>{title}</summary>", "", body, "", "</details>", ""] if body else []
