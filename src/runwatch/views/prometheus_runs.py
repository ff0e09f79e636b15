"""What Prometheus sees of each run: families of gauges under ``runwatch_run_``, one row a metric.

Must not compute a metric. Cardinality is bounded: no issue, step or error has a label of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from runwatch.fold.metrics import CallMetrics, Metrics
from runwatch.units import parse_time

Values = Iterable[tuple[tuple[str, ...], float | bool | None]]
"""Values of the labels beside those of the run, and the number; None is left out."""
_BY_RUN = ("framework", "run_id")
_UNITS = ("seconds", "bytes", "dollars", "percent")
_MOST_NAMES = 50
"""Agents, tools, services: the first of them."""


class _Row(NamedTuple):
    name: str
    """Behind ``runwatch_run_``."""
    help: str
    values: Callable[[Metrics], Values]
    labels: tuple[str, ...] = ()


def families(runs: Sequence[tuple[Metrics, bool]]) -> Iterator[Any]:
    """Yield the families of some runs, each with whether it goes on; the same families in the same order for any runs.

    What a name ends in is its unit: OpenMetrics tells it apart.
    """
    from prometheus_client.core import GaugeMetricFamily

    labels = [*_BY_RUN, "status", "provider", "model"]
    info = GaugeMetricFamily("runwatch_run_info", "One for each run, with its status and model.", labels=labels)
    live = GaugeMetricFamily("runwatch_run_live", "Whether the run goes on.", labels=_BY_RUN)
    for metrics, is_live in runs:
        run, llm = metrics.run, metrics.run.llm_configuration
        status = run.status or ("running" if is_live else "unfinished")
        info.add_metric([run.framework, run.run_id, status, llm.provider or "", llm.model or ""], 1)
        live.add_metric([run.framework, run.run_id], float(is_live))
    yield from (info, live)
    for row in _ROWS:
        name = f"runwatch_run_{row.name}"
        family = GaugeMetricFamily(name, row.help, labels=[*_BY_RUN, *row.labels], unit=unit_of(name))
        for metrics, _ in runs:
            about = [metrics.run.framework, metrics.run.run_id]
            for names, value in row.values(metrics):
                if value is not None:
                    family.add_metric([*about, *names], float(value))
        yield family


def unit_of(name: str) -> str:
    """Return the unit that a metric's name ends in; empty where it has none."""
    return next((unit for unit in _UNITS if name.removesuffix("_total").endswith(f"_{unit}")), "")


def _one(name: str, text: str, get: Callable[[Metrics], float | None]) -> _Row:
    return _Row(name, text, lambda metrics: [((), get(metrics))])


def _unix(time: str | None) -> float | None:
    try:
        return None if time is None else parse_time(time).timestamp()
    except ValueError:
        return None


def _calls(calls: Sequence[CallMetrics]) -> Values:
    for call in calls[:_MOST_NAMES]:
        yield (call.name, "success"), call.successes
        yield (call.name, "failure"), call.failures


def _seconds(calls: Sequence[CallMetrics]) -> Values:
    return (((call.name,), call.durations.total_s) for call in calls[:_MOST_NAMES])


def _attempts(metrics: Metrics) -> Values:
    for agent in metrics.agents[:_MOST_NAMES]:
        yield (agent.agent, "success"), agent.successes
        yield (agent.agent, "failure"), agent.failures


def _issues(metrics: Metrics) -> Values:
    run = metrics.run
    yield ("success",), run.total_successes
    yield ("error",), run.total_errors
    yield ("open",), run.issues_open


def _pipelines(metrics: Metrics) -> Values:
    totals = metrics.pipeline_totals
    yield ("success",), totals.succeeded
    yield ("failed",), totals.failed
    yield ("other",), totals.attempts - totals.succeeded - totals.failed


def _steps(metrics: Metrics) -> Values:
    return (((status,), number) for status, number in metrics.run.steps_by_status.items())


def _files(metrics: Metrics) -> Values:
    code = metrics.code
    kinds = ("created", "modified", "deleted", "renamed")
    return () if code is None else [((kind,), getattr(code, f"files_{kind}")) for kind in kinds]


def _lines(metrics: Metrics) -> Values:
    code = metrics.code
    return () if code is None else [(("added",), code.lines_added), (("deleted",), code.lines_deleted)]


def _tests(metrics: Metrics) -> Values:
    tests = metrics.tests
    kinds = ("passed", "failed", "skipped", "errors")
    return () if tests is None else [((kind,), getattr(tests, kind)) for kind in kinds]


_ROWS = (
    _one("duration_seconds", "Duration, up to now while it goes on.", lambda m: m.run.duration_seconds),
    _one("end_timestamp_seconds", "Unix time at which it ended.", lambda m: _unix(m.run.end_time)),
    _one("exit_code", "Exit code of the command.", lambda m: m.run.exit_code),
    _one("cost_dollars", "Cost of the priced model calls in US dollars.", lambda m: m.run.cost_usd),
    _one("budget_dollars", "The budget in US dollars.", lambda m: m.run.max_cost_usd),
    _one("budget_tokens", "The most tokens.", lambda m: m.run.max_tokens),
    _Row(
        "tokens",
        "Tokens by kind; cache and reasoning are parts of prompt and completion.",
        lambda m: [((kind,), number) for kind, number in msgspec.structs.asdict(m.run.tokens).items()],
        ("kind",),
    ),
    _one("llm_calls", "Model calls, retries included.", lambda m: m.run.llm_calls),
    _one("llm_requests", "Model requests.", lambda m: m.run.llm_requests),
    _one("llm_seconds", "Time in model calls.", lambda m: m.run.llm_duration_s),
    _one("errors", "Recorded errors.", lambda m: m.run.errors),
    _one("alerts", "Alerts and limits reached.", lambda m: m.run.alerts),
    _one("dropped_events", "Events that could not be written.", lambda m: m.journal.dropped),
    _Row("steps", "Steps by status.", _steps, ("status",)),
    _Row("issues", "Issues by how they ended.", _issues, ("outcome",)),
    _one("success_percent", "Issues that ended well, of those that ended.", lambda m: m.run.success_rate),
    _Row("agent_attempts", "Attempts of an agent by result.", _attempts, ("agent", "result")),
    _Row(
        "agent_retries",
        "Retries of an agent.",
        lambda m: [((agent.agent,), agent.retries) for agent in m.agents[:_MOST_NAMES]],
        ("agent",),
    ),
    _Row("pipelines", "CI attempts by result.", _pipelines, ("result",)),
    _one("pipeline_queued_seconds", "Time that CI attempts waited.", lambda m: m.pipeline_totals.queued_s),
    _one("pipeline_seconds", "Time that CI attempts ran.", lambda m: m.pipeline_totals.duration_s),
    _one("debugging_cycles", "Debugging cycles.", lambda m: m.debugging_totals.cycles),
    _one("debugging_resolved", "Debugging cycles whose failure is gone.", lambda m: m.debugging_totals.resolved),
    _one("debugging_attempts", "Tries at a repair.", lambda m: m.debugging_totals.attempts),
    _Row("tool_calls", "Tool calls by result.", lambda m: _calls(m.tools), ("tool", "result")),
    _Row("tool_seconds", "Time in tool calls.", lambda m: _seconds(m.tools), ("tool",)),
    _Row("service_calls", "Service calls by result.", lambda m: _calls(m.services), ("service", "result")),
    _Row("service_seconds", "Time in service calls.", lambda m: _seconds(m.services), ("service",)),
    _Row(
        "service_healthy",
        "The last health check of a service.",
        lambda m: [((health.service,), health.healthy) for health in m.health[:_MOST_NAMES]],
        ("service",),
    ),
    _Row("code_files", "Files that the branch changed.", _files, ("change",)),
    _Row("code_lines", "Lines that the branch changed.", _lines, ("change",)),
    _one("code_commits", "Commits of the branch.", lambda m: m.code.commits if m.code else None),
    _one("coverage_percent", "Test coverage.", lambda m: m.code.coverage_percent if m.code else None),
    _Row("tests", "Tests of the last test run by result.", _tests, ("result",)),
    _one("cpu_percent", "CPU of the process tree, of one core.", lambda m: m.resources.cpu_percent),
    _one("resident_bytes", "Resident memory of the process tree.", lambda m: m.resources.rss_bytes),
    _one("peak_resident_bytes", "Largest resident memory of the tree.", lambda m: m.resources.peak_rss_bytes),
)
