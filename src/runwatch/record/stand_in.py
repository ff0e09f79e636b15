"""Passing the command's output on while the disk of its log does not answer, and keeping it until that does.

Must not touch a log: the thread that copies the stream files what was kept, in its order, before it reads on. Nothing
is asked of the kernel while nothing is written, and one alarm a second at most while the disk is quick.
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

LATE_S = 1.0
"""A write to a log that takes longer is stood in for."""
MOST_BYTES = 64 << 20
"""So much is kept in memory; then the command waits, as it would for any reader that does not read."""
_READ_BYTES = 1 << 18
_LOOK_S = 0.1


class Aside:
    """What was read and passed on of one stream and is not in its log yet. Reads until what was kept is filed."""

    def __init__(self, read_fd: int, pass_through: Callable[[memoryview], None]) -> None:
        self._read_fd, self._pass_through = read_fd, pass_through
        self._lock = threading.Lock()
        self._kept: deque[bytes] = deque()
        self._bytes = 0
        self._over = False
        self.met_end = False
        """Whether the stream has come to its end."""

    def read(self) -> None:
        """Stand in until the log is written to again; the thread's act."""
        poll = select.poll()
        poll.register(self._read_fd, select.POLLIN)
        while not self._over and not self.met_end:
            if self._bytes >= MOST_BYTES:
                time.sleep(_LOOK_S)
            elif poll.poll(_LOOK_S * 1000):
                with self._lock:
                    if not self._over:
                        self._read_once()

    def _read_once(self) -> None:
        try:
            data = os.read(self._read_fd, _READ_BYTES)
        except OSError as error:
            if error.errno != errno.EIO:  # a pseudo-terminal whose last writer is gone
                raise
            data = b""
        if data:
            self._pass_through(memoryview(data))
            self._kept.append(data)
            self._bytes += len(data)
        else:
            self.met_end = True

    def take(self) -> bytes | None:
        """Return what comes next; None where nothing is left: from then on nobody stands in."""
        with self._lock:
            if not self._kept:
                self._over = True
                return None
            data = self._kept.popleft()
            self._bytes -= len(data)
            return data


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
