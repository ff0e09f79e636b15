"""The runs below a runs folder, newest first, from their tracked files and their locks.

Must not fold a journal or write anything. In a fresh clone the tracked files alone suffice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from runwatch.journal.follow import Follower, read_line
from runwatch.journal.lock import is_live
from runwatch.journal.paths import RunPaths


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run in a list."""

    framework: str
    """First level below the runs folder."""
    run_id: str
    """Name of its directory."""
    path: str
    """Its directory."""
    state: str
    """running, unfinished (its owner is gone and nobody finalized it), or the final status."""
    start_time: str | None = None
    """RFC 3339."""
    duration_s: float | None = None
    """Seconds, as of the last flush while it goes on."""
    model: str | None = None
    """Of its configuration."""
    tokens: int | None = None
    """All model calls."""
    cost_usd: float | None = None
    """All priced model calls."""
    exit_code: int | None = None
    """Of the command."""
    reason: str | None = None
    """How it ended."""
    steps: int | None = None
    """Steps that were opened."""
    errors: int | None = None
    """Recorded errors."""


def run_directories(root: Path) -> list[Path]:
    """Return every run directory below a runs folder, in no order; links are not followed."""
    found = []
    for framework in _folders(root):
        for run in _folders(framework):
            if (run / "metadata.json").is_file() or (run / "events.jsonl").is_file():
                found.append(run)
    return found


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if path.is_dir() and not path.is_symlink() and path.name != "csv"]
    except OSError:
        return []


def rows(root: Path) -> list[RunRow]:
    """Return all runs, newest start first; live ones lead."""
    found = [row(path) for path in run_directories(root)]
    found.sort(key=lambda each: (each.state == "running", each.start_time or "", each.run_id), reverse=True)
    return found


def row(path: Path) -> RunRow:
    """Return one run's row."""
    paths = RunPaths(path)
    metadata, metrics = _read(paths.metadata), _read(paths.metrics)
    run = metrics.get("run") or {}
    status = metadata.get("status")
    live = is_live(paths.lock)
    return RunRow(
        framework=paths.framework,
        run_id=paths.run_id,
        path=str(path),
        state="running" if live and not status else status or "unfinished",
        start_time=metadata.get("start_time") or _first_time(paths),
        duration_s=run.get("duration_seconds"),
        model=(metadata.get("llm_configuration") or {}).get("model"),
        tokens=(run.get("tokens") or {}).get("total"),
        cost_usd=run.get("cost_usd"),
        exit_code=metadata.get("exit_code"),
        reason=metadata.get("reason"),
        steps=len(metrics["steps"]) if isinstance(metrics.get("steps"), list) else None,
        errors=run.get("errors"),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _first_time(paths: RunPaths) -> str | None:
    """Return the start of a run that nobody flushed yet."""
    follower = Follower(paths.journal)
    try:
        lines = follower.read(65536)
    finally:
        follower.close()
    event = read_line(lines[0]) if lines else None
    return event.ts if event is not None else None
