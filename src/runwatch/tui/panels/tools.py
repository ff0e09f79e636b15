"""The tools panel: calls of tools and services, with a bar for where the time went.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from runwatch.fold.metrics import CallMetrics, Metrics
from runwatch.tui import charts
from runwatch.tui.cells import Column, Line, Piece, blank, clean, heading, row
from runwatch.tui.look import DIM
from runwatch.tui.panels.phrases import dash_or
from runwatch.units import count, latency


def _columns(kind: str) -> tuple[Column, ...]:
    return (
        Column(kind, 12, "left", flexible=True, most=40),
        Column("calls", 6, keep=8),
        Column("fail", 5, keep=8),
        Column("retry", 5, keep=3),
        Column("total", 7, keep=7),
        Column("time", 16, "left", keep=6),
        Column("mean", 6, keep=5),
        Column("p50", 6, keep=4),
        Column("p95", 6, keep=5),
        Column("max", 6, keep=2),
    )


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return the tables of tools and of services."""
    rows: list[Line] = []
    for kind, calls, style in (("tool", metrics.tools, "$rw-chart-1"), ("service", metrics.services, "$rw-chart-3")):
        if calls:
            columns = _columns(kind)
            most = max((call.durations.total_s for call in calls), default=0.0)
            rows += [*([blank()] if rows else []), heading(columns, width)]
            rows += [row(columns, _call(call, most, style), width) for call in _longest_first(calls)]
    return rows


def _longest_first(calls: Sequence[CallMetrics]) -> list[CallMetrics]:
    """Where the time went stands first; calls without any stay in the order of their beginning."""
    return sorted(calls, key=lambda call: -call.durations.total_s)


def _call(call: CallMetrics, most: float, style: str) -> Sequence[Piece]:
    times = call.durations
    share = times.total_s / most if most else 0.0
    return (
        clean(call.name) + (" ▸" if call.open else ""),
        count(call.calls),
        (count(call.failures), "$rw-failed") if call.failures else ("–", DIM),
        dash_or(call.retries, count(call.retries)),
        latency(times.total_s),
        (charts.bar(share, 16), style),
        *(
            ("–", DIM) if value is None else latency(value)
            for value in (times.mean_s, times.p50_s, times.p95_s, times.max_s)
        ),
    )
