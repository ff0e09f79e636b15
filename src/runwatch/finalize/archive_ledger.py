"""What is known of an archive in the making: a line for each piece, beside it in ``run.tar.gz.pieces``.

Must not look at the archive itself or at any source. A line is written once its piece was read back and compared;
a torn one at the end does not count, nor does what follows it.
"""

from __future__ import annotations

import os

import msgspec

from runwatch.finalize import manifest
from runwatch.finalize.manifest import Member

NAME = "run.tar.gz.pieces"
"""Name of the file in the run directory; there from the first piece until the finalizer is done."""


class Source(msgspec.Struct, frozen=True):
    """What tells a file that nobody touched since: a write that changes none of these shows in its checksum alone."""

    size_bytes: int
    """Of the file."""
    mtime_ns: int
    """When its content was changed."""
    ctime_ns: int
    """When anything of it was changed; no program can set it back."""
    inode: int
    """Which file it is."""

    @classmethod
    def of(cls, found: os.stat_result) -> Source:
        """Return it from a stat result."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    @property
    def mtime_s(self) -> int:
        """The time that the archive has of it."""
        return max(0, self.mtime_ns // 1_000_000_000)


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that is in the archive whole."""

    member: Member
    """As the listing has it."""
    source: Source
    """As its header was made from."""
    crc32: int
    """CRC-32 of its content."""
    is_patched: bool = False
    """Whether its header stands in a block of its own, filled in at its end."""


class GoingOn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that has more content than the pieces so far."""

    member: Member
    """Its name; the rest is not known yet."""
    source: Source
    """As it was when it was begun."""
    done_bytes: int = 0
    """How much of its content is in."""
    crc32: int = 0
    """CRC-32 of that."""
    is_patched: bool = False
    """Whether its length is still open, and its header a block of its own that is filled in at its end."""


class Piece(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of the deflate stream that can be inflated alone."""

    start_bytes: int
    """Position in the file where it begins."""
    end_bytes: int
    """Position in the file behind it."""
    raw_bytes: int
    """Length of what it holds."""
    crc32: int
    """CRC-32 of what it holds; of a header that is still to be filled in, 0."""
    span_bytes: int
    """Position in the file where the span that it belongs to begins."""
    sha256: str
    """Of the span's bytes up to its end, in hex; of a header that is still to be filled in, empty."""
    entries: tuple[Entry, ...] = ()
    """Files that end in it."""
    going_on: GoingOn | None = None
    """The file that does not end in it."""
    is_header: bool = False
    """Whether it holds a header that is filled in at the end of its file, as a stored block, and nothing else."""


class _Start(msgspec.Struct):
    """The first line."""

    schema: int
    run_id: str


class Ledger:
    """The lines of one run's archive. Raises OSError as files do."""

    def __init__(self, fd: int, run_id: str) -> None:
        """Take what stands in an open file, whose descriptor is closed by close()."""
        self._fd, self._run_id = fd, run_id
        self.pieces: list[Piece] = []
        """In the order of the archive."""
        self._ends: list[int] = []
        self._begin_bytes = 0
        self._load()

    def _load(self) -> None:
        with open(os.dup(self._fd), "rb") as file:
            file.seek(0)
            lines = file.read().split(b"\n")[:-1]
        try:
            start = msgspec.json.decode(lines[0], type=_Start) if lines else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            start = None
        if start is None or (start.schema, start.run_id) != (1, self._run_id):
            return
        at = self._begin_bytes = len(lines[0]) + 1
        for line in lines[1:]:
            try:
                piece = msgspec.json.decode(line, type=Piece)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return
            if self.pieces and piece.start_bytes != self.pieces[-1].end_bytes:
                return
            at += len(line) + 1
            self.pieces.append(piece)
            self._ends.append(at)

    def add(self, piece: Piece) -> None:
        """Write a line; the file is made or begun anew where it has none that counts."""
        if not self._begin_bytes:
            os.ftruncate(self._fd, 0)
            self._begin_bytes = self._append(0, _Start(1, self._run_id))
        end = self._append(self._ends[-1] if self._ends else self._begin_bytes, piece)
        self.pieces.append(piece)
        self._ends.append(end)

    def _append(self, at: int, line: _Start | Piece) -> int:
        data = msgspec.json.encode(line) + b"\n"
        if os.pwrite(self._fd, data, at) != len(data):
            raise OSError(28, os.strerror(28), NAME)
        return at + len(data)

    def cut(self, count: int) -> None:
        """Keep the first ``count`` lines only, on disk too."""
        del self.pieces[count:], self._ends[count:]
        os.ftruncate(self._fd, self._ends[-1] if self._ends else self._begin_bytes)

    def first_of(self, index: int) -> int:
        """Return the index of the piece in which the first of the files in a piece begins."""
        while index and self.pieces[index - 1].going_on is not None:
            index -= 1
        return index

    def entries(self) -> list[Entry]:
        """Return the files that are in whole, in order."""
        return [entry for piece in self.pieces for entry in piece.entries]

    @property
    def going_on(self) -> GoingOn | None:
        """The file that the next piece goes on with."""
        return self.pieces[-1].going_on if self.pieces else None

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def going_on(path: str, source: Source, *, is_patched: bool = False) -> GoingOn:
    """Return the entry for a file that was only begun."""
    return GoingOn(manifest.member(path, 0, ""), source, is_patched=is_patched)
