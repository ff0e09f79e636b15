"""When a limit counts as reached, and how often that is said."""

from __future__ import annotations

import pytest

from journals import Journal
from runwatch.fold.metrics import Metrics, ModelMetrics, Notice, Run, Tokens
from runwatch.record.budget import Budget, Crossing
from runwatch.settings import Limits


def _metrics(*, cost: float = 0.0, tokens: int = 0, duration: float = 0.0, errors: int = 0) -> Metrics:
    run = Run(cost_usd=cost, tokens=Tokens(total=tokens), duration_seconds=duration, errors=errors)
    return Metrics(run=run)


@pytest.mark.parametrize(
    ("limits", "below", "at", "rule", "value"),
    [
        (Limits(max_cost_usd=5.0), {"cost": 4.999999}, {"cost": 5.0}, "max_cost_usd", 5.0),
        (Limits(max_tokens=100), {"tokens": 99}, {"tokens": 100}, "max_tokens", 100),
        (Limits(max_duration_s=60.0), {"duration": 59.9}, {"duration": 60.04}, "max_duration", 60.0),
        (Limits(max_errors_per_minute=3), {"errors": 2}, {"errors": 3}, "max_errors_per_minute", 3),
    ],
)
def test_a_limit_is_reached_exactly_at_its_value_and_said_once(
    limits: Limits, below: dict[str, float], at: dict[str, float], rule: str, value: float
) -> None:
    budget = Budget(limits)
    assert budget.check(_metrics(**below), now=1, quiet_s=0) == []  # type: ignore[arg-type]  # numbers by name
    (crossing,) = budget.check(_metrics(**at), now=2, quiet_s=0)  # type: ignore[arg-type]  # as above
    assert (crossing.rule, crossing.value, crossing.stops) == (rule, value, False)
    assert budget.check(_metrics(**at), now=3, quiet_s=0) == []  # type: ignore[arg-type]  # as above


def test_only_the_limits_named_in_stop_stop() -> None:
    budget = Budget(Limits(max_cost_usd=1.0, max_tokens=1, stop=("max_tokens",)))
    found = budget.check(_metrics(cost=1, tokens=1), now=1, quiet_s=0)
    assert found == [Crossing("max_cost_usd", 1, 1.0, False), Crossing("max_tokens", 1, 1, True)]


def test_a_stall_is_said_again_only_after_something_moved() -> None:
    budget = Budget(Limits(stall_after_s=10.0))
    quiet = [0, 10.04, 30, 0.5, 9, 11]
    assert [[c.value for c in budget.check(_metrics(), now=1, quiet_s=s)] for s in quiet] == [
        [], [10.0], [], [], [], [11],
    ]  # fmt: skip


def test_errors_count_within_the_last_minute_alone() -> None:
    budget = Budget(Limits(max_errors_per_minute=3))
    series = [(0, 0), (10, 2), (69, 2), (75, 4), (90, 5), (200, 5), (201, 8)]
    reached = [now for now, errors in series if budget.check(_metrics(errors=errors), now=now, quiet_s=0)]
    assert reached == [90, 201]


def test_a_new_recorder_does_not_take_old_errors_for_new_ones_nor_say_what_was_said() -> None:
    metrics = _metrics(errors=50, cost=9, duration=600)
    metrics.notices = [Notice(kind="alert.raised", message="x", rule="max_cost_usd")]
    budget = Budget(Limits(max_errors_per_minute=3, max_cost_usd=5.0))
    assert budget.check(metrics, now=5, quiet_s=0) == []


def test_a_budget_that_cannot_see_says_so_once() -> None:
    metrics = _metrics()
    metrics.run.unpriced_models = ["homemade"]
    metrics.models = [ModelMetrics(provider="p", model="mute", calls=3, calls_without_split=2, calls_without_tokens=1)]
    budget = Budget(Limits(max_cost_usd=5.0, max_tokens=5))
    assert budget.unseen(metrics, ended=True) == [
        "max_cost_usd cannot see the calls of homemade: no price is known; add one under [pricing]",
        "max_cost_usd cannot see 2 calls of mute: nothing says how many tokens went in and out",
        "max_tokens cannot see 1 call of mute: nothing says how many tokens they used",
    ]
    assert budget.unseen(metrics, ended=True) == []
    assert Budget(Limits()).unseen(metrics, ended=True) == []


def test_a_usage_that_is_told_a_moment_after_its_call_is_not_called_unknown() -> None:
    metrics, budget = _metrics(), Budget(Limits(max_tokens=5))
    seen = [1, 1, 0, 1, 2, 2]
    told = []
    for number in seen:
        metrics.models = [ModelMetrics(provider="p", model="m", calls=9, calls_without_tokens=number)]
        told.append(budget.unseen(metrics))
    assert told[:-1] == [[]] * 5
    assert told[-1] == ["max_tokens cannot see 1 call of m: nothing says how many tokens they used"]


def test_the_budget_stands_in_the_metrics() -> None:
    journal = Journal()
    journal.run_started(settings={"limits": {"max_cost_usd": 5, "max_tokens": 10}})
    run = journal.metrics().run
    assert (run.max_cost_usd, run.max_tokens) == (5.0, 10)
