"""Which runs and archives are kept, and pruning the others.

Must not ask anybody, nor touch a live run, a file that git tracks, or anything outside the runs folder. Only runs that
are finalized go; what keeps another one is said. Source: python-api.md, "Ends".
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from runwatch.errors import RunwatchError, UsageError
from runwatch.finalize.condition import condition
from runwatch.finalize.recount import recounted_if_ended
from runwatch.fold.metrics import InstrumentMetrics, Metrics
from runwatch.journal.beneath import read_regular
from runwatch.journal.paths import RunPaths
from runwatch.runs import pruning
from runwatch.runs.listing import Listed, runs
from runwatch.runs.totals import keep
from runwatch.runs.tracked import tracked
from runwatch.sdk.trouble import say
from runwatch.settings import Settings, load, runs_root
from runwatch.units import parse_time
from runwatch.vcs import find_work_tree

_DAY_S = 86_400.0
_WHY_LEFT = {
    "live": "it goes on",
    "finalizing": "it is being finalized",
    "dead": "it is not finalized: `runwatch recover` does that",
    "uncommitted": "its summary is not committed yet: `runwatch recover` does that",
}


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """One run that goes, or its archive."""

    run: str
    """``framework/run_id``."""
    what: Literal["run", "archive"]
    """What goes of it."""
    why: str
    """Which limit it is beyond."""
    size_bytes: int
    """What that frees on disk."""
    tracked: int = 0
    """Files of it that stay, because git tracks them."""
    done: bool = False
    """Whether it is gone."""
    problem: str | None = None
    """Why it is not, though it should be."""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A run beyond a limit that stays."""

    run: str
    """``framework/run_id``."""
    why: str
    """Which limit it is beyond."""
    reason: str
    """Why it stays."""


class Pruning(msgspec.Struct, kw_only=True):
    """What was pruned, or would be."""

    dry_run: bool
    """Whether nothing was touched."""
    pruned: list[Pruned] = []
    """Newest first."""
    left: list[Left] = []
    """Newest first."""

    @property
    def freed_bytes(self) -> int:
        """What is free now, or would be."""
        return sum(each.size_bytes for each in self.pruned if each.done or self.dry_run)


class RetentionPolicy:
    """How many runs are kept and for how long; ``apply`` prunes the others."""

    def __init__(
        self,
        max_runs: int | None = None,
        max_age_days: float | None = None,
        archives: int | None = None,
        *,
        runs_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        """Keep the newest ``max_runs`` runs, runs up to ``max_age_days`` old, and the newest ``archives`` archives.

        None: as ``[retention]`` says, else all. A run goes that is beyond any of them.
        """
        self.max_runs, self.max_age_days, self.archives = max_runs, max_age_days, archives
        self.runs_dir = runs_dir

    def apply(self, *, dry_run: bool = False) -> Pruning:
        """Prune; return what went and what stayed. Never raises for a reason of runwatch's own: it is said on stderr.

        ``dry_run``: touch nothing, only say what would go.
        """
        try:
            settings = load(Path.cwd(), os.environ)
            root = Path(self.runs_dir) if self.runs_dir is not None else _root(settings)
            return self.with_settings(settings).prune(root, dry_run=dry_run)
        except (RunwatchError, OSError) as error:
            say(f"nothing was pruned: {error}")
            return Pruning(dry_run=dry_run)

    def with_settings(self, settings: Settings) -> RetentionPolicy:
        """Return this policy with the configuration's limits where it has none."""
        kept = settings.retention
        return RetentionPolicy(
            kept.max_runs if self.max_runs is None else self.max_runs,
            kept.max_age_days if self.max_age_days is None else self.max_age_days,
            kept.archives if self.archives is None else self.archives,
            runs_dir=self.runs_dir,
        )

    def prune(self, root: Path, *, dry_run: bool = False) -> Pruning:
        """Prune the runs below ``root``. Raises UsageError for limits that cannot be meant, GitError, OSError."""
        self._check()
        done = Pruning(dry_run=dry_run)
        root = root.resolve()
        if not root.is_dir():
            return done
        planned = list(self._planned(root, done))
        if dry_run or not planned:
            done.pruned = [each for _, each, _ in planned]
            return done
        with pruning.aside(root) as aside:
            done.pruned = [_carry_out(root, run, each, kept, aside) for run, each, kept in planned]
        return done

    def _check(self) -> None:
        limits = {"max_runs": self.max_runs, "max_age_days": self.max_age_days, "archives": self.archives}
        if all(limit is None for limit in limits.values()):
            raise UsageError(
                "Nothing says what to keep: give --max-runs, --max-age, or max_runs, max_age_days or archives "
                "below [retention] in runwatch.toml."
            )
        for name, limit in limits.items():
            if limit is not None and not limit > 0:
                raise UsageError(f"{name} is {limit!r}: it must be above 0; leave it out to keep all.")

    def _planned(self, root: Path, done: Pruning) -> Iterator[tuple[Path, Pruned, frozenset[str]]]:
        """Yield what goes, with the files of it that stay; note what must stay in ``done``."""
        kept_by_git = tracked(root)
        archives = 0
        for number, listed in enumerate(runs(root), 1):
            name, paths = f"{listed.path.parent.name}/{listed.path.name}", RunPaths(listed.path)
            kept = kept_by_git.get(name, frozenset())
            has_archive = paths.archive.is_file() and not paths.archive.is_symlink()
            archives += has_archive
            why = self._why(number, listed)
            if why is not None and _has_more_than(listed.path, kept):
                each = Pruned(run=name, what="run", why=why, size_bytes=0, tracked=len(kept))
            elif has_archive and self.archives is not None and archives > self.archives:
                if paths.archive.name in kept:
                    continue
                why = f"beyond the newest {self.archives} archives"
                each = Pruned(run=name, what="archive", why=why, size_bytes=0)
            else:
                continue
            try:
                size = _may_go(paths, each, kept)
            except _Stays as error:
                done.left.append(Left(run=name, why=each.why, reason=str(error)))
            else:
                yield listed.path, msgspec.structs.replace(each, size_bytes=size), kept

    def _why(self, number: int, listed: Listed) -> str | None:
        if self.max_runs is not None and number > self.max_runs:
            return f"beyond the newest {self.max_runs} runs"
        if self.max_age_days is not None and _age_s(listed) > self.max_age_days * _DAY_S:
            return f"older than {self.max_age_days:g} days"
        return None


class LogRotation(RetentionPolicy):
    """The same, with limits of its own: a hundred runs, thirty days."""

    def __init__(
        self,
        max_runs: int | None = 100,
        max_age_days: float | None = 30,
        archives: int | None = None,
        *,
        runs_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        """As ``RetentionPolicy``."""
        super().__init__(max_runs, max_age_days, archives, runs_dir=runs_dir)

    def rotate(self, *, dry_run: bool = False) -> Pruning:
        """Prune, as ``RetentionPolicy.apply`` does."""
        return self.apply(dry_run=dry_run)


def _root(settings: Settings) -> Path:
    cwd = Path.cwd()
    return runs_root(settings, cwd, find_work_tree(cwd))


def _age_s(listed: Listed) -> float:
    if listed.row.start_time:
        with suppress(ValueError):
            return time.time() - parse_time(listed.row.start_time).timestamp()
    return time.time() - os.stat(listed.path, follow_symlinks=False).st_mtime


class _Stays(Exception):
    """Why a run that is beyond a limit stays."""


def _may_go(paths: RunPaths, each: Pruned, kept: frozenset[str]) -> int:
    """Return how many bytes on disk it would free. Raises _Stays."""
    was = condition(paths)
    if was.found != "done":
        raise _Stays(_WHY_LEFT.get(was.found) or was.reason or f"it is {was.found}")
    try:
        if each.what == "archive":
            return pruning.on_disk_bytes(os.stat(paths.archive, follow_symlinks=False))
        return pruning.size_bytes(paths.root, kept)
    except OSError as error:
        raise _Stays(f"{error.filename}: {error.strerror}") from error


def _has_more_than(run: Path, kept: frozenset[str]) -> bool:
    if not kept:
        return True
    for folder, _, files in os.walk(run):
        below = os.path.relpath(folder, run)
        if any(os.path.normpath(f"{below}/{name}") not in kept for name in files):
            return True
    return False


def _carry_out(root: Path, run: Path, each: Pruned, kept: frozenset[str], aside: int) -> Pruned:
    paths = RunPaths(run)
    try:
        with pruning.unowned(paths) as free:
            if not free:
                return msgspec.structs.replace(each, problem="somebody is finalizing or recording it")
            if each.what == "archive":
                pruning.remove_archive(paths, aside)
            else:
                if "metrics.json" not in kept:
                    keep(root, {each.run: _instruments(paths)})
                pruning.remove(run, aside, kept)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return msgspec.structs.replace(each, problem=f"{where}{error.strerror or error}")
    return msgspec.structs.replace(each, done=True)


def _instruments(paths: RunPaths) -> list[InstrumentMetrics]:
    """Return the counters of a run, which `runwatch serve` goes on to show."""
    try:
        return msgspec.json.decode(read_regular(paths.metrics), type=Metrics).instruments
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        counted = recounted_if_ended(paths)
        return [] if counted is None else counted.instruments
