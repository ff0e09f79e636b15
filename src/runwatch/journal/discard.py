"""Taking a run directory back that was made and in which nothing could be recorded.

Must not delete a run: what holds more than its preparation stays.
"""

from __future__ import annotations

import os

from runwatch.journal import step_at_hand
from runwatch.journal.paths import RunPaths


def discard(paths: RunPaths) -> None:
    """Remove what preparing a run wrote, and its directory where nothing else is in it."""
    for path in (
        paths.reserve, paths.losses, paths.control, paths.output_index, paths.root / step_at_hand.NAME, paths.lock,
        paths.ignore, paths.journal,
    ):  # fmt: skip
        try:
            os.unlink(path)
        except OSError:
            pass  # not made yet, or a disk that does not even let go
    for folder in (paths.logs, paths.root, paths.root.parent):
        try:
            os.rmdir(folder)
        except OSError:
            return  # something else is in it: somebody's
