"""The fold as a whole: what holds for any journal."""

from __future__ import annotations

import random
import tracemalloc
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journals import START, Journal, fold_lines, scenario_issues, scenario_steps, text_of
from runwatch.events import decode
from runwatch.fold import Fold, FoldSettings, Metrics
from runwatch.fold.blocks import SIZE
from runwatch.fold.money import Price

NOW = "2026-11-21T12:00:00.000000Z"


def price(provider: Any, model: Any, prompt: int, completion: int, read: int, write: int, when: Any) -> Price:
    """A price list with fractions of a micro-dollar, so that rounding shows."""
    if model == "unpriced":
        return Price(None, None)
    return Price(prompt * 2_500_003 + completion * 10_000_019 + read * 7, "test 1 2026-01-01")


def as_data(metrics: Metrics) -> Any:
    """Return metrics as plain data, to compare them."""
    return msgspec.to_builtins(metrics)


def any_journal(seed: int, events: int = 120, *, is_sealed: bool = True) -> Journal:
    """A journal of everything: interleaved, with lost ends, repeats, garbage and unknown types."""
    rng = random.Random(seed)
    journal = Journal()
    if rng.random() < 0.9:
        journal.run_started(llm={"provider": "openai", "model": "gpt-4o"} if rng.random() < 0.5 else None)
    for _ in range(events):
        scope = {
            key: value
            for key, value in (
                ("step", rng.choice((None, 1, 2, 3))),
                ("issue", rng.choice((None, 7, "7", "x"))),
                ("agent", rng.choice((None, "coding", "testing"))),
            )
            if value is not None
        }
        identity = {} if rng.random() < 0.4 else {"call_id": f"c{rng.randrange(25)}"}
        after = rng.random()
        match rng.randrange(18):
            case 0 | 1:
                journal.add("step.started", after=after, step=rng.randrange(1, 5), name="s")
            case 2:
                journal.add(
                    "step.completed", after=after, step=rng.randrange(1, 5), status=rng.choice(("success", "x"))
                )
            case 3:
                journal.add("issue.started", after=after, issue=rng.choice((7, "7", "x")))
            case 4:
                journal.add("issue.completed", after=after, issue=rng.choice((7, "x")), status="completed")
            case 5:
                journal.add("agent.started", after=after, **identity, **scope, attempt=rng.randrange(1, 4))
            case 6:
                journal.add("agent.completed", after=after, **identity, **scope, success=rng.random() < 0.5)
            case 7:
                journal.add("llm.started", after=after, **identity, **scope, model="gpt-4o")
            case 8 | 9:
                usage: dict[str, Any] = {
                    "prompt_tokens": rng.choice((None, rng.randrange(5000))),
                    "completion_tokens": rng.choice((None, rng.randrange(900))),
                    "cache_read_tokens": rng.choice((None, rng.randrange(900))),
                    "total_tokens": rng.choice((None, rng.randrange(9000))),
                    "request_id": rng.choice((None, f"r{rng.randrange(20)}")),
                    "cost_usd": rng.choice((None, None, round(rng.random(), 7))),
                    "model": rng.choice((None, "gpt-4o", "unpriced")),
                    "attempt": rng.choice((None, 1, 2, 3)),
                    "source": rng.choice((None, None, None, "otlp.span")),
                }
                given_ = {key: value for key, value in usage.items() if value is not None}
                result = rng.choice(("success", "success", "rate_limit", "timeout", "error"))
                journal.add("llm.completed", after=after, **identity, **scope, **given_, result=result)
            case 10:
                journal.add("llm.retry", after=after, **identity, **scope, attempt=rng.choice((1, 2)))
            case 11:
                journal.add("tool.started", after=after, **identity, **scope, tool=rng.choice("ab"))
            case 12:
                journal.add("tool.completed", after=after, **identity, **scope, tool=rng.choice("ab"), success=True)
            case 13:
                kind = rng.choice(("service.started", "service.completed", "service.retry"))
                journal.add(kind, after=after, **identity, **scope, service="s")
            case 14:
                kind = rng.choice(("pipeline.started", "pipeline.completed"))
                journal.add(kind, after=after, **scope, pipeline_id=rng.randrange(5))
            case 15:
                kind = rng.choice(("debug.started", "debug.attempt", "debug.completed"))
                journal.add(kind, after=after, **scope, cycle=rng.choice((1, 2)))
            case 16:
                kind = rng.choice(("error", "warning", "outcome.verified"))
                fields = {"success": rng.random() < 0.5} if kind == "outcome.verified" else {"message": "m"}
                journal.add(kind, after=after, **scope, **fields)
            case _:
                journal.foreign(
                    rng.choice((b"garbage", b'{"type":"step.star', b'{"type":"from.later","x":1}', b'{"no":1}', b"\n"))
                )
    if is_sealed:
        journal.run_completed(after=1)
    return journal


@pytest.mark.parametrize("journal", [scenario_issues(), scenario_steps(), any_journal(1)])
def test_a_journal_fed_in_two_pieces_folds_as_the_whole(journal: Journal) -> None:
    whole = as_data(fold_lines(journal.lines, price=price).metrics(NOW))
    for cut in range(len(journal.lines) + 1):
        fold = fold_lines(journal.lines[:cut], price=price)
        fold.metrics(NOW)
        offset = sum(map(len, journal.lines[:cut]))
        for line in journal.lines[cut:]:
            offset += len(line)
            fold.feed_line(line, offset)
        assert as_data(fold.metrics(NOW)) == whole


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 130), max_size=6))
def test_asking_for_metrics_changes_nothing(seed: int, asked: list[int]) -> None:
    journal = any_journal(seed)
    quiet, curious = Fold(price), Fold(price)
    for number, line in enumerate(journal.lines):
        quiet.feed_line(line)
        curious.feed_line(line)
        if number in asked:
            first = as_data(curious.metrics(NOW))
            assert as_data(curious.metrics(NOW)) == first
    assert as_data(curious.metrics(NOW)) == as_data(quiet.metrics(NOW))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.data())
def test_any_truncation_of_a_journal_is_survived(seed: int, data: st.DataObject) -> None:
    journal = any_journal(seed, 60).data()
    cut = data.draw(st.integers(0, len(journal)))
    whole_lines = journal[:cut].count(b"\n")
    fold = fold_lines(journal[:cut].splitlines(keepends=True), price=price)
    counts = fold.metrics(NOW).journal
    assert counts.events + counts.unknown + counts.unreadable <= whole_lines + 1
    assert counts.offset == cut


def test_a_torn_line_hides_no_acknowledged_event() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("error", message="lost", error_type="E" * 50)
    journal.add("error", message="kept")
    torn = journal.lines[1][:40]
    fold = fold_lines([journal.lines[0], torn + journal.lines[2]])
    metrics = fold.metrics(NOW)
    assert metrics.journal.unreadable == 1
    assert [group.message for group in metrics.errors] == ["kept"]


def test_unknown_types_and_garbage_are_counted_and_blank_lines_are_not() -> None:
    journal = Journal()
    journal.run_started()
    for line in (b'{"type":"from.later","step":3}', b"no json", b"[1]", b"\xff\xfe", b"{}", b"\n", b""):
        journal.foreign(line)
    journal.add("metric.observed", name="n", value=1)
    counts = journal.metrics().journal
    assert (counts.events, counts.unknown, counts.unreadable) == (2, 1, 4)


def test_what_comes_after_the_seal_is_counted_and_changes_nothing() -> None:
    journal = scenario_issues()
    sealed = journal.fold()
    before = as_data(sealed.metrics(NOW))
    after = Journal()
    after.llm(prompt_tokens=5)
    after.run_completed("failed")
    for line in (*after.lines, b"garbage"):
        sealed.feed_line(line)
    later = as_data(sealed.metrics(NOW))
    assert later["journal"].pop("after_seal") == 4
    assert before["journal"].pop("after_seal") == 0
    assert later == before
    assert sealed.sealed
    assert sealed.status == "completed"


def test_a_run_of_ours_is_sealed_by_a_writer_of_ours_alone() -> None:
    foreign = b'{"type":"run.completed","status":"completed","exit_code":0}'
    journal = Journal()
    journal.run_started()
    journal.foreign(foreign)
    journal.add("error", message="later")
    metrics = journal.metrics()
    assert (metrics.run.status, metrics.journal.after_seal) == (None, 0)
    assert [group.message for group in metrics.errors] == ["later"]
    (notice,) = metrics.notices
    assert (notice.kind, "does not end the run" in notice.message) == ("warning", True)
    journal.run_completed("failed", exit_code=6)
    assert (journal.metrics().run.status, journal.metrics().run.exit_code) == ("failed", 6)

    nobodys = Journal()
    nobodys.foreign(b'{"type":"run.started","framework":"f","run_id":"r"}')
    nobodys.foreign(foreign)
    assert nobodys.metrics().run.status == "completed"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_sums_by_model_agent_issue_and_step_equal_the_total_to_the_last_digit(seed: int) -> None:
    metrics = fold_lines(any_journal(seed).lines, price=price).metrics(NOW)

    def exact(costs: Any) -> Decimal:
        return sum((Decimal(repr(cost)) for cost in costs if cost is not None), Decimal(0))

    total = exact([metrics.run.cost_usd])
    assert exact(metrics.cost_by_step.values()) == total
    assert exact(metrics.cost_by_issue.values()) == total
    assert exact(metrics.cost_by_agent.values()) == total
    assert exact(model.cost_usd for model in metrics.models) == total
    assert exact(metrics.series.cost_usd) >= 0
    for field in ("prompt", "completion", "cache_read", "reasoning", "total"):
        assert sum(getattr(model.tokens, field) for model in metrics.models) == getattr(metrics.run.tokens, field)
    assert sum(model.calls for model in metrics.models) == metrics.run.llm_calls
    assert sum(model.requests for model in metrics.models) == metrics.run.llm_requests
    by_agent = sum(agent.tokens.total for issue in metrics.issues for agent in issue.agents)
    assert by_agent <= sum(issue.tokens.total for issue in metrics.issues) <= metrics.run.tokens.total


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_nothing_is_running_after_the_seal(seed: int) -> None:
    journal = any_journal(seed)
    metrics = fold_lines(journal.lines, price=price).metrics(NOW)
    assert metrics.run.status == "completed"
    assert metrics.current_step is None
    assert all(step.status is not None and step.end_time is not None for step in metrics.steps)
    assert all(issue.status is not None and issue.end_time is not None for issue in metrics.issues)
    assert all(pipeline.status is not None for pipeline in metrics.pipelines)
    assert all(cycle.resolved is not None for cycle in metrics.debugging)
    assert not any(call.open for call in (*metrics.tools, *metrics.services))
    agents = [*metrics.agents, *(agent for issue in metrics.issues for agent in issue.agents)]
    assert not any(agent.running for agent in agents)
    assert all(agent.attempts == agent.successes + agent.failures for agent in agents)
    assert as_data(metrics) == as_data(fold_lines(journal.lines, price=price).metrics("2030-01-01T00:00:00.000000Z"))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_agents_of_the_run_are_the_sum_over_issues_and_the_rest(seed: int) -> None:
    lines = [
        line for line in any_journal(seed).lines if b'"issue"' in line or not (b'"agent"' in line or b'"debug.' in line)
    ]
    metrics = fold_lines(lines, price=price).metrics(NOW)
    for total in metrics.agents:
        parts = [agent for issue in metrics.issues for agent in issue.agents if agent.agent == total.agent]
        for field in ("attempts", "successes", "failures", "retries", "tool_calls", "errors", "reported_failures"):
            assert sum(getattr(part, field) for part in parts) == getattr(total, field)
        assert sum(part.tokens.total for part in parts) == total.tokens.total


def test_memory_is_flat_once_the_remembered_calls_are_full() -> None:
    fold = Fold(price, FoldSettings(remembered_calls=100, remembered_ends=100))
    held = []
    tracemalloc.start()
    for part in range(5):
        journal = Journal(writer=f"w{part}")
        for number in range(2 * SIZE):
            call = f"p{part}n{number}"
            journal.llm(call_id=call, request_id=call, prompt_tokens=1, completion_tokens=1, model="m")
            journal.add("tool.completed", tool="t", call_id=call)
            journal.add("service.completed", service="s", call_id=call, success=False)
        for line in journal.lines:
            fold.feed_line(line)
        del journal, line
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert fold.metrics(NOW).run.llm_calls == 10 * SIZE
    assert held[-1] - held[1] < 20_000


def test_events_can_be_fed_decoded() -> None:
    journal = scenario_steps()
    fold = Fold()
    for line in journal.lines:
        fold.feed(decode(line))
    ours, theirs = as_data(fold.metrics(NOW)), as_data(journal.metrics())
    assert ours["journal"].pop("offset") == 0
    assert theirs["journal"].pop("offset") == len(journal.data())
    assert ours == theirs


def test_what_became_known_later_counts_and_the_end_stays_where_it_was() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("issue.started", issue=7)
    journal.add("pipeline.started", issue=7, pipeline_id=1)
    journal.run_completed(after=5)
    fold = journal.fold()
    post = Journal(start=START.replace(day=23))
    post.add("outcome.verified", issue=7, success=True, source="forge", evidence="merged")
    post.add("pipeline.completed", issue=7, pipeline_id=1, status="success", duration_s=60)
    post.add("run.completed", status="completed")
    for event in post.events():
        fold.feed_post(event)
    metrics = fold.metrics(text_of(post.start))
    assert metrics.issues[0].status == "success"
    assert metrics.issues[0].end_time == metrics.run.end_time == "2026-11-21T10:00:05.000000Z"
    assert metrics.pipelines[0].status == "success"
    assert metrics.pipeline_totals.attempts == 1
    assert metrics.journal.last_time == metrics.run.end_time
    assert metrics.run.success_rate == 100.0


def test_a_line_without_a_time_has_that_of_the_line_before() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("warning", after=3, message="w")
    journal.foreign('{"type":"step.started","step":1}')
    journal.foreign('{"type":"step.completed","step":1,"ts":"2026-11-21T12:00:05+02:00"}')
    journal.foreign('{"type":"error","message":"m","ts":"yesterday"}')
    metrics = journal.metrics()
    assert metrics.steps[0].start_time == "2026-11-21T10:00:03.000000Z"
    assert metrics.steps[0].end_time == "2026-11-21T10:00:05.000000Z"
    assert metrics.steps[0].duration_s == 2.0
    assert metrics.errors[0].first_time == "2026-11-21T10:00:05.000000Z"


def test_a_run_without_its_first_line_starts_with_the_next() -> None:
    journal = Journal()
    journal.add("warning", message="w")
    journal.add("warning", after=4, message="w")
    assert journal.metrics().run.start_time == "2026-11-21T10:00:00.000000Z"
    assert journal.metrics().run.duration_seconds == 4.0
