"""What a run could not record, kept where a full disk and the death of the writer cannot take it: ``.losses``.

Must not raise, and must not allocate space: the file is written in full when the run starts, each process has one line
of fixed length in it, and rewrites that in place. Where the disk refuses even that (one that copies on write does, when
a quota is used up), a file in memory takes its place. The finalizer turns the lines into ``degraded`` events.
Source: record.md, "The journal"; the format is ours: ``<writer> <events> <log lines> <output bytes> <unix seconds>``.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from runwatch.events.notices import Degraded
from runwatch.journal import spare
from runwatch.journal.modes import FILE_MODE

LEDGER_BYTES = 4096
LINE_BYTES = 64
_LINES = LEDGER_BYTES // LINE_BYTES
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_BLANK = b" \n\0"


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What one process could not record so far."""

    writer: str
    """As in the envelope of its events."""
    events: int = 0
    """Events that were not acknowledged."""
    log_lines: int = 0
    """Lines of the program's loggers."""
    output_bytes: int = 0
    """Bytes of the command's output that reached no log; they passed through all the same."""
    since_s: float = 0.0
    """Unix time of the first of them, in seconds."""

    @property
    def since(self) -> str:
        """That time as RFC 3339, UTC, microseconds."""
        return datetime.fromtimestamp(self.since_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def event(self) -> Degraded:
        """Return the event that tells of it."""
        return Degraded(
            dropped=self.events,
            since=self.since,
            log_lines=self.log_lines,
            output_bytes=self.output_bytes,
            of=self.writer,
        )


class LossAccount:
    """The losses of this process in one run: counted here, and in the ledger; safe to use from threads."""

    def __init__(self, path: Path, writer: str) -> None:
        """``path``: the run's ledger, which is created with the run."""
        self._path, self._writer = str(path), writer
        self._lock = threading.RLock()
        self._lines: dict[str, int] = {}
        """Where this process's line is, on the disk and in memory."""
        self.events = self.log_lines = self.output_bytes = 0
        self.since_s = 0.0

    def add(self, *, events: int = 0, log_lines: int = 0, output_bytes: int = 0) -> None:
        """Count what was lost just now."""
        with self._lock:
            self.events += events
            self.log_lines += log_lines
            self.output_bytes += output_bytes
            self.since_s = self.since_s or round(time.time(), 6)  # as the ledger shows it
            try:
                self._store(os.open(self._path, _FLAGS), "disk")
            except OSError as error:
                if error.errno in spare.REFUSED:  # where the ledger is gone, its run is finalized and told of all
                    self._store_in_memory()

    def loss(self) -> Loss | None:
        """Return what was lost so far; None when nothing was."""
        with self._lock:
            if not self.since_s:
                return None
            return Loss(
                writer=self._writer,
                events=self.events,
                log_lines=self.log_lines,
                output_bytes=self.output_bytes,
                since_s=self.since_s,
            )

    def _store_in_memory(self) -> None:
        try:
            fd = spare.open_spare(self._path, os.O_RDWR | os.O_CREAT)
            if os.fstat(fd).st_size < LEDGER_BYTES:
                os.ftruncate(fd, LEDGER_BYTES)
            self._store(fd, "memory")
        except OSError:
            pass  # counted here; the next event that finds room tells of it

    def _store(self, fd: int, place: str) -> None:
        """Rewrite this process's line. The file is not kept open: a loss is rare, descriptors may be too."""
        try:
            if place not in self._lines:
                self._lines[place] = _free_line(fd)
            text = f"{self._writer} {self.events} {self.log_lines} {self.output_bytes} {self.since_s}"
            os.pwrite(fd, b"%-63b\n" % text.encode()[: LINE_BYTES - 1], self._lines[place])
        finally:
            os.close(fd)


def create_ledger(path: Path) -> None:
    """Write an empty ledger, so that its blocks are there when the disk is full. Raises OSError."""
    spare.forget(path)  # of a run that was deleted and had the same name
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        if os.write(fd, b"\n".rjust(LINE_BYTES) * _LINES) != LEDGER_BYTES:
            raise OSError(28, "No space left on device", str(path))
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(fd)


def forget_losses(path: Path) -> None:
    """Remove the ledger, once the journal tells of all that is in it."""
    spare.forget(path)
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # told twice counts once


def read_losses(path: Path) -> list[Loss]:
    """Return the losses of every process of a run; empty where there is no ledger."""
    losses: dict[str, Loss] = {}
    for data in (_content(path), spare.kept(path)):
        for at in range(0, len(data), LINE_BYTES):
            loss = _read(data[at : at + LINE_BYTES])
            known = losses.get(loss.writer) if loss is not None else None
            if loss is not None and (known is None or _size(known) < _size(loss)):
                losses[loss.writer] = loss
    return list(losses.values())


def _size(loss: Loss) -> int:
    return loss.events + loss.log_lines + loss.output_bytes


def _content(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(fd, LEDGER_BYTES)
        finally:
            os.close(fd)
    except OSError:
        return b""


def _read(line: bytes) -> Loss | None:
    words = line.decode("ascii", "replace").split()
    try:
        writer, events, log_lines, output_bytes, since = words
        return Loss(
            writer=writer,
            events=int(events),
            log_lines=int(log_lines),
            output_bytes=int(output_bytes),
            since_s=float(since),
        )
    except ValueError:
        return None


def _free_line(fd: int) -> int:
    """Return where a line is that no process has. Raises OSError where all are taken.

    The search begins anywhere, so that two processes that lose their first event at once do not take the same one.
    """
    data = os.pread(fd, LEDGER_BYTES, 0)
    first = int.from_bytes(os.urandom(2), "little")
    for number in range(_LINES):
        at = (first + number) % _LINES * LINE_BYTES
        if at + LINE_BYTES <= len(data) and not data[at : at + LINE_BYTES].strip(_BLANK):
            return at
    raise OSError(errno.ENOSPC, "All lines are taken")
