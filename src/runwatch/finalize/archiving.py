"""The stages `archive` and `verify`: an archive that stands is kept, another one made and proven, once more if need be.

Must not record anything; `stages` does. Source: finalizer.md, "Stages", "The archive".
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from datetime import datetime

from runwatch.errors import RecordError, RunwatchError, VerifyError
from runwatch.finalize import archive, raw_logs
from runwatch.finalize.archive_read import read_listing
from runwatch.finalize.archive_sources import Folder, plan
from runwatch.finalize.state import Archive, FinalizeState
from runwatch.journal.beneath import open_regular
from runwatch.journal.paths import TRACKED, RunPaths
from runwatch.settings.groups import Archive as ArchiveSettings

OnProgress = Callable[[float], None]


def stands(paths: RunPaths, recorded: Archive | None) -> bool:
    """Whether there is the archive that was verified, unchanged since."""
    try:
        with open(open_regular(paths.archive), "rb") as file:
            return recorded is not None and hashlib.file_digest(file, "sha256").hexdigest() == recorded.sha256
    except OSError:
        return False


def is_lost(paths: RunPaths, state: FinalizeState) -> bool:
    """Whether an archive was verified, and is gone or another one by now."""
    return state.done("verify") and not stands(paths, state.archive)


def gone_for_good(paths: RunPaths, recorded: Archive) -> RecordError:
    """Return the error for an archive that is gone or another one, where nothing is left to make it of."""
    what = "is not what was verified" if os.path.lexists(paths.archive) else "is gone"
    return RecordError(f"{paths.archive} {what}: {way_back(paths, recorded)}.")


def way_back(paths: RunPaths, recorded: Archive | None) -> str:
    """Return what to do about an archive that is gone or another one."""
    if not paths.journal.is_file():
        return "only tracked files of the run are here, so look for its archive where it was recorded"
    if recorded is not None and raw_logs.are_gone(paths.root):
        copy = f"put a copy of it there (SHA-256 {recorded.sha256})"
        return f"it alone held the logs, so {copy}, and `runwatch finalize {paths.run_id}` checks it"
    return f"`runwatch finalize {paths.run_id}` makes it"


def is_the_same(paths: RunPaths, settings: ArchiveSettings) -> bool:
    """Whether another archive would hold nothing but what the one that stands holds, byte for byte."""
    try:
        found = archive.verify(paths.archive, source=paths.root)
        archived = {member.path for member in read_listing(paths.archive).manifest.members}
        with Folder(paths.root) as folder:
            names, left_out = plan(folder, archive.options(settings, paths.root))
    except (RunwatchError, OSError):
        return False
    return not found.grown and archived == set(names) and found.left_out == tuple(left_out)


def set_times(paths: RunPaths, ended: str | None) -> None:
    """Give the files that were written again for the archive the time of the run's end, whenever that is done."""
    with contextlib.suppress(OSError, ValueError):
        seconds = datetime.fromisoformat(ended or "").timestamp()
        for name in TRACKED:
            os.utime(paths.root / name, (seconds, seconds), follow_symlinks=False)


def make(paths: RunPaths, settings: ArchiveSettings, progress: OnProgress, *, is_handed_over: bool) -> None:
    """Make the archive, going on with what was made ahead; ``is_handed_over``: by a helper of this recorder."""
    options = archive.options(settings, paths.root)
    archive.create(paths.root, options=options, progress=progress, is_handed_over=is_handed_over)


def prove(paths: RunPaths, settings: ArchiveSettings, recorded: Archive | None, progress: OnProgress) -> Archive:
    """Read the archive again from disk and return what it is; only then anything says "archived". Raises RunwatchError.

    One that was verified before is held against its record: the run's files have changed since, as they must. A new one
    is confirmed; where it, or one of its sources, turns out to be another, it is made once more from nothing.
    """
    if recorded is not None:
        report = archive.verify(paths.archive)
        if report.sha256 != recorded.sha256:
            raise VerifyError(f"{paths.archive} is not the one that was verified: its SHA-256 differs.")
        return recorded
    try:
        found = archive.confirm(paths.archive, paths.root) or archive.verify(paths.archive, source=paths.root)
    except VerifyError:
        archive.forget(paths.root)
        make(paths, settings, progress, is_handed_over=False)
        found = archive.verify(paths.archive, source=paths.root)
    return Archive(file=found.file, size_bytes=found.size_bytes, sha256=found.sha256, members=found.members)
