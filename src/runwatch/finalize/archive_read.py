"""Reading an archive back: its listing from the end, its members one after the other.

Must not believe it: whatever is wrong becomes a VerifyError that names it. Nothing here writes.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import msgspec

from runwatch.errors import VerifyError
from runwatch.finalize import manifest
from runwatch.finalize.archive_hashes import Hashes, SpanMismatch
from runwatch.finalize.archive_tar import header, padding
from runwatch.finalize.deflate import crc32, failures, inflater
from runwatch.finalize.gzip_member import HEADER, LAST_BLOCK, STORED_HEADER, STORED_LAST, TRAILER, ZEROS
from runwatch.finalize.manifest import Manifest, Member, shown
from runwatch.journal.beneath import open_regular

CHUNK_BYTES = 1 << 20
MAX_LISTING_BYTES = 256 << 20
"""A longer listing is none of ours: some two million files."""
MAX_HEADER_BYTES = 1 << 20
"""A pax header that is longer holds no name."""
MAX_RATIO = 1032
"""How many bytes a compressed one can stand for. **Source**: zlib, "Technical Details", maximum compression factor."""
_TAR: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape"}
_END_BYTES = len(LAST_BLOCK) + TRAILER.size


class Listing(msgspec.Struct, frozen=True):
    """The end of an archive: what it says of the rest."""

    manifest: Manifest
    """What is in it."""
    start_bytes: int
    """Where the listing's stored blocks begin in the file."""
    stored: bytes
    """What they hold: the listing's tar header, content and padding."""
    crc32: int
    """CRC-32 of everything that was compressed, as the trailer has it."""
    raw_bytes: int
    """Length of everything that was compressed, modulo 2³²."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open an archive for reading. Raises VerifyError where it cannot be read, also later on."""
    try:
        with open(open_regular(path), "rb", buffering=0) as file:
            yield cast("BinaryIO", file)
    except OSError as error:
        raise VerifyError(f"{path} cannot be read: {error.strerror or error}.") from error


def read_listing(path: Path) -> Listing:
    """Return the listing of an archive, without reading the rest. Raises VerifyError unless its every bit is right."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        reach = STORED_HEADER.size + STORED_LAST + _END_BYTES
        if size < len(HEADER) + reach:
            raise VerifyError(f"{path} is too short for an archive: {size} bytes.")
        if _at(file, 0, len(HEADER)) != HEADER:
            raise VerifyError(f"{path} does not begin as runwatch's archives do.")
        tail = _at(file, size - reach, reach)
        if tail[-_END_BYTES : -TRAILER.size] != LAST_BLOCK:
            raise VerifyError(f"{path} does not end as runwatch's archives do: it is cut off, or something was added.")
        start = manifest.find_start(tail[:-_END_BYTES])
        if start is None or not len(HEADER) <= start <= size - reach:
            raise VerifyError(f"{path} has no listing at its end.")
        if size - start > MAX_LISTING_BYTES:
            raise VerifyError(f"{path} has a listing of {size - start} bytes: that is none of runwatch's.")
        stored = _stored_blocks(path, _at(file, start, size - start - _END_BYTES))
        crc, length = TRAILER.unpack(tail[-TRAILER.size :])
    listing = _manifest(path, stored)
    if not listing.spans or listing.spans[-1].end_bytes != start:
        raise VerifyError(f"{path}: the hashes in its listing do not cover all of it.")
    _check_claims(path, listing, start)
    return Listing(listing, start, stored, crc, length)


def _check_claims(path: Path, listing: Manifest, size_bytes: int) -> None:
    """Refuse a listing that names what no run has: a path that leads out, one twice, more than can be in the file."""
    seen = set[str]()
    for entry in listing.members:
        try:
            name = entry.path
        except ValueError:
            raise VerifyError(f"{path}: its listing has a name that is none: {entry.raw_name!r}.") from None
        if not _is_harmless(name) or not _is_harmless(listing.run_id) or "/" in listing.run_id:
            raise VerifyError(f"{path}: the name {shown(name)!r} leads out of the folder: nothing is extracted.")
        if entry.size_bytes < 0 or name in seen:
            raise VerifyError(f"{path}: {entry.name} is listed twice, or with a length that is none.")
        seen.add(name)
    claimed = sum(entry.size_bytes for entry in listing.members)
    if claimed > size_bytes * MAX_RATIO:
        raise VerifyError(f"{path}: its listing claims {claimed} bytes, more than its {size_bytes} bytes can hold.")


def _is_harmless(name: str) -> bool:
    """Whether a path stays below the folder that it is taken to."""
    return all(part not in ("", ".", "..") and "\0" not in part for part in name.split("/"))


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    data = b""
    while len(data) < length and (more := file.read(length - len(data))):
        data += more
    return data


def _stored_blocks(path: Path, data: bytes) -> bytes:
    """Return what a sequence of stored blocks holds, which must fill ``data`` exactly."""
    held: list[bytes] = []
    at = 0
    while at < len(data):
        kind, length, inverted = STORED_HEADER.unpack_from(data.ljust(at + STORED_HEADER.size, b"\xff"), at)
        at += STORED_HEADER.size + length
        if kind or length ^ inverted != 0xFFFF or at > len(data):
            raise VerifyError(f"{path}: its listing is damaged.")
        held.append(data[at - length : at])
    return b"".join(held)


def _manifest(path: Path, stored: bytes) -> Manifest:
    """Return the listing in its tar member; header and padding are checked by writing them again."""
    try:
        with tarfile.open(fileobj=io.BytesIO(stored), mode="r:", **_TAR) as tar:
            info = tar.next()
            content = stored[info.offset_data :][: info.size] if info else b""
        listing = manifest.decode(content)
    except (ValueError, OverflowError, tarfile.TarError) as error:
        raise VerifyError(f"{path}: its listing cannot be read: {error}.") from error
    name = f"{listing.run_id}/{manifest.NAME}"
    if info is None or header(name, len(content), int(info.mtime)) + content + padding(len(content)) != stored:
        raise VerifyError(f"{path}: its listing is damaged.")
    return listing


class Inflated:
    """What an archive's compressed bytes hold, as a file that can only be read on."""

    def __init__(self, file: BinaryIO, path: Path, listing: Listing) -> None:
        """Read ``file`` up to its listing, holding it against the hashes there. No more than it names comes out."""
        self._file, self._path = file, path
        self._end_bytes = listing.start_bytes
        self._read_bytes = len(HEADER)
        self._inflater = inflater()
        self._input = b""
        self.hashes = Hashes(listing.manifest.spans)
        """Of the file so far, the gzip header included."""
        self._limit_bytes = _most_raw_bytes(listing)
        self.raw_bytes = 0
        """Length of what was returned."""
        self.crc32 = 0
        """CRC-32 of what was returned."""
        self._take(HEADER)
        file.seek(self._read_bytes)

    @property
    def ended(self) -> bool:
        """Whether the compressed data said that it ends."""
        return self._inflater.eof

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, none only at the end. Raises VerifyError."""
        while not self._inflater.eof:
            if not self._input:
                self._input = self._more()
                if not self._input:
                    break
            try:
                data = self._inflater.decompress(self._input, size)
            except failures() as error:
                raise VerifyError(f"{self._path} is damaged after byte {self._read_bytes}: {error}.") from error
            self._input = self._inflater.unconsumed_tail
            if data:
                self.raw_bytes += len(data)
                self.crc32 = crc32(data, self.crc32)
                if self.raw_bytes > self._limit_bytes:
                    raise VerifyError(f"{self._path} inflates to more than its listing names: it is not read on.")
                return data
        return b""

    def _more(self) -> bytes:
        left = min(CHUNK_BYTES, self._end_bytes - self._read_bytes)
        data = self._file.read(left)
        self._take(data)
        self._read_bytes += len(data)
        return data

    def _take(self, data: bytes) -> None:
        try:
            self.hashes.take(data)
        except SpanMismatch as error:
            raise VerifyError(f"{self._path} is damaged: {error}.") from error


def _most_raw_bytes(listing: Listing) -> int:
    """Return how long the tar before a listing can be at the most."""
    return sum(entry.size_bytes + tarfile.BLOCKSIZE + MAX_HEADER_BYTES for entry in listing.manifest.members)


class _Header(tarfile.TarInfo):
    """A header that does not make its reader hold what no name needs."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        """Read it. Raises ReadError."""
        found = super().frombuf(buf, encoding, errors)
        if not (found.isreg() or found.isdir()) and found.size > MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {found.size} bytes")
        return found


def members(stream: Inflated, listing: Listing, path: Path) -> Iterator[tuple[Member, tarfile.TarInfo, IO[bytes]]]:
    """Yield each member with its listing and content, and read on to where the listing begins.

    Raises VerifyError for what is no tar, and unless exactly the listed files are in it, in that order, as files.
    """
    entries = listing.manifest.members
    seen = end = 0
    for info, content in _tar_members(stream, path) if entries else ():
        if seen == len(entries):
            raise VerifyError(f"{path}: {shown(info.name)} is in it and not listed.")
        entry = entries[seen]
        if info.name != f"{listing.manifest.run_id}/{entry.path}":
            raise VerifyError(f"{path}: {shown(info.name)} stands where {entry.name} is listed.")
        if content is None or info.size != entry.size_bytes:
            raise VerifyError(f"{path}: {entry.name} is no file of the {entry.size_bytes} bytes that are listed.")
        yield entry, info, content
        seen += 1
        end = info.offset_data + entry.size_bytes + -entry.size_bytes % tarfile.BLOCKSIZE
    if seen < len(entries):
        raise VerifyError(f"{path}: {entries[seen].name} is listed and missing.")
    while stream.read(CHUNK_BYTES):
        pass
    if stream.ended or stream.raw_bytes != end:
        raise VerifyError(f"{path}: something stands between its last file and its listing.")


def _tar_members(stream: Inflated, path: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Yield each member with its content, None where it is no plain file."""
    try:
        with tarfile.open(
            fileobj=cast("BinaryIO", stream), mode="r|", bufsize=CHUNK_BYTES, tarinfo=_Header, **_TAR
        ) as tar:
            for info in tar:
                is_plain = info.isreg() and not info.issparse()  # a sparse file is as long as it says, for nothing
                yield info, tar.extractfile(info) if is_plain else None
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise VerifyError(f"{path} holds no tar that can be read: {error}.") from error


def check_end(stream: Inflated, listing: Listing, file: BinaryIO, path: Path) -> str:
    """Hold hash, checksum and length of the whole against the listing and the trailer; return the file's SHA-256."""
    crc = crc32(bytes(ZEROS), crc32(listing.stored, stream.crc32))
    length = stream.raw_bytes + len(listing.stored) + ZEROS
    if (crc, length & 0xFFFFFFFF) != (listing.crc32, listing.raw_bytes):
        raise VerifyError(f"{path}: its checksum or length at the end is wrong.")
    if stream.hashes.missing:
        raise VerifyError(f"{path}: its listing does not cover all of its bytes.")
    stream.hashes.take(file.read())
    return stream.hashes.sha256
