"""Telling a program's own callbacks of its events, off the emitting thread.

Must not let a slow or failing callback hurt the program, the run or another callback.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import msgspec

from runwatch.sdk.plain import one_line

Callback = Callable[[dict[str, Any]], object]
"""Gets each event as a mapping, in its wire form."""

MAX_BEHIND = 10_000
"""A callback that is so many events behind is dropped."""


class Listener:
    """One callback with a queue and a thread."""

    def __init__(self, callback: Callback, on_drop: Callable[[Listener, str], None]) -> None:
        """``on_drop`` is called once, with the reason, when the callback is given up."""
        self._callback, self._on_drop = callback, on_drop
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._dropped = threading.Event()
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
        if self._queue.qsize() >= MAX_BEHIND:
            self._drop(f"it fell {MAX_BEHIND} events behind")
        else:
            self._queue.put(line)

    def close(self, wait_s: float) -> None:
        """Deliver what is queued and end; gives up waiting after ``wait_s`` seconds."""
        self._queue.put(None)
        if threading.current_thread() is not self._thread and self._thread.is_alive():
            self._thread.join(wait_s)
        self._dropped.set()

    def _run(self) -> None:
        while (line := self._queue.get()) is not None:
            if self._dropped.is_set():
                return
            try:
                self._callback(msgspec.json.decode(line))
            except Exception as error:  # noqa: BLE001 - the callback is the user's: whatever it raises stays here
                self._drop(f"it raised {one_line(error)}")
                return

    def _drop(self, reason: str) -> None:
        if not self._dropped.is_set():
            self._dropped.set()
            self._on_drop(self, reason)
