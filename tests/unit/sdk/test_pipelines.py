"""Pipelines that are waited for and recorded, from providers that answer, fail, hang or are GitLab itself."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from forge_server import Answer, Forge, forge
from runwatch.sdk.issues import IssueTracker
from runwatch.sdk.pipelines import PipelineMonitor
from runwatch.sources.forge import FailedJob, ForgeError, MergeRequest, Pipeline
from runwatch.sources.forge_gitlab import GitLabProvider
from sdk_recording import Recording

RUNNING = Pipeline(pipeline_id=4258, status="running", commit_sha="abc123", triggered_by="ada")
FAILED = Pipeline(
    pipeline_id=4258, status="failed", commit_sha="abc123", triggered_by="ada", queued_s=12.0, duration_s=120.0,
    started_at="2026-11-21T10:00:12Z", ended_at="2026-11-21T10:02:12Z",
)  # fmt: skip


class Provider:
    """Answers from lists of which the last stays; an exception is raised."""

    def __init__(self, *pipelines: Any, jobs: Any = (), request: Any = None) -> None:
        self._answers = list(pipelines)
        self._jobs, self._request = jobs, request
        self.asked = 0

    def _next(self) -> Any:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def latest_pipeline(self, branch: str) -> Any:
        return self._next()

    def pipeline(self, pipeline_id: int | str) -> Any:
        return self._next()

    def failed_jobs(self, pipeline_id: int | str) -> Any:
        return self._jobs

    def coverage(self, pipeline_id: int | str) -> float | None:
        return None

    def merge_request(self, branch: str) -> Any:
        if isinstance(self._request, Exception):
            raise self._request
        return self._request


def quick(provider: Any, tracker: Any = None, timeout_s: float = 60.0) -> PipelineMonitor:
    return PipelineMonitor(provider, tracker, poll_s=0.005, timeout_s=timeout_s)


def facts(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("ts", "writer", "seq", "pid", "mono")}


def test_a_pipeline_is_waited_for_and_recorded_with_queue_and_execution_apart(recording: Recording) -> None:
    jobs = [FailedJob(name="test", reason="script_failure"), FailedJob(name="lint", reason="script_failure")]
    provider = Provider(None, RUNNING, RUNNING, FAILED, jobs=jobs)
    found = asyncio.run(quick(provider).track_pipeline("feature", 123))
    assert found == {
        "pipeline_id": 4258, "status": "failed", "duration": 132.0, "failed_jobs": ["test", "lint"], "queue_time": 12.0,
        "execution_time": 120.0,
    }  # fmt: skip
    assert provider.asked == 4
    started, completed = map(facts, recording.events("pipeline.started", "pipeline.completed"))
    about = {"issue": 123, "pipeline_id": 4258, "commit_sha": "abc123", "triggered_by": "ada", "attempt": 1}
    assert started == {"type": "pipeline.started", **about}
    assert completed == {
        "type": "pipeline.completed", **about, "status": "failed", "queued_s": 12.0, "duration_s": 120.0,
        "started_at": "2026-11-21T10:00:12Z", "ended_at": "2026-11-21T10:02:12Z", "failed_jobs": ["test", "lint"],
        "error_type": "script_failure",
    }  # fmt: skip


def test_attempts_are_counted_over_pipelines_reruns_and_those_recorded_by_hand(recording: Recording) -> None:
    tracker = IssueTracker(recording.emitter.run_id or "", 123)
    tracker.record_pipeline_attempt(1, "failed")
    seen = [
        FAILED,
        FAILED,  # told again: the same attempt
        Pipeline(pipeline_id=4258, status="success", rerun=2),
        Pipeline(pipeline_id=4260, status="success"),
    ]
    for pipeline in seen:
        quick(Provider(pipeline), tracker).track_pipeline_sync("feature")
    assert [event["attempt"] for event in recording.events("pipeline.completed")] == [1, 2, 2, 3, 4]
    assert {event["issue"] for event in recording.events("pipeline.completed")} == {123}


def test_only_the_pipeline_of_a_commit_may_be_asked_for(recording: Recording) -> None:
    newer = Pipeline(pipeline_id=4259, status="success", commit_sha="def4567890")
    found = quick(Provider(FAILED, FAILED, newer)).track_pipeline_sync("feature", 1, commit_sha="def456")
    assert (found["pipeline_id"], found["status"]) == (4259, "success")


def test_a_time_out_is_a_status_and_a_branch_without_pipeline_a_warning(recording: Recording) -> None:
    found = quick(Provider(RUNNING), timeout_s=0.05).track_pipeline_sync("feature", 1)
    assert (found["pipeline_id"], found["status"], found["duration"]) == (4258, "timeout", None)
    assert recording.events("pipeline.completed")[-1]["status"] == "timeout"
    found = quick(Provider(None), timeout_s=0.05).track_pipeline_sync("other", 1)
    assert (found["pipeline_id"], found["status"]) == (None, "timeout")
    assert recording.events("warning")[-1]["message"] == "branch other had no pipeline within 0.05 s"
    assert len(recording.events("pipeline.completed")) == 1


def test_errors_are_tried_again_with_longer_waits_and_as_long_as_the_forge_asks(recording: Recording) -> None:
    started = time.monotonic()
    limited = ForgeError("GitLab asks for fewer requests (429).", retry_after_s=0.3)
    provider = Provider(ConnectionError("reset"), limited, TimeoutError(), RUNNING, OSError("again"), FAILED)
    assert quick(provider).track_pipeline_sync("feature", 1)["status"] == "failed"
    assert time.monotonic() - started >= 0.3
    assert not recording.events("warning")


def test_a_provider_that_keeps_failing_is_recorded_and_never_raised(recording: Recording) -> None:
    found = quick(Provider(ConnectionError("reset"))).track_pipeline_sync("feature", 1)
    assert (found["pipeline_id"], found["status"], found["failed_jobs"]) == (None, "error", [])
    said = recording.events("warning")[-1]
    assert said["message"] == ("the pipeline of branch feature is not known: ConnectionError: reset (tried 8 times)")
    assert (said["issue"], said["where"]) == (1, "PipelineMonitor")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [(ConnectionError("reset"), "ConnectionError: reset"), ("garbage", "no pipeline_id or no status")],
)
def test_a_provider_that_fails_until_time_is_up_is_an_error_with_its_cause(
    recording: Recording, answer: Any, cause: str
) -> None:
    found = PipelineMonitor(Provider(answer), poll_s=30.0, timeout_s=0.05).track_pipeline_sync("feature", 1)
    assert (found["pipeline_id"], found["status"]) == (None, "error")
    (said,) = recording.events("warning")
    assert said["message"].startswith("the pipeline of branch feature is not known: ")
    assert cause in said["message"]
    assert said["message"].endswith(" (still so after 0.05 s)")


def test_a_provider_that_fails_at_last_leaves_a_time_out_with_its_cause(recording: Recording) -> None:
    provider = Provider(RUNNING, ForgeError("GitLab asks for fewer requests (429).", retry_after_s=60.0))
    found = quick(provider, timeout_s=0.5).track_pipeline_sync("feature", 1)
    assert (found["pipeline_id"], found["status"]) == (4258, "timeout"), "it was there, and went on"
    assert recording.events("pipeline.completed")[-1]["status"] == "timeout"
    (said,) = recording.events("warning")
    assert said["message"].endswith("GitLab asks for fewer requests (429) (still so after 0.5 s)")


def test_an_error_that_lasts_is_not_tried_again(recording: Recording) -> None:
    provider = Provider(ForgeError("GitLab refuses the token (401).", is_lasting=True))
    assert quick(provider).track_pipeline_sync("feature", 1)["status"] == "error"
    assert provider.asked == 1


def test_a_provider_that_hangs_neither_blocks_the_loop_nor_outlasts_the_limit(recording: Recording) -> None:
    release = threading.Event()

    class Hangs(Provider):
        def pipeline(self, pipeline_id: int | str) -> Any:
            release.wait(60)

    async def both() -> tuple[dict[str, Any], int]:
        task = asyncio.ensure_future(quick(Hangs(RUNNING), timeout_s=1.2).track_pipeline("feature", 1))
        turns = 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0.01)
        return task.result(), turns

    try:
        found, turns = asyncio.run(both())
    finally:
        release.set()
    assert found["status"] == "timeout"
    assert turns > 10


def test_providers_may_be_coroutines_and_answer_with_mappings_and_their_own_words(recording: Recording) -> None:
    class Asynchronous:
        async def latest_pipeline(self, branch: str) -> Any:
            return {"id": "p1", "status": "Passed", "sha": "abc", "queued_duration": "2", "duration": 3}

        async def merge_request(self, branch: str) -> Any:
            return {"state": "opened"}

    found = quick(Asynchronous()).track_pipeline_sync("feature", "A-1")
    assert found == {
        "pipeline_id": "p1", "status": "success", "duration": 5.0, "failed_jobs": [], "queue_time": 2.0,
        "execution_time": 3.0,
    }  # fmt: skip


def test_an_answer_that_is_no_pipeline_is_recorded_as_such(recording: Recording) -> None:
    assert quick(Provider({"ref": "feature"})).track_pipeline_sync("feature", 1)["status"] == "error"
    assert "no pipeline_id or no status" in recording.events("warning")[-1]["message"]


def test_a_merged_branch_is_the_issues_outcome_and_a_closed_one_its_failure(recording: Recording) -> None:
    merged = MergeRequest(state="merged", url="https://g/7")
    quick(Provider(FAILED, request=merged)).track_pipeline_sync("feature", 1)
    assert [facts(event) for event in recording.events("outcome.verified")] == [{
        "type": "outcome.verified", "issue": 1, "success": True, "source": "forge",
        "evidence": "branch feature merged, https://g/7",
    }]  # fmt: skip
    monitor = quick(Provider(FAILED, request=MergeRequest(state="closed")))
    assert monitor.verify_outcome_sync("feature", 1, agent="review") is False
    assert recording.events("outcome.verified")[-1]["agent"] == "review"
    assert quick(Provider(FAILED, request=MergeRequest(state="open"))).verify_outcome_sync("feature", 1) is None
    assert quick(Provider(FAILED, request=OSError("down"))).verify_outcome_sync("feature", 1) is None
    assert "whether branch feature was merged is not known" in recording.events("warning")[-1]["message"]


def test_a_tracker_of_the_users_own_is_told_and_may_fail(recording: Recording) -> None:
    told: list[Any] = []

    class Own:
        def record_pipeline_attempt(self, *args: Any, **more: Any) -> None:
            told.append((args, more["queue_time"], more["failed_jobs"]))
            raise RuntimeError("full")

    quick(Provider(FAILED, jobs=["test"]), Own()).track_pipeline_sync("feature", 1)
    assert told == [((4258, "failed", "abc123"), 12.0, ["test"])]
    assert "did not take pipeline 4258" in recording.events("warning")[-1]["message"]


def test_the_plain_form_works_inside_a_running_loop(recording: Recording) -> None:
    async def program() -> dict[str, Any]:
        return quick(Provider(FAILED)).track_pipeline_sync("feature", 1)

    assert asyncio.run(program())["status"] == "failed"
    assert recording.events("pipeline.completed")


def test_a_cancelled_wait_ends(recording: Recording) -> None:
    async def program() -> None:
        task = asyncio.ensure_future(quick(Provider(RUNNING)).track_pipeline("feature", 1))
        await asyncio.sleep(0.03)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(program())


@pytest.fixture
def server() -> Iterator[Forge]:
    with forge() as running:
        yield running


def test_gitlab_may_fail_ask_for_patience_and_go_on_before_it_ends(recording: Recording, server: Forge) -> None:
    base = "/api/v4/projects/168"
    ended = {"id": 4260, "status": "success", "sha": "def456", "duration": 30, "queued_duration": 2}
    server.routes = {
        f"{base}/pipelines": [
            Answer({"message": "oops"}, 502),
            Answer({"message": "later"}, 429, Retry_After="0.05"),
            Answer([{"id": 4260}]),
        ],
        f"{base}/pipelines/4260": [{"id": 4260, "status": "pending", "sha": "def456"}, Answer({}, 500), ended],
        f"{base}/merge_requests": [[{"iid": 7, "id": 70, "state": "merged", "web_url": "https://g/7"}]],
    }
    found = quick(GitLabProvider(168, url=server.url)).track_pipeline_sync("feature", 123)
    assert (found["pipeline_id"], found["status"], found["queue_time"]) == (4260, "success", 2.0)
    assert recording.types() == ["issue.started", "pipeline.started", "pipeline.completed", "outcome.verified"]
