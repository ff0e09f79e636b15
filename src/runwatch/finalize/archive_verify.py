"""Whether an archive holds what it says, and what the run directory says.

Must not write, and must not trust anything that was remembered from writing it: the closed file is read again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from runwatch.errors import VerifyError
from runwatch.finalize.archive_read import CHUNK_BYTES, Inflated, Listing, check_end, members, opened, read_listing
from runwatch.finalize.archive_sources import Folder
from runwatch.finalize.manifest import LeftOut, Member


class ArchiveReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified archive holds."""

    file: str
    """Its name."""
    size_bytes: int
    """Of the file."""
    sha256: str
    """Of the file as it was read, in hex."""
    members: int
    """Files in it, its listing included."""
    raw_bytes: int
    """Length of all its files, the listing left out."""
    grown: tuple[str, ...]
    """Files of the run directory that are longer by now; what the archive holds is how they begin."""
    left_out: tuple[LeftOut, ...]
    """What the run directory had that could not be archived."""


def verify(
    archive: Path, *, source: Path | None = None, progress: Callable[[float], None] | None = None
) -> ArchiveReport:
    """Read an archive from disk in full; return what it holds. A flipped bit anywhere raises VerifyError.

    One gzip member; its own listing last; every member as long and with the SHA-256 that the listing says, none
    missing, none more. With ``source``, the run directory, every byte is compared with it as well. ``progress`` is
    told 0 to 1. The error names the member, or the part of the file, that is wrong.
    """
    listing = read_listing(archive)
    expected = listing.manifest.members
    with opened(archive) as file, _folder(source) as folder:
        stream = Inflated(file, archive, listing)
        grown = _check_members(archive, listing, stream, folder, progress)
        digest = check_end(stream, listing, file, archive)
        size = file.tell()
    return ArchiveReport(
        file=archive.name,
        size_bytes=size,
        sha256=digest,
        members=len(expected) + 1,
        raw_bytes=sum(entry.size_bytes for entry in expected),
        grown=tuple(grown),
        left_out=listing.manifest.left_out,
    )


@contextmanager
def _folder(source: Path | None) -> Iterator[Folder | None]:
    if source is None:
        yield None
        return
    try:
        folder = Folder(source)
    except OSError as error:
        raise VerifyError(f"{source} cannot be read to compare: {error.strerror}.") from error
    with folder:
        yield folder


def _check_members(
    archive: Path,
    listing: Listing,
    stream: Inflated,
    folder: Folder | None,
    progress: Callable[[float], None] | None,
) -> list[str]:
    """Hold every member against the listing and its source; return those whose source has grown."""
    total = sum(entry.size_bytes for entry in listing.manifest.members) or 1
    grown: list[str] = []
    done = 0
    for entry, _, content in members(stream, listing, archive):
        if _check_content(archive, content, entry, folder):
            grown.append(entry.name)
        done += entry.size_bytes
        if progress:
            progress(done / total)
    return grown


def _check_content(archive: Path, content: IO[bytes], entry: Member, folder: Folder | None) -> bool:
    """Hold one member's bytes against its hash and its source; return whether the source goes on behind them."""
    digest = hashlib.sha256()
    fd = _open_source(archive, entry, folder)
    grown = False
    try:
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
            if fd is not None and _read_exactly(fd, len(chunk)) != chunk:
                raise VerifyError(f"{archive}: {entry.name} has changed in the run directory since it was archived.")
        if fd is not None:
            grown = bool(os.read(fd, 1))
    finally:
        if fd is not None:
            os.close(fd)
    if digest.hexdigest() != entry.sha256:
        raise VerifyError(f"{archive}: {entry.name} differs from its listed SHA-256.")
    return grown


def _open_source(archive: Path, entry: Member, folder: Folder | None) -> int | None:
    if folder is None:
        return None
    try:
        return folder.open(entry.path)
    except OSError as error:
        raise VerifyError(f"{archive}: {entry.name} cannot be compared with its source: {error.strerror}.") from error


def _read_exactly(fd: int, size: int) -> bytes:
    data = os.read(fd, size)
    while len(data) < size and (more := os.read(fd, size - len(data))):
        data += more
    return data
