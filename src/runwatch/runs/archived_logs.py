"""A run's logs out of its archive, where the raw ones were taken away.

Must not write into the run: they go to a folder of the caller's.
"""

from __future__ import annotations

from pathlib import Path

from runwatch.finalize.archive_extract import extract
from runwatch.finalize.archive_read import read_listing
from runwatch.journal.paths import RunPaths

_LOGS = "logs"


def only_archived(paths: RunPaths) -> bool:
    """Whether a run has no log folder, but an archive that may hold one."""
    return not paths.logs.is_dir() and paths.archive.is_file()


def size_bytes(paths: RunPaths) -> int:
    """Return how much the logs take that the archive holds. Raises VerifyError."""
    members = read_listing(paths.archive).manifest.members
    return sum(member.size_bytes for member in members if member.path.startswith(f"{_LOGS}/"))


def unpack(paths: RunPaths, folder: Path) -> Path:
    """Write the archived logs below ``folder``; return the run directory there, which holds nothing else.

    Raises VerifyError, UsageError where there is no room, and NotFound where the archive holds no log.
    """
    extract(paths.archive, folder, [_LOGS])
    return folder / read_listing(paths.archive).manifest.run_id
