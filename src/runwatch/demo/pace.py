"""How fast the demo plays: pauses that a person can follow, none for a test, and an end to them on a slow machine.

Must not decide what happens.
"""

from __future__ import annotations

import time

ON_TERMINAL = 0.6
"""Factor of the pauses where somebody watches."""
UNWATCHED = 0.25
"""Factor of the pauses where nobody does."""
LONGEST_S = 21.0
"""Seconds from the start after which nothing pauses any more, so that a busy machine still ends in time."""


class Pace:
    """Pauses of one playing."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._started = time.monotonic()

    def scaled(self, seconds: float) -> float:
        """Return how long a pause of so many seconds at normal speed is to last now."""
        pause_s = round(seconds * self._factor, 3)
        return pause_s if self.elapsed_s() + pause_s <= LONGEST_S else 0.0

    def rest(self, seconds: float) -> None:
        """Pause for so long at normal speed."""
        pause_s = self.scaled(seconds)
        if pause_s > 0:
            time.sleep(pause_s)

    def elapsed_s(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._started
