"""finalize.json: how the run ended, and which stages of the finalizer are done.

Must not do any stage. Untracked: what is committed never changes because it was committed.
Source: finalizer.md, "Stages".
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from runwatch.journal import spare
from runwatch.journal.atomic import json_bytes
from runwatch.journal.beneath import read_regular
from runwatch.journal.reserve import write_surely

STAGES: Final = (
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
"""Every stage, in order."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the command, or the program that recorded itself, ended. Written once, at once."""

    status: str
    """completed, failed, interrupted or crashed, or a program's own word for an end that went well."""
    exit_code: int | None = None
    """0 to 255; None when it died by a signal or nobody can know."""
    signal: str | None = None
    """Name of the signal that it died by."""
    reason: str | None = None
    """One line for people."""
    ended: str | None = None
    """RFC 3339."""
    own: bool = False
    """True when the end was runwatch's doing or the code is runwatch's own, such as 127 or 124."""


class Stage(msgspec.Struct, kw_only=True):
    """The last try at one stage."""

    done: bool = False
    """Whether it succeeded."""
    at: str | None = None
    """RFC 3339."""
    error: str | None = None
    """Why it failed, in one sentence."""
    remedy: str | None = None
    """The command that repeats it."""


class Archive(msgspec.Struct, kw_only=True):
    """The verified archive."""

    file: str
    """Name in the run directory."""
    size_bytes: int
    """Compressed."""
    sha256: str
    """Of the file."""
    members: int
    """Files in it, the manifest included."""


class Commit(msgspec.Struct, kw_only=True):
    """The commit that holds the tracked files."""

    sha: str
    """Object id."""
    branch: str | None = None
    """Where it is; None on a detached head."""
    made: str | None = None
    """RFC 3339."""
    note: str | None = None
    """What is to be said of branches that changed meanwhile."""


class FinalizeState(msgspec.Struct, kw_only=True):
    """The content of finalize.json."""

    schema: int = 1
    """Version of this shape."""
    outcome: Outcome | None = None
    """None while the run goes on."""
    stages: dict[str, Stage] = {}
    """Stage to its last try, in the order of STAGES."""
    archive: Archive | None = None
    """None until it is verified."""
    commit: Commit | None = None
    """None until it is made."""

    def done(self, stage: str) -> bool:
        """Whether a stage has succeeded."""
        return stage in self.stages and self.stages[stage].done

    @property
    def complete(self) -> bool:
        """Whether the finalizer has gone through every stage, failed ones included."""
        return self.done("done")


_decode = msgspec.json.Decoder(FinalizeState).decode  # made here, in one thread: see events/codec.py, ``looking``


def load_state(path: Path) -> FinalizeState:
    """Return the state in ``path``; an empty one where there is none or it cannot be read.

    An outcome that the disk did not take is known until the machine goes down.
    """
    try:
        state = _decoded(read_regular(path))
    except OSError:
        state = FinalizeState()
    if state.outcome is None and (data := spare.kept(path)):
        state.outcome = _decoded(data).outcome  # what its stages wrote may be lost with the disk
    return state


def _decoded(data: bytes) -> FinalizeState:
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return FinalizeState()


def save_state(path: Path, state: FinalizeState) -> None:
    """Replace ``path`` by the state, on a full disk in the space that the run set aside.

    Raises OSError; where the disk takes nothing at all it is kept in memory.
    """
    data = json_bytes(state)
    try:
        write_surely(path, data)
    except OSError as error:
        if error.errno in spare.REFUSED:
            spare.keep(path, data)
        raise
    spare.forget(path)
