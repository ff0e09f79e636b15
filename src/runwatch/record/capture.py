"""Copying the command's output: byte for byte to the logs of the step at hand, and through.

Must not read a stream itself, or wait for the recorder.
Source: record.md, "Logs"; finalizer.md, "Who finalizes".
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

from runwatch.journal.atomic import DIR_MODE, FILE_MODE
from runwatch.journal.losses import LossAccount
from runwatch.journal.output_index import format_record
from runwatch.journal.paths import RunPaths
from runwatch.record.spawn import Channel
from runwatch.record.stand_in import Alarm
from runwatch.record.step_log import StepLog
from runwatch.record.stream import OnMarker, Stream
from runwatch.sources.markers import MarkerScanner

_INPUT_ENDED = re.compile(rb"\bEOF\b|EOFError|end[ -]of[ -](?:file|input)|not a (?:tty|terminal)|stdin", re.IGNORECASE)
"""How programs complain that there is nothing to read."""
INDEX_GAP_S = 0.01
"""Arrival times are written at most this often a log: that is their precision."""


class Capture:
    """Both streams of the command and the step that their bytes belong to."""

    def __init__(
        self,
        paths: RunPaths,
        channels: list[Channel],
        scanner: MarkerScanner,
        on_marker: OnMarker,
        max_bytes: int | None,
        losses: LossAccount | None = None,
        ring: Callable[[float], object] = lambda after_s: None,
    ) -> None:
        """Open the arrival index. ``losses`` counts the bytes that pass through but cannot be written to a log.

        ``ring`` has look() called after so many seconds.
        """
        self._paths = paths
        self.losses = losses or LossAccount(paths.losses, "capture")
        self._index_fd = _open_index(paths)
        self._max_bytes = max_bytes
        self.alarm = Alarm(ring)
        """Comes while a write to a log is under way."""
        self.step: int | None = None
        """The step at hand."""
        self.streams = [Stream(self, channel, scanner, on_marker) for channel in channels]

    def start(self) -> None:
        """Begin copying, one thread a stream."""
        for stream in self.streams:
            stream.thread.start()

    def look(self) -> bool:
        """Have output passed on for which a disk does not answer; return whether that is new."""
        return self.alarm.look(self.streams)

    def cut(self, step: int | None) -> None:
        """File under the step before all that the command wrote until now, and what follows under ``step``."""
        for stream in self.streams:
            with stream.held():
                stream.drain()
                stream.flush_held()
        self.step = step

    def record_arrival(self, log: StepLog) -> None:
        """Note when the bytes from the end of ``log`` on arrived, unless that was just done."""
        now = time.time()
        if now - log.indexed >= INDEX_GAP_S:
            log.indexed = now
            try:
                os.write(self._index_fd, format_record(now, log.name, log.size))
            except OSError:
                pass  # the bytes matter more than when they came; a full disk is told of by them

    def new_log(self, stream: str) -> StepLog:
        """Return the log of ``stream`` in the step at hand."""
        return StepLog(self._paths, stream, self.step, self._max_bytes)

    def met_end_of_input(self) -> bool:
        """Whether the last that was written to stderr complains about the end of the input.

        The kernel does not tell who reads /dev/null; a program that is silent about it is not noticed.
        """
        log = next(stream.log for stream in self.streams if stream.channel.name == "stderr")
        return log is not None and _INPUT_ENDED.search(log.tail()) is not None

    @property
    def finished(self) -> bool:
        """Whether every stream has come to its end."""
        return all(stream.closed for stream in self.streams)

    def finish(self, wait_s: float) -> list[Stream]:
        """Copy what is there now; return the streams that somebody still holds open after ``wait_s`` seconds."""
        deadline = time.monotonic() + wait_s
        for stream in self.streams:
            stream.thread.join(max(0.0, deadline - time.monotonic()))
        left_open = []
        for stream in self.streams:
            with stream.held():
                if not stream.closed:
                    stream.drain()
                    stream.filing = False
                    left_open.append(stream)
                stream.flush_held()
                stream.close_log()
        return left_open


def _open_index(paths: RunPaths) -> int:
    """Open the arrival index; where there is no room even for that, the output goes on without times."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        paths.logs.mkdir(mode=DIR_MODE, exist_ok=True)
        return os.open(paths.output_index, flags, FILE_MODE)
    except OSError:
        return -1  # each write to it fails and is passed over
