"""Files out of an archive, into a folder and nowhere else.

Must not follow a link, write a link, a device or anything but regular files, or replace what is there.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from runwatch.errors import NotFound, UsageError, VerifyError
from runwatch.finalize.archive_read import CHUNK_BYTES, Inflated, members, opened
from runwatch.finalize.manifest import shown
from runwatch.journal.atomic import DIR_MODE, FILE_MODE

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def extract(archive: Path, target: Path, patterns: Iterable[str] = ()) -> list[Path]:
    """Write the members that fit a pattern (all, without any) below ``target``, where a plain tar would put them.

    A pattern is a path below the run, a folder there, or a shell pattern of either; the run id in front is optional.
    Returns the files written. Raises VerifyError at the first member whose name leads out of the folder (absolute,
    ``..``) or that is neither file nor folder, before anything of it is written, and for a damaged archive; NotFound
    where nothing fits; UsageError where a file is there already or the target cannot be written.
    """
    wanted = list(patterns)
    made: list[Path] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        fd = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}: choose another folder.") from error
    try:
        with opened(archive) as file:
            stream = Inflated(file, archive)
            for info, content in members(stream, archive):
                parts = _parts(archive, info)
                if content is not None and _fits(parts, wanted):
                    made.append(_write(archive, target, fd, parts, info, content))
            while stream.read(CHUNK_BYTES):  # to the checksum
                pass
            if not stream.ended:
                raise VerifyError(f"{archive} is cut off.")
    finally:
        os.close(fd)
    if not made:
        raise NotFound(f"{archive} has no file that fits {' '.join(wanted) or 'anything'}.")
    return made


def _parts(archive: Path, info: tarfile.TarInfo) -> list[str]:
    """Return the parts of a member's name, once name and kind are known to be harmless."""
    parts = info.name.removeprefix("./").split("/")
    if info.isdir() and parts[-1] == "":
        parts.pop()
    if not (info.isreg() or info.isdir()):
        raise VerifyError(f"{archive}: {shown(info.name)!r} is a link or a device: nothing of it is extracted.")
    if info.name not in (".", "./") and any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise VerifyError(f"{archive}: the name {shown(info.name)!r} leads out of the folder: it is not extracted.")
    return parts


def _fits(parts: list[str], patterns: list[str]) -> bool:
    """Whether any leading part of a path, with or without the run id, fits any pattern."""
    heads = {"/".join(parts[start:end]) for start in (0, 1) for end in range(start + 1, len(parts) + 1)}
    return not patterns or any(fnmatch.fnmatchcase(head, pattern.rstrip("/")) for pattern in patterns for head in heads)


def _write(archive: Path, target: Path, root: int, parts: list[str], info: tarfile.TarInfo, content: IO[bytes]) -> Path:
    path = target.joinpath(*parts)
    if info.size > shutil.disk_usage(root).free:
        raise VerifyError(f"{archive}: {shown(info.name)} says it has {info.size} bytes, more than there is room for.")
    folder = os.dup(root)
    try:
        for part in parts[:-1]:
            folder = _enter(folder, part)
        fd = os.open(parts[-1], _NEW_FILE, FILE_MODE, dir_fd=folder)
        with open(fd, "wb") as file:
            shutil.copyfileobj(content, file, CHUNK_BYTES)
            file.flush()
            os.utime(fd, (info.mtime, info.mtime))
    except FileExistsError:
        raise UsageError(f"{path} is there already: extract into another folder.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        os.close(folder)
    return path


def _enter(folder: int, part: str) -> int:
    """Return a descriptor of a folder in ``folder``, made where there is none, and close ``folder``."""
    try:
        os.mkdir(part, DIR_MODE, dir_fd=folder)
    except FileExistsError:
        pass
    deeper = os.open(part, _FOLDER, dir_fd=folder)
    os.close(folder)
    return deeper
