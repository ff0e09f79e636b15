"""The archive of a run: made, confirmed, verified, unpacked.

Must not decide when. Source: finalizer.md, "The archive"; targets.md, "Archive and commit, as measured". What `ahead`
made while the run went on is taken up here; without it everything is made now, in the same way.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from runwatch.errors import RecordError
from runwatch.finalize import archive_ledger, archive_part
from runwatch.finalize.archive_asked import asked
from runwatch.finalize.archive_changes import first_changed
from runwatch.finalize.archive_confirm import confirm
from runwatch.finalize.archive_extract import extract
from runwatch.finalize.archive_part import Part
from runwatch.finalize.archive_sources import ArchiveOptions, Folder, plan
from runwatch.finalize.archive_verify import ArchiveReport, verify
from runwatch.finalize.archive_write import ArchiveWriter
from runwatch.journal.atomic import sync_directory
from runwatch.journal.paths import RunPaths
from runwatch.settings.groups import Archive as ArchiveSettings

__all__ = [
    "ArchiveOptions",
    "ArchiveReport",
    "ArchiveResult",
    "confirm",
    "create",
    "extract",
    "forget",
    "options",
    "verify",
]

_DEFAULT = ArchiveOptions()
_LAST_TOLD = 0.99
"""Share that is told before the archive has its name."""
_TOLD_EVERY = 0.01
"""Share of the whole from one word of progress to the next."""


class ArchiveResult(msgspec.Struct, frozen=True, kw_only=True):
    """An archive as it was written; only confirm() or verify() tells whether it is so on disk."""

    file: str
    """Its name in the run directory."""
    size_bytes: int
    """Of the file."""
    members: int
    """Files in it, its listing included."""


def options(settings: ArchiveSettings, run_dir: Path) -> ArchiveOptions:
    """Return what the configuration says of archives, and the run's program of its own."""
    wish = asked(run_dir)
    return ArchiveOptions(
        workspace=settings.workspace or wish.workspace,
        artifacts=settings.artifacts,
        exclude=settings.exclude,
        include=wish.include,
    )


def create(
    run_dir: Path,
    *,
    options: ArchiveOptions = _DEFAULT,
    progress: Callable[[float], None] | None = None,
    is_handed_over: bool = False,
) -> ArchiveResult:
    """Write ``run.tar.gz`` of a run directory, replacing one that is there; return its measures.

    Goes on with what was made ahead, or by one that was killed: as far as its sources are still the same, byte for
    byte, the rest is made again. ``is_handed_over``: by a process of this run just now, so that its pieces are read
    again only by confirm(). Written as ``run.tar.gz.part``, fsynced, renamed, the folder fsynced. The same files give
    the same members; without work done ahead, the same bytes. ``progress`` is told 0 to 1. Raises RecordError; nothing
    but an older archive is left behind then, or where somebody else is making one, that.
    """
    paths = RunPaths(run_dir)
    try:
        with Folder(paths.root) as folder:
            part = Part(paths.root, paths.run_id, is_trusted=is_handed_over)
            try:
                made = _write(part, folder, paths.run_id, options, progress)
            except OSError:
                part.drop()  # a full disk above all: its room is needed
                raise
            finally:
                part.close()
        sync_directory(paths.root)
    except OSError as error:
        raise RecordError(
            f"{paths.archive} cannot be written: {error.strerror or error}: "
            f"once that is mended, `runwatch finalize {paths.run_id}` makes it."
        ) from error
    if progress:
        progress(1.0)
    return made


def forget(run_dir: Path) -> None:
    """Remove what only the making of an archive needs."""
    for name in (archive_ledger.NAME, archive_part.NAME):
        try:
            os.unlink(run_dir / name)
        except OSError:
            pass


def _write(
    part: Part,
    folder: Folder,
    run_id: str,
    options: ArchiveOptions,
    progress: Callable[[float], None] | None,
) -> ArchiveResult:
    names, left_out = plan(folder, options)
    on_bytes = _teller(sum(map(folder.size, names)), progress) if progress else None
    part.cut(first_changed(part.ledger, folder, names, on_bytes))
    writer = ArchiveWriter(part, folder, run_id)
    if part.ledger.going_on and not writer.finish_begun(on_bytes):
        part.cut(part.ledger.first_of(len(part.ledger.pieces) - 1))
        writer = ArchiveWriter(part, folder, run_id)
    writer.flush()
    there = {entry.member.path for entry in part.ledger.entries()}
    for name in names:
        if name not in there:
            writer.add(name, on_bytes)
    size = writer.finish(left_out)
    return ArchiveResult(file=archive_part.ARCHIVE, size_bytes=size, members=len(part.ledger.entries()) + 1)


def _teller(total_bytes: int, progress: Callable[[float], None]) -> Callable[[int], None]:
    """Return what turns bytes read into shares of the whole, told not too often."""
    done, told = 0, 0.0

    def on_bytes(count: int) -> None:
        nonlocal done, told
        done += count
        share = min(_LAST_TOLD, done / max(1, total_bytes))
        if share - told >= _TOLD_EVERY:
            told = share
            progress(share)

    return on_bytes
