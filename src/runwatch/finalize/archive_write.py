"""Files into an archive in the making: members out of files, pieces out of members.

Must not choose the files. A piece holds several small files or part of a large one; a file that is still written to
may be begun, and finished when its length is known.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable

from runwatch.finalize import archive_tar, manifest
from runwatch.finalize.archive_ledger import Entry, GoingOn, Source, going_on
from runwatch.finalize.archive_part import PIECE_BYTES, Part
from runwatch.finalize.archive_sources import Folder
from runwatch.finalize.deflate import crc32
from runwatch.finalize.manifest import LeftOut, Manifest, Span

CHUNK_BYTES = 1 << 20
_SHRANK = "shrank while it was read: filled up with NUL"

OnBytes = Callable[[int], None]
"""Told how many bytes of a file were read."""


class _Content:
    """What was read of the file at hand: its length, checksum and hash."""

    def __init__(self, begun: GoingOn) -> None:
        self.begun = begun
        self.done_bytes = 0
        self.crc32 = 0
        self.sha256 = hashlib.sha256()

    def take(self, data: bytes) -> None:
        self.done_bytes += len(data)
        self.crc32 = crc32(data, self.crc32)
        self.sha256.update(data)

    def going_on(self) -> GoingOn:
        begun = self.begun
        return GoingOn(begun.member, begun.source, self.done_bytes, self.crc32, begun.is_patched)


class ArchiveWriter:
    """Writes the files of one run directory to its part. Raises OSError as the part does."""

    def __init__(self, part: Part, folder: Folder, run_id: str) -> None:
        """``run_id`` is the folder that all members are in."""
        self.part = part
        self._folder = folder
        self._run_id = run_id
        self._raw = bytearray()
        self._entries: list[Entry] = []
        self._content: _Content | None = None
        self.left_out: list[LeftOut] = []
        """What could not be read."""

    def add(self, name: str, on_bytes: OnBytes | None = None) -> None:
        """Add a file as long as it is now. One that cannot be read is left out.

        A file that grows meanwhile ends where it ended at first; one that shrinks is filled up with NUL and noted.
        It is on disk and in the ledger only behind flush().
        """
        fd = self._open(name)
        if fd is None:
            return
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                self._leave_out(name, "no regular file")
                return
            source = Source.of(found)
            self._content = _Content(going_on(name, source))
            self._feed(archive_tar.header(self._name(name), source.size_bytes, source.mtime_s))
            self._finish_content(fd, source, on_bytes)
        finally:
            os.close(fd)

    def flush(self) -> None:
        """End the piece at hand."""
        if self._raw or self._entries:
            raw, self._raw = self._raw, bytearray()
            entries, self._entries = tuple(self._entries), []
            self.part.write(raw, entries, self._content.going_on() if self._content else None)

    def begin_open(self, name: str) -> bool:
        """Begin a file that is still written to; False when it cannot be read. go_on() and finish_begun() follow."""
        self.flush()
        fd = self._open(name)
        if fd is None:
            return False
        try:
            begun = going_on(name, Source.of(os.fstat(fd)), is_patched=True)
        finally:
            os.close(fd)
        self.part.write_header(archive_tar.fixed_header(self._name(name), 0, 0), begun)
        self._content = _Content(begun)
        return True

    def go_on(self) -> bool:
        """Add one whole piece of the begun file; False when it is not that long yet, or not what it was any more."""
        content = self._begun()
        if content is None:
            return False
        fd = self._open(content.begun.member.path)
        if fd is None:
            return False
        try:
            found = os.fstat(fd)
            same = found.st_ino == content.begun.source.inode
            if not same or found.st_size - content.done_bytes < PIECE_BYTES:
                return False
            self._read(fd, content, PIECE_BYTES, None)
        finally:
            os.close(fd)
        self.flush()
        return True

    def finish_begun(self, on_bytes: OnBytes | None = None) -> bool:
        """Add what the begun file has now beyond what is in; False when it is not what it was any more: cut it then."""
        content = self._begun(on_bytes)
        if content is None:
            return False
        fd = self._open(content.begun.member.path)
        if fd is None:
            return False
        try:
            source = Source.of(os.fstat(fd))
            if content.begun.is_patched:
                fits = source.inode == content.begun.source.inode and source.size_bytes >= content.done_bytes
            else:
                fits = source == content.begun.source
            if fits:
                self._finish_content(fd, source, on_bytes)
        finally:
            os.close(fd)
        return fits

    def forget_begun(self) -> None:
        """Take it that the part was cut."""
        self._raw.clear()
        self._entries.clear()
        self._content = None

    def finish(self, left_out: list[LeftOut]) -> int:
        """Add the listing and the end, and rename; return the archive's length and leave it to others."""
        self.flush()
        headers = self._fill_in()
        spans, crc, length = self.part.totals(headers)
        entries = self.part.ledger.entries()
        listing = Manifest(
            run_id=self._run_id,
            members=tuple(entry.member for entry in entries),
            left_out=tuple(sorted([*left_out, *self.left_out], key=lambda entry: entry.name)),
            spans=tuple(spans),
            prefix_bytes=manifest.width(self.part.end_bytes),
        )
        content = manifest.encode(listing)
        newest_s = max((entry.source.mtime_s for entry in entries), default=0)
        head = archive_tar.header(self._name(manifest.NAME), len(content), newest_s)
        return self.part.close_file(head + content + archive_tar.padding(len(content)), crc, length)

    def _fill_in(self) -> dict[int, tuple[Span, int]]:
        """Write the headers whose files have ended since; return span and CRC-32 by the number of the piece."""
        pieces = self.part.ledger.pieces
        filled = {}
        for index, piece in enumerate(pieces):
            if piece.is_header:
                entry = next(entry for later in pieces[index:] for entry in later.entries)
                source, name = entry.source, self._name(entry.member.path)
                filled[index] = self.part.fill_in(
                    index, archive_tar.fixed_header(name, source.size_bytes, source.mtime_s)
                )
        return filled

    def _begun(self, on_bytes: OnBytes | None = None) -> _Content | None:
        """Return what is known of the begun file, its done part read again where another process began it."""
        begun = self.part.ledger.going_on
        if self._content is None and begun is not None:
            content = _Content(begun)
            fd = self._open(begun.member.path)
            if fd is None:
                return None
            try:
                while content.done_bytes < begun.done_bytes:
                    chunk = os.read(fd, min(CHUNK_BYTES, begun.done_bytes - content.done_bytes))
                    if not chunk:
                        return None
                    content.take(chunk)
                    if on_bytes:
                        on_bytes(len(chunk))
            finally:
                os.close(fd)
            if content.crc32 != begun.crc32:
                return None
            self._content = content
        return self._content

    def _finish_content(self, fd: int, source: Source, on_bytes: OnBytes | None) -> None:
        content = self._content
        assert content is not None
        note = self._read(fd, content, source.size_bytes - content.done_bytes, on_bytes)
        path = content.begun.member.path
        member = manifest.member(path, source.size_bytes, content.sha256.hexdigest(), note)
        self._content = None
        self._entries.append(Entry(member, source, content.crc32, content.begun.is_patched))
        self._raw += archive_tar.padding(source.size_bytes)
        if content.begun.is_patched:
            self.flush()

    def _read(self, fd: int, content: _Content, count: int, on_bytes: OnBytes | None) -> str | None:
        """Add ``count`` bytes of a file from where it was left; return what is odd about them."""
        os.lseek(fd, content.done_bytes, os.SEEK_SET)
        note = None
        while count:
            chunk = b"" if note else os.read(fd, min(CHUNK_BYTES, count))
            if not chunk:
                note = _SHRANK
                chunk = bytes(min(CHUNK_BYTES, count))
            content.take(chunk)
            self._feed(chunk)
            count -= len(chunk)
            if on_bytes:
                on_bytes(len(chunk))
        return note

    def _feed(self, data: bytes) -> None:
        self._raw += data
        if len(self._raw) >= PIECE_BYTES:
            self.flush()

    def _open(self, name: str) -> int | None:
        try:
            return self._folder.open(name)
        except OSError as error:
            self._leave_out(name, f"cannot be read: {error.strerror}")
            return None

    def _name(self, path: str) -> str:
        return f"{self._run_id}/{path}"

    def _leave_out(self, name: str, reason: str) -> None:
        self.left_out.append(LeftOut(manifest.shown(name), reason))
