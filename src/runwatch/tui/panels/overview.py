"""The overview panel: one row a subject, always the same rows in the same places.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from runwatch.fold.metrics import Metrics, Tokens
from runwatch.tui import charts
from runwatch.tui.cells import Line, Piece, beside, blank, clean, field, left, line, right
from runwatch.tui.look import DIM, of_status
from runwatch.tui.panels import phrases
from runwatch.tui.panels.phrases import as_many_as_fit, counted, quantity, spaced
from runwatch.units import count, count_short, latency, percent, size

_LABEL = 10
_BAR = 24
_VALUE = 9
_BETWEEN = 3

_LEAST_SPARK = 8
"""A trend of fewer cells says nothing: then the budget stands in the row below."""

_Row = tuple[str, Piece, Piece, Sequence[Piece]]
"""Label, picture, value, detail."""


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return the rows: trends side by side, facts beneath them."""
    if metrics.run.start_time is None:
        return []
    half = (width - _BETWEEN) // 2
    spark = half - _LABEL - _VALUE
    trends = [_trend(each, half) for each in (_tokens(metrics, spark), _cost(metrics, spark), _cpu(metrics, spark))]
    trends.append(_trend(_memory(metrics, spark), half))
    facts = (_git(metrics), _tests(metrics), _issues(metrics), _pipelines(metrics), _errors(metrics))
    rows = [*beside(trends[0], trends[1], half, _BETWEEN), *beside(trends[2], trends[3], half, _BETWEEN)]
    if height > len(rows) + len(facts):
        rows.append(blank())
    return rows + [_fact(fact, width) for fact in facts]


def _trend(row: _Row, width: int) -> list[Line]:
    label, shape, value, detail = row
    first = line((left(label, _LABEL), DIM), shape, _valued(value))
    return [first, line(" " * _LABEL, field(as_many_as_fit(detail, width - _LABEL), width - _LABEL))]


def _valued(value: Piece) -> Piece:
    return right(value, _VALUE) if isinstance(value, str) else value


def _fact(row: _Row, width: int) -> Line:
    label, shape, value, detail = row
    rest = width - _LABEL - _BAR - _VALUE - 2
    told = as_many_as_fit(detail, rest)
    content = Content.assemble((left(label, _LABEL), DIM), field(shape, _BAR), _valued(value), "  ", field(told, rest))
    whole = spaced(detail).plain
    return Line(content, f"{label}: {whole}" if whole != told.plain or told.cell_length > rest else None)


def _none(text: str) -> Sequence[Piece]:
    return [(text, DIM)]


def _budgeted(value: str, budget: str, picture: int, *, over: bool) -> tuple[int, Piece, Sequence[Piece]]:
    """Return the cells of the picture, the value with its budget, and what goes to the row below for want of room."""
    if not budget:
        return picture, value, []
    told, style = f" {budget}", "$rw-warning" if over else ""
    if picture - cell_len(told) < _LEAST_SPARK:
        return picture, (right(value, _VALUE), style), [(budget, DIM)]
    return picture - cell_len(told), Content.assemble((right(value, _VALUE), style), (told, DIM)), []


def _tokens(metrics: Metrics, picture: int) -> _Row:
    run = metrics.run
    value = count_short(run.tokens.total) if run.llm_calls else "–"
    picture, shown, below = _budgeted(
        value, phrases.of_tokens(run), picture, over=run.max_tokens is not None and run.tokens.total >= run.max_tokens
    )
    spark = (charts.sparkline(metrics.series.tokens, picture), "$rw-chart-1")
    return "tokens", spark, shown, [*below, *(_split(run.tokens) if run.llm_calls else _none("no model calls"))]


def _split(tokens: Tokens) -> Sequence[Piece]:
    parts = [quantity(count_short(tokens.prompt), "prompt"), quantity(count_short(tokens.completion), "compl")]
    if tokens.cache_read:
        parts.append(quantity(count_short(tokens.cache_read), "cached"))
    return parts


def _cost(metrics: Metrics, picture: int) -> _Row:
    run = metrics.run
    is_unknown = run.cost_usd is None and not run.unpriced_models
    value = "–" if not run.llm_calls else "unknown" if is_unknown and run.unmeasured_models else phrases.spent(run)
    picture, shown, below = _budgeted(
        value,
        phrases.of_budget(run),
        picture,
        over=run.max_cost_usd is not None and (run.cost_usd or 0.0) >= run.max_cost_usd,
    )
    spark = (charts.sparkline(metrics.series.cost_usd, picture), "$rw-chart-2")
    if not run.llm_calls:
        return "cost", spark, shown, [*below, *_none("no model calls")]
    detail: list[Piece] = [*below, counted(run.llm_calls, "call"), quantity(latency(run.llm_duration_s), "in calls")]
    if run.unpriced_models:
        detail.append((f"unpriced: {clean(', '.join(run.unpriced_models))}", "$rw-warning"))
    if run.unmeasured_models:
        detail.append((f"usage unknown: {clean(', '.join(run.unmeasured_models))}", "$rw-warning"))
    return "cost", spark, shown, detail


def _cpu(metrics: Metrics, picture: int) -> _Row:
    use, series = metrics.resources, metrics.series
    spark = (charts.sparkline(charts.bridged(series.cpu_percent, series.rss_bytes), picture), "$rw-chart-3")
    if not use.samples:
        return "cpu", spark, "–", _none("no samples yet")
    return (
        "cpu",
        spark,
        percent(use.cpu_percent, 0),
        [
            quantity(percent(use.mean_cpu_percent, 0), "mean"),
            counted(use.processes, "process", "processes"),
        ],
    )


def _memory(metrics: Metrics, picture: int) -> _Row:
    use, series = metrics.resources, metrics.series
    spark = (charts.sparkline(charts.bridged(series.rss_bytes, series.rss_bytes), picture), "$rw-chart-4")
    if not use.samples:
        return "memory", spark, "–", _none("no samples yet")
    return "memory", spark, size(use.rss_bytes), [quantity(size(use.peak_rss_bytes), "peak")]


def _git(metrics: Metrics) -> _Row:
    code = metrics.code
    seen = None if code is None else code.changes
    if code is None or seen is None:
        coverage = None if code is None else code.coverage_percent
        nothing = _none("no repository")
        return "git", "", "–", nothing if coverage is None else [_covered(coverage)]
    plus, minus = charts.split([seen.lines_added, seen.lines_deleted], _BAR)
    shape = Content.assemble(("━" * plus, "$rw-done"), ("━" * minus, "$rw-failed"))
    detail: list[Piece] = [
        Content.assemble(
            (f"+{count(seen.lines_added)}", "$rw-done"), " ", (f"−{count(seen.lines_deleted)}", "$rw-failed")
        ),
        counted(seen.commits, "commit"),
    ]
    if code.coverage_percent is not None:
        detail.append(_covered(code.coverage_percent))
    return "git", shape, f"{count(seen.files)} file{'' if seen.files == 1 else 's'}", detail


def _covered(coverage: float) -> Piece:
    return Content.assemble(("coverage ", DIM), percent(coverage))


def _tests(metrics: Metrics) -> _Row:
    tests = metrics.tests
    if tests is None:
        return "tests", "", "–", _none("none measured")
    bad = tests.failed + tests.errors
    ran = tests.passed + bad
    good, wrong = charts.split([tests.passed, bad], _BAR)
    shape = Content.assemble(("━" * good, "$rw-done"), ("━" * wrong, "$rw-failed"))
    detail: list[Piece] = [(f"{count(bad)} failed", "$rw-failed") if bad else quantity(count(tests.passed), "passed")]
    if tests.skipped:
        detail.append(quantity(count(tests.skipped), "skipped"))
    return "tests", shape, f"{count(tests.passed)}/{count(ran)}", detail


def _issues(metrics: Metrics) -> _Row:
    run = metrics.run
    if not metrics.issues:
        return "issues", "", "–", _none("none")
    marks = [of_status(issue.status) for issue in metrics.issues[-_BAR // 2 :]]
    shape = Content(" ").join([Content.styled(mark.glyph, mark.style) for mark in marks])
    detail = (
        [quantity(percent(run.success_rate), "ended well")] if run.success_rate is not None else _none("none ended yet")
    )
    return "issues", shape, f"{run.total_successes}/{len(metrics.issues)}", detail


def _pipelines(metrics: Metrics) -> _Row:
    total = metrics.pipeline_totals
    if not metrics.pipelines:
        return "pipelines", "", "–", _none("none")
    marks = [of_status(pipeline.status) for pipeline in metrics.pipelines[-_BAR // 2 :]]
    shape = Content(" ").join([Content.styled(mark.glyph, mark.style) for mark in marks])
    cycles = metrics.debugging_totals
    detail: list[Piece] = [quantity(count(total.failed), "failed")]
    if cycles.cycles:
        detail.append(quantity(f"{cycles.resolved}/{cycles.cycles}", "debugging cycles resolved"))
    return "pipelines", shape, f"{total.succeeded}/{len(metrics.pipelines)}", detail


def _errors(metrics: Metrics) -> _Row:
    run = metrics.run
    if not run.errors:
        return "errors", "", "0", [counted(run.alerts, "alert")] if run.alerts else _none("none recorded")
    worst = max(metrics.errors, key=lambda group: group.count, default=None)
    if worst is None:
        return "errors", "", count(run.errors), []
    return (
        "errors",
        "",
        count(run.errors),
        [Content.assemble((f"{count(worst.count)}× ", DIM), (clean(worst.message), "$rw-failed"))],
    )
