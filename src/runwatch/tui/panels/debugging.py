"""The debugging panel: failures that were chased, and whether they are gone.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from runwatch.fold.metrics import DebuggingCycle, Metrics
from runwatch.tui.cells import Column, Line, Piece, blank, clean, heading, row, short_names
from runwatch.tui.look import DIM, of_status
from runwatch.tui.panels.phrases import as_many_as_fit, counted, quantity, time_of_day, widest
from runwatch.units import latency, percent

_LOW = 9
"""A pane of so few rows has none to spare."""


def _columns(cycles: Sequence[DebuggingCycle]) -> tuple[Column, ...]:
    """Return the columns, as wide as what stands in them."""
    return (
        Column("", 1, "left"),
        Column("started", 8, "left", keep=2),
        Column("issue", widest((_issue(each) for each in cycles), 5, 24), "left", keep=8, least=10),
        Column("agent", widest((clean(each.agent or "") for each in cycles), 5, 12), "left", keep=6, least=8),
        Column("error", widest((clean(each.error_type or "") for each in cycles), 5, 16), "left", keep=8),
        Column("message", widest((clean(each.error_message or "") for each in cycles), 7, 12), "left", flexible=True),
        Column("tries", 5, keep=5),
        Column("time", 6, keep=4),
        Column("method", widest((clean(each.method or "") for each in cycles), 6, 18), "left", keep=7, least=8),
    )


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return the totals and the table, the newest cycle first."""
    if not metrics.debugging:
        return []
    total = metrics.debugging_totals
    parts = [
        counted(total.cycles, "cycle"),
        quantity(str(total.resolved), "resolved"),
        counted(total.attempts, "attempt"),
        quantity(percent(total.success_rate), "success rate"),
    ]
    if total.resolution_s is not None:
        parts.append(quantity(latency(total.resolution_s), "mean to resolution"))
    columns = _columns(metrics.debugging)
    short = short_names(columns, width, {2: {_issue(cycle) for cycle in metrics.debugging}})
    rows = [row(columns, _cycle(cycle), width, short) for cycle in reversed(metrics.debugging)]
    return [Line(as_many_as_fit(parts, width)), *([blank()] if height > _LOW else []), heading(columns, width), *rows]


def _issue(cycle: DebuggingCycle) -> str:
    return "" if cycle.issue is None else clean(f"#{cycle.issue}")


def _cycle(cycle: DebuggingCycle) -> Sequence[Piece]:
    mark = of_status(None if cycle.resolved is None else "resolved" if cycle.resolved else "failed")
    return (
        (mark.glyph, mark.style),
        (time_of_day(cycle.start_time), DIM),
        _issue(cycle),
        clean(cycle.agent or ""),
        clean(cycle.error_type or ""),
        clean(cycle.error_message or ""),
        str(cycle.attempts),
        "" if cycle.duration_s is None else latency(cycle.duration_s),
        clean(cycle.method or ""),
    )
