"""Deleting one run directory, or one archive: put aside in one rename, then taken apart where nothing looks for runs.

Must not decide what goes, delete a file that it was told to keep, or follow a link. A kill leaves the run whole, or
what is left of it below ``.pruned`` in the runs folder, which the next pruning takes away.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runwatch.finalize.shared_table import locked
from runwatch.journal.lock import Role, RunLock
from runwatch.journal.modes import DIR_MODE, FOLDER
from runwatch.journal.paths import RunPaths

ASIDE = ".pruned"
"""Folder below the runs folder; what is in it lies deeper than a run, so that no list takes it for one."""
_LAST = ("events.jsonl", ".lock", "finalize.json")
"""Go last, in this order: until then the rest of a run says that it is finalized."""
_BLOCK_BYTES = 512
"""Unit of ``st_blocks``. Source: POSIX, sys/stat.h."""


def size_bytes(run: Path, kept: Collection[str] = ()) -> int:
    """Return what deleting a run would free on disk, all but ``kept`` (paths below it). Raises OSError.

    A directory of another file system in it raises too: a mount is nobody's to take apart.
    """
    total, device = 0, os.stat(run, follow_symlinks=False).st_dev
    for folder, _, files, fd in os.fwalk(run):
        here = os.fstat(fd)
        if here.st_dev != device:
            raise OSError(errno.EXDEV, "is another file system", folder)
        below = os.path.relpath(folder, run)
        total += on_disk_bytes(here)
        for name in files:
            if os.path.normpath(f"{below}/{name}") not in kept:
                found = os.stat(name, dir_fd=fd, follow_symlinks=False)
                total += on_disk_bytes(found) if found.st_nlink == 1 else 0
    return total


def on_disk_bytes(found: os.stat_result) -> int:
    """Return what a file or folder takes on disk."""
    return found.st_blocks * _BLOCK_BYTES


@contextmanager
def aside(root: Path) -> Iterator[int]:
    """Yield a descriptor of the folder that takes what goes, emptied of what a killed pruning left. Raises OSError."""
    place = root / ASIDE
    with suppress(FileExistsError):
        os.mkdir(place, DIR_MODE)
    fd = os.open(place, FOLDER)
    try:
        with locked(place):
            for name in os.listdir(fd):
                if name != ".lock":
                    _take_apart(name, fd)
            yield fd
            with suppress(OSError):
                os.unlink(".lock", dir_fd=fd)
                os.rmdir(place)
    finally:
        os.close(fd)


@contextmanager
def unowned(paths: RunPaths) -> Iterator[bool]:
    """Keep finalizers away from a run meanwhile; yield False where somebody has it."""
    lock = RunLock.of(paths.lock)
    try:
        owners = (Role.OWNER, Role.RECORDER, Role.STARTER)
        yield lock.acquire(Role.FINALIZER) and all(lock.probe(role) is None for role in owners)
    finally:
        lock.close()


def remove(run: Path, aside_fd: int, kept: Collection[str] = ()) -> None:
    """Delete a run directory, all but ``kept``: paths below it as text. Raises OSError; what is left says so itself."""
    name = os.urandom(6).hex()
    os.mkdir(name, DIR_MODE, dir_fd=aside_fd)
    there = os.open(name, FOLDER, dir_fd=aside_fd)
    framework = os.open(run.parent, FOLDER)
    try:
        if kept:
            fd = os.open(run.name, FOLDER, dir_fd=framework)
            try:
                _move_all_but(fd, "", kept, there)
            finally:
                os.close(fd)
        else:
            os.rename(run.name, "run", src_dir_fd=framework, dst_dir_fd=there)
    finally:
        os.close(framework)
        os.close(there)
        _take_apart(name, aside_fd)
    with suppress(OSError):
        os.rmdir(run.parent)  # the framework's folder, where this was its last run


def remove_archive(paths: RunPaths, aside_fd: int) -> None:
    """Delete a run's archive. Raises OSError."""
    fd = os.open(paths.root, FOLDER)
    name = os.urandom(6).hex()
    try:
        os.rename(paths.archive.name, name, src_dir_fd=fd, dst_dir_fd=aside_fd)
    finally:
        os.close(fd)
    os.unlink(name, dir_fd=aside_fd)


def _move_all_but(fd: int, below: str, kept: Collection[str], there: int) -> None:
    names = sorted(os.listdir(fd), key=lambda name: (_LAST.index(name) if name in _LAST and not below else -1, name))
    for name in names:
        path = f"{below}{name}"
        if path in kept:
            continue
        if any(other.startswith(f"{path}/") for other in kept):
            deeper = os.open(name, FOLDER, dir_fd=fd)
            try:
                _move_all_but(deeper, f"{path}/", kept, there)
            finally:
                os.close(deeper)
        else:
            os.rename(name, os.urandom(6).hex(), src_dir_fd=fd, dst_dir_fd=there)


def _take_apart(name: str, fd: int) -> None:
    try:
        for _, _, _, folder in os.fwalk(name, dir_fd=fd):
            os.fchmod(folder, DIR_MODE)  # what a program made read-only is deleted all the same
        shutil.rmtree(name, dir_fd=fd)
    except NotADirectoryError:
        os.unlink(name, dir_fd=fd)
    except FileNotFoundError:
        pass  # another pruning takes it apart too
