"""Replacing a file whole: a reader sees the old bytes or the new ones, never half of either.

Must not know what the bytes mean.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

FILE_MODE = 0o600
DIR_MODE = 0o700


def write_atomic(path: Path, data: bytes, *, mode: int = FILE_MODE, durable: bool = True) -> None:
    """Replace ``path`` by ``data``: written beside it, fsynced, renamed, the folder fsynced.

    ``durable=False`` leaves out both fsyncs (a kill is survived, a power cut may cost this version).
    Raises OSError; nothing is left beside it then.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_directory(path.parent)


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Replace ``path`` by ``value`` as indented JSON with a line feed at its end. Raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    write_atomic(path, text + b"\n", durable=durable)


def sync_directory(path: Path) -> None:
    """Make renames and creations in ``path`` survive a power cut; file systems that cannot are left alone."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)
