"""Git operations of the program, as events.

Must not run git, nor count.
"""

from __future__ import annotations

import time
import types
from collections.abc import Mapping
from typing import Any

from runwatch.sdk import active
from runwatch.sdk.core import Emitter
from runwatch.sdk.instruments import Block, Instrument
from runwatch.sdk.plain import text
from runwatch.sdk.usage import whole

_WELL = ("success", "ok", "merged")
_COUNTS = ("files_modified", "conflict_count")


class TrackedMerge(Block):
    """One merge as a context manager; yields a mapping to fill."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, Any] = {}
        self._balance: set[float] = set()
        self._started = 0.0
        self._emitter: Emitter | None = None

    def __enter__(self) -> dict[str, Any]:
        self._said, self._balance = {}, set()
        self._emitter = active.emitter()
        self._emitter.emit("metric.observed", _active(1))
        self._open()
        self._started = time.monotonic()
        return self._said

    def takes(self, name: str, labels: Mapping[str, str], value: float) -> bool:
        """Take what states this merge's own result, duration or conflicts, each once."""
        if name == "git_active_merges":
            known = value in self._balance or abs(value) != 1
            self._balance.add(value)
            return not known
        if name == "git_merge_total" and value == 1:
            return self._take("result", labels.get("result", "success"))
        if name == "git_merge_duration_seconds":
            return self._take("duration_s", value)
        if name == "git_conflicts_per_merge":
            return self._take("conflict_count", int(value))
        return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        emitter = self._emitter or active.emitter()
        duration_s = round(time.monotonic() - self._started, 6)
        self._close()
        said, wrong = _checked(self._said)
        result = self._said.get("result", self._taken.get("result"))
        if error is not None and (result is None or text(result).lower() in _WELL):
            result = "error"  # what was said before the exception did not come true
        elif result is None:
            result = "success"
        fields = {"duration_s": duration_s, **self._taken, **said, "operation": "merge", "result": text(result)}
        emitter.emit("git.operation", fields)
        emitter.emit("metric.observed", _active(-1))
        if wrong:
            emitter.warn(f"a merge: {'; '.join(wrong)}; left out, and the merge counts", "track_merge")


def _checked(said: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what a merge's mapping says in numbers and words, and what is wrong with the rest."""
    fields: dict[str, Any] = {}
    wrong = []
    for name in _COUNTS:
        value = said.get(name)
        number = whole(len(value) if isinstance(value, list | tuple | set | frozenset) else value)
        if number is not None:
            fields[name] = number
        elif value is not None:
            wrong.append(f"{name} is {text(value)!r:.60}, no number of them")
    if said.get("method") is not None:
        fields["method"] = text(said["method"])
    return fields, wrong


def _active(change: int) -> dict[str, Any]:
    return {"name": "git_active_merges", "kind": "gauge", "value": change, "delta": True}


class GitMetrics:
    """Git operations of whatever run is active."""

    def __init__(self) -> None:
        self.merge_duration = Instrument("git_merge_duration_seconds")
        """Histogram, seconds."""
        self.merge_total = Instrument("git_merge_total")
        """Counter by result."""
        self.active_merges = Instrument("git_active_merges")
        """Gauge."""
        self.checkout_duration = Instrument("git_checkout_duration_seconds")
        """Histogram, seconds."""
        self.conflicts_per_merge = Instrument("git_conflicts_per_merge")
        """Histogram, conflicts."""
        self.conflict_resolution_total = Instrument("git_conflict_resolution_total")
        """Counter by result and method."""
        self.conflict_resolution_duration = Instrument("git_conflict_resolution_duration_seconds")
        """Histogram, seconds."""
        self.worktree_creation_duration = Instrument("git_worktree_creation_duration_seconds")
        """Histogram, seconds."""
        self.worktree_operations_total = Instrument("git_worktree_operations_total")
        """Counter by operation and result."""

    def track_merge(self) -> TrackedMerge:
        """Return a context manager around a merge, which yields a mapping to fill.

        Its keys: ``result`` (success unless an exception leaves the block), ``files_modified``, ``conflict_count``:
        numbers, or lists of what is counted.
        """
        return TrackedMerge()


git_metrics = GitMetrics()
"""Git operations of whatever run is active."""
