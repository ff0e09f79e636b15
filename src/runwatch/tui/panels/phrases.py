"""Short phrases that several panels use: a number with its unit, pieces with room between them.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from textual.content import Content

from runwatch.fold.metrics import Run
from runwatch.tui import charts
from runwatch.tui.cells import Line, Piece, line
from runwatch.tui.look import DIM
from runwatch.units import clock, count, count_short, parse_time, usd, usd_and_limit


def quantity(number: str, unit: str) -> Content:
    """Return a number with its unit, if it has one, in the dim tone."""
    return Content.assemble(number, (f" {unit}", DIM)) if unit else Content(number)


def spaced(pieces: Iterable[Piece], gap: str = "  ") -> Content:
    """Return pieces with room between them."""
    return Content(gap).join([Content.assemble(piece) for piece in pieces])


def counted(number: int, unit: str, plural: str | None = None) -> Content:
    """Return a count with its unit, which takes an ``s``, or is ``plural``, unless there is one."""
    return quantity(count(number), unit if number == 1 else plural or unit + "s")


def as_many_as_fit(pieces: Iterable[Piece], width: int) -> Content:
    """Return the pieces that fit, the first always: a cut number would be a wrong one."""
    shown = Content("")
    for piece in pieces:
        longer = Content.assemble(shown, "  ", piece) if shown else Content.assemble(piece)
        if shown and longer.cell_length > width:
            break
        shown = longer
    return shown


def of_budget(run: Run) -> str:
    """Return what the cost may become: ``of $5.00``; empty without a budget."""
    return "" if run.max_cost_usd is None else f"of {usd_and_limit(run.cost_usd, run.max_cost_usd)[1]}"


def spent(run: Run) -> str:
    """Return the cost with the digits that tell it from its budget."""
    return usd(run.cost_usd) if run.max_cost_usd is None else usd_and_limit(run.cost_usd, run.max_cost_usd)[0]


def of_tokens(run: Run) -> str:
    """Return how many tokens it may take: ``of 100k tok``; empty without a limit."""
    return "" if run.max_tokens is None else f"of {count_short(run.max_tokens)} tok"


def widest(texts: Iterable[str], least: int, most: int) -> int:
    """Return the cells of a column that shows all of these texts, within bounds."""
    return max(least, min(most, max(map(cell_len, texts), default=0)))


def trend(values: Sequence[float], bucket_s: float, width: int, height: int, style: str) -> list[Line]:
    """Return an area of ``height`` rows with its line of time; what lies under the edge is dim."""
    rows = [
        line(*((text, style if edge else f"dim {style}") for text, edge in runs))
        for runs in charts.area(values, width, height)
    ]
    return [*rows, line((charts.axis(len(values), width, clock(len(values) * bucket_s)), DIM))]


def dash_or(number: int, text: str) -> Piece:
    """Return the text, or a dim dash where the number is zero: a table of few zeros reads faster."""
    return text if number else ("–", DIM)


def time_of_day(text: str | None) -> str:
    """Return ``14:26:01`` in UTC of an RFC 3339 time; blanks where there is none or it cannot be read."""
    if not text:
        return ""
    try:
        return parse_time(text).strftime("%H:%M:%S")
    except ValueError:
        return ""
