"""What killed processes left behind in a run directory: half-written temporary files, a socket that nobody serves.

Must not touch what a live process uses: whoever calls holds the run's WRITER and FINALIZER locks.
"""

from __future__ import annotations

import re

from runwatch.journal.paths import RunPaths

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp\Z")
"""What journal.atomic writes before it renames."""


def tidy(paths: RunPaths, *, owned: bool) -> None:
    """Take away what is left over; ``owned``: a supervisor lives, and the socket is its own."""
    for folder in (paths.root, paths.issues, paths.csv):
        try:
            names = [entry.name for entry in folder.iterdir() if _TEMPORARY.match(entry.name)]
        except OSError:
            continue
        for name in names:
            (folder / name).unlink(missing_ok=True)
    if not owned:
        paths.control.unlink(missing_ok=True)
