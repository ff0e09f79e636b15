"""``run.tar.gz.part``: an archive in the making, piece after piece, each read back and compared as it is written.

Must not know which files it is made of. One process at a time has it; killed at any instant, the next one goes on
behind the last whole piece. **Source**: targets.md, "Archive and commit, as measured".
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import time
from pathlib import Path

from runwatch.errors import RecordError
from runwatch.finalize import archive_ledger, gzip_member
from runwatch.finalize.archive_ledger import Entry, GoingOn, Ledger, Piece
from runwatch.finalize.deflate import crc32, crc32_combine
from runwatch.finalize.manifest import Span
from runwatch.journal.atomic import FILE_MODE

NAME = "run.tar.gz.part"
"""Name of the file in the run directory."""
ARCHIVE = "run.tar.gz"
PIECE_BYTES = 8 << 20
"""A piece ends as soon as it holds so much."""
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = _OPEN | os.O_CREAT | os.O_EXCL
_CHUNK_BYTES = 1 << 20
_LOCK_POLL_S = 0.01


class Part:
    """The file and its ledger, held by this process. Raises OSError as files do."""

    def __init__(self, root: Path, run_id: str, *, wait_s: float = 10.0, is_trusted: bool = False) -> None:
        """Take the part of a run directory, or begin one, or go on with an archive that nobody confirmed.

        What stands there is read again and kept up to the first piece that is not as it was written; ``is_trusted``:
        by whoever wrote it just now, and confirmed at the end anyway. Raises RecordError where another process goes
        on holding it.
        """
        self._path = root / NAME
        self._ledger_path = root / archive_ledger.NAME
        self._fd = self._take(root / ARCHIVE, wait_s)
        try:
            self.ledger = Ledger(os.open(self._ledger_path, _OPEN | os.O_CREAT, FILE_MODE), run_id)
        except BaseException:
            os.close(self._fd)
            raise
        self._sha256 = hashlib.sha256()
        self._span_bytes = 0
        self._resume(is_trusted=is_trusted)

    def _take(self, archive: Path, wait_s: float) -> int:
        """Return the part's descriptor, locked, and known to be a file of ours."""
        if not _is_own(self._ledger_path):
            self._ledger_path.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
        elif _is_own(archive) and not self._path.exists():
            os.rename(archive, self._path)  # complete, but nobody came to confirm it
        deadline = time.monotonic() + wait_s
        while True:
            fd = self._open()
            try:
                fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_same(fd, self._path):
                    return fd
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN):
                    os.close(fd)
                    raise
            os.close(fd)
            if time.monotonic() >= deadline:
                raise RecordError(f"Another process is making {archive}: wait for it.")
            time.sleep(_LOCK_POLL_S)

    def _open(self) -> int:
        if _is_own(self._path):
            return os.open(self._path, _OPEN)
        self._path.unlink(missing_ok=True)
        try:
            return os.open(self._path, _NEW, FILE_MODE)
        except FileExistsError:
            return os.open(self._path, _OPEN)

    def _resume(self, *, is_trusted: bool) -> None:
        pieces = self.ledger.pieces
        if not pieces or pieces[0].start_bytes != len(gzip_member.HEADER):
            self.cut(0)
            return
        there = os.fstat(self._fd).st_size
        good = sum(piece.end_bytes <= there for piece in pieces)
        if is_trusted or not good:
            self.cut(good)
            return
        good, span, digest = self._checked(pieces[:good])
        self.cut(good)
        if good:
            self._span_bytes, self._sha256 = span, digest

    def _checked(self, pieces: list[Piece]) -> tuple[int, int, hashlib._Hash]:
        """Read the pieces again; return how many of them are as they were written, and the last one's span and hash."""
        span, digest = 0, hashlib.sha256(os.pread(self._fd, len(gzip_member.HEADER), 0))
        for index, piece in enumerate(pieces):
            if piece.is_header:  # filled in at the end, whatever it holds now
                span, digest = piece.end_bytes, hashlib.sha256()
                continue
            if piece.span_bytes != span:
                span, digest = piece.span_bytes, hashlib.sha256()
            before = digest.copy()
            for at in range(piece.start_bytes, piece.end_bytes, _CHUNK_BYTES):
                digest.update(os.pread(self._fd, min(_CHUNK_BYTES, piece.end_bytes - at), at))
            if digest.hexdigest() != piece.sha256:
                return index, span, before
        return len(pieces), span, digest

    def cut(self, count: int) -> None:
        """Keep the first ``count`` pieces only, and begin a span behind them."""
        self.ledger.cut(count)
        os.ftruncate(self._fd, self.end_bytes if count else 0)
        self._sha256, self._span_bytes = hashlib.sha256(), self.end_bytes if count else 0
        if not count:
            self._put(0, gzip_member.HEADER)

    @property
    def end_bytes(self) -> int:
        """Position behind the last piece."""
        return self.ledger.pieces[-1].end_bytes if self.ledger.pieces else len(gzip_member.HEADER)

    def write(self, raw: bytes | bytearray, entries: tuple[Entry, ...], going_on: GoingOn | None) -> None:
        """Add a piece that holds ``raw``: on disk, read back, inflated and equal when this returns.

        Raises RecordError where the disk gives back something else.
        """
        start = self.end_bytes
        packed = gzip_member.piece(raw)
        back = self._put(start, packed)
        if not gzip_member.is_piece_of(back, raw):
            raise RecordError(f"{self._path} does not hold what was written to it: its disk is not to be trusted.")
        self.ledger.add(
            Piece(
                start_bytes=start,
                end_bytes=start + len(packed),
                raw_bytes=len(raw),
                crc32=crc32(memoryview(raw)),
                span_bytes=self._span_bytes,
                sha256=self._sha256.hexdigest(),
                entries=entries,
                going_on=going_on,
            )
        )

    def write_header(self, header: bytes, going_on: GoingOn) -> None:
        """Add a header that is filled in later, as long as it will be then."""
        start = self.end_bytes
        data = gzip_member.stored(header)
        self._put(start, data)
        end = start + len(data)
        self.ledger.add(
            Piece(
                start_bytes=start,
                end_bytes=end,
                raw_bytes=len(header),
                crc32=0,
                span_bytes=start,
                sha256="",
                going_on=going_on,
                is_header=True,
            )
        )
        self._sha256, self._span_bytes = hashlib.sha256(), end

    def _put(self, at: int, data: bytes) -> bytes:
        """Write data; return what the disk has of it, which is added to the span's hash."""
        view = memoryview(data)
        while view:
            view = view[os.pwrite(self._fd, view, at + len(data) - len(view)) :]
        back = os.pread(self._fd, len(data), at)
        self._sha256.update(back)
        return back

    def sync(self) -> None:
        """Have the disk take what was written. At the end there is little left to wait for then."""
        os.fdatasync(self._fd)

    def fill_in(self, index: int, header: bytes) -> tuple[Span, int]:
        """Write the header that piece ``index`` was kept for; return its span and its CRC-32."""
        piece = self.ledger.pieces[index]
        data = gzip_member.stored(header)
        if len(data) != piece.end_bytes - piece.start_bytes:
            raise ValueError("a header must be as long as the place that was kept for it")
        os.pwrite(self._fd, data, piece.start_bytes)
        return Span(piece.end_bytes, hashlib.sha256(data).hexdigest()), crc32(header)

    def totals(self, headers: dict[int, tuple[Span, int]]) -> tuple[list[Span], int, int]:
        """Return spans, CRC-32 and length of all pieces; ``headers`` is what fill_in() returned for each."""
        spans: list[Span] = []
        crc = length = 0
        pieces = self.ledger.pieces
        for index, piece in enumerate(pieces):
            filled = headers.get(index)
            crc = crc32_combine(crc, filled[1] if filled else piece.crc32, piece.raw_bytes)
            length += piece.raw_bytes
            last = index + 1 == len(pieces) or pieces[index + 1].span_bytes != piece.span_bytes
            if filled:
                spans.append(filled[0])
            elif last:
                spans.append(Span(piece.end_bytes, piece.sha256))
        if not pieces or pieces[0].is_header:
            # The gzip header alone, which otherwise belongs to the first piece's span.
            spans.insert(0, Span(len(gzip_member.HEADER), hashlib.sha256(gzip_member.HEADER).hexdigest()))
        return spans, crc, length

    def close_file(self, listing: bytes, crc: int, length: int) -> int:
        """Add the listing and the end, fsync, rename to ``run.tar.gz``; return the file's length."""
        crc, length = crc32_combine(crc, crc32(listing), len(listing)), length + len(listing)
        data = gzip_member.stored(listing, gzip_member.STORED_LAST) + gzip_member.ending(crc, length)
        end = self.end_bytes
        self._put(end, data)
        os.fsync(self._fd)
        os.rename(self._path, self._path.with_name(ARCHIVE))
        return end + len(data)

    def drop(self) -> None:
        """Remove it all: its room is needed, or it is of no use."""
        self._ledger_path.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave it to the next process."""
        self.ledger.close()
        os.close(self._fd)


def _is_own(path: Path) -> bool:
    """Whether there is a regular file by that name alone: no link of any kind leads elsewhere."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def _is_same(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except OSError:
        return False
