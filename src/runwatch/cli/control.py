"""What the app may ask of a live run, over its control socket.

Must not wait longer than a blink: the app's own worker calls it.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from runwatch.journal.control import request
from runwatch.journal.held import HeldDirectory
from runwatch.journal.paths import RunPaths

ANSWER_S = 2.0
START_S = 10.0
"""How long a supervisor that is just starting may take to listen."""
WHO = {"person": "a person in the app"}
"""How the run's reason names who asked."""


class SocketControl:
    """Asks the supervisor of one run."""

    def __init__(self, paths: RunPaths) -> None:
        self._held = HeldDirectory(paths.root)
        self.is_ending = False

    @property
    def _path(self) -> Path:
        return RunPaths(self._held.where()).control

    def stop(self, signal: str, by: str) -> None:
        """Ask the run to stop. Raises OSError when its supervisor does not answer."""
        reply = request(self._path, {"op": "stop", "signal": signal, "by": WHO.get(by, by)}, timeout_s=ANSWER_S)
        if not reply or not reply.get("ok"):
            raise ConnectionError("the run's supervisor does not answer")

    def stop_soon(self) -> None:
        """Ask the run to stop on behalf of a person as soon as its supervisor listens; returns at once."""
        threading.Thread(target=self._stop_soon, name="stop", daemon=True).start()

    def _stop_soon(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                self.stop("SIGINT", "person")
            except OSError:
                time.sleep(0.05)
            else:
                return

    def resize(self, rows: int, columns: int) -> None:
        """Tell the command the size of the terminal."""
        request(self._path, {"op": "winsize", "rows": rows, "cols": columns}, timeout_s=ANSWER_S)

    def detach(self) -> None:
        """Leave the run alone; the supervisor needs no word for that."""
