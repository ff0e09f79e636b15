"""Making files survive a power cut that were written, while the run went on, without waiting for the disk.

Must not change them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runwatch.journal.atomic import sync_directory

AT_ONCE = 8
"""File systems gather syncs that come together: a thousand small files take little more than a few."""


def make_lasting(folders: Iterable[Path]) -> None:
    """Sync every regular file in ``folders``, and the folders; one that does not exist is passed over."""
    files: list[Path] = []
    there = [folder for folder in folders if folder.is_dir() and not folder.is_symlink()]
    for folder in there:
        files += [Path(entry.path) for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
    if not files:
        return
    try:
        with ThreadPoolExecutor(min(AT_ONCE, len(files)), thread_name_prefix="sync") as pool:
            for _ in pool.map(_sync, files):
                pass
    except RuntimeError:  # no thread is to be had
        for file in files:
            _sync(file)
    for folder in there:
        sync_directory(folder)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
