"""An archive in the making: files in, one standard tar.gz out.

Must not choose the files and must not rename or sync: `archive` does. Laid out as pieces (the files), one stored piece
(the listing), the end. **Source**: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Callable
from typing import BinaryIO

from runwatch.finalize import manifest
from runwatch.finalize.archive_sources import Folder
from runwatch.finalize.gzip_member import GzipMember
from runwatch.finalize.manifest import LeftOut, Manifest, Member
from runwatch.journal.atomic import FILE_MODE

CHUNK_BYTES = 1 << 20


class ArchiveWriter:
    """Writes the files of one run directory to an archive. Raises OSError as the file it writes to does."""

    def __init__(self, file: BinaryIO, folder: Folder, run_id: str) -> None:
        """``run_id`` is the folder that all members are in."""
        self._gzip = GzipMember(file)
        self._folder = folder
        self._run_id = run_id
        self._newest_s = 0
        self.members: list[Member] = []
        """What is in it so far."""
        self.left_out: list[LeftOut] = []
        """What could not be read."""

    @property
    def size_bytes(self) -> int:
        """Length of the archive."""
        return self._gzip.size_bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the archive, in hex."""
        return self._gzip.sha256

    def add(self, name: str, on_bytes: Callable[[int], None] | None = None) -> None:
        """Add a file as long as it is now; tell ``on_bytes`` what was read. One that cannot be read is left out.

        A file that grows meanwhile ends where it ended at first; one that shrinks is filled up with NUL and noted.
        """
        try:
            fd = self._folder.open(name)
        except OSError as error:
            self._leave_out(name, f"cannot be read: {error.strerror}")
            return
        try:
            found = os.fstat(fd)
            if stat.S_ISREG(found.st_mode):
                self._copy(fd, name, found, on_bytes)
            else:
                self._leave_out(name, "no regular file")
        finally:
            os.close(fd)

    def finish(self, left_out: list[LeftOut]) -> None:
        """Add the listing and the end. The file is complete then."""
        self._gzip.end_piece()
        listing = Manifest(
            run_id=self._run_id,
            members=tuple(self.members),
            left_out=tuple(sorted([*left_out, *self.left_out], key=lambda entry: entry.name)),
            prefix_sha256=self._gzip.sha256,
            prefix_bytes=manifest.width(self._gzip.size_bytes),
        )
        content = manifest.encode(listing)
        name = f"{self._run_id}/{manifest.NAME}"
        self._gzip.store(header(name, len(content), self._newest_s) + content + padding(len(content)))
        self._gzip.close()

    def _copy(self, fd: int, name: str, found: os.stat_result, on_bytes: Callable[[int], None] | None) -> None:
        mtime_s = max(0, int(found.st_mtime))
        self._newest_s = max(self._newest_s, mtime_s)
        self._gzip.write(header(f"{self._run_id}/{name}", found.st_size, mtime_s))
        digest = hashlib.sha256()
        left = found.st_size
        note = None
        while left:
            chunk = b"" if note else os.read(fd, min(CHUNK_BYTES, left))
            if not chunk:
                note = "shrank while it was read: filled up with NUL"
                chunk = bytes(min(CHUNK_BYTES, left))
            digest.update(chunk)
            self._gzip.write(chunk)
            left -= len(chunk)
            if on_bytes:
                on_bytes(len(chunk))
        self._gzip.write(padding(found.st_size))
        self.members.append(manifest.member(name, found.st_size, digest.hexdigest(), note))

    def _leave_out(self, name: str, reason: str) -> None:
        self.left_out.append(LeftOut(manifest.shown(name), reason))


def header(name: str, size_bytes: int, mtime_s: int) -> bytes:
    """Return the tar header of a regular file: ustar, with a pax header before it where a value does not fit.

    A name that is no ASCII stands in the ustar header as it is, which every reader takes.
    """
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size_bytes, mtime_s, FILE_MODE
    try:
        return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")
    except ValueError:
        return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def padding(size_bytes: int) -> bytes:
    """Return what fills a file up to whole tar blocks."""
    return bytes(-size_bytes % tarfile.BLOCKSIZE)
