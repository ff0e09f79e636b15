"""The recorder's helper that archives ahead: when it is worth starting, what it is told, how it ends.

Must not compress in the recorder: a thread of low priority that holds the interpreter's lock would make the recorder
wait for it whenever the machine is busy. So it is a process of its own, and dies with the recorder.
"""

from __future__ import annotations

import os
import select
import signal
import sys

from runwatch.events import Event, Unknown
from runwatch.events.lifecycle import StepCompleted, StepStarted
from runwatch.journal.paths import RunPaths

WORTH_BYTES = 8 << 20
"""Logs of closed steps that are worth a process; the end archives less than this in 30 ms."""
OPEN_BYTES = 32 << 20
"""Length of a file that is still written to, likewise."""
PERIOD_S = 1.0
"""How often that is looked at."""
MAX_DEATHS = 3
"""It is not started again after so many."""


class AheadHelper:
    """The process that archives ahead, seen from the recorder."""

    def __init__(self, paths: RunPaths) -> None:
        self._paths = paths
        self._steps: dict[int, bool] = {}
        self._told: dict[int, bool] = {}
        self._closed_bytes = 0
        self._next = float("-inf")
        self._pid: int | None = None
        self._pipe = -1
        self._deaths = 0
        self._was_started = False

    def take(self, event: Event | Unknown) -> None:
        """Note which steps are open and which are closed."""
        if isinstance(event, StepStarted | StepCompleted) and event.step is not None:
            self._steps.pop(event.step, None)
            self._steps[event.step] = isinstance(event, StepCompleted)

    def poll(self, now: float) -> None:
        """Start the helper once it is worth it, and tell it what is new (``now``: monotonic seconds)."""
        if now < self._next:
            return
        self._next = now + PERIOD_S
        if self._pid is not None:
            self._reap()
        if self._pid is None and self._deaths < MAX_DEATHS and self._is_worth_it():
            self._start()
        if self._pid is not None:
            self._tell()

    def stop(self) -> bool:
        """End the helper, whatever it is doing; return whether what is there comes from it."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            os.close(self._pipe)
            self._pid = None
        return self._was_started

    def _is_worth_it(self) -> bool:
        for step, is_closed in self._steps.items():
            if is_closed and step not in self._told:
                self._told[step] = True
                self._closed_bytes += sum(_sizes(self._paths.step_logs(step)))
        if self._closed_bytes >= WORTH_BYTES:
            return True
        opened = [self._paths.step_logs(step) for step, is_closed in self._steps.items() if not is_closed]
        folders = opened if self._steps else [self._paths.logs, self._paths.root]
        return any(size >= OPEN_BYTES for folder in folders for size in _sizes(folder))

    def _start(self) -> None:
        read_fd, self._pipe = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._pipe, False)  # the recorder's ticks wait for nobody
        argv = [sys.executable, "-P", "-m", "runwatch.record.ahead_process", str(self._paths.root), str(os.getpid())]
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_DUP2, read_fd, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        ]
        try:
            self._pid = os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions, setsid=True)
        except OSError:
            os.close(self._pipe)
            self._deaths = MAX_DEATHS  # the end does it all then
        finally:
            os.close(read_fd)
        self._told = {}

    def _tell(self) -> None:
        words, told = b"", {}
        for step, is_closed in self._steps.items():
            if self._told.get(step) != is_closed:
                word = f"{'close' if is_closed else 'open'} {step}\n".encode()
                if len(words) + len(word) > select.PIPE_BUF:
                    break  # the rest next time: a pipe takes so much whole, or nothing
                words += word
                told[step] = is_closed
        try:
            os.write(self._pipe, words)
            self._told |= told
        except OSError:
            pass  # it is behind, or has just ended: then another one is told everything

    def _reap(self) -> None:
        assert self._pid is not None
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid == 0:
            return
        self._pid = None
        os.close(self._pipe)
        # It leaves of its own will where the disk is full: then it is not wanted again.
        self._deaths = MAX_DEATHS if os.WIFEXITED(status) else self._deaths + 1


def _sizes(folder: os.PathLike[str]) -> list[int]:
    """Return the lengths of the regular files in a folder; none when it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [
                entry.stat(follow_symlinks=False).st_size for entry in entries if entry.is_file(follow_symlinks=False)
            ]
    except OSError:
        return []
