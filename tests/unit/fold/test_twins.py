"""Two sources' words about one model call: found without a request id, and joined."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from journals import Journal
from runwatch.fold.call import Call
from runwatch.fold.contest import SOURCES
from runwatch.fold.metrics import Metrics
from runwatch.fold.money import Price
from runwatch.fold.twins import Twins

CLAUDE = {"provider": "anthropic", "model": "claude-sonnet-4-5"}
USED = {"prompt_tokens": 20, "completion_tokens": 10}


def price(
    provider: Any, model: Any, prompt: int, completion: int, read: int, write: int, when: Any
) -> Price:  # the cached are free
    return Price((prompt - read) * 10**6 + completion * 10**7, "list 1")


def told(*lines: tuple[str, dict[str, Any]]) -> Metrics:
    """The metrics of a run of gpt-4o in which one agent's lines are told, the type of each shortened."""
    journal = Journal()
    journal.run_started(llm={"provider": "openai", "model": "gpt-4o"})
    for kind, fields in lines:
        journal.add(f"llm.{kind}", **{"issue": 1, "agent": "coding", **fields})
    return journal.metrics(price)


def usage(**fields: Any) -> tuple[str, dict[str, Any]]:
    return "completed", {"source": "usage", **fields}


def models(metrics: Metrics) -> list[tuple[str | None, int, int]]:
    return [(model.model, model.calls, model.tokens.total) for model in metrics.models if model.calls]


def test_usage_without_a_model_belongs_to_the_call_with_its_tokens() -> None:
    metrics = told(("completed", {**CLAUDE, **USED}), usage(**USED, cost_usd=0.01))
    assert models(metrics) == [("claude-sonnet-4-5", 1, 30)]
    assert (metrics.run.tokens.total, metrics.run.cost_usd) == (30, 0.01)


def test_of_several_calls_that_fit_the_last_is_meant_and_each_once() -> None:
    metrics = told(
        ("completed", {**CLAUDE, **USED}),
        ("completed", {"model": "gpt-4o", "provider": "openai", **USED}),
        usage(**USED, cost_usd=0.5), usage(**USED, cost_usd=0.25),
    )  # fmt: skip
    assert [(model.model, model.cost_usd) for model in metrics.models] == [
        ("claude-sonnet-4-5", 0.25), ("gpt-4o", 0.5),
    ]  # fmt: skip


def test_usage_of_other_tokens_or_of_another_agent_is_of_the_runs_model() -> None:
    metrics = told(("completed", {**CLAUDE, **USED}), usage(prompt_tokens=7, completion_tokens=1))
    assert models(metrics) == [("claude-sonnet-4-5", 1, 30), ("gpt-4o", 1, 8)]
    metrics = told(("completed", {**CLAUDE, **USED, "agent": "review"}), usage(**USED))
    assert models(metrics) == [("claude-sonnet-4-5", 1, 30), ("gpt-4o", 1, 30)]


@pytest.mark.parametrize(
    "lines",
    [
        [("started", {**CLAUDE, "call_id": "c"}), usage(**USED), ("completed", {"call_id": "c"})],
        [("started", {**CLAUDE, "call_id": "c"}), usage(**USED), ("completed", {"call_id": "c", **USED})],
        [("completed", CLAUDE), usage(**USED)],
    ],
    ids=["told inside the call, which says nothing", "told inside the call", "told behind a call that says nothing"],
)
def test_usage_of_a_call_that_says_none_is_that_calls(lines: list[tuple[str, dict[str, Any]]]) -> None:
    metrics = told(*lines)
    assert models(metrics) == [("claude-sonnet-4-5", 1, 30)]
    assert metrics.run.cost_usd == 0.00012


def test_a_call_that_failed_or_one_beside_others_takes_no_usage_that_is_not_its_own() -> None:
    metrics = told(("completed", {**CLAUDE, "result": "timeout"}), usage(**USED))
    assert models(metrics) == [("claude-sonnet-4-5", 1, 0), ("gpt-4o", 1, 30)]
    going_on = ("started", {**CLAUDE, "call_id": "c"})
    metrics = told(("completed", CLAUDE), going_on, usage(**USED), ("completed", {"call_id": "c", **USED}))
    assert models(metrics) == [("claude-sonnet-4-5", 2, 30)]


def test_a_cost_that_a_provider_told_wins_whichever_source_counts() -> None:
    for first, second in ((None, "usage"), ("usage", None)):
        words = [{**USED, **CLAUDE, "cost_usd": 0.9}, {**USED, **CLAUDE}]
        for one, other in (words, words[::-1]):
            metrics = told(("completed", {**one, "source": first}), ("completed", {**other, "source": second}))
            assert (metrics.run.llm_calls, metrics.run.tokens.total, metrics.run.cost_usd) == (1, 30, 0.9)
    metrics = told(("completed", {**USED, **CLAUDE}), usage(cost_usd=0.9))
    assert (metrics.run.llm_calls, metrics.run.tokens.total, metrics.run.cost_usd) == (1, 30, 0.9)


def test_cached_and_reasoning_tokens_are_known_where_one_source_tells_them() -> None:
    used = {"prompt_tokens": 100, "completion_tokens": 10}
    metrics = told(
        ("completed", {**used, **CLAUDE, "duration_s": 2.0}), usage(**used, cache_read_tokens=80, reasoning_tokens=4)
    )
    tokens = metrics.run.tokens
    assert (tokens.prompt, tokens.completion, tokens.cache_read, tokens.reasoning) == (100, 10, 80, 4)
    assert metrics.run.cost_usd == 0.00012
    metrics = told(("completed", {**CLAUDE, "total_tokens": 110, "duration_s": 2.0}), usage(**used))
    assert (metrics.run.tokens.prompt, metrics.run.llm_duration_s, metrics.run.cost_usd) == (100, 2.0, 0.0002)


def test_input_told_without_what_was_cached_is_the_same_call() -> None:
    metrics = told(
        ("completed", {**USED, **CLAUDE, "duration_s": 2.0}),
        usage(prompt_tokens=1020, completion_tokens=10, cache_read_tokens=1000),
    )
    assert models(metrics) == [("claude-sonnet-4-5", 1, 1030)]
    assert (metrics.run.tokens.cache_read, metrics.run.llm_duration_s) == (1000, 2.0)


def test_calls_with_request_ids_of_their_own_are_not_joined() -> None:
    metrics = told(
        ("completed", {**USED, **CLAUDE, "request_id": "a"}), usage(**USED, **CLAUDE, request_id="b", cost_usd=0.5)
    )
    assert (metrics.run.llm_calls, metrics.run.cost_usd) == (2, 0.50012)


def test_a_correction_of_one_source_lets_the_other_find_it() -> None:
    metrics = told(
        ("completed", {**CLAUDE, "request_id": "a", "prompt_tokens": 1, "completion_tokens": 1}),
        usage(prompt_tokens=5, completion_tokens=5, **CLAUDE),
        ("completed", {**CLAUDE, "request_id": "a", **USED}),
        usage(**USED, cost_usd=0.5),
    )
    assert models(metrics) == [("claude-sonnet-4-5", 2, 40)]


GPT = {"provider": "openai", "model": "gpt-4o", "duration_s": 2.0}
TRACKED = "completed", {**GPT, **USED, "step": 1, "issue": None, "agent": None}


def agreed(metrics: Metrics) -> Metrics:
    """The metrics, all sums of which are the same whatever they are told by."""
    run = metrics.run
    assert sum(issue.tokens.total for issue in metrics.issues) == run.tokens.total == sum(metrics.series.tokens)
    assert sum(model.cost_usd or 0 for model in metrics.models) == run.cost_usd
    for costs in (metrics.cost_by_agent, metrics.cost_by_issue, metrics.cost_by_step):
        assert sum(costs.values()) == run.cost_usd
    return metrics


@pytest.mark.parametrize("tracked_first", [True, False])
@pytest.mark.parametrize("names", [{}, {"issue": 1}, {"source": "otlp.span"}], ids=["alone", "issue", "span"])
@pytest.mark.parametrize("model", [None, "gpt-4o-2024-08-06"])
def test_a_call_tracked_outside_of_any_agent_and_told_for_one_counts_once_and_is_the_agents(
    model: str | None, names: dict[str, Any], *, tracked_first: bool
) -> None:
    tracked, again = ("completed", {**TRACKED[1], **names}), usage(**USED, model=model)
    journal = Journal()
    journal.run_started(llm={"provider": "openai", "model": "gpt-4o"})
    journal.add("agent.started", issue=1, agent="coding")
    for kind, fields in (tracked, again) if tracked_first else (again, tracked):
        journal.add(f"llm.{kind}", **{"issue": 1, "agent": "coding", **fields})
    journal.add("agent.completed", issue=1, agent="coding", success=True)
    metrics = agreed(journal.metrics(price))
    (agent,) = metrics.agents
    assert (metrics.run.llm_calls, metrics.run.llm_requests, metrics.run.llm_duration_s) == (1, 1, 2.0)
    assert (agent.tokens.total, agent.cost_usd, metrics.attempts[0].total_tokens) == (30, 0.00012, 30)
    assert [(model.calls, model.durations.max_s) for model in metrics.models if model.calls] == [(1, 2.0)]


def test_each_line_for_an_agent_takes_one_call_that_was_tracked_outside_of_it() -> None:
    metrics = told(TRACKED, TRACKED, usage(**USED), TRACKED, usage(**USED))
    assert (metrics.run.llm_calls, metrics.run.tokens.total, metrics.agents[0].tokens.total) == (3, 90, 60)
    metrics = told(TRACKED, ("completed", {**GPT, **USED}), usage(**USED), usage(**USED), usage(**USED))
    assert (metrics.run.llm_calls, metrics.agents[0].tokens.total) == (3, 90), "one that nobody tracked"


def test_where_the_agents_own_source_saw_more_the_tracked_call_leaves_nothing_behind() -> None:
    tracked, other = ("completed", {**TRACKED[1], "duration_s": 9.0}), {**USED, "prompt_tokens": 9}
    metrics = told(tracked, usage(**USED, **GPT), usage(**other, **{**GPT, "duration_s": 1.0}))
    assert (metrics.run.llm_calls, metrics.run.tokens.total, sum(metrics.series.tokens)) == (2, 49, 49)
    (model,) = (model for model in metrics.models if model.calls)
    assert (model.durations.total_s, model.durations.max_s, metrics.run.llm_duration_s) == (3.0, 2.0, 3.0)


def test_a_retry_that_was_tracked_outside_of_any_agent_is_no_request_of_the_agent() -> None:
    failed = "completed", {**TRACKED[1], "prompt_tokens": None, "completion_tokens": None, "result": "timeout"}
    metrics = told(failed, ("completed", {**TRACKED[1], "attempt": 2}), usage(**USED))
    assert (metrics.run.llm_calls, metrics.run.llm_requests, metrics.agents[0].tokens.total) == (2, 1, 30)


@pytest.mark.parametrize(
    "other",
    [
        {"completion_tokens": 11, "prompt_tokens": 19},
        {"model": "gpt-4o-mini"},
        {"request_id": "r2"},
        {"source": None},
        {"issue": 2},
        {"result": "error"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_call_outside_of_any_agent_that_differs_is_another_one(other: dict[str, Any]) -> None:
    tracked = "completed", {**TRACKED[1], "issue": 1, "request_id": "r1"}
    assert told(tracked, usage(**{**USED, **other})).run.llm_calls == 2


def test_a_price_that_is_told_later_finds_the_call_with_its_agent() -> None:
    metrics = told(TRACKED, usage(**USED), ("priced", {"ref": "w1:2", "cost_usd": 0.5, "prices": {"library": "l"}}))
    assert agreed(metrics).cost_by_agent == {"coding": 0.5}


def test_no_more_than_the_last_calls_are_kept_to_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runwatch.fold.twins._RECENT", 4)
    seen: list[Twins] = []
    add = Twins.add

    def noted(twins: Twins, call: Call) -> list[Call]:
        seen.append(twins)
        return add(twins, call)

    monkeypatch.setattr(Twins, "add", noted)
    lines = [
        ("completed", {"model": f"m{n % 3}", "agent": f"a{n % 7}", "source": SOURCES[n % 4], "prompt_tokens": n % 5})
        for n in range(200)
    ]
    told(*lines)
    twins = seen[-1]
    assert len(twins._groups) == 4
    assert sum(map(len, twins._here.values())) == 4
    assert sum(map(len, twins._by_total.values())) <= 3 * 4
    assert len(twins._by_call) <= 4 * len(SOURCES)


@pytest.mark.parametrize("tracked", [{"agent": "coding"}, {"agent": None}], ids=["by the agent", "outside of any"])
@pytest.mark.parametrize("request_ids", [False, True])
def test_twice_as_many_calls_that_are_all_alike_are_twice_the_work(tracked: dict[str, Any], request_ids: bool) -> None:
    def work(number: int) -> int:
        """Return how many functions are called to fold so many calls, each told twice."""
        lines = []
        for each in range(number):
            ids = {"request_id": f"a{each}"} if request_ids else {}
            lines += [("completed", {**CLAUDE, **USED, **tracked, **ids}), usage(**USED, **CLAUDE)]
        count = 0

        def look(frame: FrameType, event: str, argument: object) -> None:
            nonlocal count
            count += event == "call"

        before = sys.getprofile()
        sys.setprofile(look)
        try:
            metrics = told(*lines)
        finally:
            sys.setprofile(before)
        assert models(metrics) == [("claude-sonnet-4-5", number, 30 * number)]
        return count

    assert work(400) < 2.3 * work(200)
