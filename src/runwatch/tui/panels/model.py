"""The model panel: what was called, how it went, what it cost, and both trends.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runwatch.fold.metrics import Metrics, ModelMetrics
from runwatch.tui import charts
from runwatch.tui.cells import Column, Line, Piece, beside, blank, clean, heading, line, right, row
from runwatch.tui.look import DIM
from runwatch.tui.panels.phrases import dash_or, of_budget, of_tokens, quantity, spaced, spent, trend
from runwatch.units import count, count_short, latency, usd

_COLUMNS = (
    Column("model", 18, "left", flexible=True, most=40),
    Column("calls", 5, keep=8),
    Column("retry", 5, keep=4),
    Column("limit", 5, keep=2),
    Column("fail", 4, keep=5),
    Column("prompt", 6, keep=7),
    Column("compl", 6, keep=7),
    Column("cached", 6, keep=3),
    Column("cost", 8, keep=8),
    Column("p50", 5, keep=6),
    Column("p95", 5, keep=6),
)


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return the table of models, the trends beneath it as high as there is room, and who spent what."""
    if not metrics.models:
        return []
    rows = [heading(_COLUMNS, width), *(_model(model, width) for model in metrics.models)]
    trend = max(3, min(8, height - len(rows) - 3))
    rows += [blank(), *_trends(metrics, width, trend)]
    for title, costs in (
        ("cost by step", metrics.cost_by_step),
        ("cost by agent", metrics.cost_by_agent),
        ("cost by issue", metrics.cost_by_issue),
    ):
        if any(costs.values()) and set(costs) != {""}:
            rows += [blank(), line((title, DIM)), *_shares(costs, width)]
    sources = sorted({model.prices for model in metrics.models if model.prices})
    if sources:
        rows += [blank(), line(("prices  ", DIM), clean("; ".join(sources)))]
    return rows


def _model(model: ModelMetrics, width: int) -> Line:
    tokens, times = model.tokens, model.durations
    pieces: Sequence[Piece] = (
        clean(f"{model.provider}/{model.model}"),
        count(model.calls),
        dash_or(model.retries, count(model.retries)),
        dash_or(model.rate_limits, count(model.rate_limits)),
        (count(model.failures), "$rw-failed") if model.failures else ("–", DIM),
        count_short(tokens.prompt),
        count_short(tokens.completion),
        dash_or(tokens.cache_read, count_short(tokens.cache_read)),
        _cost(model),
        latency(times.p50_s) if times.p50_s is not None else ("–", DIM),
        latency(times.p95_s) if times.p95_s is not None else ("–", DIM),
    )
    return row(_COLUMNS, pieces, width)


def _cost(model: ModelMetrics) -> Piece:
    if model.cost_usd is not None:
        return usd(model.cost_usd)
    if model.priced:
        return "–", DIM
    return "unknown" if model.calls_without_split and not model.calls_without_price else "unpriced", "$rw-warning"


def _trends(metrics: Metrics, width: int, height: int) -> list[Line]:
    half = (width - 3) // 2
    run = metrics.run
    series = metrics.series
    tokens = Line(spaced([("tokens", DIM), quantity(count_short(run.tokens.total), of_tokens(run))]))
    cost = Line(spaced([("cost", DIM), quantity(spent(run), of_budget(run))]))
    first = [tokens, *trend(series.tokens, series.bucket_s, half, height, "$rw-chart-1")]
    second = [cost, *trend(series.cost_usd, series.bucket_s, half, height, "$rw-chart-2")]
    return beside(first, second, half)


def _shares(costs: Mapping[str, float], width: int) -> list[Line]:
    most = max(costs.values())
    room = max(10, width - 40)
    return [
        line(
            (right(clean(name) if name else "outside", 24), ""),
            "  ",
            (charts.bar(cost / most if most else 0.0, room), "$rw-chart-2"),
            "  ",
            right(usd(cost), 10),
        )
        for name, cost in sorted(costs.items(), key=lambda item: -item[1])[:20]
    ]
