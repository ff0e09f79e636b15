"""The seam to whoever owns the run: the app asks through it and does nothing itself.

Must not import record, finalize or sdk; the caller of ``run_app`` brings an implementation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Mode = Literal["run", "watch"]
"""``run``: this terminal started the run. ``watch``: it only looks."""

ESCALATION = ("SIGINT", "SIGTERM", "SIGKILL")
"""What each further request to stop sends. **Source**: finalizer.md, "How the command is stopped"."""


class RunControl(Protocol):
    """Reaches the owner of a run. Calls come from any thread, return within seconds, and may raise OSError."""

    is_ending: bool
    """Whether somebody told this terminal's program to end: the app closes as soon as the run is through."""

    def stop(self, signal: str, by: str) -> None:
        """Ask the owner to stop the command with ``signal`` on behalf of ``by`` (``person``)."""

    def resize(self, rows: int, columns: int) -> None:
        """Tell the command the size of the terminal."""

    def detach(self) -> None:
        """Tell the owner that nobody watches in this terminal any more; the run goes on."""


@dataclass(frozen=True)
class Outcome:
    """How the app was left."""

    left_running: bool = False
    """The run goes on and was meant to."""
    stop_asked: bool = False
    """A person asked for the run to be stopped."""
    finalized: bool = False
    """The finalizer was through when the app closed."""
