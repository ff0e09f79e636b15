"""Coverage and test reports that the command leaves, found by pattern and read when they have changed.

No metrics, no journal: each report is an event's type and fields. Must not read what was there before the run.
"""

from __future__ import annotations

import glob
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runwatch.events import Unreadable, build
from runwatch.sources import coverage, junit

EVERY_S = 2.0
"""From one look at the patterns to the next at least this long."""
SHARE = 100
"""And at least this many times what the last look took: a pattern may walk a large tree."""
MOST_BYTES = 256 * 1024 * 1024
"""A larger file is no report."""

TESTS = "tests.measured"

Stamp = tuple[int, int, int]
"""Inode, size and time of the last change in ns."""


class ReportSource:
    """The reports of one run. For one thread."""

    def __init__(
        self,
        folder: Path,
        since: float,
        *,
        coverage_patterns: tuple[str, ...],
        test_patterns: tuple[str, ...],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Patterns are relative to ``folder``; ``since`` is the start of the run in seconds since the epoch."""
        self._folder = folder
        self._since_ns = int(since * 1e9)
        self._kinds = (
            ("coverage.measured", coverage_patterns, coverage.read),
            (TESTS, test_patterns, junit.read),
        )
        self._clock = clock
        self._next = float("-inf")
        self._seen: dict[tuple[str, str], Stamp] = {}
        self._told: dict[tuple[str, str], Stamp] = {}
        self.failures: dict[str, str] = {}
        """Path to why it is no report; what was told once is taken out by whoever told it."""

    def poll(self, now_mono: float) -> list[tuple[str, dict[str, Any]]]:
        """Return type and fields of an event for each report that is new or has changed and rests since the last look.

        ``now_mono``: seconds of the monotonic clock; infinity looks once more and takes also what has just changed.
        """
        if now_mono < self._next:
            return []
        start = self._clock()
        found = []
        for type_name, patterns, read in self._kinds:
            for name, path in self._files(patterns):
                fields = self._read((type_name, name), path, read, final=now_mono == float("inf"))
                if fields is not None and type_name == TESTS:
                    found += self._gone()
                    found.append((type_name, {**fields, "source": name, "file": name}))
                elif fields is not None:
                    found.append((type_name, {**fields, "source": name}))
        self._next = now_mono + max(EVERY_S, SHARE * (self._clock() - start))
        return found

    def _gone(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what says that a test report is no longer there.

        Asked for when there is a new one: what is only cleaned up at the end has counted, and goes on to.
        """
        gone = [key for key in self._told if key[0] == TESTS and not os.path.lexists(self._folder / key[1])]
        for key in gone:
            del self._told[key]
        return [(TESTS, {"gone": True, "source": name, "file": name}) for _, name in gone]

    def _files(self, patterns: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
        names = {name for pattern in patterns for name in glob.iglob(pattern, root_dir=self._folder, recursive=True)}
        for name in sorted(names):
            yield name, self._folder / name

    def _read(
        self, key: tuple[str, str], path: Path, read: Callable[[Path], dict[str, Any]], *, final: bool
    ) -> dict[str, Any] | None:
        try:
            status = os.stat(path)
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= MOST_BYTES:
                return None
            if status.st_mtime_ns < self._since_ns or self._told.get(key) == stamp:
                return None
            rests = self._seen.get(key) == stamp
            self._seen[key] = stamp
            if not rests and not final:
                return None  # it may be half written
            self._told[key] = stamp
            fields = read(path)
            build(key[0], fields)
            return fields
        except (OSError, coverage.NoReport, Unreadable) as error:
            self.failures[key[1]] = str(error)
            return None
