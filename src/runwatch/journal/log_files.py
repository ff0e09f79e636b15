"""Which logs a run has: steps, components and their files, found by looking at folders again.

Never follows a symbolic link, never opens what is no regular file; what the lines hold is not its matter.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from runwatch.journal.log_source import LogSource

_STEP = re.compile(r"step_(\d{3,})\Z")
_LOG = re.compile(r"(?P<component>[A-Za-z0-9._-]{1,100}?)(?:\.(?P<part>\d+))?\.log\Z")


class RunLogs:
    """The logs of one run directory. ``poll`` belongs to one thread; the rest may be called from any."""

    def __init__(self, run_dir: Path | str) -> None:
        self.run_dir = Path(run_dir)
        self._found: dict[int | None, tuple[str, ...]] = {}

    def poll(self) -> bool:
        """Look for new steps and files; return True when ``steps`` or ``components`` answer differently now."""
        found: dict[int | None, tuple[str, ...]] = {}
        try:
            entries = list(os.scandir(self.run_dir / "logs"))
        except OSError:
            entries = []
        if names := _components(entries):
            found[None] = names
        for entry in entries:
            if (step := _STEP.match(entry.name)) and entry.is_dir(follow_symlinks=False):
                with os.scandir(entry) as inner:
                    found[int(step[1])] = _components(list(inner))
        changed = found != self._found
        self._found = found
        return changed

    @property
    def steps(self) -> list[int | None]:
        """Steps that have a folder, in order; None first where there are logs outside steps."""
        return sorted(self._found, key=lambda step: -1 if step is None else step)

    def components(self, step: int | None) -> list[str]:
        """Return the components that have a log in a step (None: outside steps), the usual ones first."""
        return list(self._found.get(step, ()))

    def source(self, step: int | None, components: Sequence[str] | None = None) -> LogSource:
        """Return the lines of the named components merged by time; None: all of the step, new ones included."""
        raise NotImplementedError


def _components(entries: list[os.DirEntry[str]]) -> tuple[str, ...]:
    names = {
        found["component"]
        for entry in entries
        if (found := _LOG.match(entry.name)) and entry.is_file(follow_symlinks=False)
    }
    return tuple(sorted(names))
