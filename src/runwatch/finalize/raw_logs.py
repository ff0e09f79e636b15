"""Taking the raw logs of a run away once its archive holds them: `[retention] raw = "after_verify"`.

Must not take anything that is not in a verified archive, byte for byte; all of it goes, or none.
"""

from __future__ import annotations

import os
import shutil
from hashlib import file_digest
from pathlib import Path

from runwatch.errors import RunwatchError
from runwatch.finalize import archive_ledger
from runwatch.finalize.archive_changes import seems_unchanged
from runwatch.finalize.archive_ledger import Entry, Ledger
from runwatch.finalize.archive_read import read_listing
from runwatch.finalize.archive_sources import ArchiveOptions, Folder, plan
from runwatch.finalize.manifest import Member
from runwatch.journal.paths import RunPaths

_ON_ITS_WAY_OUT = ".logs.gone"
"""What the log folder is called while it is being deleted: viewers see all of it, or none."""


def take_away(paths: RunPaths) -> bool:
    """Delete the log folder of a run whose archive was verified; return whether it is gone.

    It stays where it holds anything that is not in the archive as it is now: a file that a survivor wrote to since,
    or something that no archive holds. Raises OSError.
    """
    gone = paths.root / _ON_ITS_WAY_OUT
    if gone.is_dir() and not gone.is_symlink():
        shutil.rmtree(gone)  # from one that was killed
    if paths.logs.is_symlink() or not paths.logs.is_dir():
        return not paths.logs.exists()
    try:
        with Folder(paths.root) as folder:
            names, left_out = plan(folder, ArchiveOptions())
            entries, members = _archived(paths)
            in_logs = [name for name in names if name.startswith("logs/")]
            held = all(_is_held(name, folder, entries.get(name), members.get(name)) for name in in_logs)
        if not held or any(entry.name.startswith("logs/") for entry in left_out):
            return False
    except RunwatchError:
        return False
    os.rename(paths.logs, gone)
    shutil.rmtree(gone)
    return True


def _archived(paths: RunPaths) -> tuple[dict[str, Entry], dict[str, Member]]:
    """Return what was archived by path: as the ledger has it, where that is still there, and as the listing has it."""
    listed = {entry.path: entry for entry in read_listing(paths.archive).manifest.members}
    try:
        fd = os.open(paths.root / archive_ledger.NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return {}, listed
    ledger = Ledger(fd, paths.run_id)
    ledger.close()
    return {entry.member.path: entry for entry in ledger.entries()}, listed


def _is_held(name: str, folder: Folder, entry: Entry | None, listed: Member | None) -> bool:
    """Whether the archive has a file as it is now: by its state where that is known, else by its SHA-256."""
    if listed is None:
        return False
    if entry is not None and entry.member == listed and seems_unchanged(entry, folder):
        return True
    try:
        with open(folder.open(name), "rb") as file:
            same_length = os.fstat(file.fileno()).st_size == listed.size_bytes
            return same_length and file_digest(file, "sha256").hexdigest() == listed.sha256
    except OSError:
        return False


def are_gone(root: Path) -> bool:
    """Whether a run's log folder was taken away."""
    return not (root / "logs").exists()


def are_only_archived(paths: RunPaths) -> bool:
    """Whether the archive holds a log that the run directory has no more, so that another archive would lose it."""
    if are_gone(paths.root):
        return True
    try:
        members = read_listing(paths.archive).manifest.members
        with Folder(paths.root) as folder:
            return any(entry.path.startswith("logs/") and folder.stat(entry.path) is None for entry in members)
    except (RunwatchError, OSError):
        return False
