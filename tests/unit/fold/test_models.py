"""Requests, retries and repeats of model calls, and their prices."""

from __future__ import annotations

from typing import Any

import pytest

from journals import Journal, fold_lines
from runwatch.events import encode
from runwatch.fold import Fold, Metrics
from runwatch.fold.money import Price
from runwatch.fold.settings import FoldSettings
from runwatch.views import phrases


def price(provider: Any, model: Any, prompt: int, completion: int, read: int, write: int, when: Any) -> Price:
    """One list: a dollar per million input tokens, two per million output tokens."""
    return Price(None, None) if model == "m?" else Price(prompt * 10**6 + completion * 2 * 10**6, "list 1 2026-01-01")


def counts(metrics: Metrics) -> tuple[int, int, int]:
    """Calls, requests, retries."""
    return metrics.run.llm_calls, metrics.run.llm_requests, sum(model.retries for model in metrics.models)


def told(*events: tuple[str, dict[str, Any]]) -> Metrics:
    """Metrics of a run of which these model events are told, in step 1."""
    journal = Journal()
    journal.run_started(llm={"provider": "p", "model": "m"})
    journal.add("step.started", step=1)
    for kind, fields in events:
        journal.add(f"llm.{kind}", after=1, step=1, **fields)
    return journal.metrics(price)


OK: dict[str, Any] = {"prompt_tokens": 10, "completion_tokens": 5}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([("completed", OK)], (1, 1, 0), id="one call"),
        pytest.param([("completed", OK), ("completed", OK)], (2, 2, 0), id="two calls without ids"),
        pytest.param(
            [("completed", {"result": "rate_limit", "attempt": 1}), ("completed", {**OK, "attempt": 2})],
            (2, 1, 1),
            id="attempts by number alone",
        ),
        pytest.param(
            [
                ("started", {"call_id": "a"}),
                ("retry", {"call_id": "a", "attempt": 1}),
                ("completed", {**OK, "call_id": "a", "attempt": 2}),
            ],
            (2, 1, 1),
            id="a failed attempt that only the notice tells of",
        ),
        pytest.param(
            [
                ("completed", {"call_id": "a", "attempt": 1, "result": "rate_limit"}),
                ("retry", {"call_id": "a", "attempt": 1}),
                ("completed", {**OK, "call_id": "a", "attempt": 2}),
            ],
            (2, 1, 1),
            id="a failed attempt that both tell of",
        ),
        pytest.param(
            [
                ("completed", {"call_id": "a", "result": "timeout"}),
                ("retry", {"call_id": "a"}),
                ("completed", {"call_id": "a", "result": "timeout"}),
                ("retry", {"call_id": "a"}),
                ("completed", {**OK, "call_id": "a"}),
            ],
            (3, 1, 2),
            id="attempts without numbers",
        ),
        pytest.param(
            [
                ("started", {"call_id": "a"}),
                ("retry", {"call_id": "a"}),
                ("retry", {"call_id": "a"}),
                ("completed", {**OK, "call_id": "a"}),
            ],
            (3, 1, 2),
            id="two failed attempts that only notices tell of",
        ),
        pytest.param(
            [("retry", {"attempt": 1}), ("retry", {"attempt": 2}), ("completed", {**OK, "attempt": 3})],
            (3, 1, 2),
            id="notices without ids",
        ),
        pytest.param(
            [("retry", {}), ("completed", OK), ("completed", OK)], (3, 2, 1), id="a notice announces one call, not two"
        ),
        pytest.param(
            [("completed", {"result": "error"}), ("retry", {}), ("completed", OK)],
            (2, 1, 1),
            id="no ids and no numbers",
        ),
        pytest.param(
            [
                ("completed", {"call_id": "a", "result": "rate_limit"}),
                ("retry", {"attempt": 1}),
                ("completed", {**OK, "call_id": "b"}),
                ("completed", {**OK, "call_id": "c"}),
            ],
            (3, 2, 1),
            id="a notice without an id, of a call with one",
        ),
        pytest.param(
            [
                ("completed", {"call_id": "a", "result": "rate_limit", "attempt": 1}),
                ("retry", {"attempt": 1}),
                ("completed", {**OK, "call_id": "a", "attempt": 2}),
                ("completed", {**OK, "call_id": "b"}),
            ],
            (3, 2, 1),
            id="a notice without an id, of a call that keeps its own",
        ),
        pytest.param(
            [
                ("completed", {"call_id": "a", "result": "error", "attempt": 1}),
                ("completed", {**OK, "call_id": "b", "attempt": 2}),
            ],
            (2, 1, 1),
            id="an id for each attempt",
        ),
        pytest.param([("completed", {**OK, "attempt": 3})], (1, 1, 0), id="only the last attempt is told"),
        pytest.param(
            [("completed", {**OK, "call_id": "a"}), ("completed", {**OK, "call_id": "a"})], (1, 1, 0), id="a repeat"
        ),
        pytest.param(
            [
                ("completed", {**OK, "call_id": "a", "request_id": "r1"}),
                ("completed", {**OK, "call_id": "a", "request_id": "r2"}),
            ],
            (2, 2, 0),
            id="two requests in one block",
        ),
        pytest.param(
            [
                ("started", {"call_id": "a"}),
                ("completed", {**OK, "call_id": "a"}),
                ("started", {"call_id": "a"}),
                ("completed", {**OK, "call_id": "a"}),
            ],
            (2, 2, 0),
            id="an id that is used again",
        ),
        pytest.param(
            [
                ("completed", {"request_id": "r", "attempt": 1, "result": "timeout"}),
                ("completed", {**OK, "request_id": "r", "attempt": 2}),
            ],
            (2, 1, 1),
            id="a request id kept over the attempts",
        ),
    ],
)
def test_each_call_is_a_request_or_a_retry_of_one(
    events: list[tuple[str, dict[str, Any]]], expected: tuple[int, int, int]
) -> None:
    metrics = told(*events)
    assert counts(metrics) == expected
    assert (metrics.steps[0].api_calls, metrics.steps[0].llm_requests) == expected[:2]


def test_twelve_calls_of_which_four_are_retries_are_eight_requests() -> None:
    events = [("completed", {**OK, "attempt": attempt}) for attempt in (1, 2, 1, 1, 1, 2, 2, 1, 1, 1, 2, 1)]
    assert counts(told(*events)) == (12, 8, 4)


def test_a_repeated_usage_line_counts_once() -> None:
    line = {**OK, "request_id": "r1", "duration_s": 1.5}
    metrics = told(("completed", line), ("completed", line), ("completed", line))
    assert counts(metrics) == (1, 1, 0)
    assert metrics.run.tokens.total == 15
    assert metrics.run.llm_duration_s == 1.5
    assert metrics.run.cost_usd == 0.00002


def test_a_placeholder_that_is_corrected_later_counts_as_corrected() -> None:
    metrics = told(
        ("completed", {"request_id": "r1", "prompt_tokens": 1000, "completion_tokens": 1}),
        ("completed", {"request_id": "r1", "prompt_tokens": 1000, "completion_tokens": 350}),
        ("completed", {"request_id": "r1", "prompt_tokens": 1000, "completion_tokens": 1}),
    )
    assert (metrics.run.tokens.prompt, metrics.run.tokens.completion) == (1000, 350)
    assert metrics.run.cost_usd == 0.0017
    assert sum(metrics.series.tokens) == 1350
    assert sum(metrics.series.cost_usd) == pytest.approx(0.0017)
    assert metrics.models[0].durations.mean_s is None


@pytest.mark.parametrize("priced", ["w1:3", "w1:4"])
def test_a_request_id_stays_with_its_last_attempt_whatever_price_is_told(priced: str) -> None:
    metrics = told(
        ("completed", {"request_id": "r", "attempt": 1, "result": "timeout", "prompt_tokens": 7}),
        ("completed", {**OK, "request_id": "r", "attempt": 2}),
        ("priced", {"ref": priced, "cost_usd": 0.25}),
        ("completed", {**OK, "request_id": "r"}),
    )
    assert (counts(metrics), metrics.run.tokens.total) == ((2, 1, 1), 22)


def test_a_cost_that_is_told_later_replaces_the_list_price_and_never_falls() -> None:
    metrics = told(
        ("completed", {**OK, "request_id": "r1"}),
        ("completed", {"request_id": "r1", "cost_usd": 0.5}),
        ("completed", {"request_id": "r1", "cost_usd": 0.2}),
        ("priced", {"ref": "r1", "cost_usd": 9.0}),
    )
    assert metrics.run.cost_usd == 0.5


def test_the_provider_s_cost_wins_over_the_list() -> None:
    assert told(("completed", {**OK, "cost_usd": 0.1})).run.cost_usd == 0.1


def test_the_cost_of_many_calls_is_exact() -> None:
    metrics = told(*[("completed", {**OK, "cost_usd": 0.1}) for _ in range(10)])
    assert metrics.run.cost_usd == 1.0  # floats would make 0.9999999999999999 of it


def test_an_unpriced_model_has_no_cost_and_is_listed() -> None:
    metrics = told(("completed", {**OK, "model": "m?"}), ("completed", OK))
    by_name = {model.model: model for model in metrics.models}
    assert by_name["m?"].cost_usd is None
    assert not by_name["m?"].priced
    assert by_name["m"].priced
    assert metrics.run.unpriced_models == ["m?"]
    assert metrics.run.cost_usd == 0.00002


def test_a_call_counts_once_where_one_source_names_its_model_with_a_date_or_a_prefix() -> None:
    journal = Journal()
    journal.run_started(llm={"model": "gpt-4o"})
    about = {"issue": 1, "agent": "a", "prompt_tokens": 10, "completion_tokens": 2}
    journal.add("llm.completed", **about, provider="openai", model="gpt-4o-2024-08-06", duration_s=2.0)
    journal.add("llm.completed", **about, source="usage")
    journal.add("llm.completed", **about, source="otlp.span", model="openai/gpt-4o-2024-08-06", duration_s=9.0)
    journal.add("llm.completed", **about, model="gpt-4o-mini-2024-07-18")
    metrics = journal.metrics()
    assert (metrics.run.llm_calls, metrics.run.tokens.total, metrics.run.llm_duration_s) == (2, 24, 2.0)
    assert [(model.model, model.calls) for model in metrics.models] == [
        ("gpt-4o-2024-08-06", 1), ("gpt-4o-mini-2024-07-18", 1),
    ]  # fmt: skip
    assert metrics.models[0].durations.max_s == 2.0
    journal.add("llm.completed", **about, source="usage", model="gpt-4o")
    assert [(model.model, model.calls) for model in journal.metrics().models] == [
        ("gpt-4o-2024-08-06", 1), ("gpt-4o-mini-2024-07-18", 1), ("gpt-4o", 1),
    ]  # fmt: skip


def test_a_success_whose_usage_nobody_knows_is_told_as_such_and_a_failure_is_not() -> None:
    run = told(("completed", {})).run
    assert (run.unpriced_models, run.unmeasured_models) == ([], ["m"])
    failed = told(("completed", {"result": "rate_limit"}))
    assert failed.run.unpriced_models == []
    assert failed.run.cost_usd is None
    assert (failed.models[0].rate_limits, failed.models[0].failures) == (1, 1)


def test_a_recorded_price_outlasts_the_price_list() -> None:
    journal = Journal()
    journal.run_started(llm={"provider": "p", "model": "m"})
    journal.llm(prompt_tokens=1000, completion_tokens=0)
    journal.llm(prompt_tokens=2000, completion_tokens=0, request_id="req:1")
    journal.llm(model="m?", prompt_tokens=1, completion_tokens=0)
    journal.llm(prompt_tokens=1, completion_tokens=0, cost_usd=0.7)
    journal.foreign('{"type":"llm.completed","prompt_tokens":4000,"completion_tokens":0}')
    fold = journal.fold(price)
    prices = fold.unrecorded_prices()
    for event in prices:
        journal.lines.append(encode(event))
        fold.feed(event)
    assert fold.unrecorded_prices() == []
    assert [event.cost_usd for event in prices] == [0.001, 0.002, None, 0.004]
    assert prices[0].prices == {"library": "list", "version": "1", "date": "2026-01-01"}
    journal.run_completed()

    def dearer(*call: Any) -> Price:
        return Price(10**15, "list 2 2027-01-01")

    for later in (dearer, None):
        metrics = fold_lines(journal.lines, price=later).metrics(journal.now)
        assert metrics.run.cost_usd == 0.707
        assert metrics.run.unpriced_models == ["m?"]
        assert metrics.models[0].prices == "list 1 2026-01-01"
        assert sum(metrics.series.cost_usd) == pytest.approx(0.707)


def test_a_fold_without_prices_records_none() -> None:
    journal = Journal()
    journal.llm(prompt_tokens=1, completion_tokens=1, model="m")
    assert journal.fold().unrecorded_prices() == []


def test_a_price_is_asked_with_the_time_of_the_call() -> None:
    asked: list[Any] = []

    def listening(*call: Any) -> Price:
        asked.append(call)
        return Price(1, "l")

    journal = Journal()
    journal.run_started(llm={"provider": "p", "model": "m"})
    journal.llm(after=3, prompt_tokens=100, completion_tokens=7, cache_read_tokens=60, cache_write_tokens=5)
    journal.metrics(listening)
    assert asked == [("p", "m", 100, 7, 60, 5, "2026-11-21T10:00:03.000000Z")]


def test_calls_from_before_any_model_was_named_are_priced_when_one_is() -> None:
    journal = Journal()
    journal.llm(prompt_tokens=1000, completion_tokens=0)
    assert journal.metrics(price).models[0].model == "unknown"
    journal.llm(prompt_tokens=1000, completion_tokens=0, model="m", provider="p")
    metrics = journal.metrics(price)
    assert [(model.provider, model.model, model.calls) for model in metrics.models] == [("p", "m", 2)]
    assert metrics.run.cost_usd == 0.002
    assert metrics.run.unpriced_models == []


def test_the_end_of_a_call_takes_the_model_from_its_start() -> None:
    metrics = told(("started", {"call_id": "a", "provider": "q", "model": "n"}), ("completed", {**OK, "call_id": "a"}))
    assert [(model.provider, model.model) for model in metrics.models] == [("q", "n")]


def test_durations_are_the_event_s_else_between_start_and_end() -> None:
    metrics = told(
        ("started", {"call_id": "a"}),
        ("completed", {**OK, "call_id": "a"}),
        ("started", {}),
        ("completed", OK),
        ("completed", {**OK, "duration_s": 0.25}),
    )
    assert metrics.run.llm_duration_s == 2.25
    assert metrics.models[0].durations.max_s == 1.0


def test_calls_under_way_at_the_end_are_interrupted_failures() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("llm.started", step=1, call_id="a", provider="p", model="m")
    journal.add("llm.retry", after=2, step=1, call_id="a", attempt=1)
    journal.run_completed("interrupted", after=8)
    metrics = journal.metrics(price)
    assert counts(metrics) == (2, 1, 1)
    assert metrics.models[0].failures == 2
    assert metrics.run.llm_duration_s == 10.0
    assert metrics.run.unpriced_models == []


def test_the_source_that_saw_most_counts_where_calls_have_no_request_ids() -> None:
    scope = {"issue": 1, "agent": "coding", "model": "m", "provider": "p"}
    journal = Journal()
    for number in range(3):
        journal.llm(**scope, step=number, prompt_tokens=100, completion_tokens=10)
    journal.add("llm.completed", **scope, source="usage", prompt_tokens=200, completion_tokens=20)
    journal.add("llm.completed", issue=2, model="m", source="usage", prompt_tokens=7, completion_tokens=0)
    metrics = journal.metrics(price)
    assert metrics.run.tokens.total == 337
    assert metrics.run.llm_calls == 4
    journal.add("llm.completed", **scope, source="usage", prompt_tokens=200, completion_tokens=20)
    metrics = journal.metrics(price)
    assert metrics.run.tokens.total == 447
    assert metrics.issues[0].tokens.total == 440
    assert metrics.steps[0].tokens.total == 0
    assert metrics.run.llm_calls == 3


def test_durations_and_trends_are_those_of_the_source_that_counts() -> None:
    scope = {"issue": 1, "agent": "coding", "model": "m", "provider": "p"}
    journal = Journal()
    journal.run_started()
    journal.add("llm.completed", **scope, prompt_tokens=100, completion_tokens=10, duration_s=2.0, cost_usd=0.5)
    span = {**scope, "source": "otlp.span", "prompt_tokens": 100, "completion_tokens": 10, "cost_usd": 0.5}
    journal.add("llm.completed", **span, duration_s=2.25)
    alone = {**scope, "issue": 2, "source": "otlp.span", "prompt_tokens": 7, "completion_tokens": 0, "duration_s": 40.0}
    journal.add("llm.completed", **alone)

    fold, fed = Fold(price), 0

    def shown() -> tuple[float, float, int, float, int]:
        nonlocal fed
        for line in journal.lines[fed:]:
            fold.feed_line(line)
        fed = len(journal.lines)
        metrics = fold.metrics(journal.now)
        (model,) = metrics.models
        (told,) = (one for one in metrics.instruments if one.name == "llm_request_duration_seconds")
        calls = told.series[0].count or 0
        assert (calls, model.durations.total_s) == (metrics.run.llm_calls, metrics.run.llm_duration_s)
        assert sum(metrics.series.tokens) == metrics.run.tokens.total
        assert sum(metrics.series.cost_usd) == metrics.run.cost_usd
        return (
            model.durations.total_s, model.durations.max_s or 0.0, calls, metrics.run.cost_usd or 0.0,
            metrics.run.tokens.total,
        )  # fmt: skip

    assert shown() == (42.0, 40.0, 2, 0.500007, 117)
    journal.add("llm.completed", **span, duration_s=90.0)  # now the spans have seen more of the first issue
    assert shown() == (132.25, 90.0, 3, 1.000007, 227)
    for _ in range(2):
        journal.add("llm.completed", **scope, prompt_tokens=100, completion_tokens=10, duration_s=3.0, cost_usd=0.25)
    assert shown() == (48.0, 40.0, 4, 1.000007, 337)


def test_sources_that_saw_the_same_amount_count_in_the_documented_order() -> None:
    for first, second in (("otlp.span", None), (None, "otlp.span"), ("otlp.metric", "usage"), ("usage", "otlp.metric")):
        journal = Journal()
        for source, completion in ((first, 5), (second, 15)):
            name = {} if source is None else {"source": source}
            journal.add("llm.completed", model="m", prompt_tokens=20 - completion, completion_tokens=completion, **name)
        expected = 5 if first in (None, "usage") else 15
        assert journal.metrics(price).run.tokens.completion == expected


def test_calls_with_request_ids_count_whoever_saw_them() -> None:
    journal = Journal()
    journal.add("llm.completed", model="m", request_id="r1", prompt_tokens=10, completion_tokens=1)
    for number in (1, 2):
        journal.add(
            "llm.completed", model="m", request_id=f"r{number}", source="otlp.span", prompt_tokens=10,
            completion_tokens=1,
        )  # fmt: skip
    assert journal.metrics(price).run.tokens.total == 22


def test_only_the_last_calls_are_remembered() -> None:
    journal = Journal()
    for number in (1, 2, 3, 1):
        journal.add("llm.completed", model="m", request_id=f"r{number}", prompt_tokens=1, completion_tokens=0)
    assert journal.metrics(price).run.llm_calls == 3
    fold = Fold(price, FoldSettings(remembered_calls=2))
    for line in journal.lines:
        fold.feed_line(line)
    assert fold.metrics(journal.now).run.llm_calls == 4


def test_a_call_without_usage_beside_priced_ones_is_not_called_unpriced() -> None:
    metrics = told(("completed", OK), ("completed", {}), ("completed", {"total_tokens": 7}))
    (model,) = metrics.models
    assert (model.calls_without_price, model.calls_without_split, model.calls_without_tokens) == (0, 2, 1)
    assert (metrics.run.unpriced_models, metrics.run.unmeasured_models) == ([], ["m"])
    assert phrases.cost(metrics.run).endswith(" (usage unknown: m)")
    assert phrases.model_cost(model).endswith(" (2 calls usage unknown)")
