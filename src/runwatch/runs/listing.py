"""The runs below a runs folder, newest first, from their tracked files and their locks.

Must not write anything, nor fold a journal but where those files have left the disk with their branch. In a fresh clone
the tracked files alone suffice.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from runwatch.journal.beneath import read_regular
from runwatch.journal.follow import Follower, read_line
from runwatch.journal.paths import RunPaths
from runwatch.runs.standing import Standing, standing
from runwatch.views.facts import RunRow


class Listed(NamedTuple):
    """One run that was found."""

    path: Path
    """Its directory."""
    row: RunRow
    """What a list shows of it."""


def run_directories(root: Path) -> list[Path]:
    """Return every run directory below a runs folder, in no order; links are not followed."""
    return [
        run
        for framework in _folders(root)
        for run in _folders(framework)
        if (run / "metadata.json").is_file() or (run / "events.jsonl").is_file()
    ]


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if path.is_dir() and not path.is_symlink() and path.name != "csv"]
    except OSError:
        return []


def runs(root: Path) -> list[Listed]:
    """Return all runs: live ones lead, then the newest start first."""
    found = [listed(path) for path in run_directories(root)]
    found.sort(key=lambda each: (each.row.live, each.row.start_time or "", each.row.run_id), reverse=True)
    return found


def listed(path: Path) -> Listed:
    """Return one run."""
    paths = RunPaths(path)
    metadata, metrics = _read(paths.metadata), _read(paths.metrics)
    now = Standing() if metadata.get("status") else standing(paths)
    if (
        not (metadata.get("status") and metrics)
        and now._replace(remark=None) == Standing()
        and (stamp := _stamp(paths))
    ):
        anew = _counted_anew(path, stamp)
        metadata, metrics = (metadata if metadata.get("status") else anew[0]), (metrics or anew[1])
    run, steps = _section(metrics, "run"), metrics.get("steps")
    known = (steps if isinstance(steps, list) else []) or ([metrics["whole"]] if metrics.get("whole") else [])
    counted = _section(run, "steps_by_status")  # the list may have been cut
    row = RunRow(
        framework=paths.framework,
        run_id=paths.run_id,
        status=metadata.get("status") or now.status or ("running" if now.live else "unfinished"),
        live=now.live,
        stalled_s=now.stalled_s,
        start_time=metadata.get("start_time") or _first_time(paths),
        duration_seconds=run.get("duration_seconds"),
        steps_done=sum(number for status, number in counted.items() if status != "running")
        if counted
        else sum(1 for step in known if step.get("status")),
        steps_total=max(run.get("steps_planned") or 0, metrics.get("steps_count") or len(known)),
        errors=run.get("errors"),
        tokens=_section(run, "tokens").get("total"),
        cost_usd=run.get("cost_usd"),
        model=_section(metadata, "llm_configuration").get("model"),
        reason=metadata.get("reason") or now.reason,
    )
    return Listed(path, row)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(read_regular(path))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _stamp(paths: RunPaths) -> tuple[int, ...] | None:
    """Return what changes with the files that a run is counted from; None where its journal is not here."""
    try:
        found = [os.stat(path) for path in (paths.journal, paths.post) if path == paths.journal or path.exists()]
    except OSError:
        return None
    return tuple(number for each in found for number in (each.st_size, each.st_mtime_ns))


@lru_cache(maxsize=1024)
def _counted_anew(path: Path, stamp: tuple[int, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what metadata.json and metrics.json of a run would hold."""
    from runwatch.finalize.recount import recounted
    from runwatch.views import metadata_json, metrics_json

    metrics = recounted(RunPaths(path))
    return metadata_json.render(metrics), msgspec.to_builtins(metrics_json.render(metrics))


def _section(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _first_time(paths: RunPaths) -> str | None:
    """Return the start of a run that nobody flushed yet."""
    follower = Follower(paths.journal)
    try:
        lines = follower.read(65536)
    finally:
        follower.close()
    event = read_line(lines[0]) if lines else None
    return event.ts if event is not None else None
