"""Copying the command's output: byte for byte to the logs of the step at hand, and through.

Must not wait for the recorder or interpret what is copied beyond finding marker lines. One thread a stream.
Source: record.md, "Logs"; finalizer.md, "Who finalizes".
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import re
import select
import termios
import threading
import time
from collections.abc import Callable

from runwatch.journal.atomic import DIR_MODE, FILE_MODE
from runwatch.journal.losses import LossAccount
from runwatch.journal.output_index import format_record
from runwatch.journal.paths import RunPaths
from runwatch.record.spawn import Channel
from runwatch.record.stand_in import Alarm, Aside
from runwatch.record.step_log import StepLog
from runwatch.sources.markers import Marker, MarkerScanner

READ_BYTES = 1 << 18
"""How much one read takes at the most."""
_INPUT_ENDED = re.compile(rb"\bEOF\b|EOFError|end[ -]of[ -](?:file|input)|not a (?:tty|terminal)|stdin", re.IGNORECASE)
"""How programs complain that there is nothing to read."""
INDEX_GAP_S = 0.01
"""Arrival times are written at most this often a log: that is their precision."""

OnMarker = Callable[[Marker], int | None]
"""Told of a marker; returns the step that is at hand from now on."""


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
            with stream.lock:
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
            with stream.lock:
                if not stream.closed:
                    stream.drain()
                    stream.filing = False
                    left_open.append(stream)
                stream.flush_held()
                if stream.log:
                    stream.log.close()
        return left_open


def _open_index(paths: RunPaths) -> int:
    """Open the arrival index; where there is no room even for that, the output goes on without times."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        paths.logs.mkdir(mode=DIR_MODE, exist_ok=True)
        return os.open(paths.output_index, flags, FILE_MODE)
    except OSError:
        return -1  # each write to it fails and is passed over


class Stream:
    """One output stream: read, filed under the step at hand, passed through."""

    def __init__(self, capture: Capture, channel: Channel, scanner: MarkerScanner, on_marker: OnMarker) -> None:
        self.capture, self.channel = capture, channel
        self.lock = threading.Lock()
        """Held from reading bytes until they are filed and passed through, so that a cut falls between two reads."""
        self.log: StepLog | None = None
        self.filing = True
        """False once the run is sealed: bytes of processes that the command left behind only pass through."""
        self.closed = False
        """Whether the stream has come to its end."""
        self.reader_gone = False
        """Whether nobody reads what passes through any more: without us the command would get SIGPIPE."""
        self.pass_error: str | None = None
        """Why passing through was given up; filing goes on."""
        self.writing_since = 0.0
        """When the write that is under way began, in monotonic seconds; 0 while there is none."""
        self._aside: Aside | None = None
        self._turn = threading.Lock()
        """Held where it is decided who reads next."""
        self.thread = threading.Thread(target=self._copy, name=f"copy-{channel.name}", daemon=True)
        self._log_step: int | None = None
        self._scanner, self._on_marker = scanner, on_marker
        self._held = b""
        self._line_start = True
        self._buffer = bytearray(READ_BYTES)

    def _copy(self) -> None:
        poll = select.poll()
        poll.register(self.channel.read_fd, select.POLLIN)
        while not self.closed:
            poll.poll()
            with self.lock:
                if self.reader_gone or not self._read_once() or self.reader_gone:
                    self.flush_held()
                    self.closed = True
                    # Where the reader is gone, the command's next write gets SIGPIPE, as it would without us.
                    os.close(self.channel.read_fd)

    def _read_once(self) -> bool:
        """Copy what one read gives; False at the end of the stream."""
        try:
            count = os.readv(self.channel.read_fd, [self._buffer])
        except OSError as error:
            if error.errno == errno.EIO:  # a pseudo-terminal whose last writer is gone
                return False
            raise
        if count == 0:
            return False
        data = memoryview(self._buffer)[:count]
        self._pass_through(data)
        if self.filing:
            aside = self._file_in_time(data)
            if aside is not None:
                return self._file_aside(aside)
        return True

    def _file_in_time(self, data: memoryview) -> Aside | None:
        """File bytes; return who has read on meanwhile, because the disk did not answer: the alarm finds that."""
        self.writing_since = time.monotonic()
        self.capture.alarm.set()
        try:
            self._file(data)
        finally:
            with self._turn:  # from here on nobody begins to read in our place
                self.writing_since = 0.0
                aside = self._aside
        return aside

    def _file_aside(self, aside: Aside) -> bool:
        """File what was passed on meanwhile; False where the stream has come to its end."""
        while (data := aside.take()) is not None:
            self._buffer[: len(data)] = data
            self._file_in_time(memoryview(self._buffer)[: len(data)])
        self._aside = None
        return not aside.met_end

    def stand_in(self) -> bool:
        """Have output passed on while the log is waited for; False where that is done already, or needed no more."""
        with self._turn:
            if self._aside is not None or not self.writing_since:
                return False
            self._aside = aside = Aside(self.channel.read_fd, self._pass_through)
        try:
            threading.Thread(target=aside.read, name=f"stand-in-{self.channel.name}", daemon=True).start()
        except RuntimeError:  # no thread can be had: the command waits for the disk
            pass
        return True

    def drain(self) -> None:
        """Copy what is in the pipe now. The caller holds the lock."""
        if self.closed:
            return
        pending = array.array("i", [0])
        try:
            fcntl.ioctl(self.channel.read_fd, termios.FIONREAD, pending)
        except OSError:
            return
        left = pending[0]
        poll = select.poll()
        poll.register(self.channel.read_fd, select.POLLIN)
        while left > 0 and poll.poll(0):
            if not self._read_once():
                return
            left -= READ_BYTES

    def _pass_through(self, data: memoryview) -> None:
        fd = self.channel.pass_fd
        if fd is None:
            return
        try:
            while data:
                data = data[os.write(fd, data) :]
        except BlockingIOError:  # somebody made the shared terminal non-blocking
            select.select([], [fd], [])
            self._pass_through(data)
        except BrokenPipeError:
            self.reader_gone = True
        except OSError as error:
            self.channel.pass_fd = None
            self.pass_error = error.strerror or str(error)

    def _file(self, data: memoryview) -> None:
        if self._held or self._scanner.suspects(self._buffer, len(data)):
            self._file_lines(self._held + bytes(data))
        else:
            self._write(data)
            self._line_start = data[-1] == 10

    def _file_lines(self, data: bytes) -> None:
        """File complete lines, switching the step at markers; hold back an unfinished line that may become one."""
        self._held = b""
        begin = at = 0
        start_of_line = self._line_start
        while (end := data.find(b"\n", at)) >= 0:
            if start_of_line and (marker := self._scanner.read(data[at : end + 1])) is not None:
                begin = self._switch(marker, data, begin, at, end + 1)
            start_of_line, at = True, end + 1
        rest = data[at:]
        if rest and start_of_line and self._scanner.may_begin(rest):
            self._write(memoryview(data)[begin:at])
            self._held, self._line_start = rest, True
        else:
            self._write(memoryview(data)[begin:])
            self._line_start = not rest and start_of_line

    def _switch(self, marker: Marker, data: bytes, begin: int, at: int, end: int) -> int:
        """Cut at a marker line and return where the bytes that are not yet filed begin.

        The line that opens a step belongs to the new one, the line that closes it to the one before.
        """
        cut = end if marker.kind == "close" else at
        self._write(memoryview(data)[begin:cut])
        self.capture.step = self._on_marker(marker)
        return cut

    def flush_held(self) -> None:
        """File an unfinished line after all. The caller holds the lock."""
        if self._held:
            held, self._held = self._held, b""
            self._line_start = False
            self._write(memoryview(held))

    def _write(self, data: memoryview) -> None:
        if not data:
            return
        if self.log is None or self._log_step != self.capture.step:
            if self.log is not None:
                self.log.close()
            self.log, self._log_step = self.capture.new_log(self.channel.name), self.capture.step
        while data:
            try:
                share = self.log.share(data)
            except OSError:
                self.capture.losses.add(output_bytes=len(data))
                return
            self.capture.record_arrival(self.log)
            lost = self.log.write(data[:share])
            if lost:
                self.capture.losses.add(output_bytes=lost)
            data = data[share:]
