"""The pipelines panel: every CI attempt, the newest first, on a line of time with the run's steps.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from runwatch.fold.metrics import Metrics, PipelineMetrics
from runwatch.tui.cells import Column, Line, Piece, blank, clean, fit, heading, line, row, short_names
from runwatch.tui.look import DIM, of_status
from runwatch.tui.panels import timeline
from runwatch.tui.panels.phrases import as_many_as_fit, quantity, time_of_day, widest
from runwatch.units import duration_short, latency, percent
from runwatch.views import phrases

_LEAST_LINE = 28
"""Cells that a line of time needs to tell anything."""
_BESIDE = 25
"""Cells of what must stand beside it: glyph, queue and run with the gaps of all columns."""
_STEPS = (
    Column("", 1, "left"),
    Column("", 3, "left"),
    Column("step", 18, "left"),
    Column("timeline", _LEAST_LINE, "left", flexible=True, keep=3),
    Column("time", 6),
)
_NONE = "no pipelines yet: pipeline.completed events of CI attempts stand here"


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return the totals and the table; of a run without pipelines, its steps on a line of time."""
    if not metrics.pipelines:
        return _steps(metrics, width) if metrics.steps else []
    columns = _columns(metrics, width)
    place = len(columns) - 2
    cells = dict(fit(columns, width)).get(place, 0) if columns[place].flexible else 0
    scale = timeline.scale_of(metrics.run, cells)
    if scale is not None:
        columns[place] = Column(timeline.axis(scale), _LEAST_LINE, "left", flexible=True, keep=5)
    rows = [_totals(metrics, width), *([blank()] if height > 9 else []), heading(columns, width)]
    if scale is not None and len(metrics.steps) > 1:
        rows.append(_all_steps(metrics, scale, columns, width))
    ids, issues = ({name(each) for each in metrics.pipelines} for name in (_id, _issue))
    short = short_names(columns, width, {2: ids, 3: issues})
    rows += [row(columns, _pipeline(each, scale), width, short) for each in reversed(metrics.pipelines)]
    return rows


def _columns(metrics: Metrics, width: int) -> list[Column]:
    """Return the columns, as wide as what stands in them; the line of time comes where there is room for it."""
    names = widest((_id(each) for each in metrics.pipelines), 8, 24)
    issues = widest((_issue(each) for each in metrics.pipelines), 5, 24)
    reasons = widest((_reason(each) for each in metrics.pipelines), 6, 20)
    drawn = width - min(names, 16) - min(issues, 12) - reasons >= _BESIDE + _LEAST_LINE
    return [
        Column("", 1, "left"),
        Column("started", 8, "left", keep=4),
        Column("pipeline", names, "left", keep=9, least=12),
        Column("issue", issues, "left", keep=8, least=12),
        Column("try", 3, keep=3),
        Column("queue", 6, keep=6),
        Column("run", 6, keep=8),
        Column("commit", 7, "left", keep=2),
        Column("", _LEAST_LINE if drawn else 0, "left", flexible=drawn, keep=5 if drawn else 0),
        Column("failed", reasons, "left", keep=7, flexible=not drawn),
    ]


def _totals(metrics: Metrics, width: int) -> Line:
    total = metrics.pipeline_totals
    parts = [
        quantity(str(total.attempts), "ended"),
        quantity(str(total.succeeded), "succeeded"),
        quantity(str(total.failed), "failed"),
        quantity(percent(total.success_rate), "success rate"),
    ]
    for told, what in zip(phrases.pipeline_times(metrics), ("queued", "running"), strict=True):
        if told is not None:
            parts.append(quantity(latency(told), what))
    return Line(as_many_as_fit(parts, width))


def _all_steps(metrics: Metrics, scale: timeline.Scale, columns: Sequence[Column], width: int) -> Line:
    pieces: list[Piece] = [""] * len(columns)
    pieces[2], pieces[-2] = ("steps", DIM), timeline.steps(scale, metrics.steps)
    return row(columns, pieces, width)


def _pipeline(pipeline: PipelineMetrics, scale: timeline.Scale | None) -> Sequence[Piece]:
    mark = of_status(pipeline.status)
    return (
        (mark.glyph, mark.style),
        (time_of_day(pipeline.start_time) or "–", DIM),
        _id(pipeline),
        _issue(pipeline),
        str(pipeline.attempt),
        ("–", DIM) if pipeline.queued_s is None else latency(pipeline.queued_s),
        ("–", DIM) if pipeline.duration_s is None else latency(pipeline.duration_s),
        (clean(pipeline.commit_sha or "")[:7], DIM),
        timeline.pipeline(scale, pipeline),
        (_reason(pipeline), "$rw-failed"),
    )


def _id(pipeline: PipelineMetrics) -> str:
    return clean(pipeline.pipeline_id)


def _issue(pipeline: PipelineMetrics) -> str:
    return "" if pipeline.issue is None else clean(f"#{pipeline.issue}")


def _reason(pipeline: PipelineMetrics) -> str:
    return clean(", ".join(pipeline.failed_jobs) or pipeline.error_type or "")


def _steps(metrics: Metrics, width: int) -> list[Line]:
    scale = timeline.scale_of(metrics.run, dict(fit(_STEPS, width)).get(3, 0))
    columns = [*_STEPS[:3], Column(timeline.axis(scale), _LEAST_LINE, "left", flexible=True, keep=3), _STEPS[4]]
    rows = [heading(columns, width)]
    for step in metrics.steps:
        mark = of_status(step.status)
        pieces: Sequence[Piece] = (
            (mark.glyph, mark.style),
            (f"{step.step:03d}", DIM),
            clean(step.name or ""),
            Content("") if scale is None else timeline.step(scale, step),
            (duration_short(step.duration_s), DIM),
        )
        rows.append(row(columns, pieces, width))
    return [*rows, line((_NONE, DIM))]
