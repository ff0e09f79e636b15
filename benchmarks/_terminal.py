"""A program under a pseudo-terminal: what it sent and when, what it cost, keys for it.

Not a benchmark itself: the scripts beside it use it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Sequence
from types import TracebackType

ROWS, COLUMNS = 40, 120
# Without byte code on disk, every start would compile this project but not its installed peers; and a program that
# prints unbuffered measures itself.
for _name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
    os.environ.pop(_name, None)


class Terminal:
    """Runs a command in a terminal of 120 by 40 and keeps every byte it sends with the time it came."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", TEXTUAL_ANIMATIONS="none")
            os.execvp(argv[0], list(argv))
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.sent = bytearray()
        self.marks: list[tuple[int, float]] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._reader.join()  # else it would read from the next terminal, which gets the same number
        os.close(self._fd)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:
                return
            with self._more:
                self.sent += data
                self.marks.append((len(self.sent), time.perf_counter()))
                self._more.notify_all()

    def wait(self, text: bytes, begin: int = 0, patience_s: float = 60) -> tuple[float, int]:
        """Return (when, where it ends) of the first ``text`` sent behind ``begin``."""
        deadline = time.perf_counter() + patience_s
        with self._more:
            while (at := self.sent.find(text, begin)) < 0:
                if time.perf_counter() > deadline:
                    sys.exit(f"{text!r} did not come to the screen")
                self._more.wait(0.5)
            end = at + len(text)
            return next(when for length, when in self.marks if length >= end), end

    def press(self, keys: bytes, text: bytes) -> float:
        """Press keys; return the seconds until ``text`` came."""
        begin, before = len(self.sent), time.perf_counter()
        os.write(self._fd, keys)
        return self.wait(text, begin)[0] - before

    def cpu_s(self) -> float:
        """Return the CPU time it has used."""
        with open(f"/proc/{self.pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, kind: str = "VmHWM") -> float:
        """Return its memory in MB, the most it ever had by default."""
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith(kind))

    def rest(self, share: float = 0.05) -> None:
        """Wait until it uses less than a share of a core."""
        before = self.cpu_s()
        while True:
            time.sleep(0.5)
            now = self.cpu_s()
            if now - before < 0.5 * share:
                return
            before = now
