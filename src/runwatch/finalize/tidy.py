"""What killed processes left behind in a run directory: half-written temporary files, what nobody serves any more.

Must not touch what a live process uses: whoever calls holds the run's WRITER and FINALIZER locks.
"""

from __future__ import annotations

import re
from pathlib import Path

from runwatch.finalize.shared_table import locked
from runwatch.journal import step_at_hand
from runwatch.journal.paths import RunPaths

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp\Z")
"""What journal.atomic writes before it renames."""


def tidy(paths: RunPaths, *, owned: bool) -> None:
    """Take away what is left over; ``owned``: a supervisor lives; socket and step are its own. Raises OSError."""
    for folder in (paths.root, paths.issues, paths.csv):
        _clear(folder)
    shared = paths.root.parent.parent / "csv"
    if _temporary(shared):
        with locked(shared):  # whoever writes there now holds it, and its temporary file is in use
            _clear(shared)
    if not owned:
        paths.control.unlink(missing_ok=True)
        (paths.root / step_at_hand.NAME).unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    for path in _temporary(folder):
        path.unlink(missing_ok=True)


def _temporary(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if _TEMPORARY.match(path.name)]
    except OSError:
        return []
