"""Events of the run, its steps, its issues, and the people who answer it.

No clock, no path, no I/O. Source of the fields: record.md, "The journal".
"""

from __future__ import annotations

from typing import Any

import msgspec

from runwatch.events.bounds import Planned, Seconds, Whole
from runwatch.events.envelope import Event

SCHEMA = 1
"""The newest record that this version writes and finalizes. Source: README.md, "Where it runs"."""


class Llm(msgspec.Struct, omit_defaults=True, gc=False):
    """The model that a run says it uses."""

    provider: str | None = None
    """Who serves it, such as ``openai``."""
    model: str | None = None
    """Its name at the provider."""
    temperature: float | None = None
    """Sampling temperature, dimensionless."""


class GitStart(msgspec.Struct, omit_defaults=True, gc=False):
    """Where the repository stood when the run started."""

    branch: str | None = None
    """Short name of the branch, None when detached."""
    head: str | None = None
    """Object id of HEAD in hex, None when unborn."""
    base: str | None = None
    """What the diff metrics are taken against: a ref name or an object id."""
    dir: str | None = None
    """The git folder that the environment named, as an absolute path."""
    index: str | None = None
    """The index that the environment named, as an absolute path."""
    tree: str | None = None
    """The top of the work tree that the environment named, as an absolute path."""


class RunStarted(Event, tag="run.started"):
    """The first event of a run."""

    framework: str
    """What is being run: the first level below ``runs/``."""
    run_id: str
    """Unique within the framework."""
    schema: Whole = 0
    """Version of the record, ``SCHEMA`` of who wrote it; a newer one opens read-only. 0: not said."""
    command: list[str] | None = None
    """Argument vector of the recorded command."""
    cwd: str | None = None
    """Working directory at the start."""
    project_id: str | int | None = None
    """The caller's own project number."""
    mode: str | None = None
    """The caller's own name for the kind of run."""
    llm: Llm | None = None
    """The configured model."""
    git: GitStart | None = None
    """None outside a repository."""
    host: str | None = None
    """Host name."""
    boot_id: str | None = None
    """Which boot of the host ``mono`` belongs to."""
    versions: dict[str, str] = {}
    """Versions of runwatch and Python."""
    settings: dict[str, Any] = {}
    """What the fold needs of the configuration: complexity weights, budgets."""
    config: dict[str, Any] = {}
    """What else the caller configured."""
    parent_run: str | None = None
    """``framework/run_id`` of the run that this one was started in."""


class RunConfigured(Event, tag="run.configured"):
    """What a program that joined a run says of it; each value wins over the one in ``run.started``."""

    project_id: str | int | None = None
    """The caller's own project number."""
    mode: str | None = None
    """The caller's own name for the kind of run."""
    llm: Llm | None = None
    """The configured model."""
    config: dict[str, Any] = {}
    """What else the caller configured."""


class RunCompleted(Event, tag="run.completed"):
    """The seal: the last line of the journal that counts."""

    status: str
    """Final status of the run."""
    exit_code: Whole | None = None
    """Of the command, 0 to 255; None when it was killed or ran alone."""
    signal: str | None = None
    """Name of the signal that ended the command, such as ``SIGKILL``."""
    reason: str | None = None
    """One line for people."""


def is_seal(event: RunCompleted, started: RunStarted | None) -> bool:
    """Whether a line ends the run that ``started`` began: a run of ours is sealed by a writer of ours alone."""
    return event.writer is not None or started is None or started.writer is None


class StatusProposed(Event, tag="status.proposed"):
    """What a program that joined a run takes its result to be; the owner of the run decides."""

    status: str
    """The proposed final status."""
    reason: str | None = None
    """One line for people."""


class StepsPlanned(Event, tag="steps.planned"):
    """How many steps will come."""

    total: Planned
    """Number of steps."""
    names: list[str] | None = None
    """Their names, in order."""


class StepStarted(Event, tag="step.started"):
    """A step began; its number is the envelope's ``step``."""

    name: str | None = None
    """What it is called, for people."""
    source: str | None = None
    """Who opened it: ``sdk``, ``shell`` or ``marker``."""


class StepCompleted(Event, tag="step.completed"):
    """A step ended."""

    status: str = "success"
    """success, failed, skipped or interrupted."""
    retries: Whole = 0
    """How often it was tried again."""
    note: str | None = None
    """One line for people."""
    duration_s: Seconds | None = None
    """Seconds from its start."""


class IssueStarted(Event, tag="issue.started"):
    """A unit of work began; its id is the envelope's ``issue``."""

    title: str | None = None
    """For people."""


class IssueCompleted(Event, tag="issue.completed"):
    """A unit of work ended."""

    status: str = "completed"
    """Ended well: success, completed, resolved, merged, closed."""
    duration_s: Seconds | None = None
    """Seconds from its start."""


class HitlRequested(Event, tag="hitl.requested"):
    """The run waits for a person."""

    question: str
    """What the person is asked."""


class HitlAnswered(Event, tag="hitl.answered"):
    """The person answered, or the wait ended."""

    answer: str | None = None
    """None when nobody answered."""
    wait_s: Seconds | None = None
    """Seconds waited."""
