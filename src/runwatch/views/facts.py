"""What a view needs beyond the metrics: how finalizing went, how a step failed, what other runs were like.

Must not hold anything that the fold yields, nor format anything.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """The verified archive."""

    file: str
    """Name in the run directory."""
    size_bytes: int
    """Compressed."""
    sha256: str
    """Of the file, in hex."""
    members: int
    """Files in it."""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """The commit that holds the tracked files."""

    sha: str
    """Object id in hex."""
    branch: str | None = None
    """Short name; None on a detached head."""
    note: str | None = None
    """What is to be said of branches that changed meanwhile."""


class StageFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of the finalizer that did not succeed."""

    stage: str
    """Its name in finalize.json."""
    reason: str
    """Why, in one sentence."""
    remedy: str | None = None
    """The command that repeats it."""


class FailedStep(msgspec.Struct, frozen=True, kw_only=True):
    """Where the run failed, and the last that was written there."""

    lines: tuple[str, ...]
    """The last lines, without line feeds, redacted."""
    step: int | None = None
    """None when it failed outside steps."""
    name: str | None = None
    """The step's, for people."""
    log: str | None = None
    """Where the lines come from, below the run directory."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of this run against the runs before."""

    metric: Literal["duration_seconds", "cost_usd", "tokens", "errors", "success_rate"]
    """Which one."""
    before: float | None
    """Median of the earlier runs; None where none of them has it."""
    change_pct: float | None = None
    """This run against ``before``, in percent of it; None where there is nothing to compare."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """This run against the runs of its framework that started before it."""

    runs: int
    """How many there are."""
    changes: tuple[Change, ...] = ()
    """Metric by metric."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All of it for one run; the defaults say that nothing is known yet."""

    run_path: str | None = None
    """The run directory as a reader of the repository finds it; None means ``runs/<framework>/<run_id>``."""
    version: str | None = None
    """Of runwatch."""
    summary_on: str | None = None
    """The branch that has the summary, where it is not on disk because another one is checked out."""
    archive: Archive | None = None
    """None while it is pending, or where it failed."""
    commit: Commit | None = None
    """Never shown in tracked files: what is committed does not change because it was committed."""
    failures: tuple[StageFailure, ...] = ()
    """In order of the stages."""
    failed_step: FailedStep | None = None
    """None unless the run failed."""
    repeat: tuple[str, ...] | None = None
    """Argument vector that runs it again; None means the recorded command under ``runwatch run``."""
    comparison: Comparison | None = None
    """None where no earlier run is known."""
    host: str | None = None
    """Host name, only where publishing it was asked for."""
    cwd: str | None = None
    """Working directory, only where publishing it was asked for."""


NO_FACTS = Facts()
"""Nothing is known yet."""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run in a list of runs; the names are those of metadata.json and metrics.json."""

    framework: str
    """First level below ``runs/``."""
    run_id: str
    """Unique within it."""
    status: str | None = None
    """None where nobody knows how it ended."""
    live: bool = False
    """Whether it goes on now."""
    stalled_s: float | None = None
    """For how many seconds its recorder has given no sign; None while it does."""
    start_time: str | None = None
    """RFC 3339."""
    duration_seconds: float | None = None
    """Up to now while it goes on."""
    steps_done: int | None = None
    """Steps that ended."""
    steps_total: int | None = None
    """Steps planned, else started."""
    errors: int | None = None
    """Recorded errors."""
    tokens: int | None = None
    """Total."""
    cost_usd: float | None = None
    """None where nothing was priced."""
    model: str | None = None
    """Name at the provider."""
    reason: str | None = None
    """One line for people."""


class RecordedError(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded error: a row of ``errors``."""

    time: str | None
    """RFC 3339."""
    error_type: str | None
    """Kind."""
    message: str
    """Its text."""
    issue: int | str | None = None
    """Where."""
    step: int | None = None
    """Where."""
    agent: str | None = None
    """Who was at work."""
    component: str | None = None
    """Who said it."""
