"""The sections of logs_summary.txt on tools, services, models, cost, code and resources.

Must not compute a metric; a section with nothing to say is empty.
"""

from __future__ import annotations

from collections.abc import Mapping

from runwatch.fold.metrics import CallMetrics, HealthMetrics, Metrics, ModelMetrics
from runwatch.units import count, cut_middle, duration_long, latency, percent, size, usd
from runwatch.views import phrases
from runwatch.views.layout import Room, ends, left_out, one_line, plural, table, wrap


def tools_and_services(metrics: Metrics, room: Room) -> list[str]:
    """Return one line for each tool, then one for each service, then one for each service whose health was checked."""
    lines = []
    for title, calls in (("tool", metrics.tools), ("service", metrics.services)):
        lines += table(
            (title, "calls", "ok", "failed", "retries", "total", "mean", "p50", "p95", "max"),
            calls,
            _call,
            most=room.rows,
            what=f"{title}s",
        )
    header = ("health of", "state", "checks", "down", "last took")
    return lines + table(header, metrics.health, _health, most=room.rows, what="services")


def _health(health: HealthMetrics) -> list[str]:
    """The name, with the reason beside one that is down."""
    name = health.service if health.healthy or not health.error else f"{health.service}: {health.error}"
    state = "up" if health.healthy else "DOWN"
    return [name, state, count(health.checks), count(health.failures), _latency(health.latency_s)]


def _call(call: CallMetrics) -> list[str]:
    times = call.durations
    return [
        call.name,
        count(call.calls),
        count(call.successes),
        count(call.failures),
        count(call.retries),
        *(_latency(value) for value in (times.total_s, times.mean_s, times.p50_s, times.p95_s, times.max_s)),
    ]


def _latency(seconds: float | None) -> str:
    return "-" if seconds is None else latency(seconds)


def model_and_cost(metrics: Metrics, room: Room) -> list[str]:
    """Return calls, tokens and cost of the run, each model, and where the cost fell."""
    run, tokens = metrics.run, metrics.run.tokens
    if not metrics.models and not run.llm_calls and not tokens.total:
        return []
    calls = f"{count(run.llm_calls)} for {plural(run.llm_requests, 'request')}"
    lines = [
        f"Calls:      {calls}, {duration_long(run.llm_duration_s)} in all",
        *wrap(
            f"{phrases.tokens(run)} (prompt {count(tokens.prompt)}, completion {count(tokens.completion)}, "
            f"cache read {count(tokens.cache_read)}, cache write {count(tokens.cache_write)}, "
            f"reasoning {count(tokens.reasoning)})",
            first="Tokens:     ",
            rest=" " * 12,
        ),
        *wrap(phrases.cost(run), first="Cost:       ", rest=" " * 12),
    ]
    prices = list(dict.fromkeys(model.prices for model in metrics.models if model.prices))
    lines += wrap(", ".join(map(one_line, prices)), first="Prices:     ", rest=" " * 12, most_lines=2) if prices else []
    head, omitted, tail = ends(metrics.models, room.rows)
    for at, model in enumerate((*head, *tail)):
        if omitted and at == len(head):
            lines.append(left_out(omitted, "models"))
        lines += _model(model)
    for label, costs in (
        ("issue", metrics.cost_by_issue),
        ("agent", metrics.cost_by_agent),
        ("step", metrics.cost_by_step),
    ):
        lines += _costs(label, costs, room.costs)
    return lines


def _model(model: ModelMetrics) -> list[str]:
    facts = [
        plural(model.calls, "call"),
        f"{count(model.retries)} retried",
        f"{count(model.rate_limits)} rate limited",
        f"{count(model.timeouts)} timed out",
        f"{count(model.failures)} failed",
        f"{plural(model.tokens.total, 'token')}{phrases.without_tokens(model)}",
        f"mean {_latency(model.durations.mean_s)}, p95 {_latency(model.durations.p95_s)}",
        f"cost {phrases.model_cost(model)}",
    ]
    name = cut_middle(one_line(f"{model.provider}/{model.model}"), 60)
    return wrap(f"{name}: {', '.join(facts)}", rest="  ")


def _costs(label: str, costs: Mapping[str, float], most: int) -> list[str]:
    named = [(key, value) for key, value in costs.items() if key]
    if not named:
        return []
    if costs.get(""):
        named.append(("none", costs[""]))
    head, omitted, tail = ends(named, most)
    cells = [f"{one_line(key)} {usd(value)}" for key, value in head]
    cells += [f"... {count(omitted)} more ..."] if omitted else []
    cells += [f"{one_line(key)} {usd(value)}" for key, value in tail]
    return wrap(", ".join(cells), first=f"By {label + ':':<9}", rest=" " * 12, most_lines=3)


def code_changes(metrics: Metrics) -> list[str]:
    """Return the branch against its base, coverage and the last test run."""
    lines = []
    code, tests = metrics.code, metrics.tests
    if code is not None and (seen := code.changes) is not None:
        lines += wrap(
            f"{one_line(code.branch or 'detached head')}, {plural(seen.commits, 'commit')} since "
            f"{one_line(code.base or 'none')[:12]}, head {one_line(code.head or 'none')[:12]}"
            f"{', uncommitted changes' if seen.dirty else ''}",
            first="Branch:     ",
            rest=" " * 12,
            most_lines=2,
        )
        lines.append(
            f"Files:      {count(seen.files_created)} created, {count(seen.files_modified)} modified, "
            f"{count(seen.files_deleted)} deleted, {count(seen.files_renamed)} renamed"
        )
        lines.append(f"Lines:      +{count(seen.lines_added)} -{count(seen.lines_deleted)}")
    if code is not None and code.coverage_percent is not None:
        change = "" if code.coverage_change is None else f" ({code.coverage_change:+.1f})"
        lines.append(f"Coverage:   {percent(code.coverage_percent)}{change}")
    if tests is not None:
        took = "" if tests.duration_s is None else f" in {latency(tests.duration_s)}"
        more = f" (last of {plural(tests.runs, 'run')})" if tests.runs > 1 else ""
        lines.append(
            f"Tests:      {count(tests.passed)} passed, {count(tests.failed)} failed, {count(tests.skipped)} skipped, "
            f"{plural(tests.errors, 'error')}{took}{more}"
        )
    return lines


def resources(metrics: Metrics) -> list[str]:
    """Return what the command's process tree used."""
    used = metrics.resources
    if not used.samples:
        return []
    lines = []
    if used.mean_cpu_percent is not None:
        lines.append(f"CPU:        {percent(used.mean_cpu_percent)} of one core on average")
    lines.append(f"Memory:     {size(used.peak_rss_bytes)} at its peak")
    if used.read_bytes is not None:
        lines.append(f"Read:       {size(used.read_bytes)}")
    if used.written_bytes is not None:
        lines.append(f"Written:    {size(used.written_bytes)}")
    return lines
