"""The pipelines panel: every CI attempt on a line of time, waiting and running apart.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from runwatch.fold.metrics import Metrics, PipelineMetrics
from runwatch.tui import charts
from runwatch.tui.cells import Column, Line, Piece, blank, clean, heading, line, row
from runwatch.tui.look import DIM, of_status
from runwatch.tui.panels.phrases import quantity, spaced, time_of_day
from runwatch.units import latency, percent

_BAR = 14
_COLUMNS = (
    Column("", 1, "left"),
    Column("started", 8, "left", keep=5),
    Column("pipeline", 10, "left", flexible=True, most=30),
    Column("issue", 6, "left", keep=4),
    Column("try", 3, keep=4),
    Column("queue", 6, keep=6),
    Column("run", 6, keep=8),
    Column("queue + run", _BAR, "left", keep=3),
    Column("commit", 7, "left", keep=2),
    Column("failed", 16, "left", keep=7),
)


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return the totals and the table."""
    if not metrics.pipelines:
        return []
    total = metrics.pipeline_totals
    parts = [
        quantity(str(total.attempts), "ended"),
        quantity(str(total.succeeded), "succeeded"),
        quantity(str(total.failed), "failed"),
        quantity(percent(total.success_rate), "success rate"),
        quantity(latency(total.queued_s), "queued"),
        quantity(latency(total.duration_s), "running"),
    ]
    longest = max(((p.queued_s or 0.0) + (p.duration_s or 0.0) for p in metrics.pipelines), default=0.0)
    rows = [row(_COLUMNS, _pipeline(pipeline, longest), width) for pipeline in metrics.pipelines]
    return [line(spaced(parts)), blank(), heading(_COLUMNS, width), *rows]


def _pipeline(pipeline: PipelineMetrics, longest: float) -> Sequence[Piece]:
    mark = of_status(pipeline.status)
    queued, ran = pipeline.queued_s or 0.0, pipeline.duration_s or 0.0
    cells = round(_BAR * (queued + ran) / longest) if longest else 0
    waited, worked = charts.split([round(queued * 1000), round(ran * 1000)], cells)
    reason = ", ".join(pipeline.failed_jobs) or pipeline.error_type or ""
    return (
        (mark.glyph, mark.style),
        (time_of_day(pipeline.start_time), DIM),
        clean(pipeline.pipeline_id),
        "" if pipeline.issue is None else clean(f"#{pipeline.issue}"),
        str(pipeline.attempt),
        ("–", DIM) if pipeline.queued_s is None else latency(pipeline.queued_s),
        ("–", DIM) if pipeline.duration_s is None else latency(pipeline.duration_s),
        Content.assemble(("━" * waited, DIM), ("━" * worked, mark.style)),
        (clean(pipeline.commit_sha or "")[:7], DIM),
        (clean(reason), "$rw-failed"),
    )
