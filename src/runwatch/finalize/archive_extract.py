"""Files out of an archive, into a folder and nowhere else.

Must not follow a link, write a link, a device or anything but regular files, or replace what is there.
"""

from __future__ import annotations

import fnmatch
import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from runwatch.errors import NotFound, UsageError, VerifyError
from runwatch.finalize import manifest
from runwatch.finalize.archive_read import CHUNK_BYTES, Inflated, Listing, check_end, members, opened, read_listing
from runwatch.finalize.manifest import Member
from runwatch.journal.atomic import DIR_MODE, FILE_MODE

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def extract(archive: Path, target: Path, patterns: Iterable[str] = ()) -> list[Path]:
    """Write the members that fit a pattern (all, without any) below ``target``, where a plain tar would put them.

    A pattern is a path below the run, a folder there, or a shell pattern of either; the run id in front is optional.
    Returns the files written, each with the SHA-256 that is listed. Raises VerifyError for a listing with a name that
    leads out of the folder (absolute, ``..``) or stands twice, before anything is written; at the first member that is
    not the file that is listed, such as a link or a device, before anything of it is; and for a damaged archive.
    NotFound where nothing fits; UsageError where a file is there already, or where there is no room.
    """
    wanted = list(patterns)
    made: list[Path] = []
    with _opened_folder(target) as fd, opened(archive) as file:
        listing = read_listing(archive)
        run_id = listing.manifest.run_id
        chosen = {entry for entry in listing.manifest.members if _fits([run_id, *entry.path.split("/")], wanted)}
        room, needed = shutil.disk_usage(fd).free, sum(entry.size_bytes for entry in chosen)
        if needed > room:
            raise UsageError(f"{archive} would take {needed} bytes in {target}, which has room for {room}.")
        stream = Inflated(file, archive, listing)
        for entry, info, content in members(stream, listing, archive):
            if entry in chosen:
                made.append(_write(archive, target, fd, entry, info, content))
        check_end(stream, listing, file, archive)
        if _fits([run_id, manifest.NAME], wanted):
            made.append(_write_listing(archive, target, fd, listing))
    if not made:
        raise NotFound(f"{archive} has no file that fits {' '.join(wanted) or 'anything'}.")
    return made


@contextmanager
def _opened_folder(target: Path) -> Iterator[int]:
    try:
        target.mkdir(parents=True, exist_ok=True)
        fd = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}: choose another folder.") from error
    try:
        yield fd
    finally:
        os.close(fd)


def _write_listing(archive: Path, target: Path, root: int, listing: Listing) -> Path:
    """Write the listing, which is the last member."""
    with tarfile.open(fileobj=io.BytesIO(listing.stored)) as tar:
        info = tar.getmembers()[0]
        content = tar.extractfile(info)
        assert content is not None
        data = content.read()
    entry = Member(manifest.NAME, len(data), hashlib.sha256(data).hexdigest())
    return _write(archive, target, root, entry, info, io.BytesIO(data))


def _fits(parts: list[str], patterns: list[str]) -> bool:
    """Whether any leading part of a path, with or without the run id, fits any pattern."""
    heads = {"/".join(parts[start:end]) for start in (0, 1) for end in range(start + 1, len(parts) + 1)}
    return not patterns or any(fnmatch.fnmatchcase(head, pattern.rstrip("/")) for pattern in patterns for head in heads)


def _write(archive: Path, target: Path, root: int, entry: Member, info: tarfile.TarInfo, content: IO[bytes]) -> Path:
    """Write one file; take it away again where it is not what is listed, or there is no room for it."""
    parts = info.name.split("/")
    path = target.joinpath(*parts)
    folder = os.dup(root)
    try:
        for part in parts[:-1]:
            folder = _enter(folder, part)
        fd = os.open(parts[-1], _NEW_FILE, FILE_MODE, dir_fd=folder)
        try:
            with open(fd, "wb") as file:
                digest = _copy(content, file)
                os.utime(fd, (info.mtime, info.mtime))
            if digest != entry.sha256:
                raise VerifyError(f"{archive}: {entry.name} differs from its listed SHA-256.")
        except BaseException:
            os.unlink(parts[-1], dir_fd=folder)
            raise
    except FileExistsError:
        raise UsageError(f"{path} is there already: extract into another folder.") from None
    except (OSError, OverflowError) as error:
        raise UsageError(f"{path} cannot be written: {error}.") from error
    finally:
        os.close(folder)
    return path


def _copy(content: IO[bytes], file: IO[bytes]) -> str:
    """Copy all of it; return its SHA-256 in hex."""
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    return digest.hexdigest()


def _enter(folder: int, part: str) -> int:
    """Return a descriptor of a folder in ``folder``, made where there is none, and close ``folder``."""
    try:
        os.mkdir(part, DIR_MODE, dir_fd=folder)
    except FileExistsError:
        pass
    deeper = os.open(part, _FOLDER, dir_fd=folder)
    os.close(folder)
    return deeper
