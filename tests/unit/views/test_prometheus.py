"""Runs and instruments as Prometheus reads them, with its own parsers."""

from __future__ import annotations

import math

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

import metrics_samples as samples
from journals import Journal
from runwatch.events.instruments import PROMISED
from runwatch.fold.metrics import InstrumentMetrics, InstrumentSeries, Metrics
from runwatch.units import parse_time
from runwatch.views.prometheus import Collector, Exposed, Summed, added

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _text(*runs: Exposed) -> str:
    registry = CollectorRegistry()
    collector = Collector(runs, Summed(added([run.metrics.instruments for run in runs])))
    registry.register(collector)
    for encode in (generate_latest, openmetrics):
        for _ in range(2):  # the second time from the lines that are kept
            assert collector.text(encode) == encode(registry)
    text = generate_latest(registry).decode()
    by_openmetrics = {family.name for family in parse_openmetrics(openmetrics(registry).decode())}
    assert by_openmetrics == {family.name.removesuffix("_total") for family in parse(text)}
    return text


def _values(text: str) -> Values:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def _orchestrator(run_id: str = "r1") -> Journal:
    journal = Journal()
    journal.run_started(framework="orch", run_id=run_id)
    journal.add("git.operation", operation="merge", result="success", duration_s=0.3, conflict_count=0)
    journal.add("git.operation", operation="merge", result="conflict", duration_s=40, conflict_count=2)
    journal.add("git.operation", operation="merge", result="failed", duration_s=2, conflict_count=7)
    journal.add("git.operation", operation="conflict_resolution", result="success", method="llm", duration_s=30)
    journal.add("git.operation", operation="conflict_resolution", result="failed", method="llm", duration_s=61)
    journal.add("git.operation", operation="checkout", duration_s=0.2)
    journal.add("git.operation", operation="worktree_create", duration_s=1.5)
    journal.add("metric.observed", name="git_active_merges", kind="gauge", value=1, delta=True)
    journal.add("task.completed", worker_profile="coder", phase="plan", status="done", duration_s=61, retry_count=2)
    journal.add("tasks.state", states={"ready": 4})
    journal.add("dispatch.cycle", duration_s=0.02, dispatched=4, completed=1)
    about = {"model": "gpt-4o", "provider": "openai"}
    journal.add("llm.completed", **about, prompt_tokens=10, completion_tokens=5, cost_usd=0.25, duration_s=1.2)
    journal.add("llm.completed", **about, result="rate_limit", duration_s=0.1)
    journal.add("llm.completed", **about, result="timeout", duration_s=30)
    return journal


def test_every_promised_name_has_its_type_its_help_and_its_values() -> None:
    text = _text(Exposed(_orchestrator().metrics(), live=True))
    families = {family.name: family for family in parse(text)}
    for instrument in PROMISED.values():
        family = families[instrument.name.removesuffix("_total") if instrument.kind == "counter" else instrument.name]
        assert (family.type, family.documentation) == (instrument.kind, instrument.help), instrument.name
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        assert labels == set(instrument.labels), instrument.name
    values = _values(text)
    model = (("model", "gpt-4o"), ("provider", "openai"))
    expected: Values = {
        ("git_merge_total", (("result", "conflict"),)): 1,
        ("git_merge_duration_seconds_sum", ()): 42.3,
        ("git_merge_duration_seconds_bucket", (("le", "0.25"),)): 0,
        ("git_merge_duration_seconds_bucket", (("le", "0.5"),)): 1,
        ("git_merge_duration_seconds_bucket", (("le", "60.0"),)): 3,
        ("git_merge_duration_seconds_bucket", (("le", "+Inf"),)): 3,
        ("git_conflicts_per_merge_bucket", (("le", "2.0"),)): 2,
        ("git_conflict_resolution_total", (("method", "llm"), ("result", "failed"))): 1,
        ("git_conflict_resolution_duration_seconds_count", ()): 2,
        ("git_checkout_duration_seconds_sum", ()): 0.2,
        ("git_worktree_creation_duration_seconds_sum", ()): 1.5,
        ("git_worktree_operations_total", (("operation", "create"), ("result", "success"))): 1,
        ("git_active_merges", ()): 1,
        ("task_execution_duration_seconds_sum", (("phase", "plan"), ("worker_profile", "coder"))): 61,
        ("task_completion_total", (("status", "done"), ("worker_profile", "coder"))): 1,
        ("task_retry_count_sum", ()): 2,
        ("tasks_by_state", (("status", "ready"),)): 4,
        ("dispatch_loop_iterations_total", (("run_id", "r1"),)): 1,
        ("dispatch_tasks_dispatched_per_cycle_sum", ()): 4,
        ("dispatch_worker_completions_per_cycle_sum", ()): 1,
        ("llm_requests_total", (*model, ("result", "rate_limit"))): 1,
        ("llm_requests_total", (*model, ("result", "timeout"))): 1,
        ("llm_request_duration_seconds_count", model): 3,
        ("llm_tokens_total", (("kind", "completion"), *model)): 5,
        ("llm_cost_dollars_total", model): 0.25,
        ("llm_rate_limit_events_total", model): 1,
    }
    assert {key: values[key] for key in expected} == expected


def test_openmetrics_tells_the_unit_that_a_name_ends_in() -> None:
    run = Exposed(_orchestrator().metrics(), live=True)
    text = Collector([run], Summed(added([run.metrics.instruments]))).text(openmetrics).decode()
    units = {family.name: family.unit for family in parse_openmetrics(text)}
    assert (units["git_merge_duration_seconds"], units["llm_cost_dollars"]) == ("seconds", "dollars")
    assert (units["runwatch_run_resident_bytes"], units["runwatch_run_success_percent"]) == ("bytes", "percent")
    assert all(name.endswith(unit) for name, unit in units.items())
    assert units["task_retry_count"] == ""


def test_the_lines_of_a_run_that_has_not_changed_are_not_written_again() -> None:
    def encode(registry: CollectorRegistry) -> bytes:
        encoded.extend(family.name for family in registry.collect() if family.samples)
        return generate_latest(registry)

    encoded: list[str] = []
    still, totals = (
        Exposed(_orchestrator().metrics(), live=False),
        Summed(added([_orchestrator().metrics().instruments])),
    )
    Collector([still], totals).text(encode)
    assert {"runwatch_run_live", "git_merge"} < set(encoded)
    encoded.clear()
    Collector([still], totals).text(encode)
    assert encoded == []
    new = Exposed(_orchestrator("r2").metrics(), live=False)
    text = Collector([still, new], totals).text(encode).decode()
    assert encoded.count("runwatch_run_live") == 1
    (live,) = (family for family in parse(text) if family.name == "runwatch_run_live")
    assert [sample.labels["run_id"] for sample in live.samples] == ["r1", "r2"]


def test_counters_of_several_runs_add_up_and_gauges_of_ended_ones_are_gone() -> None:
    live, ended = Exposed(_orchestrator().metrics(), live=True), Exposed(_orchestrator("r2").metrics(), live=False)
    values = _values(_text(live, ended))
    assert values["git_merge_total", (("result", "success"),)] == 2
    assert values["git_merge_duration_seconds_bucket", (("le", "0.5"),)] == 2
    assert values["tasks_by_state", (("status", "ready"),)] == 4
    values = _values(_text(ended))
    assert values["git_merge_total", (("result", "success"),)] == 1
    assert ("tasks_by_state", (("status", "ready"),)) not in values


def test_a_run_is_shown_under_its_own_name_with_what_its_metrics_say() -> None:
    metrics = samples.full()
    values = _values(_text(Exposed(metrics, live=False)))
    run = (("framework", "baes"), ("run_id", metrics.run.run_id))
    assert values["runwatch_run_duration_seconds", run] == metrics.run.duration_seconds
    assert values["runwatch_run_end_timestamp_seconds", run] == parse_time(metrics.run.end_time or "").timestamp()
    assert values["runwatch_run_cost_dollars", run] == metrics.run.cost_usd
    assert values["runwatch_run_tokens", (run[0], ("kind", "total"), run[1])] == metrics.run.tokens.total
    assert values["runwatch_run_service_healthy", (*run, ("service", "pool"))] == 0
    info = (run[0], ("model", "gpt-4o"), ("provider", "openai"), run[1], ("status", "failed"))
    assert values["runwatch_run_info", info] == 1
    assert values["runwatch_run_live", run] == 0


def test_names_and_labels_that_prometheus_would_refuse_are_made_fit() -> None:
    series = InstrumentSeries(labels={"a-b": 'x"\n\\', "le": "1", "__name__": "evil", "9": "n"}, value=3.0)
    hostile = InstrumentMetrics(name="9 bad\nname{", kind="counter", help="line\nbreak", series=[series])
    values = _values(_text(Exposed(Metrics(instruments=[hostile]), live=True)))
    ((name, labels),) = (key for key in values if "bad" in key[0])
    assert name == "_9_bad_name__total"
    assert dict(labels) == {"a_b": 'x"\n\\', "label_le": "1", "label_name__": "evil", "_9": "n"}


def _one(name: str, kind: str, value: float = 1.0, **labels: str) -> InstrumentMetrics:
    if kind == "histogram":
        series = InstrumentSeries(labels=labels, count=1, sum=value, buckets=[1, 0])
        return InstrumentMetrics(name=name, kind=kind, help=name, edges=[1.0], series=[series])
    series = InstrumentSeries(labels=labels, value=value)
    return InstrumentMetrics(name=name, kind=kind, help=name, series=[series])


def test_no_instrument_is_exposed_as_another_nor_as_the_run() -> None:
    instruments = [
        _one("a-b", "counter", 1), _one("a_b", "counter", 2), _one("a.b", "gauge", 3),
        _one("h1", "histogram", 4), _one("h1_count", "counter", 5), _one("h1_sum", "gauge", 6),
        _one("runwatch_run_info", "gauge", 7), _one("runwatch_run_errors", "counter", 8),
        _one("g-g", "gauge", 9), _one("g_g", "gauge", 10),
        _one("c", "counter", 11), _one("c_total", "counter", 12), _one("c_created", "gauge", 13),
        _one("git_merge", "counter", 14), _one("git_merge_total", "counter", 15),
        _one("x" * 300, "counter", 16), _one("x" * 301, "counter", 17), _one("_total", "counter", 18),
        _one("both", "counter", 19),
    ]  # fmt: skip
    other = Metrics(instruments=[_one("both", "gauge", 20), _one("g-g", "gauge", 0)])
    other.run.run_id = "r2"
    text = _text(Exposed(Metrics(instruments=instruments), live=True), Exposed(other, live=True))
    own = {name: value for (name, labels), value in _values(text).items() if "framework" not in dict(labels)}
    shown = [value for name, value in own.items() if name not in ("h1_bucket", "h1_count")]
    assert sorted(shown) == list(range(1, 21))
    kept = {"a_b_total": 2, "h1_sum": 4, "g_g": 10, "c_total": 11, "git_merge_total": 15, "both_total": 19}
    assert {name: own[name] for name in kept} == kept
    told = [name for name, value in own.items() if value == 1 and name.startswith("a_b_")]
    assert told == ["a_b_35c2229e_total"], "the same at every scrape"
    families = [family.name for family in parse(text)]
    assert len(families) == len(set(families))


def test_labels_that_become_the_same_stay_two_and_one_without_a_value_is_none() -> None:
    series = [
        InstrumentSeries(labels={"a-b": "1", "a_b": "2"}, value=3.0),
        InstrumentSeries(labels={"a_b": "2", "a-b": ""}, value=4.0),
        InstrumentSeries(labels={"a_b": "2"}, value=5.0),
    ]
    counter = InstrumentMetrics(name="c", kind="counter", help="C.", series=series)
    gauge = InstrumentMetrics(name="g", kind="gauge", help="G.", series=series)
    values = _values(_text(Exposed(Metrics(instruments=[counter, gauge]), live=True)))
    for name in ("c_total", "g"):
        found = {
            tuple(value for _, value in labels): number for (is_of, labels), number in values.items() if is_of == name
        }
        assert found == {("2", "1"): 3.0, ("2", ""): 9.0}


def test_two_versions_of_a_histogram_do_not_mix() -> None:
    def histogram(edges: list[float]) -> InstrumentMetrics:
        series = InstrumentSeries(count=1, sum=1.0, buckets=[1] + [0] * len(edges))
        return InstrumentMetrics(name="h", kind="histogram", help="H.", edges=edges, series=[series])

    (total,) = added([[histogram([1.0])], [histogram([1.0, 2.0])], [histogram([1.0])]])
    assert (total.edges, total.series[0].count) == ([1.0], 2)


def test_a_run_that_has_not_ended_or_whose_end_is_no_time_has_no_end() -> None:
    for time in (None, "yesterday"):
        metrics = Metrics()
        metrics.run.end_time = time
        assert "runwatch_run_end_timestamp_seconds{" not in _text(Exposed(metrics, live=True))


def test_no_metric_is_not_a_number() -> None:
    assert not any(math.isnan(value) for value in _values(_text(Exposed(Metrics(), live=True))).values())


def test_series_of_ids_are_bounded_over_all_runs_and_their_sum_stays() -> None:
    def run(number: int) -> list[InstrumentMetrics]:
        series = [InstrumentSeries(labels={"run_id": f"{number}-{at}"}, value=1.0) for at in range(300)]
        return [InstrumentMetrics(name="dispatch_loop_iterations_total", kind="counter", help="H.", series=series)]

    (total,) = added([run(number) for number in range(5)])
    assert len(total.series) == 1001
    assert total.series[-1].labels == {"run_id": "other"}
    assert sum(series.value or 0.0 for series in total.series) == 1500.0


def test_an_observation_below_zero_does_not_make_the_page_unreadable() -> None:
    journal = Journal()
    journal.run_started()
    for value in (-1, 2):
        journal.add("metric.observed", name="task_retry_count", kind="histogram", value=value)
    journal.add("git.operation", operation="merge", result="success", duration_s=-3)
    assert _values(_text(Exposed(journal.metrics(), live=True)))[("task_retry_count_sum", ())] == 2.0
