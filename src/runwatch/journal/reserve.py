"""Space set aside when a run starts, so that a full disk still takes its final status.

Must not decide what is written there. Source: record.md, "The journal".
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from runwatch.journal import spare
from runwatch.journal.atomic import FILE_MODE, sync_directory, write_atomic
from runwatch.journal.losses import create_ledger
from runwatch.journal.paths import RunPaths

SIZES = (128 << 10, 32 << 10, 8 << 10)
"""Bytes, the first that there is room for: finalize.json, the seal, the metadata and the summaries of a usual run."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What a full disk and a used-up quota answer."""


def set_aside(paths: RunPaths) -> bool:
    """Set space aside, and lay out the ledger of losses; False where there is no room for either even now.

    A system that cannot reserve blocks gets zeros written.
    """
    spare.sweep()
    spare.forget(paths.finalize_state)  # of a run that was deleted and had the same name
    try:
        create_ledger(paths.losses)
    except OSError:
        pass  # losses are counted in each process, and told by the next event that finds room
    return any(_reserve(paths.reserve, size) for size in SIZES)


def _reserve(path: Path, size_bytes: int) -> bool:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    except OSError:
        return False
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size_bytes)
        else:
            os.write(fd, bytes(size_bytes))
        return os.fstat(fd).st_size == size_bytes or _give_up(path)
    except OSError:
        return _give_up(path)
    finally:
        os.close(fd)


def _give_up(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return False


def write_surely(path: Path, data: bytes) -> None:
    """Replace ``path`` whole, as ``write_atomic`` does; on a full disk in the space that its run set aside.

    That space is not freed and taken again, which another program could be quicker to do: the file is written into the
    reserve, which then gets its name. Raises OSError where there is no reserve, or none any more.
    """
    try:
        write_atomic(path, data)
    except OSError as error:
        if error.errno not in FULL or not _write_into(path.with_name(".reserve"), path, data):
            raise


def _write_into(reserve: Path, path: Path, data: bytes) -> bool:
    """Make the reserve the file ``path``; what it has too much of is free again."""
    try:
        fd = os.open(reserve, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if os.fstat(fd).st_size < len(data) or os.pwrite(fd, data, 0) != len(data):
            return False
        os.ftruncate(fd, len(data))
        os.fsync(fd)
        os.rename(reserve, path)
    except OSError:
        return False
    finally:
        os.close(fd)
    sync_directory(path.parent)
    return True


def release(paths: RunPaths) -> None:
    """Give the space back: the final status stands. The ledger stays until its losses stand in the journal."""
    try:
        paths.reserve.unlink(missing_ok=True)
    except OSError:
        pass  # a read-only disk: nothing can be written there anyway
