"""The debugging panel: failures that were chased, and whether they are gone.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from runwatch.fold.metrics import DebuggingCycle, Metrics
from runwatch.tui.cells import Column, Line, Piece, blank, clean, heading, line, row
from runwatch.tui.look import DIM, of_status
from runwatch.tui.panels.phrases import counted, quantity, spaced, time_of_day
from runwatch.units import latency, percent

_COLUMNS = (
    Column("", 1, "left"),
    Column("started", 8, "left", keep=3),
    Column("issue", 6, "left", keep=4),
    Column("agent", 10, "left", keep=5),
    Column("error", 16, "left", keep=8),
    Column("message", 24, "left", flexible=True),
    Column("tries", 5, keep=7),
    Column("time", 6, keep=6),
    Column("method", 14, "left", keep=2),
)


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return the totals and the table."""
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
    rows = [row(_COLUMNS, _cycle(cycle), width) for cycle in metrics.debugging]
    return [line(spaced(parts)), blank(), heading(_COLUMNS, width), *rows]


def _cycle(cycle: DebuggingCycle) -> Sequence[Piece]:
    mark = of_status(None if cycle.resolved is None else "resolved" if cycle.resolved else "failed")
    return (
        (mark.glyph, mark.style),
        (time_of_day(cycle.start_time), DIM),
        "" if cycle.issue is None else clean(f"#{cycle.issue}"),
        clean(cycle.agent or ""),
        clean(cycle.error_type or ""),
        clean(cycle.error_message or ""),
        str(cycle.attempts),
        latency(cycle.duration_s),
        clean(cycle.method or ""),
    )
