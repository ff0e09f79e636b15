"""When the journal is made to survive a power cut: a thread that syncs at most every second or hundred events.

Must never block an emitting thread: those compare one number and, rarely, release a lock.
Source: record.md, "The journal".
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from runwatch.sdk import deaf

WINDOW_S = 1.0
"""An event waits at most so long for the disk."""
WINDOW_EVENTS = 100
"""At most so many events wait for the disk."""
_NEVER = 1 << 60
_STOP_WAIT_S = 0.05


class Syncer:
    """Calls ``sync`` in a thread of its own. ``due`` is the number of unsynced events from which ``wake`` is due."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self.due = 1
        self._work = threading.Lock()
        self._work.acquire()
        self._hurry = threading.Lock()
        self._hurry.acquire()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def wake(self, unsynced: int) -> None:
        """Have the journal synced within the window, or at once when the hundred is full."""
        if unsynced >= WINDOW_EVENTS:
            self.hurry()
        else:
            self.due = WINDOW_EVENTS
            self._start()
            _release(self._work)

    def hurry(self) -> None:
        """Have the journal synced at once."""
        self.due = _NEVER
        self._start()
        _release(self._hurry)
        _release(self._work)

    def stop(self) -> None:
        """Sync a last time and end the thread; a later ``wake`` starts another. Waits 50 ms at most."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping = True
            _release(self._hurry)
            _release(self._work)
            thread.join(_STOP_WAIT_S)
            self.due = 1

    def _start(self) -> None:
        if self._thread is None:
            self._stopping = False
            thread = threading.Thread(target=self._run, name="runwatch-sync", daemon=True)
            self._thread = thread
            try:
                deaf.start(thread)
            except RuntimeError:  # the interpreter is shutting down, or no thread is to be had: the finalizer syncs
                self.due = _NEVER
                self._thread = None

    def _run(self) -> None:
        me = threading.current_thread()
        while True:
            self._work.acquire()
            self._hurry.acquire(timeout=WINDOW_S)
            self.due = 1
            self._sync()
            if self._stopping or self._thread is not me:
                return


def _release(lock: threading.Lock) -> None:
    try:
        lock.release()
    except RuntimeError:
        pass  # another thread was quicker
