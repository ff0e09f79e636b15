"""Whether an archive holds what it says, and what the run directory says.

Must not write, and must not trust anything that was remembered from writing it: the closed file is read again.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

from runwatch.errors import VerifyError
from runwatch.finalize.archive_read import CHUNK_BYTES, Inflated, Listing, members, opened, read_listing
from runwatch.finalize.archive_sources import Folder
from runwatch.finalize.deflate import crc32
from runwatch.finalize.gzip_member import ZEROS
from runwatch.finalize.manifest import LeftOut, Member, shown


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
        digest = _check_rest(archive, listing, stream, file)
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
    entries = listing.manifest.members
    total = sum(entry.size_bytes for entry in entries) or 1
    grown: list[str] = []
    done = seen = end = 0
    for info, content in members(stream, archive) if entries else ():
        if seen == len(entries):
            raise VerifyError(f"{archive}: {shown(info.name)} is in it and not listed.")
        entry = entries[seen]
        if info.name != f"{listing.manifest.run_id}/{entry.path}":
            raise VerifyError(f"{archive}: {shown(info.name)} stands where {entry.name} is listed.")
        if content is None or info.size != entry.size_bytes:
            raise VerifyError(f"{archive}: {entry.name} is no file of the {entry.size_bytes} bytes that are listed.")
        if _check_content(archive, content, entry, folder):
            grown.append(entry.name)
        seen += 1
        done += entry.size_bytes
        end = info.offset_data + entry.size_bytes + -entry.size_bytes % tarfile.BLOCKSIZE
        if progress:
            progress(done / total)
    if seen < len(entries):
        raise VerifyError(f"{archive}: {entries[seen].name} is listed and missing.")
    while stream.read(CHUNK_BYTES):
        pass
    if stream.ended or stream.raw_bytes != end:
        raise VerifyError(f"{archive}: something stands between its last file and its listing.")
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


def _check_rest(archive: Path, listing: Listing, stream: Inflated, file: BinaryIO) -> str:
    """Hold hash, checksum and length of the whole against the listing and the trailer; return the file's SHA-256."""
    crc = crc32(bytes(ZEROS), crc32(listing.stored, stream.crc32))
    length = stream.raw_bytes + len(listing.stored) + ZEROS
    if (crc, length & 0xFFFFFFFF) != (listing.crc32, listing.raw_bytes):
        raise VerifyError(f"{archive}: its checksum or length at the end is wrong.")
    hashes = stream.hashes
    if hashes is None or hashes.missing:
        raise VerifyError(f"{archive}: its listing does not cover all of its bytes.")
    hashes.take(file.read())
    return hashes.sha256
