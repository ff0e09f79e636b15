"""GitHub's documented answers, from a server on loopback, through the real PyGithub."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from forge_server import Answer, Forge, forge, reset_time
from runwatch.sources.forge import FailedJob, ForgeError, MergeRequest, Pipeline
from runwatch.sources.forge_github import GitHubProvider

BASE = "/repos/octo/hello"


@pytest.fixture
def server() -> Iterator[Forge]:
    with forge() as running:
        yield running


@pytest.fixture
def github(server: Forge) -> GitHubProvider:
    return GitHubProvider("octo/hello", url=server.url, token="ghp_example")


def run(server: Forge, **more: Any) -> dict[str, Any]:
    """As "Get a workflow run" answers."""
    return {
        "id": 30433642, "name": "CI", "head_branch": "feature", "head_sha": "def456", "run_number": 5, "run_attempt": 2,
        "event": "push", "status": "completed", "conclusion": "failure", "created_at": "2026-11-21T10:00:00Z",
        "run_started_at": "2026-11-21T10:05:00Z", "updated_at": "2026-11-21T10:09:00Z", "actor": {"login": "ada"},
        "triggering_actor": {"login": "grace"}, "url": f"{server.url}{BASE}/actions/runs/30433642",
        "jobs_url": f"{server.url}{BASE}/actions/runs/30433642/jobs",
        "artifacts_url": f"{server.url}{BASE}/actions/runs/30433642/artifacts", **more,
    }  # fmt: skip


def job(name: str, conclusion: str | None, since: str | None, until: str | None) -> dict[str, Any]:
    moment = "2026-11-21T10:{}Z"
    times = {"started_at": since and moment.format(since), "completed_at": until and moment.format(until)}
    return {"id": 1, "name": name, "status": "completed", "conclusion": conclusion, **times}


JOBS = [
    job("test", "failure", "05:10", "08:10"),
    job("lint", "success", "05:20", "06:00"),
    job("deploy", "skipped", "08:30", "08:31"),
]


def ready(server: Forge, **more: Any) -> None:
    server.routes = {
        f"{BASE}/actions/runs": {"total_count": 1, "workflow_runs": [run(server, **more)]},
        f"{BASE}/actions/runs/30433642": run(server, **more),
        f"{BASE}/actions/runs/30433642/jobs": {"total_count": 3, "jobs": JOBS},
    }


def test_the_newest_run_of_a_branch_has_the_times_of_its_jobs_and_the_number_of_its_attempt(
    server: Forge, github: GitHubProvider
) -> None:
    ready(server)
    expected = Pipeline(
        pipeline_id=30433642, status="failed", commit_sha="def456", triggered_by="grace", rerun=2, queued_s=10.0,
        duration_s=180.0, started_at="2026-11-21T10:05:10Z", ended_at="2026-11-21T10:08:10Z",
    )  # fmt: skip
    assert github.latest_pipeline("feature") == expected
    assert github.pipeline(30433642) == expected
    assert server.asked[0][1]["branch"] == "feature"
    assert server.tokens == {"token ghp_example"}


@pytest.mark.parametrize(
    ("conclusion", "status"),
    [("success", "success"), ("neutral", "success"), ("cancelled", "canceled"), ("skipped", "skipped"),
     ("timed_out", "timeout"), ("failure", "failed"), ("startup_failure", "failed"), ("action_required", "failed")],
)  # fmt: skip
def test_each_conclusion_is_a_state(server: Forge, github: GitHubProvider, conclusion: str, status: str) -> None:
    ready(server, conclusion=conclusion)
    assert github.pipeline(30433642).status == status


def test_a_run_that_goes_on_is_not_asked_for_its_jobs(server: Forge, github: GitHubProvider) -> None:
    ready(server, status="in_progress", conclusion=None)
    assert github.pipeline(30433642).status == "running"
    assert not server.paths("/jobs")


def test_a_branch_without_runs_has_none(server: Forge, github: GitHubProvider) -> None:
    server.routes = {f"{BASE}/actions/runs": {"total_count": 0, "workflow_runs": []}}
    assert github.latest_pipeline("feature") is None


def test_a_workflow_may_be_named(server: Forge) -> None:
    ready(server)
    server.routes[f"{BASE}/actions/workflows/ci.yml/runs"] = server.routes.pop(f"{BASE}/actions/runs")
    github = GitHubProvider("octo/hello", workflow="ci.yml", url=server.url)
    found = github.latest_pipeline("feature")
    assert found is not None
    assert server.tokens == {None}


def test_failed_jobs_come_from_all_pages(server: Forge, github: GitHubProvider) -> None:
    path = f"{BASE}/actions/runs/30433642/jobs"

    def jobs(query: dict[str, str]) -> Answer:
        page = int(query.get("page", "1"))
        link = f'<{server.url}{path}?page={page + 1}>; rel="next"'
        rows = [job(f"test {page}", "failure", "05:10", "08:10"), job("lint", "success", "05:10", "08:10")]
        return Answer({"total_count": 6, "jobs": rows}, **({"Link": link} if page < 3 else {}))

    ready(server)
    server.routes[path] = jobs
    assert github.failed_jobs(30433642) == [FailedJob(name=f"test {page}", reason="failure") for page in (1, 2, 3)]


def test_coverage_comes_from_the_artifact_behind_a_redirection(server: Forge, github: GitHubProvider) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("out/coverage.json", json.dumps({"totals": {"covered_lines": 9, "num_statements": 10}}))
    ready(server)
    about = {"size_in_bytes": 10, "expired": False, "archive_download_url": f"{server.url}/no"}
    artifacts = [
        {"id": 1, **about, "name": "binaries"},
        {"id": 2, **about, "name": "coverage-old", "expired": True},
        {"id": 3, **about, "name": "coverage", "archive_download_url": f"{server.url}/zip"},
    ]
    server.routes |= {
        f"{BASE}/actions/runs/30433642/artifacts": {"total_count": 3, "artifacts": artifacts},
        "/zip": Answer({}, 302, Location=f"{server.url}/blob?signature=x"),
        "/blob": Answer(packed.getvalue()),
    }
    assert github.coverage(30433642) == 90.0
    assert "/no" not in server.paths()


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"state": "closed", "merged_at": "2026-11-21T10:00:00Z"}, "merged"),
        ({"state": "closed", "merged_at": None}, "closed"),
        ({"state": "open", "merged_at": None}, "open"),
    ],
)
def test_the_state_of_the_newest_pull_request(
    server: Forge, github: GitHubProvider, said: dict[str, Any], state: Any
) -> None:
    server.routes = {f"{BASE}/pulls": [[{"id": 1, "number": 4, "html_url": "https://g/4", **said}]]}
    assert github.merge_request("feature") == MergeRequest(state=state, url="https://g/4")
    assert server.asked[0][1]["head"] == "octo:feature"
    server.routes = {f"{BASE}/pulls": [[]]}
    assert github.merge_request("feature") is None


LIMITED = {"message": "API rate limit exceeded"}
SPENT = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": reset_time(600)}


@pytest.mark.parametrize(
    ("answer", "says", "is_lasting", "waits"),
    [
        (Answer({"message": "Bad credentials"}, 401), "refuses the token (401)", True, False),
        (Answer({"message": "Not Found"}, 404), "(404): check its name", True, False),
        (Answer({"message": "Resource not accessible"}, 403), "refuses", True, False),
        (Answer(LIMITED, 429, Retry_After="7"), "asks for fewer requests (429)", False, True),
        (Answer(LIMITED, 403, **SPENT), "fewer requests (403)", False, True),
        (Answer({"message": "oops"}, 502), "failed (502)", False, False),
        (Answer({"message": "busy"}, 503, Retry_After="2"), "failed (503)", False, True),
        (Answer(b"<html>"), "", False, False),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_one_sentence_and_is_told_at_once(
    server: Forge, github: GitHubProvider, answer: Answer, says: str, is_lasting: bool, waits: bool
) -> None:
    server.routes = {f"{BASE}/actions/runs": answer}
    with pytest.raises(ForgeError) as caught:
        github.latest_pipeline("feature")
    assert says in caught.value.sentence
    assert "\n" not in caught.value.sentence
    assert (caught.value.is_lasting, caught.value.retry_after_s is not None) == (is_lasting, waits)
    assert len(server.asked) == 1, "it waits or tries again by itself"


def test_a_server_that_does_not_answer_is_a_time_out(server: Forge) -> None:
    server.routes = {f"{BASE}/actions/runs": Answer([], hang=60)}
    with pytest.raises(ForgeError, match="did not answer"):
        GitHubProvider("octo/hello", url=server.url, timeout_s=0.1).latest_pipeline("feature")
