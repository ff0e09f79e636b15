"""Reading a stream on and passing it through while its log is written to.

So a command that prints much waits for the slower of the two and not for both, and one whose disk does not answer goes
on. Must not touch a log: the thread that copies the stream files what was kept, in its order, before it reads on.
Nothing is asked of the kernel while nothing is written, and one alarm a second at most while the disk is quick.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

READ_BYTES = 1 << 20
"""How much one read takes where there is much: each costs two threads a turn, and turns are what that waits for."""
MUCH_BYTES = 1 << 17
"""How much one takes else; where it is full, it pays that a thread more reads on."""
AHEAD_BYTES = 3 * READ_BYTES
"""So much is kept in memory while the disk answers."""
MOST_BYTES = 64 << 20
"""So much is kept while it does not; then the command waits, as it would for any reader that does not read."""
LATE_S = 1.0
"""A write to a log that takes longer is stood in for."""
LINGER_S = 0.005
"""Who files waits so long for more, where there was much."""
_LOOK_S = 0.1

Piece = tuple[bytearray, int]
"""A buffer, and how many bytes of it were read."""


class Aside:
    """What was read and passed on of one stream and is not in its log yet. Reads until what was kept is filed."""

    def __init__(self, read_fd: int, pass_through: Callable[[memoryview], bool]) -> None:
        """``pass_through`` returns False where nobody takes what is passed any more."""
        self._read_fd, self._pass_through = read_fd, pass_through
        self._turn = threading.Condition()
        """Held where any of the following changes, and never while something is read or passed on."""
        self._kept: deque[Piece] = deque()
        self._bytes = 0
        self._spare: list[bytearray] = []
        self._is_reading = self._is_over = self._is_stopped = False
        self._is_late = self._told = False
        self.met_end = False
        """Whether nothing more comes."""

    def read(self) -> None:
        """Read on until what was kept is filed; the thread's act."""
        poll = select.poll()
        poll.register(self._read_fd, select.POLLIN)
        while not self.met_end and self._wait_for_room():
            if poll.poll(_LOOK_S * 1000):
                self._read_once()

    def _wait_for_room(self) -> bool:
        """Wait until there is room for more; return False when nobody is to read on."""
        with self._turn:
            while not self._is_over and not self._has_room():
                self._turn.wait(_LOOK_S)
            return not self._is_over

    def _has_room(self) -> bool:
        if self._is_late:
            return self._bytes < MOST_BYTES
        return not self._is_stopped and self._bytes < AHEAD_BYTES

    def _read_once(self) -> None:
        with self._turn:
            if self._is_over or not self._has_room():
                return
            buffer = self._spare.pop() if self._spare else bytearray(READ_BYTES)
            self._is_reading = True
        count, goes_on = 0, False
        try:
            count = read_into(self._read_fd, buffer)
            goes_on = count > 0 and self._pass_through(memoryview(buffer)[:count])
        finally:
            with self._turn:
                self._is_reading = False
                self.met_end = not goes_on
                if 0 < count < MUCH_BYTES:  # of single lines a million may be kept
                    self._kept.append((buffer[:count], count))
                    self._spare.append(buffer)
                elif count:
                    self._kept.append((buffer, count))
                if count:
                    self._bytes += count
                self._turn.notify_all()

    def take(self, *, linger: bool) -> Piece | None:
        """Return what comes next; None where nothing is left: from then on nobody reads on.

        ``linger``: more is likely, and waited for a moment.
        """
        with self._turn:
            self._is_late = False  # what was taken last is filed
            deadline = time.monotonic() + LINGER_S
            while not self._kept:
                if not self._is_reading:
                    left = deadline - time.monotonic()
                    if not linger or self._is_stopped or self.met_end or left <= 0:
                        self._is_over = True
                        return None
                    self._turn.wait(left)
                else:
                    self._turn.wait()
            piece = self._kept.popleft()
            self._bytes -= piece[1]
            self._turn.notify_all()
            return piece

    def give_back(self, buffer: bytearray) -> None:
        """Have a buffer used again, whose content is filed."""
        if len(buffer) == READ_BYTES and len(self._spare) * READ_BYTES < AHEAD_BYTES:
            self._spare.append(buffer)

    def stop(self) -> None:
        """Read no more than is kept already, unless the disk does not answer."""
        with self._turn:
            self._is_stopped = True
            self._turn.notify_all()

    def wait_for_disk(self) -> bool:
        """Keep much, since the disk does not answer; return whether that is new."""
        with self._turn:
            self._is_late = True
            self._turn.notify_all()
            told, self._told = self._told, True
        return not told


def read_into(fd: int, buffer: bytearray) -> int:
    """Fill a buffer with what one read gives; return its bytes, 0 at the end of the stream. Raises OSError."""
    try:
        return os.readv(fd, [buffer])
    except OSError as error:
        if error.errno == errno.EIO:  # a pseudo-terminal whose last writer is gone
            return 0
        raise


def by_signal(after_s: float) -> None:
    """Have the kernel send SIGALRM, which must be waited for: it ends a process that does not expect it."""
    signal.setitimer(signal.ITIMER_REAL, after_s)


class Late(Protocol):
    """A stream, as the alarm sees it."""

    writing_since: float
    """When the write that is under way began, in monotonic seconds; 0 while there is none."""

    def stand_in(self) -> bool:
        """Have somebody stand in; False where somebody does already, or nobody can."""


class Alarm:
    """Finds writes that take too long, without a look at the clock while there are none."""

    def __init__(self, ring: Callable[[float], object]) -> None:
        """``ring`` has somebody call look() after so many seconds; it may be called from any thread."""
        self._ring = ring
        self._is_set = False

    def set(self) -> None:
        """Have it ring soon, unless that is so."""
        if not self._is_set:
            self._is_set = True
            self._ring(LATE_S)

    def look(self, streams: Iterable[Late]) -> bool:
        """Stand in for writes that take too long; return whether that is new for one of them."""
        self._is_set = False
        now, new = time.monotonic(), False
        for stream in streams:
            since = stream.writing_since
            if since and now - since >= LATE_S / 2:
                new = stream.stand_in() or new
            elif since:
                self.set()
        return new
