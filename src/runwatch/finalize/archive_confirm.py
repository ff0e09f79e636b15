"""Whether a closed archive is, byte for byte, the one whose pieces were compared with their sources.

Must not write, and must not inflate: that was done when each piece was written. See confirm() for what is proven.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from runwatch.errors import VerifyError
from runwatch.finalize import archive_ledger, gzip_member
from runwatch.finalize.archive_changes import content_crc32
from runwatch.finalize.archive_hashes import Hashes, SpanMismatch
from runwatch.finalize.archive_ledger import Entry, Ledger, Source
from runwatch.finalize.archive_read import Listing, opened, read_listing
from runwatch.finalize.archive_sources import Folder
from runwatch.finalize.archive_tar import fixed_header
from runwatch.finalize.archive_verify import ArchiveReport
from runwatch.finalize.deflate import crc32, crc32_combine

_CHUNK_BYTES = 1 << 20


def confirm(archive: Path, source: Path, *, progress: Callable[[float], None] | None = None) -> ArchiveReport | None:
    """Read the closed archive from disk in full; return what it holds, None where nothing is known of its making.

    Proven, by this and what went before: (1) when a piece was written, it was read back from disk, inflated, and was
    equal to what had been read from its sources; the SHA-256 of its compressed bytes, as read back, was noted. (2) All
    compressed bytes of the closed file, read again now, have those hashes, so they still inflate to the same. (3) The
    listing, checked bit by bit, names exactly the files that went in, with the length and SHA-256 that they had then,
    and checksum and length in the trailer are those of the pieces. (4) The sources are still what was archived: what
    was archived ahead of the end, `create` read again and compared, by length, times, inode and the CRC-32 of all
    bytes; here length, times and inode of every source are compared again, and where they differ the CRC-32. Not
    proven: that nobody put other content of the same CRC-32 in place of a source and set the clock back meanwhile.
    Raises VerifyError.
    """
    try:
        ledger = Ledger(os.open(source / archive_ledger.NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), source.name)
    except OSError:
        return None
    try:
        if not ledger.pieces or ledger.going_on is not None:
            return None
        listing = read_listing(archive)
        entries = ledger.entries()
        _check_listing(archive, listing, ledger, entries)
        size, digest = _read_all(archive, listing, progress)
        grown = _check_sources(archive, source, entries)
    finally:
        ledger.close()
    return ArchiveReport(
        file=archive.name,
        size_bytes=size,
        sha256=digest,
        members=len(entries) + 1,
        raw_bytes=sum(entry.member.size_bytes for entry in entries),
        grown=tuple(grown),
        left_out=listing.manifest.left_out,
    )


def _check_listing(archive: Path, listing: Listing, ledger: Ledger, entries: list[Entry]) -> None:
    """Hold listing and trailer against the pieces as they were noted."""
    manifest = listing.manifest
    if list(manifest.members) != [entry.member for entry in entries]:
        raise VerifyError(f"{archive}: its listing does not name the files that it was made of.")
    ends = {span.end_bytes: span.sha256 for span in manifest.spans}
    crc = length = 0
    for index, piece in enumerate(ledger.pieces):
        piece_crc = piece.crc32
        if piece.is_header:
            owner = next(entry for later in ledger.pieces[index:] for entry in later.entries)
            name = f"{manifest.run_id}/{owner.member.path}"
            piece_crc = crc32(fixed_header(name, owner.source.size_bytes, owner.source.mtime_s))
        elif ends.get(piece.end_bytes, piece.sha256) != piece.sha256:
            raise VerifyError(f"{archive}: its listing has another hash than what it was made of.")
        crc = crc32_combine(crc, piece_crc, piece.raw_bytes)
        length += piece.raw_bytes
    crc = crc32_combine(crc, crc32(listing.stored), len(listing.stored))
    if gzip_member.checksum_with_ending(crc, length + len(listing.stored)) != (listing.crc32, listing.raw_bytes):
        raise VerifyError(f"{archive}: its checksum or length at the end is wrong.")
    if ledger.pieces[-1].end_bytes != listing.start_bytes or set(ends) != _span_ends(ledger):
        raise VerifyError(f"{archive}: its listing does not cover the bytes that it was made of.")


def _span_ends(ledger: Ledger) -> set[int]:
    """Where hashes must end: before each span that begins, and behind the last."""
    begins = {piece.span_bytes for piece in ledger.pieces} - {0}
    return begins | {ledger.pieces[-1].end_bytes}


def _read_all(archive: Path, listing: Listing, progress: Callable[[float], None] | None) -> tuple[int, str]:
    """Read the file from disk and hold its spans against their hashes; return its length and SHA-256."""
    hashes = Hashes(listing.manifest.spans)
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    done = 0
    with opened(archive) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            while count := os.preadv(file.fileno(), [buffer], done):
                hashes.take(buffer[:count])
                done += count
                if progress and done * 100 // size != (done - count) * 100 // size:
                    progress(done / size)
        except SpanMismatch as error:
            raise VerifyError(f"{archive} is damaged: {error}.") from error
    if hashes.missing or done != size:
        raise VerifyError(f"{archive} is cut off, or was changed while it was read.")
    return done, hashes.sha256


def _check_sources(archive: Path, source: Path, entries: list[Entry]) -> list[str]:
    """Hold every source against what was archived of it; return those that have grown."""
    grown = []
    try:
        folder = Folder(source)
    except OSError as error:
        raise VerifyError(f"{source} cannot be read to compare: {error.strerror}.") from error
    with folder:
        for entry in entries:
            name = entry.member.name
            found = folder.stat(entry.member.path)
            if found is not None and Source.of(found) == entry.source:
                continue
            try:
                fd = folder.open(entry.member.path)
            except OSError as error:
                raise VerifyError(f"{archive}: {name} cannot be compared with its source: {error.strerror}.") from error
            try:
                size = os.fstat(fd).st_size
                same = content_crc32(fd, entry.member.size_bytes) == entry.crc32
            finally:
                os.close(fd)
            if not same or size < entry.member.size_bytes:
                raise VerifyError(f"{archive}: {name} has changed in the run directory since it was archived.")
            if size > entry.member.size_bytes:
                grown.append(name)
    return grown
