"""Events of agents, pipelines, debugging cycles, tasks and dispatchers.

No clock, no path, no I/O. Source of the fields: record.md, "The journal".
"""

from __future__ import annotations

from runwatch.events.bounds import Seconds, Whole
from runwatch.events.envelope import Event


class AgentStarted(Event, tag="agent.started"):
    """An attempt of an agent began; who it is stands in the envelope's ``agent``."""

    attempt: Whole | None = None
    """Number of the attempt, from 1."""
    max_attempts: Whole | None = None
    """How many there may be."""


class AgentCompleted(Event, tag="agent.completed"):
    """An attempt of an agent ended."""

    attempt: Whole | None = None
    """Number of the attempt, from 1."""
    success: bool = True
    """What the agent said of it."""
    error: str | None = None
    """Why it failed."""
    duration_s: Seconds | None = None
    """Seconds."""


class PipelineStarted(Event, tag="pipeline.started"):
    """A CI attempt began."""

    pipeline_id: int | str
    """The forge's id."""
    commit_sha: str | None = None
    """What it runs on."""
    triggered_by: str | None = None
    """Person, agent or event."""
    attempt: Whole | None = None
    """Number of the attempt for the issue, from 1."""
    started_at: str | None = None
    """RFC 3339."""
    queued_s: Seconds | None = None
    """Seconds it waited for a runner, where that is known by now."""


class PipelineCompleted(Event, tag="pipeline.completed"):
    """A CI attempt ended."""

    pipeline_id: int | str
    """The forge's id."""
    status: str = "success"
    """success, failed, canceled, skipped or timeout; in a word such as ``running`` it has not ended."""
    commit_sha: str | None = None
    """What it ran on."""
    triggered_by: str | None = None
    """Person, agent or event."""
    attempt: Whole | None = None
    """Number of the attempt for the issue, from 1."""
    started_at: str | None = None
    """RFC 3339."""
    ended_at: str | None = None
    """RFC 3339."""
    queued_s: Seconds | None = None
    """Seconds it waited for a runner."""
    duration_s: Seconds | None = None
    """Seconds it ran."""
    failed_jobs: list[str] = []
    """Names of the jobs that failed."""
    error_type: str | None = None
    """What kind of failure."""
    goes_on: bool = False
    """Whether it had not ended when nobody waited for it any longer: a later end of it is its own."""


class DebugStarted(Event, tag="debug.started"):
    """A debugging cycle began."""

    cycle: int | str | None = None
    """Which cycle, unique within the run."""
    error_type: str | None = None
    """Kind of the failure that is chased."""
    error_message: str | None = None
    """Its text."""


class DebugAttempt(Event, tag="debug.attempt"):
    """One try at a repair."""

    cycle: int | str | None = None
    """Which cycle."""


class DebugCompleted(Event, tag="debug.completed"):
    """A debugging cycle ended."""

    cycle: int | str | None = None
    """Which cycle."""
    resolved: bool = False
    """Whether the failure is gone."""
    method: str | None = None
    """What resolved it."""
    duration_s: Seconds | None = None
    """Seconds from the failure to its resolution."""


class TaskCompleted(Event, tag="task.completed"):
    """A worker finished a task."""

    worker_profile: str | None = None
    """Kind of worker."""
    phase: str | None = None
    """Phase of the task."""
    status: str | None = None
    """How it ended."""
    duration_s: Seconds | None = None
    """Seconds."""
    retry_count: Whole | None = None
    """How often it was tried again."""


class TasksState(Event, tag="tasks.state"):
    """How many tasks are in each state now."""

    states: dict[str, Whole] = {}
    """Status to number of tasks."""


class DispatchCycle(Event, tag="dispatch.cycle"):
    """One turn of a dispatcher's loop."""

    duration_s: Seconds | None = None
    """Seconds."""
    dispatched: Whole | None = None
    """Tasks handed out."""
    completed: Whole | None = None
    """Tasks that came back."""
