"""What events of agents, pipelines, debugging cycles, tasks and dispatchers say in a log.

Must not write a log. Source of the components: record.md, "Logs".
"""

from __future__ import annotations

from runwatch.events.work import (
    AgentCompleted,
    AgentStarted,
    DebugAttempt,
    DebugCompleted,
    DebugStarted,
    DispatchCycle,
    PipelineCompleted,
    PipelineStarted,
    TaskCompleted,
    TasksState,
)
from runwatch.views.event_phrases.wording import Phrase, Phrasebook, because, ended, took, value, words

phrases = Phrasebook()
says = phrases.says


@says("orchestrator", AgentStarted)
def _agent_started(event: AgentStarted) -> Phrase:
    return "INFO", words("agent started", attempt=event.attempt, max_attempts=event.max_attempts)


@says("orchestrator", AgentCompleted)
def _agent_completed(event: AgentCompleted) -> Phrase:
    return ended(event.success), words(
        "agent succeeded" if event.success else "agent failed",
        attempt=event.attempt,
        duration=took(event.duration_s),
        error=event.error,
    )


@says("orchestrator", PipelineStarted)
def _pipeline_started(event: PipelineStarted) -> Phrase:
    return "INFO", words(
        f"pipeline {event.pipeline_id} started",
        attempt=event.attempt,
        commit=event.commit_sha,
        triggered_by=event.triggered_by,
    )


@says("orchestrator", PipelineCompleted)
def _pipeline_completed(event: PipelineCompleted) -> Phrase:
    return ended(event.status not in ("failed", "timeout")), words(
        f"pipeline {event.pipeline_id} {event.status}",
        attempt=event.attempt,
        commit=event.commit_sha,
        queued=took(event.queued_s),
        duration=took(event.duration_s),
        failed_jobs=", ".join(event.failed_jobs) or None,
        error_type=event.error_type,
    )


@says("orchestrator", DebugStarted)
def _debug_started(event: DebugStarted) -> Phrase:
    text = words("debugging started", error_type=event.error_type)
    return "WARNING", text + because(event.error_message)


@says("orchestrator", DebugAttempt)
def _debug_attempt(event: DebugAttempt) -> Phrase:
    return "INFO", words("debugging attempt", cycle=event.cycle)


@says("orchestrator", DebugCompleted)
def _debug_completed(event: DebugCompleted) -> Phrase:
    return ended(event.resolved), words(
        "debugging resolved" if event.resolved else "debugging not resolved",
        cycle=event.cycle,
        method=event.method,
        duration=took(event.duration_s),
    )


@says("orchestrator", TaskCompleted)
def _task_completed(event: TaskCompleted) -> Phrase:
    return ended(event.status not in ("failed", "error", "timeout")), words(
        f"task {event.status or 'completed'}",
        worker_profile=event.worker_profile,
        phase=event.phase,
        duration=took(event.duration_s),
        retries=event.retry_count,
    )


@says("orchestrator", TasksState)
def _tasks_state(event: TasksState) -> Phrase:
    return "INFO", "  ".join(["tasks", *(f"{value(status)}={number}" for status, number in event.states.items())])


@says("orchestrator", DispatchCycle)
def _dispatch_cycle(event: DispatchCycle) -> Phrase:
    return "INFO", words(
        "dispatch cycle", dispatched=event.dispatched, completed=event.completed, duration=took(event.duration_s)
    )
