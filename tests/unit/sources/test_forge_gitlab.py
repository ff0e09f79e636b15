"""GitLab's documented answers, from a server on loopback, through the real python-gitlab."""

from __future__ import annotations

import builtins
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from forge_server import Answer, Forge, forge
from runwatch.errors import RunwatchError
from runwatch.sources.forge import FailedJob, ForgeError, MergeRequest, Pipeline, explain
from runwatch.sources.forge_gitlab import GitLabProvider

BASE = "/api/v4/projects/168"


@pytest.fixture
def server() -> Iterator[Forge]:
    with forge() as running:
        yield running


@pytest.fixture
def gitlab(server: Forge) -> GitLabProvider:
    return GitLabProvider(168, url=server.url, token="glpat-example", timeout_s=20)


def pipeline(status: str = "failed", **more: Any) -> dict[str, Any]:
    """As "Get a single pipeline" answers."""
    return {
        "id": 4258, "iid": 11, "project_id": 168, "status": status, "ref": "feature", "sha": "abc123", "source": "push",
        "user": {"id": 1, "username": "ada", "name": "Ada"}, "created_at": "2026-11-21T10:00:00.000Z",
        "started_at": "2026-11-21T10:00:12.000Z", "finished_at": "2026-11-21T10:02:12.000Z", "duration": 120,
        "queued_duration": 12, "coverage": "81.5", "web_url": "https://gitlab.example/p/4258", **more,
    }  # fmt: skip


def test_the_latest_pipeline_of_a_branch_tells_queue_and_execution_apart_and_who_triggered_it(
    server: Forge, gitlab: GitLabProvider
) -> None:
    server.routes = {f"{BASE}/pipelines": [[{"id": 4258}]], f"{BASE}/pipelines/4258": pipeline()}
    assert gitlab.latest_pipeline("feature") == Pipeline(
        pipeline_id=4258, status="failed", commit_sha="abc123", triggered_by="ada", queued_s=12, duration_s=120,
        started_at="2026-11-21T10:00:12.000Z", ended_at="2026-11-21T10:02:12.000Z",
    )  # fmt: skip
    assert server.asked[0][1] == {"ref": "feature", "order_by": "id", "sort": "desc", "per_page": "1", "page": "1"}
    assert server.tokens == {"glpat-example"}


def test_a_branch_with_pipelines_of_its_merge_request_only_has_the_newest_of_these(
    server: Forge, gitlab: GitLabProvider
) -> None:
    server.routes = {
        f"{BASE}/pipelines": [[]],
        f"{BASE}/merge_requests": [[{"iid": 7, "id": 70}]],
        f"{BASE}/merge_requests/7": {"iid": 7, "id": 70, "head_pipeline": {"id": 4258}},
        f"{BASE}/pipelines/4258": pipeline("running"),
    }
    found = gitlab.latest_pipeline("feature")
    assert found is not None
    assert (found.pipeline_id, found.status) == (4258, "running")


def test_a_branch_without_pipelines_has_none(server: Forge, gitlab: GitLabProvider) -> None:
    server.routes = {f"{BASE}/pipelines": [[]], f"{BASE}/merge_requests": [[]]}
    assert gitlab.latest_pipeline("feature") is None


@pytest.mark.parametrize("state", ["created", "waiting_for_resource", "pending", "manual", "canceling", "unheard_of"])
def test_a_state_that_is_not_final_goes_on(server: Forge, gitlab: GitLabProvider, state: str) -> None:
    server.routes = {f"{BASE}/pipelines/4258": pipeline(state)}
    assert gitlab.pipeline(4258).status == "running"


def test_failed_jobs_come_from_all_pages_but_those_that_may_fail(server: Forge, gitlab: GitLabProvider) -> None:
    def jobs(query: dict[str, str]) -> Answer:
        page = int(query.get("page", "1"))
        path = f"{BASE}/pipelines/4258/jobs"
        link = f'<{server.url}{path}?page={page + 1}&per_page=100&scope=failed>; rel="next"'
        rows = [{"id": page * 10 + n, "name": f"job {page}.{n}", "failure_reason": "script_failure"} for n in (1, 2)]
        rows.append({"id": page, "name": "lint", "allow_failure": True})
        return Answer(rows, **({"Link": link} if page < 3 else {}))

    server.routes = {f"{BASE}/pipelines/4258/jobs": jobs}
    found = gitlab.failed_jobs(4258)
    assert server.asked[0][1] == {"scope[]": "failed", "per_page": "100"}
    assert [job.name for job in found] == ["job 1.1", "job 1.2", "job 2.1", "job 2.2", "job 3.1", "job 3.2"]
    assert found[0] == FailedJob(name="job 1.1", reason="script_failure")


def test_coverage_is_the_pipelines_own_number(server: Forge, gitlab: GitLabProvider) -> None:
    server.routes = {f"{BASE}/pipelines/4258": pipeline()}
    assert gitlab.coverage(4258) == 81.5


def test_without_one_it_is_read_from_the_artifacts_of_the_jobs(server: Forge, gitlab: GitLabProvider) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("notes.json", "{}")
        archive.writestr("coverage.json", json.dumps({"totals": {"covered_lines": 3, "num_statements": 4}}))
    server.routes = {
        f"{BASE}/pipelines/4258": pipeline(coverage=None),
        f"{BASE}/pipelines/4258/jobs": [[{"id": 1, "name": "build"}, {"id": 2, "artifacts_file": {"size": 99}}]],
        f"{BASE}/jobs/2/artifacts": Answer(packed.getvalue()),
    }
    assert gitlab.coverage(4258) == 75.0
    assert f"{BASE}/jobs/1/artifacts" not in server.paths()


@pytest.mark.parametrize(
    ("state", "seen"), [("merged", "merged"), ("closed", "closed"), ("opened", "open"), ("locked", "open")]
)
def test_the_state_of_the_newest_merge_request(server: Forge, gitlab: GitLabProvider, state: str, seen: str) -> None:
    server.routes = {f"{BASE}/merge_requests": [[{"iid": 7, "id": 70, "state": state, "web_url": "https://g/7"}]]}
    assert gitlab.merge_request("feature") == MergeRequest(state=seen, url="https://g/7")  # type: ignore[arg-type]
    assert server.asked[0][1]["source_branch"] == "feature"


@pytest.mark.parametrize(
    ("answer", "says", "is_lasting", "wait_s"),
    [
        (Answer({"message": "401 Unauthorized"}, 401), "refuses the token (401)", True, None),
        (Answer({"message": "404 Project Not Found"}, 404), "pipelines of feature in 168 (404)", True, None),
        (Answer({"message": "403 Forbidden"}, 403), "refuses", True, None),
        (Answer({"message": "Retry later"}, 429, Retry_After="7"), "asks for fewer requests (429)", False, 7.0),
        (Answer({"message": "oops"}, 500), "failed (500)", False, None),
        (Answer({"message": "busy"}, 503, Retry_After="2"), "failed (503)", False, 2.0),
        (Answer(b"<html>proxy</html>"), "in a form that is not known", False, None),
        (Answer({"not": "a list"}), "", False, None),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_one_sentence_and_is_told_at_once(
    server: Forge, gitlab: GitLabProvider, answer: Answer, says: str, is_lasting: bool, wait_s: float | None
) -> None:
    server.routes = {f"{BASE}/pipelines": answer}
    with pytest.raises(ForgeError) as caught:
        gitlab.latest_pipeline("feature")
    assert says in caught.value.sentence
    assert "\n" not in caught.value.sentence
    assert (caught.value.is_lasting, caught.value.retry_after_s) == (is_lasting, wait_s)
    assert len(server.asked) == 1, "it waits or tries again by itself"


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        (format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True), 3600.0, 7200.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, 0.0),
        ("Wed, 21 Oct 2099 07:28:00 -0000", 86_400.0, 10**10),
        ("-3", 0.0, 0.0),
    ],
)
def test_a_date_in_retry_after_is_as_good_as_seconds(said: str, least: float, most: float) -> None:
    asked_s = explain("GitLab", "x", 503, "busy", said).retry_after_s
    assert asked_s is not None
    assert least <= asked_s <= most


@pytest.mark.parametrize("said", ["soon", "", "nan", "inf", "Wed, 99 Oct 2015 07:28:00 GMT"])
def test_a_retry_after_that_says_nothing_is_none(said: str) -> None:
    assert explain("GitLab", "x", 503, "busy", said).retry_after_s is None


def test_a_server_that_does_not_answer_is_a_time_out_and_no_server_an_error(server: Forge) -> None:
    server.routes = {f"{BASE}/pipelines": Answer([], hang=60)}
    with pytest.raises(ForgeError, match="did not answer"):
        GitLabProvider(168, url=server.url, timeout_s=0.2).latest_pipeline("feature")
    with pytest.raises(ForgeError, match="did not answer"):
        GitLabProvider(168, url="http://127.0.0.1:1").latest_pipeline("feature")


def test_without_the_extra_one_sentence_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] in ("gitlab", "github"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RunwatchError, match=r"`pip install 'runwatch\[forge\]'`") as caught:
        GitLabProvider(168)
    assert "\n" not in caught.value.sentence
