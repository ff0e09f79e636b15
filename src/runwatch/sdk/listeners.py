"""Telling a program's own callbacks of its events, off the emitting thread.

Must not let a slow or failing callback hurt the program, the run or another callback.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import msgspec

from runwatch.sdk.plain import one_line

Callback = Callable[[dict[str, Any]], object]
"""Gets each event as a mapping, in its wire form."""

MAX_BEHIND = 10_000
"""A callback that is so many events behind is dropped."""
SLOWEST_S = 10.0
"""So is one that takes longer than this over one event while others wait for it."""


class Listener:
    """One callback with a queue and a thread."""

    def __init__(self, callback: Callback, on_drop: Callable[[Listener, str], None]) -> None:
        """``on_drop`` is called once, with the reason, when the callback is given up."""
        self._callback, self._on_drop = callback, on_drop
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._dropped = threading.Event()
        self._since: float | None = None
        """Monotonic seconds since when the callback is at an event; None while it is at none."""
        self._thread = threading.Thread(target=self._run, name="runwatch-subscriber", daemon=True)

    def start(self) -> bool:
        """Begin to deliver; False where no thread can be had, as while the interpreter leaves."""
        try:
            self._thread.start()
        except RuntimeError:
            return False
        return True

    def put(self, line: bytes) -> None:
        """Queue one event; never waits."""
        since = self._since
        if since is not None and time.monotonic() - since > SLOWEST_S:
            self._drop(f"it took longer than {SLOWEST_S:g} s over one event")
        elif self._queue.qsize() >= MAX_BEHIND:
            self._drop(f"it fell {MAX_BEHIND} events behind")
        else:
            self._queue.put(line)

    def finish(self) -> None:
        """Have it end once it has taken what is queued."""
        self._queue.put(None)

    def close(self, wait_s: float) -> None:
        """Wait for its end, after ``finish``; drop it where that takes longer than ``wait_s`` seconds."""
        is_waited_for = self._thread.is_alive() and not self._dropped.is_set()
        if is_waited_for and threading.current_thread() is not self._thread:
            self._thread.join(wait_s)
            if self._thread.is_alive() and (left := self._queue.qsize() - 1 + (self._since is not None)) > 0:
                self._drop(f"it had not taken {left} {'event' if left == 1 else 'events'} when it was to end")
        self._dropped.set()

    def _run(self) -> None:
        while (line := self._queue.get()) is not None:
            if self._dropped.is_set():
                return
            self._since = time.monotonic()
            try:
                self._callback(msgspec.json.decode(line))
            except BaseException as error:  # noqa: BLE001 - the user's: SystemExit would end this thread in silence
                self._since = None
                self._drop(f"it raised {one_line(error)}")
                return
            self._since = None

    def _drop(self, reason: str) -> None:
        if not self._dropped.is_set():
            self._dropped.set()
            self._on_drop(self, reason)
