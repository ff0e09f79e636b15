"""Stopping the command: polite first, then SIGKILL when the grace time is over.

Must not wait: the supervisor's loop asks how long it may sleep. Source: finalizer.md, "How the command is stopped".
"""

from __future__ import annotations

import os
import signal
import time

from runwatch.record.outcome import Stop

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Signals that ask for an end."""


class Stopper:
    """Passes signals on to one command and remembers who asked it to end."""

    def __init__(self, pid: int, *, group: bool) -> None:
        """``group``: the command has a session of its own, so its whole process group is meant."""
        self._pid, self._group = pid, group
        self.stop: Stop | None = None
        """Who asked first; None while nobody has."""
        self.killed: str | None = None
        """Why SIGKILL was sent, for the reason of the run's end; None while it was not."""
        self.gone = False
        """Set once the command was waited for: its number may be another process's by now."""
        self._asked: dict[str, int] = {}
        self._deadline: float | None = None

    def send(self, number: int) -> None:
        """Send a signal to the command, or to its group; one that is gone or never started is left alone."""
        if self.gone or self._pid <= 0:
            return
        try:
            if self._group:
                os.killpg(self._pid, number)
            else:
                os.kill(self._pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def request(self, stop: Stop, grace_s: float, *, send: int | None, way: str = "") -> None:
        """Ask the command to end: with ``send``, or not at all where the terminal has told it already.

        A second request goes on to SIGTERM, a third one to SIGKILL; the first one's name stays the reason. The same
        request that comes another ``way`` too, as when supervisor and recorder both get a signal, counts once.
        """
        before = max(self._asked.values(), default=0)
        self._asked[way] = self._asked.get(way, 0) + 1
        presses = max(self._asked.values())
        if presses == before:
            return
        if self.stop is None:
            self.stop = stop
        if presses >= 3:
            self.kill("killed at the third request")
            return
        if presses == 2:
            self.send(signal.SIGTERM)
        elif send is not None:
            self.send(send)
        self.send(signal.SIGCONT)  # a stopped command could not act on it
        deadline = time.monotonic() + grace_s
        self._deadline = deadline if self._deadline is None else min(self._deadline, deadline)

    def kill(self, why: str) -> None:
        """Send SIGKILL."""
        self.killed = self.killed or why
        self._deadline = None
        self.send(signal.SIGKILL)

    def wait_s(self) -> float | None:
        """Seconds until the grace time is over; None while nothing is due."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def tick(self) -> None:
        """Send SIGKILL when the grace time is over."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.kill("killed after the grace time")
