"""GitHub's answers about a branch, through PyGithub (extra ``forge``). A pipeline is a workflow run.

Must not wait or try again. **Source**: GitHub REST API, "Workflow runs", "Workflow jobs", "Artifacts", "Pulls".
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from runwatch.sources.forge import (
    MOST_ARTIFACT_BYTES,
    FailedJob,
    ForgeError,
    MergeRequest,
    Pipeline,
    coverage_in,
    explain,
    missing,
)

_CONCLUSIONS = {
    "success": "success",
    "neutral": "success",
    "cancelled": "canceled",
    "stale": "canceled",
    "skipped": "skipped",
    "timed_out": "timeout",
}
"""Conclusions of GitHub → states; all others are failures."""
_FAILED = frozenset({"failure", "timed_out", "startup_failure"})
"""Conclusions of a job that failed."""
_NAME = "GitHub"


class GitHubProvider:
    """Workflow runs and pull requests of one GitHub repository; for any thread."""

    def __init__(
        self,
        repository: str,
        *,
        workflow: str | int | None = None,
        url: str = "https://api.github.com",
        token: str | None = None,
        timeout_s: float = 20.0,
    ) -> None:
        """``repository``: ``owner/name``; ``workflow``: file name or id of the one that counts, else the newest run
        does; ``token``: else ``GITHUB_TOKEN`` or ``GH_TOKEN`` of the environment.

        Raises RunwatchError where PyGithub is not installed.
        """
        try:
            import github
            import requests
        except ImportError:
            raise missing(_NAME) from None
        self._github, self._requests = github, requests
        token = token or os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or None
        self._api = github.Github(
            auth=github.Auth.Token(token) if token else None,
            base_url=url,
            timeout=max(1, round(timeout_s)),
            per_page=100,
            retry=None,
            seconds_between_requests=None,
            lazy=True,
        )
        self._repository: Any = self._api.get_repo(repository)
        self._workflow = workflow
        self._named = repository
        self._owner = repository.partition("/")[0]

    def latest_pipeline(self, branch: str) -> Pipeline | None:
        """Return the newest workflow run of a branch."""
        with self._asking(f"the workflow runs of {branch} in {self._named}"):
            if self._workflow is None:
                runs = self._repository.get_workflow_runs(branch=branch)
            else:
                runs = self._repository.get_workflow(self._workflow).get_runs(branch=branch)
            newest = next(iter(runs), None)
            return None if newest is None else self._shown(newest)

    def pipeline(self, pipeline_id: int | str) -> Pipeline:
        """Return a workflow run as it stands now."""
        with self._asking(f"workflow run {pipeline_id} of {self._named}"):
            return self._shown(self._run(pipeline_id))

    def failed_jobs(self, pipeline_id: int | str) -> list[FailedJob]:
        """Return the jobs of the last attempt that failed."""
        with self._asking(f"the jobs of workflow run {pipeline_id} of {self._named}"):
            return [
                FailedJob(name=job.name, reason=job.conclusion)
                for job in self._run(pipeline_id).jobs("latest")
                if job.conclusion in _FAILED
            ]

    def coverage(self, pipeline_id: int | str) -> float | None:
        """Return the percent of a coverage report in the run's artifacts, those named like coverage first."""
        with self._asking(f"the artifacts of workflow run {pipeline_id} of {self._named}"):
            artifacts = [
                each
                for each in islice(self._run(pipeline_id).get_artifacts(), 200)
                if not each.expired and 0 < each.size_in_bytes <= MOST_ARTIFACT_BYTES
            ]
            for artifact in sorted(artifacts, key=lambda each: "cov" not in each.name.lower()):
                percent = coverage_in(self._download(artifact.archive_download_url))
                if percent is not None:
                    return percent
            return None

    def merge_request(self, branch: str) -> MergeRequest | None:
        """Return the newest pull request from a branch."""
        with self._asking(f"the pull requests of {branch} in {self._named}"):
            head = f"{self._owner}:{branch}"
            pulls = self._repository.get_pulls(state="all", head=head, sort="created", direction="desc")
            pull = next(iter(pulls), None)
            if pull is None:
                return None
            if pull.merged_at is not None:
                return MergeRequest(state="merged", url=pull.html_url)
            return MergeRequest(state="closed" if pull.state == "closed" else "open", url=pull.html_url)

    def _run(self, pipeline_id: int | str) -> Any:
        return self._repository.get_workflow_run(int(pipeline_id))

    def _shown(self, run: Any) -> Pipeline:
        """Return a run; its times are those of its jobs, since GitHub's own begin before anything waits."""
        ended = run.status == "completed"
        actor = run.raw_data.get("triggering_actor") or run.raw_data.get("actor") or {}
        begun = run.run_started_at or run.created_at
        jobs = list(run.jobs("latest")) if ended else []
        starts = [job.started_at for job in jobs if job.started_at is not None and job.conclusion != "skipped"]
        ends = [job.completed_at for job in jobs if job.completed_at is not None and job.conclusion != "skipped"]
        since = min(starts, default=None)
        until = max(ends, default=None)
        return Pipeline(
            pipeline_id=run.id,
            status=_CONCLUSIONS.get(run.conclusion, "failed") if ended else "running",
            commit_sha=run.head_sha,
            triggered_by=actor.get("login") or run.event,
            rerun=run.run_attempt or 1,
            started_at=_text(since),
            ended_at=_text(until),
            queued_s=_between(begun, since),
            duration_s=_between(since, until),
        )

    def _download(self, url: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "artifact.zip"
            self._api.requester.getFile(url, str(path), chunk_size=1 << 16)
            return path.read_bytes() if path.stat().st_size <= MOST_ARTIFACT_BYTES else b""

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Raise what goes wrong as a ForgeError."""
        try:
            yield
        except self._github.GithubException as error:
            said = error.data.get("message", "") if isinstance(error.data, dict) else str(error.data or "")
            raise explain(_NAME, what, error.status or None, said, _wait(error.headers or {})) from error
        except self._requests.exceptions.RequestException as error:
            raise explain(_NAME, what, None, type(error).__name__) from error
        except (AssertionError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ForgeError(f"{_NAME} answers in a form that is not known for {what}: {error!r}.") from error


def _wait(headers: dict[str, Any]) -> str | None:
    """Return how many seconds to wait. **Source**: GitHub REST API, "Rate limits", "Exceeding the rate limit"."""
    lower = {str(name).lower(): str(value) for name, value in headers.items()}
    if "retry-after" in lower:
        return lower["retry-after"]
    reset = lower.get("x-ratelimit-reset", "")
    if lower.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return str(max(0.0, int(reset) - time.time()))
    return None


def _between(since: datetime | None, until: datetime | None) -> float | None:
    return None if since is None or until is None else max(0.0, (until - since).total_seconds())


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
