"""What the app knows of a run at one moment, and what condition that puts the run in.

No I/O, no clock: the feed reads, and passes what it read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import msgspec

from runwatch.fold.metrics import Metrics

STAGES = (
    "close",
    "price",
    "seal",
    "status",
    "fold",
    "reports",
    "summary",
    "archive",
    "verify",
    "summary_final",
    "commit",
    "done",
)
"""The finalizer's stages in order. **Source**: finalizer.md, "Stages"."""

STALLED_S = 10.0
"""A recorder whose heartbeat is older is shown as stalled."""


class Life(Enum):
    """The condition of a run; the value is what the header says."""

    OPENING = "opening"
    """Nothing was read yet."""
    RUNNING = "running"
    """Owner and recorder are alive."""
    WAITING = "waiting for a person"
    """Running, and a question is open."""
    STOPPING = "stopping"
    """This viewer asked it to stop."""
    STALLED = "recorder stalled"
    """The recorder lives and has left no heartbeat for long."""
    UNFOLDED = "no recorder"
    """The command goes on, nobody records what it does."""
    FINALIZING = "finalizing"
    """The command ended; reports, archive and commit are being made."""
    UNCOMMITTED = "not committed"
    """All is made but the commit: those who only look have a dead run recovered so far and never commit."""
    UNFINISHED = "not finalized"
    """The command ended and whoever finalized is gone."""
    DEAD = "crashed"
    """Nobody holds it, and nothing says that it ended."""
    ENDED = "ended"
    """All is done."""
    GONE = "deleted"
    """Its directory was deleted or moved away while it was looked at."""


LIVE = frozenset({Life.RUNNING, Life.WAITING, Life.STOPPING, Life.STALLED, Life.UNFOLDED})
"""Conditions in which the command goes on."""


class Outcome(msgspec.Struct, frozen=True):
    """How the command ended, as finalize.json says."""

    status: str = ""
    """Final status."""
    exit_code: int | None = None
    """0 to 255; None when a signal ended it."""
    signal: str | None = None
    """Name of that signal."""
    reason: str | None = None
    """One line for people."""


class Stage(msgspec.Struct, frozen=True):
    """The last try at one stage."""

    done: bool = False
    """Whether it succeeded."""
    error: str | None = None
    """Why it failed."""
    remedy: str | None = None
    """The command that repeats it."""


class Archive(msgspec.Struct, frozen=True):
    """The verified archive."""

    file: str = ""
    """Name in the run directory."""
    size_bytes: int = 0
    """Compressed."""
    sha256: str = ""
    """Of the file."""
    members: int = 0
    """Files in it."""


class Commit(msgspec.Struct, frozen=True):
    """The commit that holds the tracked files."""

    sha: str = ""
    """Object id."""
    branch: str | None = None
    """Where it is."""


class Ending(msgspec.Struct, frozen=True):
    """What finalize.json holds; unknown fields are left alone."""

    outcome: Outcome | None = None
    """None while the run goes on."""
    stages: dict[str, Stage] = {}
    """Stage to its last try."""
    archive: Archive | None = None
    """None until it is verified."""
    commit: Commit | None = None
    """None until it is made."""

    def done(self, stage: str) -> bool:
        """Whether a stage has succeeded."""
        return stage in self.stages and self.stages[stage].done

    @property
    def uncommitted(self) -> bool:
        """Whether everything before the commit was tried, and the commit was not."""
        tried = self.stages.keys()
        return "commit" not in tried and tried >= set(STAGES[: STAGES.index("commit")])

    @property
    def complete(self) -> bool:
        """Whether the finalizer went through every stage, failed ones included."""
        return self.done("done")

    @property
    def finished(self) -> int:
        """How many stages were tried to their end."""
        return sum(1 for name, stage in self.stages.items() if name in STAGES and (stage.done or stage.error))


@dataclass(frozen=True)
class Pulse:
    """Who holds the run's lock, and how fresh the recorder's heartbeat is."""

    owner: bool = False
    """Whether the supervisor, or the program that records itself, is alive."""
    recorder: bool = False
    """Whether a recorder is alive."""
    finalizer: bool = False
    """Whether somebody finalizes."""
    heartbeat_age_s: float | None = None
    """Seconds since the recorder's last heartbeat."""
    gone: bool = False
    """Whether the run's directory is not there any more."""

    @property
    def held(self) -> bool:
        """Whether anybody is alive in the run."""
        return self.owner or self.recorder or self.finalizer


@dataclass(frozen=True)
class Snapshot:
    """All that the screen shows of a run at one moment."""

    metrics: Metrics = field(default_factory=Metrics)
    """The fold of the journal so far."""
    life: Life = Life.OPENING
    """The run's condition."""
    ending: Ending = field(default_factory=Ending)
    """The finalizer's progress."""
    read_ratio: float = 1.0
    """How much of the journal is folded, 0 to 1; below 1 the numbers are those of metrics.json or still growing."""
    summary: str | None = None
    """The text of logs_summary.txt once the run ended; None before."""
    stalled_s: float | None = None
    """For how many seconds the recorder has given no sign, where that is the run's condition; None otherwise."""
    logs: int = 0
    """Grows when log files or steps appeared or went."""
    no_logs: str = ""
    """Why there are no logs to show, and what shows them, where that is known; empty text otherwise."""


def judge(metrics: Metrics, ending: Ending, pulse: Pulse) -> Life:
    """Return the condition of a run."""
    if pulse.gone:
        return Life.GONE
    ended = ending.outcome is not None or metrics.run.status is not None
    if ended:
        return _judge_ended(ending, pulse.held)
    if not pulse.held:
        return Life.DEAD
    if not pulse.recorder:
        return Life.UNFOLDED
    if (pulse.heartbeat_age_s or 0.0) > STALLED_S:
        return Life.STALLED
    if any(question.wait_s is None and question.answer is None for question in metrics.questions):
        return Life.WAITING
    return Life.RUNNING


def _judge_ended(ending: Ending, held: bool) -> Life:
    if ending.complete:
        return Life.ENDED
    if held:
        return Life.FINALIZING
    if ending.uncommitted:
        return Life.UNCOMMITTED
    # A fresh clone holds only the tracked files: a final status and no finalize.json is a run that was finalized.
    return Life.ENDED if ending == Ending() else Life.UNFINISHED
