"""What condition a run directory is in: live, dead, finalized, of another host, broken.

Must not write anything, nor load what finalizing needs: lists of runs ask for each.
Source: finalizer.md, "Who finalizes".
"""

from __future__ import annotations

import os
import shlex
import stat
import time
from typing import Literal

import msgspec

from runwatch.errors import RecordError
from runwatch.events.lifecycle import SCHEMA
from runwatch.finalize.state import STAGES, FinalizeState, load_state
from runwatch.finalize.whereabouts import first_event, may_be_starting, other_machine, repository_of
from runwatch.journal.beneath import open_regular
from runwatch.journal.lock import Role, holders
from runwatch.journal.paths import TRACKED, RunPaths
from runwatch.journal.written_by import writer_of

LOOK = "summary_final"
"""The last stage of commands that only look: they never commit. Source: finalizer.md, "Who finalizes"."""
QUICK_LOOK = "summary"
"""The last stage before the archive, which can take long."""
SETTLED_S = 3.0
"""A run whose journal was written to within this time is left to those who may still be at it."""
OURS = ("events.jsonl", "finalize.json", ".lock", ".reserve", "logs", "metrics.json")
"""What tells a run directory from a folder of somebody else's."""

Found = Literal["dead", "uncommitted", "done", "live", "finalizing", "elsewhere", "newer", "broken", "foreign"]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What a run directory turned out to be."""

    found: Found
    """dead: nobody owns it and it is not finalized; uncommitted: finalized, but its repository did not take the commit;
    newer: of a newer runwatch; foreign: no run at all."""
    reason: str | None = None
    """What is to be said of it, where it is left alone; of a finalized one, that its logs are lost."""


def condition(paths: RunPaths, *, force: bool = False) -> Condition:
    """Return what a run directory is, writing nothing; ``force``: what another host recorded is taken for dead."""
    held = holders(paths.lock)
    if not held.keys().isdisjoint({Role.OWNER, Role.RECORDER, Role.STARTER}):
        return Condition(found="live")
    if Role.FINALIZER in held:
        return Condition(found="finalizing", reason=f"process {held[Role.FINALIZER]} is finalizing it")
    state = load_state(paths.finalize_state)
    uncommitted = "commit" in state.stages and not state.done("commit") and repository_of(paths) is not None
    if state.complete and not uncommitted:
        return Condition(found="done", reason=_lost_logs(paths, state))
    fault = _fault(paths)
    if fault is not None:
        return fault
    pid = None if os.path.lexists(paths.lock) else writer_of(paths.journal)
    if pid is not None:
        return Condition(found="live", reason=f"process {pid} writes its journal, though its lock file is gone")
    readable, started = first_event(paths)
    if state.outcome is None and may_be_starting(paths, started):
        return Condition(found="live", reason="it is just starting")
    if not readable:
        return Condition(found="broken", reason="its journal holds no event: delete it, or look for a better copy")
    if started is not None and started.schema > SCHEMA:
        return Condition(found="newer", reason="recorded by a newer runwatch: upgrade to finalize it")
    other = None if force or state.outcome is not None else other_machine(paths, started)
    if other is not None:
        return Condition(found="elsewhere", reason=f"recorded on {other}: recover it there, or with --force")
    return (
        Condition(found="uncommitted", reason=_lost_logs(paths, state)) if state.complete else Condition(found="dead")
    )


def _lost_logs(paths: RunPaths, state: FinalizeState) -> str | None:
    """Return what is to be said of a run whose logs were taken away, and then the archive that alone held them."""
    if state.archive is None or os.path.lexists(paths.logs):
        return None
    try:
        size_bytes = os.stat(paths.archive, follow_symlinks=False).st_size
    except OSError:
        size_bytes = None
    if size_bytes == state.archive.size_bytes:
        return None
    what = "is gone" if size_bytes is None else "is not what was verified"
    copy = f"a copy of it put there (SHA-256 {state.archive.sha256}) brings them back"
    return f"its logs are lost: {paths.archive.name} alone held them and {what}; {copy}"


def _fault(paths: RunPaths) -> Condition | None:
    """Return what keeps a directory from being a run that can be finalized; None for a journal that can be read."""
    try:
        if not stat.S_ISREG(os.lstat(paths.journal).st_mode):
            return Condition(found="broken", reason="its events.jsonl is no regular file")
        os.close(open_regular(paths.journal))
    except FileNotFoundError:
        if not any(os.path.lexists(paths.root / name) for name in OURS):
            return Condition(found="foreign")
        if _is_clone(paths):
            return Condition(found="done")
        if paths.metadata.is_file():
            return Condition(found="broken", reason="its events.jsonl was deleted: put it back, or delete the run")
        if may_be_starting(paths, None):
            return Condition(found="live", reason="it is just starting")
        return Condition(found="broken", reason="it holds no journal: nothing of it was recorded, delete it")
    except OSError as error:
        return Condition(found="broken", reason=f"its events.jsonl cannot be read ({error.strerror})")
    return None


def _is_clone(paths: RunPaths) -> bool:
    """Whether only the tracked files of a run are here, as in a fresh clone: none that git never has."""
    untracked = (name for name in OURS if name not in TRACKED)
    return paths.metadata.is_file() and not any(os.path.lexists(paths.root / name) for name in untracked)


def check_place(paths: RunPaths) -> None:
    """Raise RecordError where a directory holds no journal of its own, or is reached through a link."""
    try:
        if not stat.S_ISREG(os.lstat(paths.journal).st_mode):
            raise RecordError(
                f"{paths.journal} is no regular file: put the journal back there, or delete {paths.root}, "
                "which cannot be finalized without it."
            )
    except OSError:
        if _is_clone(paths):
            raise RecordError(
                f"{paths.root} holds only the tracked files of its run, which was finalized where it was recorded."
            ) from None
        if paths.archive.is_file():
            raise RecordError(
                f"{paths.journal} was deleted: `runwatch extract {paths.run_id} events.jsonl --to FOLDER` gets it back "
                f"from {paths.archive.name}; put it there, then `runwatch finalize {paths.run_id}`."
            ) from None
        what = paths.journal if paths.root.is_dir() else paths.root
        raise RecordError(f"{what} was deleted while the run went on: nothing is left to finalize.") from None
    for folder in (paths.root, paths.root.parent):
        if folder.is_symlink():
            raise RecordError(
                f"{folder} is a symbolic link, and runs are not finalized through one: put the folder itself there."
            )


def check_writable(paths: RunPaths) -> None:
    """Raise RecordError, in one sentence, where nothing can be written into a run that is to be finalized."""
    for path in (paths.root, paths.lock):
        try:
            state = os.stat(path)
        except OSError:
            continue
        if os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            continue
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            why = "its disk is read-only: make that writable"
        elif os.geteuid() not in (state.st_uid, 0):
            why = f"it belongs to {user_name(state.st_uid)}: be that user, not {user_name(os.geteuid())},"
        else:
            why = (
                f"{'it' if path == paths.root else path.name} is write-protected: `chmod u+w {shlex.quote(str(path))}`"
            )
        raise RecordError(f"{paths.root} cannot be finalized, for {why} and try again.")


def user_name(uid: int) -> str:
    """Return what a user is called, or the number of one whom nobody named."""
    import pwd  # seldom needed

    try:
        return f"user {pwd.getpwuid(uid).pw_name!r}"
    except KeyError:
        return f"user {uid}"


def is_settled(paths: RunPaths) -> bool:
    """Whether nothing was written to the journal for a while.

    A program's guardian that is starting its first recorder holds no lock, and knows better how the program ended.
    """
    try:
        return abs(time.time() - os.stat(paths.journal).st_mtime) > SETTLED_S
    except OSError:
        return False


def needs_look(paths: RunPaths) -> bool:
    """Whether a run is dead, may be written here, and has stages before its commit that nobody tried yet."""
    if condition(paths).found != "dead" or not is_settled(paths) or not os.access(paths.root, os.W_OK):
        return False
    tried = load_state(paths.finalize_state).stages
    return any(name not in tried for name in STAGES[: STAGES.index(LOOK) + 1])
