"""One issue of a run: its agents, pipelines, debugging cycles, tokens and outcome, as events.

Must not count: the fold does. A misuse is a warning event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from runwatch.events.doubts import issue_doubt, pipeline_doubt, source_doubt
from runwatch.events.words import OUTCOME_SOURCES, ended_badly, ended_well, is_under_way, pipeline_state, repeats_end
from runwatch.sdk import active, call_told, pipeline_told
from runwatch.sdk.agents import Agent, Agents
from runwatch.sdk.core import Emitter
from runwatch.sdk.debugging import Cycle, Cycles
from runwatch.sdk.given import complain, truth, truth_or_none
from runwatch.sdk.plain import kind_of, shown, text
from runwatch.sdk.usage import complaints, usage_fields

if TYPE_CHECKING:
    from runwatch.sdk.run import RunLogger


class _Told(NamedTuple):
    """What was told last of a CI attempt."""

    number: int
    status: str | None = None
    commit: str | None = None


class IssueState:
    """What all trackers of one issue in this process share."""

    def __init__(self, issue_id: int | str) -> None:
        self.issue = issue_id
        self.agents = Agents()
        self.cycles = Cycles()
        self.pipelines = 0
        """CI attempts so far."""
        self._known: dict[tuple[str, int | str], _Told] = {}
        self.ended = False

    def attempt_of(
        self, pipeline_id: int | str, rerun: int | str, status: str | None = None, commit: str | None = None
    ) -> int:
        """Return which attempt is told of; without a ``status`` it goes on.

        It is the one known under the id until that has ended, and where the end is told again: the same state, and
        the same commit or none. A rerun is another one in any case.
        """
        key = (str(pipeline_id), rerun)
        told = self._known.get(key)
        if told is None or (
            told.status is not None and (status is None or not repeats_end(status, commit, told.status, told.commit))
        ):
            self.pipelines += 1
            told = _Told(self.pipelines)
        self._known[key] = _Told(told.number, status or told.status, commit or told.commit)
        return told.number

    def named_attempt(self, number: int) -> int:
        """Note the number that the program itself gave an attempt: those that follow count on from it."""
        self.pipelines = max(self.pipelines, number)
        return number

    def end(self) -> None:
        """Note that the issue has ended: no context names it or its agents any longer."""
        self.ended = True
        self.agents.leave_all()

    def check_end(self, emitter: Emitter, status: str) -> str:
        """Return the status of the issue's end; one that nobody knows is a warning."""
        if not ended_well(status) and not ended_badly(status):
            emitter.warn(issue_doubt(self.issue, status), "issue")
        return status


def register(emitter: Emitter, issue_id: int | str, title: str | None = None) -> IssueState:
    """Return the state of an issue; the first call emits ``issue.started``."""
    issue: int | str = issue_id if isinstance(issue_id, int) and not isinstance(issue_id, bool) else text(issue_id)
    state = IssueState(issue)
    known = emitter.issues.setdefault(str(issue), state)
    if known is state:
        emitter.emit("issue.started", {"issue": issue, "title": None if title is None else text(title)})
    assert isinstance(known, IssueState)
    return known


class IssueTracker:
    """The tracker of one issue of an open run; several of them for one issue share what they know."""

    def __init__(self, run_id: str | RunLogger, issue_id: int | str) -> None:
        """Track an issue of the run of that id. An unknown run is a warning, and the issue is counted in memory."""
        self._emitter = _emitter_of(run_id)
        self._state = register(self._emitter, issue_id)

    @property
    def issue_id(self) -> int | str:
        """Id of the issue."""
        return self._state.issue

    def __repr__(self) -> str:
        return f"<IssueTracker {self._state.issue!r} of {self._emitter.run_id or 'no run'}>"

    # --- agents

    def start_agent(self, name: str, *, max_attempts: int | None = None) -> None:
        """Begin an attempt of an agent; what the calling task does from now on is the agent's."""
        self._state.agents.start(self._emitter, self._state.issue, text(name), max_attempts)

    def end_agent(self, name: str, success: bool, error: object = None) -> None:
        """End the attempt that the agent has under way."""
        self._state.agents.end(self._emitter, self._state.issue, text(name), truth(success, "end_agent success"), error)

    def agent(self, name: str, *, max_attempts: int | None = None) -> Agent:
        """Return a context manager around an attempt; an exception is a failure. ``.fail(error)`` on it is one too."""
        return Agent(self._emitter, self._state.agents, self._state.issue, text(name), max_attempts)

    # --- what agents use and cause

    def record_token_usage(self, agent: str, usage: Any) -> None:
        """Record what a model call used: a mapping or an object, as model clients return it."""
        fields = usage_fields(usage)
        call_told.complain(self._emitter, complaints(usage), "the usage of a model call", "record_token_usage")
        if not fields:
            self._emitter.warn(f"usage of agent {text(agent)} says nothing of tokens or cost", "record_token_usage")
            return
        self._emit("llm.completed", {"agent": text(agent), "source": "usage", **fields})

    def record_pipeline_attempt(
        self, pipeline_id: int | str, status: str, commit_sha: str | None = None, **more: Any
    ) -> None:
        """Record one CI attempt; the same end told again, or one that a ``PipelineMonitor`` waited for, stays one.

        ``status``: success, failed, canceled, skipped or timeout, however it is spelled; told state by state (pending,
        running, …) it goes on until one of these. ``more``: queue_time and
        execution_time in seconds, failed_jobs, error_type, triggered_by; ``rerun`` or ``attempt`` tell apart those of
        one id. What cannot be meant is left out with a warning.
        """
        said = text(status)
        state = pipeline_state(said)
        fields, wrong = pipeline_told.fields_of({**more, "commit_sha": commit_sha})
        goes_on = is_under_way(said)
        number, rerun = fields.pop("attempt", None), fields.pop("rerun", 1)
        is_number = isinstance(pipeline_id, int) and not isinstance(pipeline_id, bool)
        found_id = pipeline_id if is_number else text(pipeline_id)
        ended = (None if goes_on else state or said, fields.get("commit_sha"))
        known = self._state.attempt_of(found_id, rerun, *ended) if number is None else self._state.named_attempt(number)
        fields |= {"pipeline_id": found_id, "attempt": known}
        if goes_on:
            self._emit("pipeline.started", fields)
        else:
            self._emit("pipeline.completed", {**fields, "status": state or said})
        if state is None and not goes_on:
            self._emitter.warn("; ".join([pipeline_doubt(found_id, said), *wrong]), "record_pipeline_attempt")
        elif wrong:
            self._emitter.warn(f"pipeline {found_id}: {'; '.join(wrong)}", "record_pipeline_attempt")

    def start_debugging_cycle(self, agent: str, error_type: str, error_message: str) -> None:
        """Begin to chase a failure."""
        self._state.cycles.start(
            self._emitter, self._state.issue, text(agent), kind_of(error_type), text(error_message)
        )

    def record_debug_attempt(self) -> None:
        """Record one try at a repair, in the cycle that was begun last."""
        self._state.cycles.attempt(self._emitter, self._state.issue)

    def end_debugging_cycle(self, resolved: bool, method: str | None = None) -> None:
        """End the cycle that was begun last."""
        self._state.cycles.end(
            self._emitter, self._state.issue, truth(resolved, "end_debugging_cycle resolved"), method
        )

    def debugging(self, agent: str, error_type: str, error_message: str) -> Cycle:
        """Return a context manager around a cycle: resolved unless an exception leaves it or it is told otherwise."""
        about = (text(agent), kind_of(error_type), text(error_message))
        return Cycle(self._emitter, self._state.cycles, self._state.issue, *about)

    def record_error(self, error_type: str | type | BaseException, message: object) -> None:
        """Record an error; its type is a word, an exception or the class of one."""
        self._emit("error", {"error_type": kind_of(error_type), "message": text(message)})

    def record_coverage(self, percent: float) -> None:
        """Record test coverage, 0 to 100."""
        self._emit("coverage.measured", {"percent": percent, "source": "sdk"})

    def record_outcome(self, success: bool | None, source: str, agent: str | None = None) -> None:
        """Record the external truth about the issue, or about the agent's last attempt at it.

        ``source``: git, forge, ci or person. It outranks what anybody said: what is neither true nor false is left out.
        """
        if success is None or truth_or_none(success) is None:
            said = f"record_outcome success {shown(success)} is neither true nor false: the outcome is left out"
            complain(f"{said}.", "record_outcome")
            return
        seen_by = text(source)
        if seen_by not in OUTCOME_SOURCES:
            complain(f"{source_doubt(seen_by)}.", "record_outcome")
        fields = {"success": truth(success, "record_outcome success"), "source": seen_by}
        self._emit("outcome.verified", {**fields, "agent": None if agent is None else text(agent)})

    # --- its end

    def finalize_issue(self, status: str) -> None:
        """End the issue; its report and CSV row appear. A second call is a warning."""
        if self._state.ended:
            self._emitter.warn(f"issue {self._state.issue} was finalized a second time, as {status}", "finalize_issue")
            return
        self._state.end()
        said = self._state.check_end(self._emitter, text(status))
        self._emit("issue.completed", {"status": said})  # several processes work at it: the journal knows how long

    def _emit(self, type_name: str, fields: Mapping[str, Any]) -> None:
        self._emitter.emit(type_name, {"issue": self._state.issue, **fields})


def _emitter_of(run_id: object) -> Emitter:
    emitter = getattr(run_id, "_emitter", None)
    if isinstance(emitter, Emitter):
        return emitter
    found = active.find(text(run_id))
    if found is not None:
        return found
    active.emitter().warn(f"no run {shown(run_id, 120)} is open: its issues are counted in memory", "IssueTracker")
    return active.memory()
