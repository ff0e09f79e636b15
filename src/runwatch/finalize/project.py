"""The readable line that each event leaves in its component's log.

Must not fold. A projection of the journal: exactly one line an event, whatever recorders come and go, and however
often the disk was full: what could not be written is taken from the journal again when there is room.
Source: record.md, "Logs".
"""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from pathlib import Path

import msgspec

from runwatch.events import Event, Unknown
from runwatch.finalize.refusal import is_shortage
from runwatch.journal.beneath import open_beneath
from runwatch.journal.follow import Follower, read_line
from runwatch.journal.paths import RunPaths
from runwatch.views import event_line

RETRY_S = 1.0
"""How long a full disk is left alone."""
MAX_OPEN = 32
"""Logs held open at a time."""
_OUTPUT = re.compile(r"(?:stdout|stderr)(?:\.\d+)?\.log\Z")
"""What the command wrote: it may look like a line of ours."""
TAIL_BYTES = 65536
"""How much of a log's end is read to find where a former recorder had come to."""


class Projector:
    """Writes the lines of one run."""

    def __init__(self, paths: RunPaths, max_bytes: int | None = None) -> None:
        """A log that has ``max_bytes`` goes on in ``<component>.1.log`` …, as with its other writers."""
        self._max_bytes = max_bytes
        self._paths = paths
        # Without a log folder, the raw logs were taken away: what stands in the archive is not written again.
        self._done = _last_position(paths) if paths.logs.is_dir() else sys.maxsize
        self._files: dict[Path, int] = {}
        self._time: str | None = None
        self._part = 0
        """How many lines of the event behind ``_done`` stand: an event may leave one in several logs."""
        self._failure: OSError | None = None
        """Why lines are missing, until they are written after all."""
        self._try_again = 0.0

    def close(self) -> None:
        """Close the logs."""
        while self._files:
            os.close(self._files.popitem()[1])

    @property
    def position(self) -> int:
        """Where in the journal the last event ends whose line stands."""
        return self._done

    def begin_anew(self) -> None:
        """Take the journal for another one, none of whose lines stand."""
        self._done = self._part = 0

    def take(self, line: bytes, position: int) -> Event | None:
        """Write the line of an event that ends at ``position`` in the journal, unless it stands; return the event."""
        event = read_line(line)
        if event is None or isinstance(event, Unknown):
            return None
        self._time = event.ts or self._time
        if position > self._done and self._failure is None:
            self._project(event, position, self._time)
        elif self._failure is not None and time.monotonic() >= self._try_again:
            self.catch_up()
        return event

    def catch_up(self) -> OSError | None:
        """Write the lines that are missing; return why that is not possible still."""
        if self._failure is None:
            return None
        self._failure = None
        follower = Follower(self._paths.journal, self._done)
        try:
            while lines := follower.read():
                position = follower.offset - sum(len(line) + 1 for line in lines)
                for line in lines:
                    position += len(line) + 1
                    event = read_line(line)
                    if event is None or isinstance(event, Unknown):
                        continue
                    if not self._project(event, position, event.ts or self._time):
                        return self._failure
        finally:
            follower.close()
        return None

    def _project(self, event: Event, position: int, at: str | None) -> bool:
        """Write the lines of an event that are not there yet; False where one must be tried again."""
        for number, shown in enumerate(event_line.render_all(event)):
            text = event_line.encode(event, shown, run_id=self._paths.run_id, ts=at, at=position)
            path = self._paths.component_log(event.step, shown.component)
            if number >= self._part and not self._write(path, text):
                self._part = number
                return False
        self._part, self._done = 0, position
        return True

    def _write(self, path: Path, line: bytes) -> bool:
        """Write a line; False where it must be tried again. A log that is a link or the like gets none."""
        try:
            written = os.write(self._open(path), line)
            if written == len(line):
                return True
            os.close(self._files.pop(path))  # opened again, it gets the line feed that this line did not
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        except OSError as error:
            if not is_shortage(error):
                return True
            self._failure, self._try_again = error, time.monotonic() + RETRY_S
            return False

    def _open(self, path: Path) -> int:
        fd = self._files.pop(path, None)
        if fd is not None and self._max_bytes and os.fstat(fd).st_size >= self._max_bytes:
            os.close(fd)
            fd = None
        if fd is None:
            name = str(self._part_of(path).relative_to(self._paths.root))
            fd = open_beneath(self._paths.root, name, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            size = os.fstat(fd).st_size
            if size and os.pread(fd, 1, size - 1) != b"\n":
                os.write(fd, b"\n")  # a former recorder was killed in the middle of a line
            if len(self._files) >= MAX_OPEN:
                os.close(self._files.pop(next(iter(self._files))))
        self._files[path] = fd
        return fd

    def _part_of(self, path: Path) -> Path:
        """Return the file in which a log goes on."""
        part, number = path, 0
        while self._max_bytes and part.is_file() and part.stat().st_size >= self._max_bytes:
            number += 1
            part = path.with_name(f"{path.stem}.{number}.log")
        return part


def _last_position(paths: RunPaths) -> int:
    """Return the journal position of the last line that a former recorder projected; 0 without one."""
    last = 0
    for path in paths.logs.glob("**/*.log"):
        if _OUTPUT.match(path.name) or path.is_symlink():
            continue
        last = max(last, _last_in(paths, path))
    return last


class _Line(msgspec.Struct):
    logger: str = ""
    at: int = 0


def _last_in(paths: RunPaths, path: Path) -> int:
    try:
        with open(open_beneath(paths.root, str(path.relative_to(paths.root))), "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return 0
    for line in reversed(lines[:-1]):
        if b'"runwatch"' not in line:
            continue
        try:
            found = msgspec.json.decode(line, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if found.logger == "runwatch" and found.at:
            return found.at
    return 0
