"""Where a pipeline that is waited for is recorded: the run's journal, or a tracker of the user's own.

Must not ask a provider, nor raise into the program.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from runwatch.sdk.beside import beside
from runwatch.sdk.core import Emitter
from runwatch.sdk.issues import IssueState
from runwatch.sdk.pipeline_answers import Seen
from runwatch.sdk.plain import one_line, text

_WHERE = "PipelineMonitor"


class Target:
    """Where a pipeline is recorded."""

    def __init__(self, emitter: Emitter, state: IssueState | None, foreign: Any) -> None:
        self._emitter, self._state, self._foreign = emitter, state, foreign
        self._issue = {} if state is None else {"issue": state.issue}

    def started(self, found: Seen) -> None:
        """Record that a pipeline is under way."""
        if self._foreign is None:
            fields = {name: found.fields.get(name) for name in ("commit_sha", "triggered_by")}
            self._emit("pipeline.started", {"pipeline_id": found.pipeline_id, **fields, **self._attempt(found, None)})

    def given_up(self, found: Seen) -> None:
        """Record that nobody waits any longer for one that goes on."""
        self.completed(found, "timeout", [], "timeout", goes_on=True)

    def completed(
        self, found: Seen, status: str, jobs: list[str], error_type: str | None, *, goes_on: bool = False
    ) -> None:
        """Record how it ended."""
        more = {"failed_jobs": jobs, "error_type": error_type}
        if self._foreign is None:
            fields = {"pipeline_id": found.pipeline_id, "status": status, **found.fields, **more}
            fields |= {"goes_on": True} if goes_on else {}
            self._emit("pipeline.completed", {**fields, **self._attempt(found, None if goes_on else status)})
            return
        times = {"queue_time": found.queued_s, "execution_time": found.duration_s}
        sha, who = found.fields.get("commit_sha"), found.fields.get("triggered_by")
        try:
            self._foreign.record_pipeline_attempt(found.pipeline_id, status, sha, triggered_by=who, **times, **more)
        except Exception as error:  # noqa: BLE001 - the tracker is the user's
            self.warn(f"the issue tracker did not take pipeline {found.pipeline_id}: {one_line(error)}")

    async def verified(self, success: bool, agent: str | None, evidence: str) -> None:
        """Record the external truth; of a run that has been finalized, beside its sealed journal."""
        fields = {**self._issue, "success": success, "source": "forge", "evidence": evidence}
        fields |= {} if agent is None else {"agent": text(agent)}
        paths = self._emitter.paths
        if paths is None or not self._emitter.closed:
            self._emitter.emit("outcome.verified", fields)
            return
        try:
            await beside(lambda: _publish(paths.root, fields))
        except Exception as error:  # noqa: BLE001 - a full disk, a busy repository: the program goes on
            sentence = f"what became of the branch is not noted: {one_line(error)}"
            self._emitter.troubles.report("verified", sentence)

    def warn(self, sentence: str) -> None:
        """Record what could not be found out."""
        self._emit("warning", {"message": sentence[:1000], "where": _WHERE})

    def _attempt(self, found: Seen, status: str | None) -> dict[str, int]:
        if self._state is None:
            return {}
        sha = found.fields.get("commit_sha")
        return {"attempt": self._state.attempt_of(found.pipeline_id, found.rerun, status, sha)}

    def _emit(self, type_name: str, fields: dict[str, Any]) -> None:
        self._emitter.emit(type_name, {**self._issue, **fields})


def _publish(run_dir: Path, fields: dict[str, Any]) -> None:
    from runwatch.finalize import post
    from runwatch.settings import load

    post.publish(run_dir, load(Path.cwd(), os.environ), [("outcome.verified", fields)])
