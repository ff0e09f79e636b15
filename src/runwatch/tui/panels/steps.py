"""The list of steps: those that were, the one at hand, those that were planned; and how far they are.

Must not compute a metric beyond counting what it lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content

from runwatch.fold.metrics import Metrics, StepMetrics
from runwatch.tui import charts
from runwatch.tui.cells import Line, clean, left, line, right
from runwatch.tui.look import DIM, PENDING, Mark, of_status
from runwatch.units import cut_apart, duration_short

_NUMBER = 3
_TIME = 6


class Entry(NamedTuple):
    """One row of the list."""

    step: int | None
    """Number; None for what was logged outside steps."""
    name: str
    """For people, safe to show."""
    mark: Mark
    """Its state."""
    duration_s: float | None
    """None before it began."""
    selectable: bool = True
    """False for a step that is only planned."""
    number: int | None = None
    """What is shown as the number: that of the step, or 1 for a whole run as one step; None for nothing."""


def entries(metrics: Metrics, outside: bool, log_steps: Sequence[int] = ()) -> list[Entry]:
    """Return the rows; ``outside`` adds one for logs outside steps, ``log_steps`` those known from folders alone.

    A run that ended without steps is one step, and its logs are those outside steps.
    """
    if metrics.whole is not None and not log_steps:
        whole = metrics.whole
        return [Entry(None, "whole run", of_status(whole.status), whole.duration_s, number=whole.step)]
    known = {step.step: step for step in metrics.steps}
    rows = [Entry(None, "outside steps", Mark(" ", DIM), None)] if outside else []
    rows += [
        _known(known[number]) if number in known else Entry(number, "", Mark("?", DIM), None, number=number)
        for number in sorted({*known, *log_steps})
    ]
    begun = max(known, default=0)
    names = metrics.run.step_names
    for number in range(begun + 1, (metrics.run.steps_planned or 0) + 1):
        name = clean(names[number - 1]) if number <= len(names) else ""
        rows.append(Entry(number, name, PENDING, None, selectable=False, number=number))
    return rows


def _known(step: StepMetrics) -> Entry:
    return Entry(step.step, clean(step.name or ""), of_status(step.status), step.duration_s, number=step.step)


def lines(listed: Sequence[Entry], width: int) -> list[Line]:
    """Return one row an entry; names that have no room are cut so that different ones look different."""
    numbered = [entry for entry in listed if entry.number is not None]
    room = min((_room(entry, width) for entry in numbered), default=width)
    short = _short_names(tuple(entry.name for entry in numbered), room)
    return [line_of(entry, width, short.get(entry.name, entry.name)) for entry in listed]


@lru_cache(maxsize=8)
def _short_names(names: tuple[str, ...], room: int) -> dict[str, str]:
    """Return how names are shown; those of a thousand steps take some milliseconds, and seldom change."""
    return cut_apart(names, room)


def _room(entry: Entry, width: int) -> int:
    """Return the columns of an entry's name: where it has no number, it stands in the place of that."""
    taken = 3 if entry.number is None else max(_NUMBER, len(str(entry.number))) + 4
    return max(1, width - _TIME - taken)


@lru_cache(maxsize=4096)
def line_of(entry: Entry, width: int, name: str) -> Line:
    """Return an entry as a row with its name as it is shown; of a thousand, nearly all were asked for before."""
    number = "" if entry.number is None else f"{entry.number:0{_NUMBER}d}"
    took = "" if entry.duration_s is None else duration_short(entry.duration_s)
    room = _room(entry, width)
    return line(
        (entry.mark.glyph, entry.mark.style),
        (f" {number} " if number else " ", DIM),
        (left(name, room), "" if entry.selectable and entry.number is not None else DIM),
        (f" {right(took, _TIME)}", DIM),
        whole=entry.name if cell_len(entry.name) > room else None,
    )


def done_of(metrics: Metrics) -> tuple[int, int | None]:
    """Return how many steps ended, and how many there will be where that was said."""
    if metrics.whole is not None:
        return 1, None
    done = sum(1 for step in metrics.steps if step.status is not None)
    return done, metrics.run.steps_planned


def tally(metrics: Metrics) -> str:
    """Return ``2/6``, or ``2`` where nobody said how many there will be; nothing without steps."""
    done, planned = done_of(metrics)
    if planned:
        return f"{done}/{max(planned, len(metrics.steps))}"
    return str(len(metrics.steps) or done or "")


def progress(metrics: Metrics, room: int) -> Content:
    """Return the progress bar with its percentage; nothing where nobody said how many steps there will be."""
    done, planned = done_of(metrics)
    if not planned or room < 12:
        return Content("")
    ratio = min(1.0, done / max(planned, len(metrics.steps)))
    failed = any(step.status in ("failed", "interrupted") for step in metrics.steps)
    full, rest = charts.progress(ratio, room - 6)
    return Content.assemble(
        (full, "$rw-failed" if failed else "$rw-done"), (rest, "$rw-rule"), (f" {ratio * 100:4.0f}%", DIM)
    )


def strip(metrics: Metrics, selected: int | None, width: int) -> Content:
    """Return the list folded to one line: a glyph a step, the selected one in words, the bar."""
    rows = [entry for entry in entries(metrics, outside=False) if entry.number is not None]
    if not rows:
        return Content.styled(" no steps yet", DIM)
    at = next((index for index, entry in enumerate(rows) if entry.step == selected), len(rows) - 1)
    most = max(6, width // 5)
    start = max(0, min(at - most // 2, len(rows) - most))
    glyphs: list[Content] = []
    for index, entry in enumerate(rows[start : start + most], start):
        style = f"{entry.mark.style} bold underline" if index == at else entry.mark.style
        glyphs.append(Content.styled(entry.mark.glyph, style))
    here = rows[at]
    took = "" if here.duration_s is None else f"  {duration_short(here.duration_s)}"
    lead = Content.assemble(" ", Content(" ").join(glyphs), "   ", (f"{here.number:03d} ", DIM))
    bar = progress(metrics, min(30, width // 3))
    room = width - lead.cell_length - bar.cell_length - 3
    told = Content.assemble(here.name, (took, DIM)).truncate(max(0, room), ellipsis=True)
    return Content.assemble(lead, told, " " * max(0, room - told.cell_length + 2), bar)
