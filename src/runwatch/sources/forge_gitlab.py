"""GitLab's answers about a branch, through python-gitlab (extra ``forge``).

Must not wait or try again, nor follow what GitLab says to another host with the token.
**Source**: GitLab REST API v4, "Pipelines", "Jobs", "Merge requests", "Job artifacts".
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

_STATES = {"success": "success", "failed": "failed", "canceled": "canceled", "skipped": "skipped"}
"""GitLab's states that are final; all others go on."""
_AT_ONCE = {"obey_rate_limit": False, "max_retries": 0}
"""python-gitlab would sleep as long as the server says, and hold our time limit up."""
_NAME = "GitLab"


class GitLabProvider:
    """Pipelines and merge requests of one GitLab project; for any thread."""

    def __init__(
        self,
        project: int | str,
        *,
        url: str = "https://gitlab.com",
        token: str | None = None,
        timeout_s: float = 20.0,
    ) -> None:
        """``project``: id or ``group/name``; ``token``: else ``GITLAB_TOKEN`` of the environment.

        Raises RunwatchError where python-gitlab is not installed.
        """
        try:
            import gitlab
            import requests
        except ImportError:
            raise missing(_NAME) from None
        self._gitlab, self._requests = gitlab, requests
        self._last = threading.local()
        session = requests.Session()
        session.hooks["response"].append(self._note)
        self._api = gitlab.Gitlab(
            url,
            private_token=token or os.environ.get("GITLAB_TOKEN") or None,
            timeout=timeout_s,
            keep_base_url=True,  # pages are asked for where the first was: a token goes to no other host
            session=session,
        )
        self._project: Any = self._api.projects.get(project, lazy=True)
        self._named = str(project)

    def latest_pipeline(self, branch: str) -> Pipeline | None:
        """Return the newest pipeline of a branch; where it has only some of merge requests, the newest of these."""
        with self._asking(f"the pipelines of {branch} in {self._named}"):
            newest = {"order_by": "id", "sort": "desc", "per_page": 1, "page": 1, "get_all": False}
            found = self._project.pipelines.list(ref=branch, **newest, **_AT_ONCE)
            if found:
                return self._shown(self._project.pipelines.get(found[0].id, **_AT_ONCE))
            request = self._newest_request(branch)
            if request is None:
                return None
            head = self._project.mergerequests.get(request.iid, **_AT_ONCE).attributes.get("head_pipeline")
            return None if head is None else self._shown(self._project.pipelines.get(head["id"], **_AT_ONCE))

    def pipeline(self, pipeline_id: int | str) -> Pipeline:
        """Return a pipeline as it stands now."""
        with self._asking(f"pipeline {pipeline_id} of {self._named}"):
            return self._shown(self._project.pipelines.get(pipeline_id, **_AT_ONCE))

    def failed_jobs(self, pipeline_id: int | str) -> list[FailedJob]:
        """Return the jobs that failed and were not allowed to, in the order of GitLab."""
        with self._asking(f"the jobs of pipeline {pipeline_id} of {self._named}"):
            pipeline = self._project.pipelines.get(pipeline_id, lazy=True)
            jobs = pipeline.jobs.list(scope="failed", iterator=True, per_page=100, **_AT_ONCE)
            return [
                FailedJob(name=job.name, reason=job.attributes.get("failure_reason"))
                for job in jobs
                if not job.attributes.get("allow_failure")
            ]

    def coverage(self, pipeline_id: int | str) -> float | None:
        """Return the pipeline's coverage in percent: GitLab's own number, else of a report in its jobs' artifacts."""
        with self._asking(f"the coverage of pipeline {pipeline_id} of {self._named}"):
            pipeline = self._project.pipelines.get(pipeline_id, **_AT_ONCE)
            said = pipeline.attributes.get("coverage")
            if said is not None:
                return float(said)
            for job in pipeline.jobs.list(iterator=True, per_page=100, **_AT_ONCE):
                archive = job.attributes.get("artifacts_file") or {}
                if not 0 < archive.get("size", 0) <= MOST_ARTIFACT_BYTES:
                    continue
                data = self._project.jobs.get(job.id, lazy=True).artifacts(**_AT_ONCE)
                if isinstance(data, bytes) and (percent := coverage_in(data)) is not None:
                    return percent
            return None

    def merge_request(self, branch: str) -> MergeRequest | None:
        """Return the newest merge request from a branch."""
        with self._asking(f"the merge requests of {branch} in {self._named}"):
            request = self._newest_request(branch)
            if request is None:
                return None
            state = request.attributes.get("state")
            return MergeRequest(
                state="merged" if state == "merged" else "closed" if state == "closed" else "open",
                url=request.attributes.get("web_url"),
            )

    def _newest_request(self, branch: str) -> Any:
        newest = {"order_by": "created_at", "sort": "desc", "per_page": 1, "page": 1, "get_all": False}
        found = self._project.mergerequests.list(source_branch=branch, state="all", **newest, **_AT_ONCE)
        return found[0] if found else None

    def _shown(self, pipeline: Any) -> Pipeline:
        said: Callable[[str], Any] = pipeline.attributes.get
        return Pipeline(
            pipeline_id=pipeline.id,
            status=_STATES.get(said("status"), "running"),
            commit_sha=said("sha"),
            triggered_by=(said("user") or {}).get("username") or said("source"),
            started_at=said("started_at"),
            ended_at=said("finished_at"),
            queued_s=said("queued_duration"),
            duration_s=said("duration"),
        )

    def _note(self, response: Any, *_: Any, **__: Any) -> None:
        self._last.retry_after = response.headers.get("Retry-After")

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Raise what goes wrong as a ForgeError."""
        self._last.retry_after = None
        try:
            yield
        except self._gitlab.exceptions.GitlabParsingError as error:
            raise _unknown(what, error) from error
        except self._gitlab.exceptions.GitlabError as error:
            wait = self._last.retry_after
            raise explain(_NAME, what, error.response_code, str(error.error_message), wait) from error
        except self._requests.exceptions.RequestException as error:
            # Its own words may hold the URL with a token.
            raise explain(_NAME, what, None, type(error).__name__) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _unknown(what, error) from error


def _unknown(what: str, error: Exception) -> ForgeError:
    return ForgeError(f"{_NAME} answers in a form that is not known for {what}: {error!r:.200}.")
