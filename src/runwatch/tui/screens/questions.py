"""The questions: what is asked before a live run is left or stopped.

Must not act: the app does what was answered.
"""

from __future__ import annotations

from runwatch.tui.screens.dialog import Choice, Dialog


def on_quit(run_id: str, *, can_stop: bool) -> Dialog:
    """Return the question of ``q``: answers ``leave``, ``stop`` or ``stay``."""
    choices = [
        Choice("leave", "q", "leave it running", f"runwatch watch {run_id[:24]} shows it"),
        *([Choice("stop", "s", "stop it", "SIGINT, then SIGKILL after 10 s")] if can_stop else []),
        Choice("stay", "esc", "stay", "close this question"),
    ]
    return Dialog("The run goes on", choices)


def on_stop(*, again: bool) -> Dialog:
    """Return the question of ``s`` and Ctrl-C: answers ``stop`` or ``stay``; ``again``: a second Ctrl-C stops it."""
    title = "Stop the run? Ctrl-C again within 2 s does" if again else "Stop the run?"
    choices = [
        Choice("stop", "s", "stop it", "SIGINT, then SIGKILL after 10 s; it is finalized"),
        Choice("stay", "esc", "let it run", "close this question"),
    ]
    return Dialog(title, choices)
