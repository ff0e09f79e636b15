"""Stretches of time on the line from a run's start until now: steps and pipelines, drawn to one scale.

Must not compute a metric: it turns times that the fold gave into places on a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from runwatch.fold.metrics import PipelineMetrics, Run, StepMetrics
from runwatch.tui import charts
from runwatch.tui.look import DIM, of_status
from runwatch.units import clock, seconds_between

_RULE = "━"
_BEFORE = "◂"
"""First cell of what began before the line of time does: it is longer than it can be drawn."""


@dataclass(frozen=True)
class Scale:
    """How seconds of a run become cells."""

    start: str
    """RFC 3339 time of the first cell."""
    total_s: float
    """Seconds that all cells stand for."""
    width: int
    """Cells."""

    def cell(self, seconds: float) -> int:
        """Return the cell in which a second lies."""
        return max(0, min(self.width - 1, int(seconds / self.total_s * self.width)))


def scale_of(run: Run, width: int) -> Scale | None:
    """Return the scale from the run's start until its end or now; None before there is anything to draw."""
    if run.start_time is None or run.duration_seconds <= 0 or width < 2:
        return None
    return Scale(run.start_time, run.duration_seconds, width)


def axis(scale: Scale | None) -> str:
    """Return the line of time: ``0:00 ─────── 53:33``."""
    return "" if scale is None else charts.axis(scale.width, scale.width, clock(scale.total_s))


def pipeline(scale: Scale | None, shown: PipelineMetrics) -> Content:
    """Return where a pipeline waited, dim, and where it ran, in the color of its state."""
    if scale is None or (shown.start_time is None and shown.end_time is None):
        return Content("")
    ran, waited = shown.duration_s or 0.0, shown.queued_s or 0.0
    if shown.end_time is not None:
        end = _second(scale, shown.end_time)
    elif shown.status is None:
        end = scale.total_s
        ran = max(ran, end - _second(scale, shown.start_time or scale.start) - waited)
    else:
        end = _second(scale, shown.start_time or scale.start) + waited + ran
    begun, work = scale.cell(end - ran - waited), scale.cell(end - ran)
    stop = max(scale.cell(end), work) + 1
    if end - ran - waited < -scale.total_s / scale.width:  # it began before the line does
        work = max(work, 1)
        return Content.assemble(
            (_BEFORE, DIM), (_RULE * (work - 1), DIM), (_RULE * (stop - work), of_status(shown.status).style)
        )
    return Content.assemble(
        " " * begun, (_RULE * (work - begun), DIM), (_RULE * (stop - work), of_status(shown.status).style)
    )


def steps(scale: Scale | None, shown: Sequence[StepMetrics]) -> Content:
    """Return the steps one behind the other on one line, each with its number where there is room."""
    line = Content("")
    if scale is None:
        return line
    for each in shown:
        begun, stop = _cells(scale, each)
        begun = max(begun, line.cell_length)
        room = stop - begun
        if room < 1:
            continue
        label = str(each.step) if room > len(str(each.step)) else ""
        told = Content.assemble((label, "bold"), _RULE * (room - len(label)))
        line = Content.assemble(
            line, " " * (begun - line.cell_length), told.stylize_before(of_status(each.status).style)
        )
    return line


def step(scale: Scale | None, shown: StepMetrics) -> Content:
    """Return where one step lies."""
    if scale is None or shown.start_time is None:
        return Content("")
    begun, stop = _cells(scale, shown)
    return Content.assemble(" " * begun, (_RULE * (stop - begun), of_status(shown.status).style))


def _cells(scale: Scale, shown: StepMetrics) -> tuple[int, int]:
    begun = _second(scale, shown.start_time or scale.start)
    first = scale.cell(begun)
    return first, max(scale.cell(begun + shown.duration_s), first) + 1


def _second(scale: Scale, time: str) -> float:
    try:
        return seconds_between(scale.start, time)
    except ValueError:
        return 0.0
