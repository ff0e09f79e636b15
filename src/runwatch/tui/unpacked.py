"""The logs of a run that has them in its archive alone: unpacked into a private folder while somebody looks at them.

Must not write into a run. Called by the feed's thread only: unpacking can take seconds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from runwatch.errors import RunwatchError
from runwatch.journal.log_files import RunLogs
from runwatch.journal.paths import RunPaths
from runwatch.units import size

MOST_BYTES = 1 << 30
"""More is not unpacked for a look: it takes long, and the folder may lie in memory."""


class Unpacked:
    """At most one folder of unpacked logs; ``close`` deletes it."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._looked = False

    def look(self, paths: RunPaths, say: Callable[[str], None]) -> RunLogs | None:
        """Unpack the logs and return them, the first time; what hinders that goes to ``say``."""
        if self._looked:
            return None
        self._looked = True
        # What reads archives is loaded when it is needed: few runs have their logs there alone.
        from runwatch.runs import archived_logs

        if not archived_logs.only_archived(paths):
            say(f"No logs here: `runwatch show {paths.run_id}` shows the summary.")
            return None
        try:
            needed = archived_logs.size_bytes(paths)
            if needed > MOST_BYTES:
                say(f"The logs are archived, {size(needed)}: `runwatch logs {paths.run_id}` prints them.")
                return None
            say(f"Reading the logs from {paths.archive.name}, {size(needed)}…")
            self._folder = tempfile.TemporaryDirectory(prefix="runwatch-logs-", ignore_cleanup_errors=True)
            return RunLogs(archived_logs.unpack(paths, Path(self._folder.name)))
        except (RunwatchError, OSError) as error:
            say(str(error))
            self.close()
            return None

    def close(self) -> None:
        """Delete what was unpacked."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
