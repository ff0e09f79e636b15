"""Parts of the demo for its tests: a run in memory, its events, and packages whose story differs from the shipped one.

Must not write outside the folder that a test gives.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runwatch import RunLogger
from runwatch.demo.story import PACKAGE


class MemoryRun:
    """A run that writes nothing, and what it was told."""

    def __init__(self) -> None:
        self.run = RunLogger(framework="demo")
        self._events: list[dict[str, Any]] = []
        self._stop = self.run.subscribe(self._events.append)

    def events(self, *types: str) -> list[dict[str, Any]]:
        """Return what was emitted since the last call, of these types."""
        self._stop()  # delivers what is queued
        events, self._events = self._events, []
        self._stop = self.run.subscribe(self._events.append)
        return [event for event in events if not types or event["type"] in types]

    def close(self) -> None:
        """End it."""
        self._stop()
        self.run.finalize_run()


@contextmanager
def memory_run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """Give a run in memory."""
    monkeypatch.setenv("RUNWATCH_DISABLE", "1")
    run = MemoryRun()
    try:
        yield run
    finally:
        run.close()


def spoiled_package(folder: Path, old: str, new: str) -> Path:
    """Copy the shipped package, with one text of its story replaced."""
    package = folder / "package"
    shutil.copytree(PACKAGE, package)
    story = package / "story.toml"
    text = story.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    story.write_text(text.replace(old, new), encoding="utf-8")
    return package
