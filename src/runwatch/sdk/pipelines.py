"""Pipelines of a branch, waited for and recorded, and what became of its merge request.

Must not raise into the program for what a forge does, block its event loop, or count: the fold does.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any, TypeVar

from runwatch.events.words import is_one_commit
from runwatch.sdk import active, pipeline_answers
from runwatch.sdk.beside import beside, waited
from runwatch.sdk.core import Emitter
from runwatch.sdk.given import seconds
from runwatch.sdk.issues import IssueTracker, register
from runwatch.sdk.pipeline_answers import Seen
from runwatch.sdk.pipeline_target import Target
from runwatch.sdk.plain import one_line, text
from runwatch.sources.forge import FINAL, PipelineProvider

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

POLL_S = 10.0
TIMEOUT_S = 3600.0
TRIES = 8
"""So often in a row may a question fail."""
FIRST_WAIT_S = 1.0
"""Longest wait after the first failure; each is twice the one before."""
MOST_WAIT_S = 30.0
"""Longest wait between two tries, unless the forge asks for more."""


class _GaveUp(Exception):
    """A question that was not answered; its text says why."""


class _TimeUp(Exception):
    """The time limit came first."""


class PipelineMonitor:
    """Watches the pipelines of branches through a provider. For asyncio and, with the ``_sync`` methods, plain code."""

    def __init__(
        self,
        provider: PipelineProvider | Any,
        issue_tracker: IssueTracker | Any = None,
        *,
        poll_s: float = POLL_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """``provider``: a ``PipelineProvider``, such as ``GitLabProvider`` or ``GitHubProvider``.

        Attempts go to the run of ``issue_tracker``, else to the active one. A pipeline is looked at every ``poll_s``
        seconds, and waited for ``timeout_s`` seconds in all.
        """
        self._provider = provider
        self._tracker = issue_tracker
        self._poll_s = seconds(poll_s, "PipelineMonitor poll_s", POLL_S)
        self._timeout_s = seconds(timeout_s, "PipelineMonitor timeout_s", TIMEOUT_S)

    async def track_pipeline(
        self, branch: str, issue_id: int | str | None = None, *, commit_sha: str | None = None
    ) -> dict[str, Any]:
        """Wait for the end of the branch's latest pipeline and record it as an attempt of the issue.

        Returns pipeline_id, status, failed_jobs and, in seconds or None, queue_time, execution_time and duration, which
        is the two together. ``status``: success, failed, canceled, skipped; timeout when time is up; error when the
        provider failed too often. With ``commit_sha`` a pipeline of another commit is not the one. A branch that was
        merged or closed by then is recorded as the issue's outcome.
        """
        watch = _Watch(self._provider, self._target(issue_id), text(branch), self._poll_s, self._timeout_s)
        return await watch.pipeline(None if commit_sha is None else text(commit_sha))

    def track_pipeline_sync(
        self, branch: str, issue_id: int | str | None = None, *, commit_sha: str | None = None
    ) -> dict[str, Any]:
        """Do what ``track_pipeline`` does, from plain code."""
        return waited(lambda: self.track_pipeline(branch, issue_id, commit_sha=commit_sha))

    async def verify_outcome(
        self, branch: str, issue_id: int | str | None = None, *, agent: str | None = None
    ) -> bool | None:
        """Record what became of the branch's merge request as the truth about the issue, or an agent's last attempt.

        Returns True (merged), False (closed) or None: still open, there is none, or nobody could say.
        """
        watch = _Watch(self._provider, self._target(issue_id), text(branch), self._poll_s, self._timeout_s)
        return await watch.outcome(agent)

    def verify_outcome_sync(
        self, branch: str, issue_id: int | str | None = None, *, agent: str | None = None
    ) -> bool | None:
        """Do what ``verify_outcome`` does, from plain code."""
        return waited(lambda: self.verify_outcome(branch, issue_id, agent=agent))

    def _target(self, issue_id: int | str | None) -> Target:
        emitter = getattr(self._tracker, "_emitter", None)
        if not isinstance(emitter, Emitter):
            emitter = active.emitter()
        if issue_id is None:
            issue_id = getattr(self._tracker, "issue_id", None)
        foreign = None if self._tracker is None or isinstance(self._tracker, IssueTracker) else self._tracker
        return Target(emitter, None if issue_id is None else register(emitter, issue_id), foreign)


class _Watch:
    """One pipeline that is waited for."""

    def __init__(self, provider: Any, target: Target, branch: str, poll_s: float, timeout_s: float) -> None:
        self._provider, self._target, self._branch, self._poll_s = provider, target, branch, poll_s
        self._deadline = time.monotonic() + timeout_s
        self._limit = f"{timeout_s:g} s"
        self._found: Seen | None = None
        self._is_answered = False
        """Whether the last question was, and"""
        self._failed: Exception | None = None
        """why not, where the provider said so."""

    async def pipeline(self, commit_sha: str | None) -> dict[str, Any]:
        """Wait for the pipeline's end and record it."""
        try:
            found = await self._end(commit_sha)
        except _TimeUp:
            return self._late()
        except _GaveUp as error:
            self._target.warn(f"the pipeline of branch {self._branch} is not known: {error}")
            return self._mapping("error", [])
        jobs, kinds = await self._failed_jobs(found)
        self._target.completed(found, found.status, jobs, kinds)
        await self.outcome(None, is_asked=False)
        return self._mapping(found.status, jobs)

    def _late(self) -> dict[str, Any]:
        """Record what is known when time is up: a pipeline that goes on, none, or a provider that cannot say."""
        if self._found is not None:
            self._target.given_up(self._found)
        elif self._is_answered:
            self._target.warn(f"branch {self._branch} had no pipeline within {self._limit}")
        if not self._is_answered:
            self._target.warn(f"the pipeline of branch {self._branch} is not known: {self._silence()}")
        return self._mapping("error" if self._found is None and self._failed is not None else "timeout", [])

    def _silence(self) -> str:
        """Return why the last question has no answer although there is no more time."""
        if self._failed is None:
            return f"no answer within {self._limit}"
        return f"{_reason(self._failed).rstrip('.')} (still so after {self._limit})"

    async def outcome(self, agent: str | None, *, is_asked: bool = True) -> bool | None:
        """Record whether the branch was merged or closed; ``is_asked``: say so where nobody can tell."""
        if not hasattr(self._provider, "merge_request"):
            return None
        try:
            read = pipeline_answers.merge_state
            answer = await self._ask("merge_request", read, self._branch, tries=TRIES if is_asked else 1)
        except (_TimeUp, _GaveUp) as error:
            if is_asked:
                reason = text(error) or self._silence()
                self._target.warn(f"whether branch {self._branch} was merged is not known: {reason}")
            return None
        state, url = answer
        if state not in ("merged", "closed"):
            return None
        evidence = f"branch {self._branch} {state}{f', {url}' if url else ''}"
        await self._target.verified(state == "merged", agent, evidence)
        return state == "merged"

    async def _end(self, commit_sha: str | None) -> Seen:
        """Return the pipeline once it has ended. Raises _TimeUp, _GaveUp."""
        while True:
            if self._found is None:
                found = await self._ask("latest_pipeline", pipeline_answers.seen, self._branch)
                if found is not None and commit_sha and not _same(found.fields.get("commit_sha"), commit_sha):
                    found = None
            else:
                found = await self._ask("pipeline", pipeline_answers.seen, self._found.pipeline_id) or self._found
            if found is not None:
                is_new, self._found = self._found is None, found
                if found.status in FINAL:
                    return found
                if is_new:
                    self._target.started(found)
            await self._sleep(self._poll_s)

    async def _failed_jobs(self, found: Seen) -> tuple[list[str], str | None]:
        if found.status not in ("failed", "timeout") or not hasattr(self._provider, "failed_jobs"):
            return [], None
        try:
            return await self._ask("failed_jobs", pipeline_answers.failed_jobs, found.pipeline_id)
        except (_TimeUp, _GaveUp) as error:
            reason = text(error) or self._silence()
            self._target.warn(f"the failed jobs of pipeline {found.pipeline_id} are not known: {reason}")
            return [], None

    def _mapping(self, status: str, jobs: list[str]) -> dict[str, Any]:
        found = self._found
        queued, ran = (None, None) if found is None else (found.queued_s, found.duration_s)
        return {
            "pipeline_id": None if found is None else found.pipeline_id,
            "status": status,
            "duration": None if queued is None and ran is None else (queued or 0.0) + (ran or 0.0),
            "failed_jobs": jobs,
            "queue_time": queued,
            "execution_time": ran,
        }

    async def _ask(self, method: str, read: Callable[[Any], T], *args: Any, tries: int = TRIES) -> T:
        """Ask the provider, again where it fails, and read its answer. Raises _TimeUp, _GaveUp."""
        wait_s = min(FIRST_WAIT_S, self._poll_s)
        self._is_answered, self._failed = False, None
        for at in range(1, tries + 1):
            try:
                answer = read(await self._once(getattr(self._provider, method), *args))
                self._is_answered = True
                return answer
            except _TimeUp:
                raise
            except Exception as error:
                self._failed = error
                if getattr(error, "is_lasting", False) or isinstance(error, AttributeError | NotImplementedError):
                    raise _GaveUp(_reason(error)) from error
                if at == tries:
                    raise _GaveUp(f"{_reason(error).rstrip('.')} (tried {at} times)") from error
                asked_s = getattr(error, "retry_after_s", None)
            await self._sleep(max(wait_s, asked_s or 0.0))
            wait_s = min(2 * wait_s, MOST_WAIT_S)
        raise AssertionError("unreachable")

    async def _once(self, method: Any, *args: Any) -> Any:
        """Call one method of the provider, a plain one beside the loop. Raises _TimeUp, and what it raises."""
        left_s = self._deadline - time.monotonic()
        if left_s <= 0 and self._found is not None:
            raise _TimeUp
        answer = method(*args) if inspect.iscoroutinefunction(method) else beside(lambda: method(*args))
        try:
            async with asyncio.timeout(max(left_s, 1.0)) as limit:
                answer = await answer
                return await answer if inspect.isawaitable(answer) else answer
        except TimeoutError:
            if limit.expired():
                raise _TimeUp from None
            raise

    async def _sleep(self, seconds: float) -> None:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise _TimeUp
        await asyncio.sleep(min(seconds, left_s))
        if seconds > left_s:
            raise _TimeUp


def _reason(error: Exception) -> str:
    return getattr(error, "sentence", None) or one_line(error)


def _same(sha: str | None, wanted: str) -> bool:
    return sha is not None and is_one_commit(sha, wanted)
