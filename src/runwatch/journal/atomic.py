"""Replacing a file whole: a reader sees the old bytes or the new ones, never half of either.

Must not know what the bytes mean.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec

from runwatch.journal.modes import DIR_MODE as DIR_MODE
from runwatch.journal.modes import FILE_MODE as FILE_MODE
from runwatch.journal.modes import FOLDER


def write_atomic(path: Path, data: bytes, *, mode: int = FILE_MODE, durable: bool = True) -> None:
    """Replace ``path`` by ``data``: written beside it, fsynced, renamed, the folder fsynced, which must be no link.

    ``durable=False`` leaves out both fsyncs (a kill is survived, a power cut may cost this version).
    Raises OSError; nothing is left beside it then.
    """
    temporary = f".{path.name}.{os.urandom(4).hex()}.tmp"
    folder = os.open(path.parent, FOLDER)
    try:
        _write_and_rename(folder, temporary, path.name, data, mode, durable=durable)
    except OSError as error:
        error.filename = error.filename and str(path.with_name(os.fsdecode(error.filename)))
        raise
    finally:
        os.close(folder)


def _write_and_rename(folder: int, temporary: str, name: str, data: bytes, mode: int, *, durable: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(temporary, flags, mode, dir_fd=folder)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise
    if durable:
        _sync(folder)


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Replace ``path`` by ``value`` as indented JSON with a line feed at its end. Raises OSError."""
    write_atomic(path, json_bytes(value), durable=durable)


def json_bytes(value: Any) -> bytes:
    """Return ``value`` as indented JSON with a line feed at its end."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2) + b"\n"


def sync_directory(path: Path) -> None:
    """Make renames and creations in ``path`` survive a power cut; file systems that cannot are left alone."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _sync(fd)
    finally:
        os.close(fd)


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError:
        pass
