"""The archive of a run: made, verified, unpacked.

Must not decide when. Source: finalizer.md, "The archive"; targets.md, "Archive and commit, as measured". What is
compressed ahead of the end comes in as pieces of `gzip_member`; callers here need not know.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from runwatch.errors import RecordError
from runwatch.finalize.archive_extract import extract
from runwatch.finalize.archive_sources import ArchiveOptions, Folder, plan
from runwatch.finalize.archive_verify import ArchiveReport, verify
from runwatch.finalize.archive_write import ArchiveWriter
from runwatch.journal.atomic import FILE_MODE, sync_directory
from runwatch.journal.paths import RunPaths
from runwatch.settings.groups import Archive as ArchiveSettings

__all__ = ["ArchiveOptions", "ArchiveReport", "ArchiveResult", "create", "extract", "options", "verify"]

_DEFAULT = ArchiveOptions()
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TOLD_EVERY = 0.01
"""Share of the whole from one word of progress to the next."""


class ArchiveResult(msgspec.Struct, frozen=True, kw_only=True):
    """An archive as it was written; only verify() tells whether it is so on disk."""

    file: str
    """Its name in the run directory."""
    size_bytes: int
    """Of the file."""
    sha256: str
    """Of the file, in hex."""
    members: int
    """Files in it, its listing included."""


def options(settings: ArchiveSettings) -> ArchiveOptions:
    """Return what the configuration says of archives."""
    return ArchiveOptions(workspace=settings.workspace, artifacts=settings.artifacts, exclude=settings.exclude)


def create(
    run_dir: Path,
    *,
    options: ArchiveOptions = _DEFAULT,
    progress: Callable[[float], None] | None = None,
) -> ArchiveResult:
    """Write ``run.tar.gz`` of a run directory, replacing one that is there; return its measures.

    Written as ``run.tar.gz.part``, fsynced, renamed, the folder fsynced. The same files give the same bytes.
    ``progress`` is told 0 to 1. Raises RecordError; nothing but an older archive is left behind then.
    """
    paths = RunPaths(run_dir)
    part = paths.archive.with_name(paths.archive.name + ".part")
    try:
        with Folder(paths.root) as folder:
            part.unlink(missing_ok=True)
            try:
                writer = _write(part, folder, paths.run_id, options, progress)
                os.rename(part, paths.archive)
            except BaseException:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)
                raise
        sync_directory(paths.root)
    except OSError as error:
        raise RecordError(
            f"{paths.archive} cannot be written: {error.strerror or error}: "
            f"once that is mended, `runwatch finalize {paths.run_id}` makes it."
        ) from error
    return ArchiveResult(
        file=paths.archive.name,
        size_bytes=writer.size_bytes,
        sha256=writer.sha256,
        members=len(writer.members) + 1,
    )


def _write(
    part: Path, folder: Folder, run_id: str, options: ArchiveOptions, progress: Callable[[float], None] | None
) -> ArchiveWriter:
    names, left_out = plan(folder, options)
    on_bytes = _teller(sum(map(folder.size, names)), progress) if progress else None
    with open(os.open(part, _NEW_FILE, FILE_MODE), "wb", buffering=1 << 20) as file:
        writer = ArchiveWriter(file, folder, run_id)
        for name in names:
            writer.add(name, on_bytes)
        writer.finish(left_out)
        file.flush()
        os.fsync(file.fileno())
    if progress:
        progress(1.0)
    return writer


def _teller(total_bytes: int, progress: Callable[[float], None]) -> Callable[[int], None]:
    """Return what turns bytes read into shares of the whole, told not too often."""
    done, told = 0, 0.0

    def on_bytes(count: int) -> None:
        nonlocal done, told
        done += count
        share = min(1.0, done / max(1, total_bytes))
        if share - told >= _TOLD_EVERY:
            told = share
            progress(share)

    return on_bytes
