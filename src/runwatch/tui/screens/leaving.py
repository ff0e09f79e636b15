"""What is asked before a live run is left or stopped.

Must not act: the app does what was answered.
"""

from __future__ import annotations

from runwatch.tui.screens.dialog import Choice, Dialog


def quit_dialog(run_id: str, *, can_stop: bool) -> Dialog:
    """Return the question of ``q``: answers ``leave``, ``stop`` or ``stay``."""
    choices = [
        Choice("leave", "q", "leave it running", f"runwatch watch {run_id[:24]} shows it again"),
        *([Choice("stop", "s", "stop it", "SIGINT, then SIGKILL after 10 s")] if can_stop else []),
        Choice("stay", "esc", "stay", "close this question"),
    ]
    return Dialog("The run goes on", choices)


def stop_dialog(again: str) -> Dialog:
    """Return the question of ``s`` and Ctrl-C: answers ``stop`` or ``stay``; ``again`` names a second key."""
    title = f"Stop the run? {again} within 2 s stops it" if again else "Stop the run?"
    choices = [
        Choice("stop", "s", "stop it", "SIGINT, then SIGKILL after 10 s; it is finalized"),
        Choice("stay", "esc", "let it run", "close this question"),
    ]
    return Dialog(title, choices)
