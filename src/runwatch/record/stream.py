"""One output stream of the command: read, passed through, and filed under the step at hand.

Must not wait for the recorder or interpret what is copied beyond finding marker lines. One thread a stream, and a
second one while there is much. Source: record.md, "Logs"; finalizer.md, "Who finalizes".
"""

from __future__ import annotations

import array
import fcntl
import os
import select
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runwatch.record.spawn import Channel
from runwatch.record.stand_in import MUCH_BYTES, Aside, read_into
from runwatch.record.step_log import StepLog
from runwatch.sources.markers import Marker, MarkerScanner

if TYPE_CHECKING:
    from runwatch.record.capture import Capture

_TAKE_OVER_S = 0.02
"""Who waits for a stream asks again so often that nobody reads it on."""

OnMarker = Callable[[Marker], int | None]
"""Told of a marker; returns the step that is at hand from now on."""


class Stream:
    """One output stream: read, filed under the step at hand, passed through."""

    def __init__(self, capture: Capture, channel: Channel, scanner: MarkerScanner, on_marker: OnMarker) -> None:
        self.capture, self.channel = capture, channel
        self.lock = threading.Lock()
        """Held from reading bytes until they are filed and passed through, so that a cut falls between two reads."""
        self._door = threading.Lock()
        """Held while somebody waits for the stream."""
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
        self._buffer = bytearray(MUCH_BYTES)

    def _copy(self) -> None:
        poll = select.poll()
        poll.register(self.channel.read_fd, select.POLLIN)
        while not self.closed:
            poll.poll()
            with self._door:
                pass  # whoever waits for the stream goes first: the lock alone would be ours again at once
            with self.lock:
                if self.reader_gone or not self._read_once() or self.reader_gone:
                    self.flush_held()
                    self.closed = True
                    # Where the reader is gone, the command's next write gets SIGPIPE, as it would without us.
                    os.close(self.channel.read_fd)

    def take_over(self) -> None:
        """Acquire the lock, between two reads, though the stream may never pause."""
        with self._door:
            while not self.lock.acquire(blocking=False):
                aside = self._aside
                if aside is not None:
                    aside.stop()
                if self.lock.acquire(timeout=_TAKE_OVER_S):
                    break

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the stream from being read on for a while."""
        self.take_over()
        try:
            yield
        finally:
            self.lock.release()

    def _read_once(self, *, ahead: bool = True) -> bool:
        """Copy what one read gives, and with ``ahead`` what follows a long one; False at the end of the stream."""
        count = read_into(self.channel.read_fd, self._buffer)
        if count == 0:
            return False
        self._pass_through(memoryview(self._buffer)[:count])
        if not self.filing:
            return True
        if ahead and count >= MUCH_BYTES and not self.reader_gone:
            self._read_on()
        aside = self._file_in_time(self._buffer, count)
        return aside is None or self._file_aside(aside, count)

    def _file_in_time(self, buffer: bytearray, count: int) -> Aside | None:
        """File bytes; return who reads on meanwhile: because there is much, or because the disk did not answer."""
        self.writing_since = time.monotonic()
        self.capture.alarm.set()
        try:
            self._file(buffer, count)
        finally:
            with self._turn:  # from here on nobody begins to read in our place
                self.writing_since = 0.0
                aside = self._aside
        return aside

    def _file_aside(self, aside: Aside, count: int) -> bool:
        """File what was passed on since the ``count`` bytes before; False where the stream has come to its end."""
        while (piece := aside.take(linger=count >= MUCH_BYTES)) is not None:
            buffer, count = piece
            self._file_in_time(buffer, count)
            aside.give_back(buffer)
        self._aside = None
        return not aside.met_end

    def stand_in(self) -> bool:
        """Have output passed on while the log is waited for; False where that is known already, or needed no more."""
        with self._turn:
            if not self.writing_since:
                return False
            if self._aside is None:
                self._read_on()
            return self._aside is not None and self._aside.wait_for_disk()

    def _read_on(self) -> None:
        """Have a thread more read and pass on; where none can be had, the command waits for the disk."""
        aside = Aside(self.channel.read_fd, self._pass_through)
        try:
            threading.Thread(target=aside.read, name=f"stand-in-{self.channel.name}", daemon=True).start()
        except RuntimeError:
            return
        self._aside = aside

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
            if not self._read_once(ahead=False):
                return
            left -= len(self._buffer)

    def _pass_through(self, data: memoryview) -> bool:
        """Write bytes to where the command's own output would go; return whether more is to be read."""
        fd = self.channel.pass_fd
        if fd is None:
            return True
        try:
            while data:
                data = data[os.write(fd, data) :]
        except BlockingIOError:  # somebody made the shared terminal non-blocking
            select.select([], [fd], [])
            return self._pass_through(data)
        except BrokenPipeError:
            self.reader_gone = True
        except OSError as error:
            self.channel.pass_fd = None
            self.pass_error = error.strerror or str(error)
        return not self.reader_gone

    def _file(self, buffer: bytearray, count: int) -> None:
        data = memoryview(buffer)[:count]
        if self._held or self._scanner.suspects(buffer, count):
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

    def close_log(self) -> None:
        """Close the log at hand; what it held is lost where somebody deleted it."""
        if self.log is not None:
            self.log.close()
            if self.log.deleted:
                self.capture.losses.add(output_bytes=self.log.deleted)
                self.log.deleted = 0

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
            self.close_log()
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
