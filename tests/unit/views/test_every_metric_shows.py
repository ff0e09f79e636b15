"""Every number of the metrics, changed alone, changes the outputs it belongs to, and no number is forgotten."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from prometheus_client import generate_latest

import metrics_samples as samples
from runwatch.fold.metrics import Metrics
from runwatch.views import csv_rows, issue_report, metrics_json, prometheus, summary_markdown, summary_text

METRICS_PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"

OUTPUTS: dict[str, Callable[[Metrics], object]] = {
    "metrics.json": metrics_json.render,
    "logs_summary.txt": summary_text.render,
    "summary.md": summary_markdown.render,
    "csv": csv_rows.tables,
    "issue report": lambda metrics: [issue_report.render(issue) for issue in metrics.issues],
    "/metrics": lambda metrics: _exposed(metrics),
}


def _exposed(metrics: Metrics) -> list[str]:
    totals = prometheus.Summed(prometheus.added([metrics.instruments]))
    return (
        prometheus.Collector([prometheus.Exposed(metrics, live=True)], totals)
        .text(generate_latest)
        .decode()
        .split("\n")
    )


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every number below a value: struct fields by name, items of lists and mappings by key."""
    if isinstance(value, bool | int | float):
        yield path
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _leaves(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        yield from _leaves(value[0], (*path, 0))


def _bump(number: Any) -> Any:
    return (
        not number if isinstance(number, bool) else number * 3 + 7919 if isinstance(number, int) else number * 3 + 17.0
    )


def _change(metrics: Metrics, path: tuple[str | int, ...]) -> Metrics:
    """Return a copy of the metrics in which the number at ``path`` is another one."""
    changed = copy.deepcopy(metrics)
    holder: Any = changed
    for key in path[:-1]:
        holder = getattr(holder, key) if isinstance(key, str) and isinstance(holder, msgspec.Struct) else holder[key]
    last = path[-1]
    if isinstance(holder, msgspec.Struct):
        assert isinstance(last, str)
        setattr(holder, last, _bump(getattr(holder, last)))
    else:
        holder[last] = _bump(holder[last])
    return changed


def _name(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in path if part != 0)


PATHS = list(_leaves(samples.full()))


def _names(text: str) -> list[str]:
    return text.split()


# What an output leaves to metrics.json. Names are those of the metrics, ``*`` stands for any rest.
SUMMARY_LEAVES = _names(
    """
    schema current_step run.issues_processed run.issues_open run.steps_by_status.*
    series.* journal.offset journal.events resources.samples
    resources.cpu_percent resources.rss_bytes resources.processes tools.open services.open debugging.cycle
    steps.tokens.cache_* steps.tokens.reasoning agents.max_attempts agents.running agents.tokens.prompt
    agents.tokens.completion agents.tokens.cache_* agents.tokens.reasoning issues.tokens.prompt
    issues.tokens.completion issues.tokens.cache_* issues.tokens.reasoning issues.agents.failures
    issues.agents.reported_* issues.agents.duration_s issues.agents.max_attempts issues.agents.running
    issues.agents.tool_calls issues.agents.tokens.* issues.agents.cost_usd issues.agents.errors
    issues.pipelines.* issues.pipeline_totals.failed issues.pipeline_totals.success_rate
    issues.pipeline_totals.first_attempt_pass issues.pipeline_totals.queued_s issues.pipeline_totals.duration_s
    issues.debugging.* issues.debugging_totals.attempts issues.debugging_totals.success_rate
    issues.debugging_totals.resolution_s issues.code.files_* issues.code.commits issues.code.dirty
    issues.code.coverage_* models.priced models.tokens.cache_* models.tokens.reasoning models.durations.total_s
    models.durations.p50_s models.durations.max_s instruments.* attempts.*
    """
)
LEFT_OUT = {
    "metrics.json": [],
    "logs_summary.txt": [
        *SUMMARY_LEAVES,
        *_names("steps.cost_usd steps.errors models.requests models.tokens.prompt models.tokens.completion"),
    ],
    "summary.md": [
        *SUMMARY_LEAVES,
        *_names("steps.tokens.prompt steps.tokens.completion issues.agents.attempts issues.agents.successes"),
        *_names("issues.agents.retries models.retries models.durations.mean_s models.durations.p95_s notices.step"),
    ],
}
BELONGS = {
    "csv": _names(
        """
    run.project_id run.duration_seconds run.total_successes run.total_errors run.success_rate run.tokens.prompt
    run.tokens.completion run.tokens.total run.cost_usd run.exit_code issues.issue issues.duration_s
    issues.complexity_score issues.agents.attempts issues.pipeline_totals.attempts
    issues.debugging_totals.cycles issues.total_errors issues.tokens.prompt issues.tokens.completion
    issues.tokens.total issues.cost_usd issues.code.files_created issues.code.files_modified issues.code.lines_*
    issues.code.commits issues.test_coverage issues.first_time_right pipelines.pipeline_id pipelines.issue
    pipelines.attempt pipelines.queued_s pipelines.duration_s debugging.issue debugging.attempts
    debugging.resolved debugging.duration_s errors.step errors.issue tools.calls tools.successes tools.failures
    tools.durations.total_s tools.durations.mean_s attempts.*
    """
    ),
    "issue report": _names(
        """
    issues.issue issues.duration_s issues.agents.attempts issues.agents.successes issues.agents.failures
    issues.agents.reported_* issues.agents.retries issues.agents.duration_s issues.pipelines.pipeline_id
    issues.pipeline_totals.attempts issues.pipeline_totals.succeeded issues.pipeline_totals.failed
    issues.pipeline_totals.success_rate issues.debugging.attempts issues.debugging.resolved
    issues.debugging.duration_s issues.debugging_totals.cycles issues.debugging_totals.resolved
    issues.debugging_totals.success_rate issues.total_errors issues.tokens.* issues.cost_usd issues.code.*
    issues.test_coverage issues.complexity_score issues.first_time_right
    """
    ),
    "/metrics": _names(
        """
    run.duration_seconds run.exit_code run.total_successes run.total_errors run.success_rate run.errors run.tokens.*
    run.cost_usd run.llm_calls run.llm_requests run.llm_duration_s run.alerts run.max_cost_usd run.max_tokens
    run.issues_open run.steps_by_status.*
    agents.successes agents.failures agents.retries tools.successes tools.failures tools.durations.total_s
    services.successes services.failures services.durations.total_s health.healthy instruments.edges
    instruments.series.sum instruments.series.buckets pipeline_totals.attempts pipeline_totals.succeeded
    pipeline_totals.failed pipeline_totals.queued_s pipeline_totals.duration_s debugging_totals.cycles
    debugging_totals.resolved debugging_totals.attempts code.files_* code.lines_* code.commits code.coverage_percent
    tests.passed tests.failed tests.skipped tests.errors resources.cpu_percent resources.rss_bytes
    resources.peak_rss_bytes journal.dropped
    """
    ),
}
PARTED = {"pipeline_totals.attempts": 7925.0, "instruments.edges": 11.0}
"""Exposed as what is left of it beside others, as a bucket's bound: the value of the line that changes."""


def _belongs(name: str, output: str) -> bool:
    if output in BELONGS:
        return any(fnmatchcase(name, pattern) for pattern in BELONGS[output])
    return not any(fnmatchcase(name, pattern) for pattern in LEFT_OUT[output])


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_number_changes_exactly_the_outputs_that_it_belongs_to(output: str) -> None:
    render = OUTPUTS[output]
    before = render(samples.full())
    shown = {_name(path) for path in PATHS if render(_change(samples.full(), path)) != before}
    expected = {_name(path) for path in PATHS if _belongs(_name(path), output)}
    assert shown == expected


def test_prometheus_shows_the_very_value_that_the_metrics_have() -> None:
    before = set(_exposed(samples.full()))
    for path in PATHS:
        name = _name(path)
        if _belongs(name, "/metrics"):
            changed: Any = _change(samples.full(), path)
            new = {float(line.rpartition(" ")[2]) for line in set(_exposed(changed)) - before}
            for key in path:
                changed = changed[key] if isinstance(changed, list | dict) else getattr(changed, str(key))
            assert PARTED.get(name, float(changed)) in new, name


def test_the_page_of_metrics_says_of_the_same_numbers_that_prometheus_shows_them() -> None:
    shown = set()
    for path in PATHS:
        value: Any = samples.full()
        for key in path:
            if isinstance(value, msgspec.Struct):
                field = type(value).__name__, str(key)
            value = getattr(value, str(key)) if isinstance(value, msgspec.Struct) else value[key]
        if _belongs(_name(path), "/metrics"):
            shown.add(field)
    said = set()
    for section in re.split(r"^## ", METRICS_PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        for name, unit, places in re.findall(r"^\| `(\w+)` \| (.*?) \| .* \| ([^|]*) \|$", section, re.MULTILINE):
            if "/metrics" in places and unit not in ("text", "RFC 3339"):
                said.add((section.partition("\n")[0], name))
    # The sample's only instrument is a histogram; that of the page has a counter too.
    assert said - shown == {("InstrumentSeries", "value")}
    assert shown <= said


def test_the_sample_has_every_number_there_is() -> None:
    names = {_name(path).rpartition(".")[2] for path in PATHS}
    missing = {
        field.name
        for kind in _kinds(Metrics)
        for field in msgspec.structs.fields(kind)
        if set(_parts(field.type)) & {int, float, bool} and field.name not in names
    }
    assert missing == {"cost_by_issue", "cost_by_agent", "cost_by_step", "steps_by_status"}, (
        "mappings, whose leaves carry their keys"
    )


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _kinds(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    yield kind
    for field in msgspec.structs.fields(kind):
        for part in _parts(field.type):
            if isinstance(part, type) and issubclass(part, msgspec.Struct):
                yield from _kinds(part)
