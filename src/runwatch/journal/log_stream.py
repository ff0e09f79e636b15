"""One log as one sequence of bytes: its file, the files it went on in, and those that were rotated away.

Notices when the file under the name is truncated, replaced, deleted or created again. Must not look for lines.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field

from runwatch.journal.log_folder import LogFolder

TAIL_BYTES = 128 << 10
"""What of the end is kept in memory, so that drawing it and going on reads nothing twice."""

_CHECK_BYTES = 64
_HEAD_CHECK_FROM = 256
_MAX_SEGMENTS = 64
_KEPT_HEADS = 16


@dataclass(slots=True)
class _Segment:
    """A stretch of the sequence that lies in one file."""

    fd: int
    name: str
    path: str
    device: int
    inode: int
    base: int
    skip: int = 0
    size: int = 0
    modified_ns: int = 0
    gap: int = 0
    head: bytes = b""
    last: bytes = b""

    @property
    def end(self) -> int:
        return self.base + self.size - self.skip


@dataclass
class LogStream:
    """Bytes of one log, addressed by offset. Belongs to one thread at a time."""

    folder: LogFolder
    """Where its files lie."""
    names: Sequence[str]
    """The log's file and those it goes on in, in order; more may be added."""
    epoch: int = 0
    """How often everything known about the bytes became void."""
    size: int = 0
    """Bytes known to be there."""
    bytes_read: int = 0
    """Bytes read from files so far."""
    _segments: list[_Segment] = field(default_factory=list)
    _notices: list[str] = field(default_factory=list)
    _tail: bytearray = field(default_factory=bytearray)
    _tail_at: int = 0
    _gone: bool = False
    _heads: dict[int, bytes] = field(default_factory=dict)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the files and forget what was known of them; the next poll begins anew."""
        for segment in self._segments:
            os.close(segment.fd)
        self._segments = []
        self.epoch += 1
        self.size = self._tail_at = 0
        self._tail.clear()
        self._heads.clear()

    def notices(self) -> list[str]:
        """Return, once, what happened to the files: one sentence each."""
        said, self._notices = self._notices, []
        return said

    @property
    def modified_s(self) -> float | None:
        """When the file was last changed, in seconds since the epoch."""
        return self._segments[-1].modified_ns / 1e9 if self._segments else None

    @property
    def kept_from(self) -> int:
        """Offset from which on the bytes are in memory."""
        return self._tail_at

    def segments(self) -> list[tuple[str, int, int]]:
        """Return (name, first offset, first offset within the file) of each stretch, in order."""
        return [(segment.name, segment.base, segment.skip) for segment in self._segments]

    def poll(self) -> bool:
        """Look at the file again; return True when ``size`` or ``epoch`` changed."""
        if not self._segments:
            return self._begin()
        segment = self._segments[-1]
        try:
            found = os.stat(segment.path, follow_symlinks=False)
        except OSError:
            return self._follow_deleted(segment)
        if found.st_ino != segment.inode or found.st_dev != segment.device:
            return self._follow_replaced(segment, found)
        self._gone = False
        if found.st_size == segment.size:
            if found.st_mtime_ns != segment.modified_ns and not self._unchanged(segment):
                return self._restart(f"{segment.name} was rewritten: shown anew from its beginning.")
            segment.modified_ns = found.st_mtime_ns
            return self._go_on(segment)
        return self._grow(segment, found)

    def stirred(self) -> bool:
        """Tell with one look whether ``poll`` may find something: cheap, for files at rest."""
        if not self._segments:
            return self.folder.stat(self.names[0]) is not None
        segment = self._segments[-1]
        try:
            found = os.stat(segment.path, follow_symlinks=False)
        except OSError:
            return not self._gone or os.fstat(segment.fd).st_size > segment.size
        same = found.st_size == segment.size and found.st_mtime_ns == segment.modified_ns
        return not same or found.st_ino != segment.inode or segment.name != self.names[-1]

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset`` on; fewer at the end, or where a file lost them meanwhile."""
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        kept = self._tail_at
        if offset >= kept:
            return bytes(self._tail[offset - kept : end - kept])
        if end <= kept:
            return self._from_files(offset, end)
        return self._from_files(offset, kept) + self._tail[: end - kept]

    def read_head(self, offset: int, length: int) -> bytes:
        """Return what ``read`` does, keeping it: the head of a long line is asked for again while the line grows."""
        head = self._heads.get(offset)
        if head is None or len(head) != length:
            if len(self._heads) >= _KEPT_HEADS:
                self._heads.clear()
            head = self._heads[offset] = self.read(offset, length)
        return head

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill ``buffer`` from ``offset`` on without making an object; return the number of bytes, 0 at the end."""
        for segment in self._segments:
            if segment.base <= offset < segment.end:
                room = min(len(buffer), segment.end - offset)
                try:
                    count = os.preadv(segment.fd, [buffer[:room]], offset - segment.base + segment.skip)
                except OSError:
                    return 0
                self.bytes_read += count
                return count
        data = self.read(offset, min(len(buffer), 1))
        buffer[: len(data)] = data
        return len(data)

    def keep_end(self, data: memoryview, offset: int) -> None:
        """Keep what was read at ``offset`` if it is the end: that is drawn next."""
        kept = max(offset, self.size - TAIL_BYTES)
        if offset + len(data) == self.size and kept < self._tail_at:
            self._tail = bytearray(data[kept - offset :])
            self._tail_at = kept

    def _from_files(self, offset: int, end: int) -> bytes:
        pieces = []
        for segment in self._segments:
            if segment.gap and offset < segment.base <= end and offset == segment.base - 1:
                pieces.append(b"\n")
                offset += 1
            if segment.base <= offset < min(segment.end, end):
                piece = self._pread(segment, offset - segment.base + segment.skip, min(segment.end, end) - offset)
                pieces.append(piece)
                offset += len(piece)
                if offset < min(segment.end, end):
                    break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _pread(self, segment: _Segment, at: int, length: int) -> bytes:
        try:
            data = os.pread(segment.fd, length, at)
        except OSError:
            return b""
        self.bytes_read += len(data)
        return data

    def _begin(self) -> bool:
        for name in self.names:
            if not self._add(name, joined=True):
                break
        return bool(self._segments)

    def _add(self, name: str, *, joined: bool) -> bool:
        try:
            fd = self.folder.open(name)
        except OSError:
            return False
        found = os.fstat(fd)
        path = f"{self.folder.path}/{name}"
        segment = _Segment(fd, name, path, found.st_dev, found.st_ino, self.size)
        segment.head = self._pread(segment, 0, _CHECK_BYTES)
        if segment.head[:1] == b"\0":
            segment.skip = segment.size = _first_data(fd)
        if not joined and self.size and self.read(self.size - 1, 1) != b"\n":
            self._keep(b"\n")
            segment.base, segment.gap = self.size, 1
        self._segments.append(segment)
        segment.size, segment.modified_ns = max(found.st_size, segment.skip), found.st_mtime_ns
        self._remember_last(segment)
        self._move_end(segment.end)
        return True

    def _grow(self, segment: _Segment, found: os.stat_result) -> bool:
        growth = found.st_size - segment.size
        if growth < 0:
            return self._restart(f"{segment.name} was truncated: shown anew from its beginning.")
        check = min(len(segment.last), growth)
        wanted = check + growth if growth <= TAIL_BYTES else check
        data = self._pread(segment, segment.size - check, wanted)
        known = segment.last[len(segment.last) - check :]
        if data[:check] != known or (growth >= _HEAD_CHECK_FROM and not self._same_head(segment)):
            return self._restart(f"{segment.name} was rewritten: shown anew from its beginning.")
        segment.modified_ns = found.st_mtime_ns
        if growth <= TAIL_BYTES:
            segment.size += len(data) - check
            segment.last = (segment.last + data[check:])[-_CHECK_BYTES:]
            self._keep(data[check:])
        else:
            segment.size = found.st_size
            self._remember_last(segment)
            self._move_end(segment.end)
        return True

    def _same_head(self, segment: _Segment) -> bool:
        if segment.skip:
            return True
        head = self._pread(segment, 0, _CHECK_BYTES)
        same = head[: len(segment.head)] == segment.head
        segment.head = head
        return same

    def _unchanged(self, segment: _Segment) -> bool:
        check = len(segment.last)
        return self._pread(segment, segment.size - check, check) == segment.last and self._same_head(segment)

    def _remember_last(self, segment: _Segment) -> None:
        check = min(_CHECK_BYTES, segment.size - segment.skip)
        segment.last = self._pread(segment, segment.size - check, check)

    def _go_on(self, segment: _Segment) -> bool:
        if segment.name not in self.names[:-1]:
            return False
        return self._add(self.names[list(self.names).index(segment.name) + 1], joined=True)

    def _follow_deleted(self, segment: _Segment) -> bool:
        if not self._gone:
            self._gone = True
            self._notices.append(f"{segment.name} was deleted: what was in it stays here until it comes back.")
        found = os.fstat(segment.fd)
        return found.st_size > segment.size and self._grow(segment, found)

    def _follow_replaced(self, segment: _Segment, found: os.stat_result) -> bool:
        if not stat.S_ISREG(found.st_mode):
            return self._follow_deleted(segment)
        old, epoch = os.fstat(segment.fd), self.epoch
        grown = old.st_size > segment.size and self._grow(segment, old)
        if found.st_size == 0 or self.epoch != epoch:
            return grown
        self._gone = False
        if len(self._segments) >= _MAX_SEGMENTS:
            return self._restart(f"{segment.name} was replaced: shown anew from its beginning.")
        if self._add(segment.name, joined=False):
            self._notices.append(f"{segment.name} was replaced: the new file goes on below.")
            return True
        return grown

    def _restart(self, notice: str) -> bool:
        self._notices.append(notice)
        self.close()
        self._begin()
        return True

    def _keep(self, data: bytes) -> None:
        if self._tail_at + len(self._tail) != self.size:
            self._tail.clear()
            self._tail_at = self.size
        self._tail += data
        self.size += len(data)
        if len(self._tail) > 2 * TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]
            self._tail_at = self.size - len(self._tail)

    def _move_end(self, end: int) -> None:
        if end > self.size:
            self.size = self._tail_at = end
            self._tail.clear()


def _first_data(fd: int) -> int:
    """Return where the data begins in a file that starts with a hole: its writer kept its place at a truncation."""
    try:
        return os.lseek(fd, 0, os.SEEK_DATA)
    except OSError:
        return 0
