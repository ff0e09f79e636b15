"""The readable line that each event leaves in its component's log.

Must not fold. A projection of the journal: exactly one line an event, whatever recorders come and go.
Source: record.md, "Logs".
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from runwatch.events import Event, Unknown
from runwatch.journal.beneath import open_beneath
from runwatch.journal.follow import read_line
from runwatch.journal.paths import RunPaths
from runwatch.views import event_line

MAX_OPEN = 32
"""Logs held open at a time."""
TAIL_BYTES = 65536
"""How much of a log's end is read to find where a former recorder had come to."""


class Projector:
    """Writes the lines of one run."""

    def __init__(self, paths: RunPaths) -> None:
        self._paths = paths
        self._done = _last_position(paths)
        self._files: dict[Path, int] = {}
        self._time: str | None = None

    def take(self, line: bytes, position: int) -> Event | None:
        """Write the line of an event that ends at ``position`` in the journal, unless it stands; return the event."""
        event = read_line(line)
        if event is None or isinstance(event, Unknown):
            return None
        self._time = event.ts or self._time
        if position > self._done:
            self._done = position
            for shown in event_line.render_all(event):
                text = event_line.encode(event, shown, run_id=self._paths.run_id, ts=self._time, at=position)
                self._write(self._paths.component_log(event.step, shown.component), text)
        return event

    def _write(self, path: Path, line: bytes) -> None:
        try:
            os.write(self._open(path), line)
        except OSError:
            pass  # a full disk: the journal counts what is lost, and it is the truth

    def _open(self, path: Path) -> int:
        fd = self._files.pop(path, None)
        if fd is None:
            name = str(path.relative_to(self._paths.root))
            fd = open_beneath(self._paths.root, name, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            size = os.fstat(fd).st_size
            if size and os.pread(fd, 1, size - 1) != b"\n":
                os.write(fd, b"\n")  # a former recorder was killed in the middle of a line
            if len(self._files) >= MAX_OPEN:
                os.close(self._files.pop(next(iter(self._files))))
        self._files[path] = fd
        return fd


def _last_position(paths: RunPaths) -> int:
    """Return the journal position of the last line that a former recorder projected; 0 without one."""
    last = 0
    for path in paths.logs.glob("**/*.log"):
        if path.name in ("stdout.log", "stderr.log") or path.is_symlink():
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
