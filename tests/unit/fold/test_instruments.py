"""Counters, gauges and histograms, by name and labels."""

from __future__ import annotations

from typing import Any

from journals import Journal
from runwatch.events.instruments import COUNT_EDGES, DURATION_EDGES
from runwatch.fold.metrics import InstrumentMetrics, InstrumentSeries
from runwatch.fold.series_sum import OTHER


def _named(journal: Journal) -> dict[str, InstrumentMetrics]:
    return {instrument.name: instrument for instrument in journal.metrics().instruments}


def _only(journal: Journal, name: str) -> InstrumentSeries:
    (series,) = _named(journal)[name].series
    return series


def _values(journal: Journal, name: str) -> dict[tuple[str, ...], float | None]:
    return {tuple(series.labels.values()): series.value for series in _named(journal)[name].series}


def _observed(journal: Journal, name: str, value: float, **more: Any) -> None:
    journal.add("metric.observed", name=name, value=value, **more)


def test_counters_add_gauges_are_set_or_moved_and_a_counter_never_falls() -> None:
    journal = Journal()
    for value in (2, -5, 3.5):
        _observed(journal, "jobs_total", value, kind="counter", labels={"a": "1"}, help="Jobs.")
    _observed(journal, "jobs_total", 1, kind="counter", labels={"a": "2"})
    for value, delta in ((7, False), (2, True), (-4, True)):
        _observed(journal, "depth", value, kind="gauge", delta=delta)
    assert _values(journal, "jobs_total") == {("1",): 5.5, ("2",): 1.0}
    assert _named(journal)["jobs_total"].help == "Jobs."
    assert _only(journal, "depth").value == 5.0


def test_a_histogram_counts_each_value_in_the_first_bucket_that_holds_it() -> None:
    journal = Journal()
    for value in (0.005, 0.0051, 20000):
        _observed(journal, "step_seconds", value, kind="histogram")
    for value in (0, 1, 4):
        _observed(journal, "things", value, kind="histogram")
    seconds, things = _only(journal, "step_seconds"), _only(journal, "things")
    assert _named(journal)["step_seconds"].edges == list(DURATION_EDGES)
    assert (seconds.count, seconds.sum) == (3, 20000.0101)
    assert [at for at, number in enumerate(seconds.buckets) if number] == [0, 1, len(DURATION_EDGES)]
    assert _named(journal)["things"].edges == list(COUNT_EDGES)
    assert things.buckets[:5] == [1, 1, 0, 0, 1]


def test_git_operations_become_the_promised_instruments() -> None:
    journal = Journal()
    journal.add("git.operation", operation="merge", result="success", duration_s=0.3, conflict_count=0)
    journal.add("git.operation", operation="merge", result="conflict", duration_s=2, conflict_count=3)
    journal.add("git.operation", operation="conflict_resolution", result="success", method="model", duration_s=30)
    journal.add("git.operation", operation="checkout", duration_s=0.2)
    journal.add("git.operation", operation="worktree_create", duration_s=0.2)
    journal.add("git.operation", operation="worktree_remove", result="failed")
    assert _values(journal, "git_merge_total") == {("success",): 1.0, ("conflict",): 1.0}
    assert _only(journal, "git_merge_duration_seconds").sum == 2.3
    assert _only(journal, "git_conflicts_per_merge").buckets == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    (resolution,) = _named(journal)["git_conflict_resolution_total"].series
    assert (resolution.labels, resolution.value) == ({"result": "success", "method": "model"}, 1.0)
    assert _only(journal, "git_conflict_resolution_duration_seconds").count == 1
    assert _only(journal, "git_checkout_duration_seconds").count == 1
    assert _only(journal, "git_worktree_creation_duration_seconds").count == 1
    assert _values(journal, "git_worktree_operations_total") == {("create", "success"): 1.0, ("remove", "failed"): 1.0}


def test_tasks_and_dispatch_cycles_become_the_promised_instruments() -> None:
    journal = Journal()
    journal.run_started(run_id="r-1")
    journal.add(
        "task.completed", worker_profile="coder", phase="implement", status="done", duration_s=61, retry_count=2
    )
    journal.add("dispatch.cycle", duration_s=0.02, dispatched=4, completed=0)
    journal.add("dispatch.cycle", duration_s=0.02, dispatched=1, completed=3)
    journal.add("tasks.state", states={"ready": 4, "running": 2})
    journal.add("tasks.state", states={"running": 3})
    (execution,) = _named(journal)["task_execution_duration_seconds"].series
    assert (execution.labels, execution.sum) == ({"worker_profile": "coder", "phase": "implement"}, 61.0)
    assert _values(journal, "task_completion_total") == {("done", "coder"): 1.0}
    assert _only(journal, "task_retry_count").sum == 2.0
    assert _values(journal, "dispatch_loop_iterations_total") == {("r-1",): 2.0}
    assert _only(journal, "dispatch_loop_cycle_duration_seconds").count == 2
    assert _only(journal, "dispatch_tasks_dispatched_per_cycle").sum == 5.0
    assert _only(journal, "dispatch_worker_completions_per_cycle").sum == 3.0
    assert _values(journal, "tasks_by_state") == {("ready",): 0.0, ("running",): 3.0}


def test_model_calls_stand_in_the_instruments_as_they_are_counted_and_what_a_program_adds_comes_on_top() -> None:
    journal = Journal()
    about = {"model": "gpt-4o", "provider": "openai"}
    journal.add(
        "llm.completed", **about, request_id="a", prompt_tokens=100, completion_tokens=20, cost_usd=0.5, duration_s=1
    )
    journal.add(
        "llm.completed", **about, request_id="a", prompt_tokens=100, completion_tokens=20, cost_usd=0.5, duration_s=1
    )
    journal.add("llm.completed", **about, result="rate_limit", duration_s=0.004)
    journal.add("llm.completed", **about, result="timeout", duration_s=30.000001)
    _observed(journal, "llm_requests_total", 2, kind="counter", labels={**about, "result": "success"})
    _observed(journal, "llm_request_duration_seconds", 700, kind="histogram", labels=about)
    named = _named(journal)
    requests = {series.labels["result"]: series.value for series in named["llm_requests_total"].series}
    assert requests == {"success": 3.0, "rate_limit": 1.0, "timeout": 1.0}
    assert {s.labels["kind"]: s.value for s in named["llm_tokens_total"].series} == {
        "prompt": 100.0,
        "completion": 20.0,
    }
    assert _only(journal, "llm_cost_dollars_total").value == 0.5
    assert _only(journal, "llm_rate_limit_events_total").value == 1.0
    durations = _only(journal, "llm_request_duration_seconds")
    assert (durations.count, durations.sum) == (4, 731.004001)
    held = dict(zip([*DURATION_EDGES, float("inf")], durations.buckets, strict=True))
    assert {edge: number for edge, number in held.items() if number} == {0.005: 1, 1.0: 1, 60.0: 1, 900.0: 1}


def test_labels_full_of_ids_do_not_fill_the_memory() -> None:
    journal = Journal()
    for number in range(1500):
        _observed(journal, "requests_total", 1, kind="counter", labels={"id": str(number)})
    series = _named(journal)["requests_total"].series
    assert len(series) == 1001
    assert series[-1].labels == {"id": OTHER}
    assert sum(one.value or 0 for one in series) == 1500


def test_what_was_shown_does_not_change_with_later_observations() -> None:
    journal = Journal()
    fold = journal.fold()
    _observed(journal, "things", 3, kind="histogram")
    fold.feed_line(journal.lines[-1])
    before = fold.metrics(journal.now).instruments[0]
    fold.feed_line(journal.lines[-1])
    assert before.series[0].count == 1
    assert fold.metrics(journal.now).instruments[0].series[0].count == 2


def test_the_last_health_check_of_each_service_counts() -> None:
    journal = Journal()
    journal.add("service.health", service="pool", healthy=False, error="refused", latency_s=0.1)
    journal.add("service.health", after=5, service="store", healthy=True)
    journal.add("service.health", after=5, service="pool", healthy=True, latency_s=0.2)
    pool, store = journal.metrics().health
    assert (pool.healthy, pool.error, pool.latency_s, pool.checks, pool.failures) == (True, None, 0.2, 2, 1)
    assert (store.healthy, store.checks) == (True, 1)


def test_models_by_the_thousand_are_told_as_one_after_the_first_hundred() -> None:
    journal = Journal()
    for at in range(250):
        journal.add("llm.completed", model=f"m{at}", provider="p", prompt_tokens=2, duration_s=1.0)
    named = _named(journal)
    requests, durations = named["llm_requests_total"].series, named["llm_request_duration_seconds"].series
    assert len(requests) == len(durations) == 101
    assert (requests[-1].labels, requests[-1].value) == (
        {"model": OTHER, "provider": OTHER, "result": "success"},
        150.0,
    )
    assert (durations[-1].count, sum(durations[-1].buckets), durations[-1].sum) == (150, 150, 150.0)
