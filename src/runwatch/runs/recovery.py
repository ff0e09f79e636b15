"""All runs below a runs folder whose owner is gone: finding them, and finalizing them one after the other.

Must not touch a run that is live. Source: finalizer.md, "Who finalizes"; cli-and-tui.md, "Commands".
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runwatch.finalize.condition import condition
from runwatch.finalize.recovery import Recovered, recover
from runwatch.journal.paths import RunPaths
from runwatch.settings import Settings

TELLS_NOTHING = frozenset({"done", "foreign", "live"})
"""Conditions that `recover` need not name a run for, unless the logs of a finalized one are lost."""
PATIENCE_S = 5.0
"""A commit that failed after so long will fail for the next run of the same place as well."""

OnStage = Callable[[str, str, float], None]
"""Told the run, the stage at work, and how much of it is done, 0 to 1."""


def run_folders(root: Path) -> list[Path]:
    """Return what may be run directories below a runs folder, broken ones too; by name. Links are not followed."""
    return sorted(run for framework in _folders(root) for run in _folders(framework))


def _folders(root: Path) -> Iterator[Path]:
    try:
        with os.scandir(root) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name != "csv"]
    except OSError:
        return
    for name in names:
        if not name.startswith("."):
            yield root / name


def waiting(root: Path, *, wanted: Callable[[RunPaths], bool]) -> list[Path]:
    """Return the runs for which ``wanted`` holds, the newest directories first."""
    found = [path for path in run_folders(root) if wanted(RunPaths(path))]
    return sorted(found, key=_changed, reverse=True)


def _changed(path: Path) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def survey(root: Path, settings: Settings, *, force: bool = False) -> list[Path]:
    """Return every run that `recover` has something to do or to say about, dead ones first."""
    hidden = TELLS_NOTHING | ({"uncommitted"} if settings.commit.mode == "off" else set())
    found = [(condition(RunPaths(path), force=force), path) for path in run_folders(root)]
    told = [(was.found, path) for was, path in found if was.found not in hidden or (was.found == "done" and was.reason)]
    return [path for _, path in sorted(told, key=lambda each: (each[0] != "dead", each[0] != "uncommitted"))]


def recover_each(
    paths: Iterable[Path],
    settings: Settings,
    *,
    force: bool = False,
    last: str | None = None,
    on_stage: OnStage | None = None,
) -> Iterator[Recovered]:
    """Finalize runs one after the other, up to the stage ``last``, and yield what came of each.

    Where a finalized run's commit was waited for in vain, those of the runs behind it are not tried.
    """
    blocked: str | None = None
    for path in paths:
        name = f"{path.parent.name}/{path.name}"
        if blocked is not None and condition(RunPaths(path), force=force).found == "uncommitted":
            yield Recovered(run=name, path=str(path), found="uncommitted", done="failed", reason=blocked)
            continue
        began = time.monotonic()
        result = recover(
            path,
            settings,
            force=force,
            last=last,
            on_stage=None if on_stage is None else lambda stage, done, name=name: on_stage(name, stage, done),  # type: ignore[misc]
        )
        if result.found == "uncommitted" and result.done == "failed" and time.monotonic() - began > PATIENCE_S:
            blocked = next(iter(result.problems), None)
        yield result


def size_bytes(run_dir: Path, enough: int) -> int:
    """Return the size of a run's files; counting stops at ``enough``. Links are not followed."""
    total = 0
    for folder, _, names in os.walk(run_dir):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
        if total >= enough:
            break
    return total


@contextmanager
def only_one(root: Path) -> Iterator[bool]:
    """Whether nobody else recovers below ``root`` in the background; held while the block runs.

    The lock lies on the folder itself, so that no file is needed; the kernel drops it with its holder. A file system
    without such locks lets everybody through: each run has a lock of its own besides.
    """
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        except OSError:
            yield True
        else:
            yield True
    finally:
        os.close(fd)
