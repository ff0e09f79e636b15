"""This run against its framework's earlier ones: a streak of failures, a value far from the others.

Must not read a journal where the earlier run's tracked files are on disk: they say enough.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from runwatch.finalize.recount import recounted_if_ended
from runwatch.finalize.state import Outcome
from runwatch.fold.metrics import Metrics
from runwatch.fold.outcome import ended_well
from runwatch.journal.beneath import read_regular
from runwatch.journal.paths import RunPaths
from runwatch.settings import Alerts

FEWEST = 5
"""A deviation needs so many earlier runs that ended well."""
MOST = 200
"""Earlier runs that are looked at, the newest."""
_VALUES = ("duration_seconds", "cost_usd", "tokens", "errors")


def alerts(
    paths: RunPaths, metrics: Metrics, outcome: Outcome, settings: Alerts
) -> Iterator[tuple[str, object, object]]:
    """Yield rule, value and threshold of each alert that the end of this run raises."""
    if settings.failure_streak is None and settings.deviation is None:
        return
    before = _before(paths, metrics.run.start_time or "")
    if settings.failure_streak is not None and outcome.status in ("failed", "crashed"):
        streak = 1
        for run in reversed(before):
            if run.get("status") not in ("failed", "crashed"):
                break
            streak += 1
        if streak >= settings.failure_streak:
            yield "failure_streak", streak, settings.failure_streak
    if settings.deviation is not None:
        yield from _deviations(before, metrics, settings.deviation)


def _deviations(before: list[dict[str, Any]], metrics: Metrics, most: float) -> Iterator[tuple[str, object, object]]:
    run = metrics.run
    values = dict(zip(_VALUES, (run.duration_seconds, run.cost_usd, run.tokens.total, run.errors), strict=True))
    good = [earlier for earlier in before if ended_well(earlier.get("status"))]
    for name, value in values.items():
        others = [float(earlier[name]) for earlier in good if isinstance(earlier.get(name), int | float)]
        if value is None or len(others) < FEWEST:
            continue
        mean, spread = statistics.fmean(others), statistics.stdev(others)
        if spread > 0 and abs(value - mean) > most * spread:
            yield f"deviation of {name}", value, f"{mean:.6g} ± {most:g} × {spread:.6g}"


def _before(paths: RunPaths, start: str) -> list[dict[str, Any]]:
    """Return what is known of the framework's runs that started before, in order of their start."""
    others = sorted((path for path in paths.root.parent.iterdir() if path != paths.root), key=_ended, reverse=True)
    found = [run for path in others if (run := _read(path))]
    # Files of earlier runs leave the disk with their branch.
    found += islice((run for path in others if (run := _counted(path))), MOST - min(MOST, len(found)))
    found = [run for run in found if run["start_time"] < start]
    found.sort(key=lambda run: str(run["start_time"]))
    return found[-MOST:]


def _ended(path: Path) -> float:
    """Return about when a run ended, in seconds; 0 for what is no run."""
    try:
        return (path / "events.jsonl").stat().st_mtime
    except OSError:
        return 0.0


def _counted(path: Path) -> dict[str, Any] | None:
    metrics = recounted_if_ended(RunPaths(path))
    if metrics is None or metrics.run.start_time is None or metrics.run.status is None:
        return None
    return {**msgspec.to_builtins(metrics.run), "tokens": metrics.run.tokens.total}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        run = msgspec.json.decode(read_regular(path / "metrics.json"))["run"]
        if not isinstance(run["start_time"], str) or run.get("status") is None:
            return None
        tokens = run.get("tokens")
        return {**run, "tokens": tokens.get("total") if isinstance(tokens, dict) else None}
    except (OSError, msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError):
        return None
