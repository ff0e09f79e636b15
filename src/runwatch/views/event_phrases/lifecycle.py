"""What events of runs, steps, issues and the people who answer say in a log.

Must not write a log. Source of the components: record.md, "Logs".
"""

from __future__ import annotations

import shlex

from runwatch.events.lifecycle import (
    HitlAnswered,
    HitlRequested,
    IssueCompleted,
    IssueStarted,
    RunCompleted,
    RunConfigured,
    RunStarted,
    StatusProposed,
    StepCompleted,
    StepsPlanned,
    StepStarted,
)
from runwatch.fold.outcome import ended_well
from runwatch.views.event_phrases.wording import Level, Phrase, Phrasebook, because, ended, short, took, words

phrases = Phrasebook()
says = phrases.says


@says("orchestrator", RunStarted)
def _run_started(event: RunStarted) -> Phrase:
    command = shlex.join(event.command) if event.command else None
    return "INFO", words("run started", framework=event.framework, run_id=event.run_id, command=command)


@says("orchestrator", RunConfigured)
def _run_configured(event: RunConfigured) -> Phrase:
    model = event.llm.model if event.llm is not None else None
    return "INFO", words("run configured", project=event.project_id, mode=event.mode, model=model)


@says("orchestrator", RunCompleted)
def _run_completed(event: RunCompleted) -> Phrase:
    level: Level = "ERROR" if event.status in ("failed", "crashed") else "INFO"
    text = words(f"run {event.status}", exit_code=event.exit_code, signal=event.signal)
    repeats = event.exit_code is not None and event.reason == f"exit code {event.exit_code}"
    return level, text if repeats else text + because(event.reason)


@says("orchestrator", StatusProposed)
def _status_proposed(event: StatusProposed) -> Phrase:
    return "INFO", f"program says {event.status}{because(event.reason)}"


@says("orchestrator", StepsPlanned)
def _steps_planned(event: StepsPlanned) -> Phrase:
    return "INFO", words("steps planned", total=event.total, names=", ".join(event.names) if event.names else None)


def _issue(issue: int | str | None) -> str:
    return "issue" if issue is None else f"issue {issue}"


def _step(step: int | None) -> str:
    return "step" if step is None else f"step {step:03d}"


@says("orchestrator", StepStarted)
def _step_started(event: StepStarted) -> Phrase:
    return "INFO", words(f"{_step(event.step)} started", name=event.name, source=event.source)


@says("orchestrator", StepCompleted)
def _step_completed(event: StepCompleted) -> Phrase:
    text = words(
        f"{_step(event.step)} {event.status}",
        duration=took(event.duration_s),
        retries=event.retries or None,
        note=event.note,
    )
    return ("ERROR" if event.status == "failed" else "WARNING" if event.status == "interrupted" else "INFO"), text


@says("orchestrator", IssueStarted)
def _issue_started(event: IssueStarted) -> Phrase:
    return "INFO", words(f"{_issue(event.issue)} started", title=event.title)


@says("orchestrator", IssueCompleted)
def _issue_completed(event: IssueCompleted) -> Phrase:
    text = words(f"{_issue(event.issue)} {event.status}", duration=took(event.duration_s))
    return ended(ended_well(event.status)), text


@says("orchestrator", HitlRequested)
def _asked(event: HitlRequested) -> Phrase:
    return "WARNING", f"waiting for a person: {short(event.question)}"


@says("orchestrator", HitlAnswered)
def _answered(event: HitlAnswered) -> Phrase:
    text = "nobody answered" if event.answer is None else f"answered: {short(event.answer)}"
    return "INFO", words(text, waited=took(event.wait_s))
