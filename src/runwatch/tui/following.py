"""The seam between a screen and what follows a run for it, so that a test can hold the run in its hand.

Must not follow anything itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runwatch.tui.state import Snapshot

if TYPE_CHECKING:
    from runwatch.journal.log_files import RunLogs


class Following(Protocol):
    """What the screen needs of a feed."""

    @property
    def logs(self) -> RunLogs:
        """The logs of the run, polled by ``run``."""

    def run(self) -> None:
        """Follow the run until ``stop``; blocks."""

    def stop(self) -> None:
        """End ``run``; may be called from any thread."""


NewFeed = Callable[[Path, Callable[[Snapshot], None]], Following]
"""Makes the feed of a run: its directory, and where snapshots go. Called in the thread that will follow it."""
