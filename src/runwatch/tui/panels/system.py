"""The system panel: CPU and memory of the command's process tree over time.

Must not compute a metric and must not sample anything.
"""

from __future__ import annotations

from runwatch.fold.metrics import Metrics
from runwatch.tui import charts
from runwatch.tui.cells import Line, beside
from runwatch.tui.look import DIM
from runwatch.tui.panels.phrases import counted, quantity, spaced, trend
from runwatch.units import percent, size


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return both areas as high as there is room, and a line of totals."""
    use = metrics.resources
    if not use.samples:
        return []
    half = (width - 3) // 2
    rows = max(2, min(12, height - 3))
    cpu = spaced([("cpu", DIM), percent(use.cpu_percent, 0), quantity(percent(use.mean_cpu_percent, 0), "mean")])
    memory = spaced([("memory", DIM), size(use.rss_bytes), quantity(size(use.peak_rss_bytes), "peak")])
    series = metrics.series
    first = [
        Line(cpu),
        *trend(charts.bridged(series.cpu_percent, series.rss_bytes), series.bucket_s, half, rows, "$rw-chart-3"),
    ]
    second = [
        Line(memory),
        *trend(charts.bridged(series.rss_bytes, series.rss_bytes), series.bucket_s, half, rows, "$rw-chart-4"),
    ]
    totals = [counted(use.processes, "process", "processes")]
    if use.read_bytes is not None:
        totals.append(quantity(size(use.read_bytes), "read"))
    if use.written_bytes is not None:
        totals.append(quantity(size(use.written_bytes), "written"))
    totals.append(counted(use.samples, "sample"))
    return [*beside(first, second, half), Line(spaced(totals, "   "))]
