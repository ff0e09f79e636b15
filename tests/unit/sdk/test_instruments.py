"""Instruments that keep their Prometheus names, as events."""

from __future__ import annotations

import asyncio
import enum
import threading
from typing import Any

import pytest

from runwatch.fold import Fold
from runwatch.sdk.git import git_metrics
from runwatch.sdk.llm import llm_metrics
from runwatch.sdk.orchestration import dispatch_metrics, task_metrics, update_task_state_gauges
from sdk_recording import Recording


def _values(recording: Recording) -> dict[str, dict[tuple[str, ...], Any]]:
    """What the fold makes of the journal: name → labels → value, or (count, sum) of a histogram."""
    fold = Fold()
    for line in recording.paths.journal.read_bytes().splitlines(keepends=True):
        fold.feed_line(line)
    return {
        instrument.name: {
            tuple(series.labels.values()): series.value if series.count is None else (series.count, series.sum)
            for series in instrument.series
        }
        for instrument in fold.metrics("2026-11-21T10:00:00.000000Z").instruments
    }


def test_counters_gauges_and_histograms_add_up_as_the_client_librarys_do(recording: Recording) -> None:
    task_metrics.completion_total.labels("done", "coder").inc()
    task_metrics.completion_total.labels(worker_profile="coder", status="done").inc(2)
    task_metrics.execution_duration.labels(worker_profile="coder", phase="plan").observe(2.5)
    task_metrics.retry_count.observe(3)
    git_metrics.active_merges.inc()
    git_metrics.active_merges.inc(2)
    git_metrics.active_merges.dec()
    git_metrics.conflict_resolution_total.labels(result="success", method="model").inc()
    dispatch_metrics.loop_iterations.labels(run_id="r").inc()
    dispatch_metrics.tasks_dispatched_per_cycle.observe(4)
    values = _values(recording)
    assert values["task_completion_total"] == {("done", "coder"): 3.0}
    assert values["task_execution_duration_seconds"] == {("coder", "plan"): (1, 2.5)}
    assert values["task_retry_count"] == {(): (1, 3.0)}
    assert values["git_active_merges"] == {(): 2.0}
    assert values["git_conflict_resolution_total"] == {("success", "model"): 1.0}
    assert values["dispatch_loop_iterations_total"] == {("r",): 1.0}
    assert values["dispatch_tasks_dispatched_per_cycle"] == {(): (1, 4.0)}
    git_metrics.active_merges.set(7)
    assert _values(recording)["git_active_merges"] == {(): 7.0}


def test_time_measures_a_block_a_function_and_a_coroutine_and_lets_exceptions_through(recording: Recording) -> None:
    @dispatch_metrics.loop_cycle_duration.time()
    def cycle(value: int) -> int:
        return value + 1

    @dispatch_metrics.loop_cycle_duration.time()
    async def slow(value: int) -> int:
        await asyncio.sleep(0)
        return value + 2

    assert cycle(1) == 2
    assert asyncio.run(slow(1)) == 3
    with pytest.raises(KeyError), git_metrics.checkout_duration.time():
        raise KeyError
    values = _values(recording)
    assert values["dispatch_loop_cycle_duration_seconds"][()][0] == 2
    assert values["git_checkout_duration_seconds"][()][0] == 1


class Odd:
    """A value that answers every question with an exception."""

    def _refuse(self, *args: Any) -> Any:
        raise RuntimeError("no")

    __bool__ = __str__ = __repr__ = __float__ = __int__ = __iter__ = __len__ = __hash__ = __eq__ = _refuse  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("misuse", "says"),
    [
        (lambda: git_metrics.merge_total.labels(result="x").inc(-1), "never falls"),
        (lambda: git_metrics.merge_total.labels(result="x").observe(1), "is a counter and has no observe()"),
        (lambda: git_metrics.merge_total.inc(), "needs .labels(result=…)"),
        (lambda: git_metrics.merge_total.labels(color="x"), "has the labels result"),
        (lambda: task_metrics.retry_count.observe("many"), "'many' is no number"),  # type: ignore[arg-type]
        (lambda: task_metrics.retry_count.observe(-1), "observed -1 and left it out"),
        (lambda: task_metrics.retry_count.observe(Odd()), "is no number"),  # type: ignore[arg-type]
        (lambda: task_metrics.retry_count.inc(), "is a histogram and has no inc()"),
        (lambda: update_task_state_gauges(7), "tasks cannot be counted"),
    ],
)
def test_a_misuse_is_a_warning_event_and_no_exception(recording: Recording, misuse: Any, says: str) -> None:
    misuse()
    (warning,) = recording.events("warning")
    assert says in warning["message"]


def test_a_merge_is_one_event_and_what_its_block_says_of_it_is_in_there_once(recording: Recording) -> None:
    with git_metrics.track_merge() as merge:
        git_metrics.active_merges.inc()
        git_metrics.merge_total.labels(result="conflict").inc()
        git_metrics.conflicts_per_merge.observe(3)
        git_metrics.checkout_duration.observe(0.5)
        merge["files_modified"] = 12
        git_metrics.active_merges.dec()
    (event,) = recording.events("git.operation")
    assert (event["operation"], event["result"], event["conflict_count"]) == ("merge", "conflict", 3)
    assert (event["files_modified"], event["duration_s"] >= 0) == (12, True)
    values = _values(recording)
    assert values["git_merge_total"] == {("conflict",): 1.0}
    assert values["git_conflicts_per_merge"] == {(): (1, 3.0)}
    assert values["git_active_merges"] == {(): 0.0}
    assert values["git_merge_duration_seconds"][()][0] == 1
    assert values["git_checkout_duration_seconds"] == {(): (1, 0.5)}, "another fact"


def test_a_second_statement_in_a_block_counts_on_its_own(recording: Recording) -> None:
    with git_metrics.track_merge():
        git_metrics.merge_total.labels(result="success").inc()
        git_metrics.merge_total.labels(result="success").inc()
    assert _values(recording)["git_merge_total"] == {("success",): 2.0}


def test_a_merge_that_raises_is_an_error_and_is_no_longer_under_way(recording: Recording) -> None:
    def fails() -> None:
        assert _values(recording)["git_active_merges"] == {(): 1.0}
        raise OSError("refused")

    with pytest.raises(OSError, match="refused"), git_metrics.track_merge():
        fails()
    values = _values(recording)
    assert (values["git_merge_total"], values["git_active_merges"]) == ({("error",): 1.0}, {(): 0.0})


def test_a_merge_that_raises_after_its_success_was_said_is_an_error(recording: Recording) -> None:
    def merge(said: str, counted: str | None = None) -> None:
        with git_metrics.track_merge() as merge:
            if counted is None:
                merge["result"] = said
            else:
                git_metrics.merge_total.labels(result=counted).inc()
            raise OSError("late")

    for given in (("success",), ("conflict",), ("", "success")):
        with pytest.raises(OSError, match="late"):
            merge(*given)
    assert [event["result"] for event in recording.events("git.operation")] == ["error", "conflict", "error"]


def test_a_model_call_is_counted_once_however_the_block_states_it(recording: Recording) -> None:
    about = {"model": "m", "provider": "p"}
    with llm_metrics.track_request("m", "p") as request:
        llm_metrics.requests.labels(**about, result="success").inc()
        llm_metrics.request_duration.labels(**about).observe(1.25)
        llm_metrics.tokens.labels(**about, kind="prompt").inc(10)
        llm_metrics.tokens.labels(**about, kind="completion").inc(4)
        llm_metrics.cost.labels(**about).inc(0.5)
        request["prompt_tokens"] = 11
    (event,) = recording.events("llm.completed")
    assert (event["prompt_tokens"], event["completion_tokens"], event["cost_usd"]) == (11, 4, 0.5)
    values = _values(recording)
    assert values["llm_requests_total"] == {("m", "p", "success"): 1.0}
    assert values["llm_tokens_total"] == {("m", "p", "prompt"): 11.0, ("m", "p", "completion"): 4.0}
    assert values["llm_cost_dollars_total"] == {("m", "p"): 0.5}
    assert values["llm_request_duration_seconds"] == {("m", "p"): (1, 1.25)}


def test_a_rate_limit_inside_a_block_is_its_result_and_beside_an_answer_a_fact_of_its_own(recording: Recording) -> None:
    class RateLimitError(Exception):
        pass

    about = {"model": "m", "provider": "p"}

    def turned_away() -> None:
        llm_metrics.rate_limit_events.labels(**about).inc()
        raise RateLimitError

    with pytest.raises(RateLimitError), llm_metrics.track_request("m", "p"):
        turned_away()
    with llm_metrics.track_request("m", "p"):
        llm_metrics.rate_limit_events.labels(**about).inc()
    with llm_metrics.track_request("m", "p") as request:
        llm_metrics.rate_limit_events.labels(**about).inc()
        request.update(prompt_tokens=1, completion_tokens=1)
    assert [event.get("result") for event in recording.events("llm.completed")] == ["rate_limit", "rate_limit", None]
    values = _values(recording)
    assert values["llm_rate_limit_events_total"] == {("m", "p"): 3.0}
    assert values["llm_requests_total"] == {("m", "p", "rate_limit"): 2.0, ("m", "p", "success"): 1.0}


def test_what_is_said_of_another_model_or_in_another_task_is_not_the_blocks(recording: Recording) -> None:
    with llm_metrics.track_request("m", "p"):
        llm_metrics.requests.labels(model="other", provider="p", result="success").inc()
        thread = threading.Thread(target=git_metrics.merge_total.labels(result="success").inc)
        with git_metrics.track_merge() as merge:
            merge["result"] = "conflict"
            thread.start()
            thread.join()
    values = _values(recording)
    assert values["llm_requests_total"] == {("m", "p", "success"): 1.0, ("other", "p", "success"): 1.0}
    assert values["git_merge_total"] == {("conflict",): 1.0, ("success",): 1.0}


class _State(enum.Enum):
    READY = "ready"
    DONE = "done"


class _Task:
    def __init__(self, status: object) -> None:
        self.status = status


@pytest.mark.parametrize(
    "tasks",
    [
        [_Task("ready"), _Task(_State.READY), {"status": _State.DONE}],
        {"a": _Task("ready"), "b": {"status": "ready"}, "c": _Task("done")},
        {"ready": 2, _State.DONE: 1},
    ],
)
def test_tasks_are_counted_by_their_state(recording: Recording, tasks: object) -> None:
    update_task_state_gauges(tasks)
    assert _values(recording)["tasks_by_state"] == {("ready",): 2.0, ("done",): 1.0}


def test_a_bad_number_of_a_merge_is_left_out_and_the_merge_counts(recording: Recording) -> None:
    for files in (["a", "b"], 1.5, "many", -1, Odd(), 4):
        with git_metrics.track_merge() as merge:
            merge.update(files_modified=files, conflict_count=2)
    operations = recording.events("git.operation")
    assert [operation.get("files_modified") for operation in operations] == [2, None, None, None, None, 4]
    assert _values(recording)["git_merge_total"] == {("success",): 6.0}
    messages = [warning["message"] for warning in recording.events("warning")]
    assert len(messages) == 4
    assert messages[0] == "a merge: files_modified is '1.5', no number of them; left out, and the merge counts"


def test_a_bad_number_of_tasks_is_left_out_and_the_others_count(recording: Recording) -> None:
    update_task_state_gauges({"ready": 2, "done": -1, "lost": float("nan")})
    assert _values(recording)["tasks_by_state"] == {("ready",): 2.0}
    update_task_state_gauges({"ready": 0.5})
    assert _values(recording)["tasks_by_state"] == {("ready",): 2.0}
    assert [warning["message"] for warning in recording.events("warning")] == [
        "no number of tasks: done -1, lost nan; left out", "no number of tasks: ready 0.5; left out",
    ]  # fmt: skip
