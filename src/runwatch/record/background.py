"""Starting the process that recovers dead runs in the background: a session of its own that holds nothing of ours.

Must not wait for it, nor load what it needs. What it does is in `record/sweep.py`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

_OWN = ("RUNWATCH_RUN_DIR", "RUNWATCH_STEP", "PYTHONINSPECT")
"""Would make the background process one of the run that started it; the last would not let it end."""


def start(root: Path, *, look: bool, output: int | None = None) -> None:
    """Start recovering below ``root``; ``look``: without any commit. ``output`` takes the lines. Raises OSError."""
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0) if output is None else (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    argv = [sys.executable, "-P", "-m", "runwatch.record.sweep", str(root.resolve()), *(["--look"] if look else [])]
    environment = {name: value for name, value in os.environ.items() if name not in _OWN}
    defaults = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
    os.posix_spawn(
        sys.executable, argv, environment, file_actions=actions, setsid=True, setsigmask=[], setsigdef=defaults
    )
