"""The folded sections of summary.md on tools, services, models, cost, code and resources.

Must not compute a metric; a section with nothing to say is empty.
"""

from __future__ import annotations

from runwatch.fold.metrics import CallMetrics, CodeMetrics, HealthMetrics, Metrics, ModelMetrics
from runwatch.units import count, duration_long, latency, percent, size
from runwatch.views import phrases
from runwatch.views.layout import ends, left_out, plural
from runwatch.views.markdown import code, money, table

MOST_ROWS = 20
MOST_COSTS = 20


def tools_and_services(metrics: Metrics) -> list[str]:
    """Return a row for each tool, then one for each service, then one for each service whose health was checked."""
    header = ("health of", "state", "checks", "down", "last took")
    health = table(header, metrics.health, _health_cells, most=MOST_ROWS, what="services")
    return [*_calls("tool", metrics.tools), "", *_calls("service", metrics.services), "", *health]


def _calls(kind: str, made: list[CallMetrics]) -> list[str]:
    header = (kind, "calls", "successes", "failures", "retries", "total", "mean", "p50", "p95", "max")
    return table(header, made, _call_cells, most=MOST_ROWS, what=f"{kind}s")


def _call_cells(call: CallMetrics) -> list[str]:
    return [
        code(call.name, most=60),
        count(call.calls),
        count(call.successes),
        count(call.failures),
        count(call.retries),
        latency(call.durations.total_s),
        *("" if value is None else latency(value) for value in _spread(call)),
    ]


def _health_cells(health: HealthMetrics) -> list[str]:
    return [
        code(health.service if health.healthy or not health.error else f"{health.service}: {health.error}", most=80),
        "up" if health.healthy else "**down**",
        count(health.checks),
        count(health.failures),
        "" if health.latency_s is None else latency(health.latency_s),
    ]


def _spread(call: CallMetrics) -> tuple[float | None, ...]:
    times = call.durations
    return times.mean_s, times.p50_s, times.p95_s, times.max_s


def model_and_cost(metrics: Metrics) -> list[str]:
    """Return calls, tokens and cost of the run, a row for each model, and where the cost fell."""
    run, tokens = metrics.run, metrics.run.tokens
    if not metrics.models and not run.llm_calls and not tokens.total:
        return []
    calls = f"{plural(run.llm_calls, 'call')} for {plural(run.llm_requests, 'request')}"
    cache = f"{count(tokens.cache_read)} read from and {count(tokens.cache_write)} written to a cache"
    split = f"{count(tokens.prompt)} prompt, {count(tokens.completion)} completion, {count(tokens.reasoning)} reasoning"
    spent = [
        f"- Tokens: {split}, {cache}",
        f"- {calls}, {duration_long(run.llm_duration_s)} in all",
        "",
    ]
    by = (("issue", metrics.cost_by_issue), ("agent", metrics.cost_by_agent), ("step", metrics.cost_by_step))
    return [*spent, *_models(metrics), "", *(line for label, costs in by for line in _costs(label, costs))]


def _costs(label: str, costs: dict[str, float]) -> list[str]:
    named = [(key, value) for key, value in costs.items() if key]
    if not named:
        return []
    head, omitted, tail = ends([*named, *((("none", costs[""]),) if costs.get("") else ())], MOST_COSTS)
    parts = [f"{code(key, most=40)} {money(value)}" for key, value in head]
    parts += [left_out(omitted, "more")] if omitted else []
    return [
        f"- Cost by {label}: {', '.join([*parts, *(f'{code(key, most=40)} {money(value)}' for key, value in tail)])}"
    ]


def _models(metrics: Metrics) -> list[str]:
    header = ("model", "calls", "requests", "rate limits", "time-outs", "failures", "prompt", "completion", "tokens")
    return table((*header, "cost", "prices"), metrics.models, _model_cells, most=MOST_ROWS, what="models")


def _model_cells(model: ModelMetrics) -> list[str]:
    return [
        code(f"{model.provider}/{model.model}", most=60),
        count(model.calls),
        count(model.requests),
        count(model.rate_limits),
        count(model.timeouts),
        count(model.failures),
        count(model.tokens.prompt),
        count(model.tokens.completion),
        count(model.tokens.total) + phrases.without_tokens(model),
        code(phrases.model_cost(model)),
        code(model.prices, most=60) if model.prices else "",
    ]


def code_changes(metrics: Metrics) -> list[str]:
    """Return the branch against its base, coverage and the last test run."""
    lines = [] if metrics.code is None else _branch(metrics.code)
    tests = metrics.tests
    if tests is not None:
        took = "" if tests.duration_s is None else f" in {latency(tests.duration_s)}"
        runs = f" (last of {plural(tests.runs, 'run')})" if tests.runs > 1 else ""
        lines.append(
            f"- Tests: {count(tests.passed)} passed, {count(tests.failed)} failed, {count(tests.skipped)} skipped, "
            f"{plural(tests.errors, 'error')}{took}{runs}"
        )
    return lines


def _branch(branch: CodeMetrics) -> list[str]:
    lines = []
    if (seen := branch.changes) is not None:
        changed = f"{count(seen.files_deleted)} deleted, {count(seen.files_renamed)} renamed"
        lines = [
            f"- Branch {code(branch.branch or 'detached head')}, {plural(seen.commits, 'commit')} since "
            f"{code((branch.base or 'none')[:12])}, head {code((branch.head or 'none')[:12])}"
            + (", uncommitted changes" if seen.dirty else ""),
            f"- Files: {count(seen.files_created)} created, {count(seen.files_modified)} modified, {changed}",
            f"- Lines: {count(seen.lines_added)} added, {count(seen.lines_deleted)} deleted",
        ]
    if branch.coverage_percent is not None:
        change = "" if branch.coverage_change is None else f" ({branch.coverage_change:+.1f})"
        lines.append(f"- Coverage: {percent(branch.coverage_percent)}{change}")
    return lines


def resources(metrics: Metrics) -> list[str]:
    """Return what the command's process tree used."""
    used = metrics.resources
    if not used.samples:
        return []
    facts = {
        "CPU, mean": None if used.mean_cpu_percent is None else f"{percent(used.mean_cpu_percent)} of one core",
        "Memory, peak": size(used.peak_rss_bytes),
        "Read": None if used.read_bytes is None else size(used.read_bytes),
        "Written": None if used.written_bytes is None else size(used.written_bytes),
    }
    return [f"- {label}: {value}" for label, value in facts.items() if value is not None]
