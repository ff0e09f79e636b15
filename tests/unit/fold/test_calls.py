"""Calls of tools and services."""

from __future__ import annotations

import pytest

from journals import Journal
from runwatch.fold import Fold, FoldSettings


def test_tools_are_counted_with_their_durations() -> None:
    journal = Journal()
    for after in (1.0, 2.0, 3.0, 10.0):
        journal.tool("read", after)
    journal.tool("write", 0.5, success=False)
    read, write = journal.metrics().tools
    assert (read.name, read.calls, read.successes, read.failures, read.open) == ("read", 4, 4, 0, 0)
    assert (read.durations.total_s, read.durations.mean_s, read.durations.max_s) == (16.0, 4.0, 10.0)
    assert read.durations.p50_s == pytest.approx(2.0, rel=0.01)
    assert read.durations.p95_s == pytest.approx(10.0, rel=0.01)
    assert (write.calls, write.successes, write.failures) == (1, 0, 1)


def test_a_call_under_way_is_open_and_interrupted_at_the_end() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("tool.started", tool="read", call_id="a")
    journal.add("tool.started", tool="read")
    journal.add("service.started", service="api", step=1)
    metrics = journal.metrics()
    assert (metrics.tools[0].open, metrics.tools[0].calls) == (2, 0)
    journal.run_completed("crashed", after=4)
    metrics = journal.metrics()
    assert (metrics.tools[0].open, metrics.tools[0].calls, metrics.tools[0].failures) == (0, 2, 2)
    assert metrics.tools[0].durations.total_s == 8.0
    assert (metrics.services[0].calls, metrics.services[0].failures) == (1, 1)
    assert metrics.steps[0].api_calls == 1


def test_ends_find_their_starts_by_id_and_without_one_the_latest_of_their_kind() -> None:
    journal = Journal()
    journal.add("tool.started", tool="t", call_id="a")
    journal.add("tool.started", after=1, tool="t", call_id="b")
    journal.add("tool.completed", after=1, tool="t", call_id="a")
    journal.add("tool.completed", after=1, tool="t", call_id="b")
    journal.add("tool.started", tool="u")
    journal.add("tool.started", after=10, tool="u")
    journal.add("tool.completed", after=1, tool="u")
    journal.add("tool.completed", after=1, tool="u")
    named, nameless = journal.metrics().tools
    assert (named.durations.total_s, named.durations.max_s) == (4.0, 2.0)
    assert (nameless.durations.total_s, nameless.durations.max_s) == (13.0, 12.0)


def test_a_repeated_end_counts_once_and_another_attempt_as_a_retry() -> None:
    journal = Journal()
    for call_id, success in (("a", True), ("a", True), ("b", False), ("b", True), ("b", True)):
        journal.add("tool.completed", tool="t", call_id=call_id, success=success)
        journal.add("service.completed", service="s", call_id=call_id, success=success)
    metrics = journal.metrics()
    for callee in (*metrics.tools, *metrics.services):
        assert (callee.calls, callee.successes, callee.failures, callee.retries) == (3, 2, 1, 1)


def test_an_id_that_is_used_again_is_a_new_call() -> None:
    journal = Journal()
    for _ in range(3):
        journal.add("tool.started", tool="t", call_id="1")
        journal.add("tool.completed", tool="t", call_id="1")
    assert journal.metrics().tools[0].calls == 3


def test_a_service_s_retries_are_api_calls_of_the_step_and_not_calls_that_ended() -> None:
    journal = Journal()
    journal.add("step.started", step=1)
    journal.add("service.started", step=1, service="api", call_id="a")
    journal.add("service.retry", step=1, service="api", call_id="a", attempt=1)
    journal.add("service.retry", step=1, call_id="a", attempt=2)
    journal.add("service.completed", step=1, service="api", call_id="a", duration_s=3)
    metrics = journal.metrics()
    service = metrics.services[0]
    assert (service.calls, service.successes, service.retries) == (1, 1, 2)
    assert metrics.steps[0].api_calls == 3


def test_a_failed_attempt_that_its_end_and_a_notice_tell_of_is_one() -> None:
    for identity in ({"call_id": "a"}, {}):
        journal = Journal()
        journal.add("step.started", step=1)
        journal.add("service.completed", step=1, service="api", success=False, **identity)
        journal.add("service.retry", step=1, service="api", attempt=1, **identity)
        journal.add("service.completed", step=1, service="api", success=True, **identity)
        metrics = journal.metrics()
        service = metrics.services[0]
        assert (service.calls, service.failures, service.retries) == (2, 1, 1)
        assert metrics.steps[0].api_calls == 2


def test_calls_that_never_end_do_not_fill_the_memory() -> None:
    journal = Journal()
    for number in range(50):
        journal.add("tool.started", tool="t", call_id=f"c{number}")
        journal.add("tool.started", tool="u")
    fold = Fold(None, FoldSettings(remembered_open=10))
    for line in journal.lines:
        fold.feed_line(line)
    assert [tool.open for tool in fold.metrics(journal.now).tools] == [10, 10]


def test_tool_calls_count_for_the_agent_that_made_them() -> None:
    journal = Journal()
    journal.tool("read", issue=7, agent="coding")
    journal.tool("read", issue="7", agent="coding")
    journal.tool("read", agent="coding")
    journal.tool("read")
    metrics = journal.metrics()
    assert metrics.issues[0].agents[0].tool_calls == 2
    assert metrics.agents[0].tool_calls == 3
