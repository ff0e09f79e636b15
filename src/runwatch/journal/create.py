"""A new run directory: its name taken for good, its modes, and the ignore files that keep it out of ``git status``.

Must not write events, hold locks or start processes. Source: record.md, "The run directory".
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

from runwatch.errors import BadName, RecordError, UsageError
from runwatch.journal.atomic import DIR_MODE, FILE_MODE
from runwatch.journal.paths import RunPaths, check_name, new_run_id, project_run_id, refuse_key
from runwatch.vcs import find_repository
from runwatch.vcs.special_names import first_special

_IGNORE_ALL = b"*\n"
_OURS = frozenset({".gitignore", ".left", ".lock"})
_MARKS = ("events.jsonl", "metadata.json", "metrics.json", ".gitignore", "logs")
"""Any of these tells a run, also one that is just being made, or of which git alone has kept something."""
_TRACKED_RULE = b"/*/*/metadata.json"
"""How the line of `runwatch init` ends that lets git track a run's metadata."""


def create_run(
    runs_root: Path,
    framework: str,
    run_id: str | None = None,
    *,
    project_id: int | str | None = None,
    now: datetime,
) -> RunPaths:
    """Create ``runs_root/framework/run_id`` with its ``logs`` folder and ignore files; return its paths.

    The directory is made exclusively, so that two processes never get the same one. Without ``run_id`` it is named
    after ``now`` (UTC), with ``project_id`` after that too and ``_2`` … where that name is taken.
    Raises BadName for a name that cannot be a file name and for a runs folder inside a git folder, UsageError where
    ``run_id`` is taken, RecordError where the file system refuses; nothing of the run is left behind then.
    """
    check_name("framework", framework)
    refuse_key("framework", framework)
    _check_place(runs_root)
    names = _candidates(run_id, project_id, now)
    try:
        _make_folder(runs_root, parents=True)
        _make_folder(runs_root / framework)
        if (runs_root / framework).is_symlink():
            raise RecordError(
                f"{runs_root / framework} is a symbolic link, and runs are not recorded through one: replace it by a "
                "folder, or choose another runs folder with --runs-dir or RUNWATCH_RUNS_DIR."
            )
        for name in names:
            paths = RunPaths(runs_root / framework / name)
            try:
                os.mkdir(paths.root, DIR_MODE)
            except FileExistsError:
                continue
            _furnish(paths, runs_root)
            return paths
    except OSError as error:
        raise RecordError(_refusal(runs_root, error)) from error
    raise UsageError(f"run id {run_id!r} is taken in {runs_root / framework}: choose another or leave it out.")


def _check_place(runs_root: Path) -> None:
    """Raise BadName for a runs folder below a name that git keeps for itself: what is committed could not be cloned."""
    where = Path(os.path.realpath(runs_root))
    found = find_repository(where)
    special = first_special(where.parts if found is None else found.committed(where))
    if special is not None:
        raise BadName(
            f"runs folder {str(runs_root)!r} lies in {special!r}, a name that git keeps for itself: "
            "choose another with --runs-dir or RUNWATCH_RUNS_DIR."
        )


def _refusal(runs_root: Path, error: OSError) -> str:
    """Return why no run can be created below a folder, with what to do about it."""
    another = "choose another with --runs-dir or RUNWATCH_RUNS_DIR."
    there = next((each for each in (runs_root, *runs_root.parents) if os.path.lexists(each)), runs_root)
    if not there.is_dir():
        return f"cannot create a run below {runs_root}: {there} is no folder: {another}"
    if error.errno == errno.ENOENT:  # of a folder that is there: /proc and the like
        return f"cannot create a run below {runs_root}: {there} takes no folders: {another}"
    why = f"cannot create a run below {runs_root}: {there}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{why}: free space there, or {another}"
    return f"{why}: make that folder writable, or {another}"


def _candidates(run_id: str | None, project_id: int | str | None, now: datetime) -> Iterator[str]:
    """Return the names to try, in order; the first is checked before anything is created."""
    if run_id is not None:
        refuse_key("run id", run_id)
        return iter([check_name("run id", run_id)])
    if project_id is None:
        return (new_run_id(now) for _ in count())
    first = project_run_id(project_id, now)
    try:
        check_name("run id", first + "_9999")
    except BadName:
        raise BadName(
            f"project id {str(project_id)!r} cannot be part of a file name: "
            "use at most 60 letters, digits, '.', '_' or '-'."
        ) from None
    refuse_key("project id", str(project_id))
    return (first if number == 1 else f"{first}_{number}" for number in count(1))


def _furnish(paths: RunPaths, runs_root: Path) -> None:
    """Fill a new run directory; take it away again where that fails."""
    try:
        _write_new(paths.ignore, _IGNORE_ALL)
        os.mkdir(paths.logs, DIR_MODE)
        if not _is_initialized(runs_root):
            for folder in _hidden_from_git(runs_root, paths.root.parent):
                _write_new(folder / ".gitignore", _IGNORE_ALL)
    except OSError:
        paths.ignore.unlink(missing_ok=True)
        for folder in (paths.logs, paths.root):
            if folder.is_dir():
                folder.rmdir()
        raise


def _hidden_from_git(runs_root: Path, framework: Path) -> list[Path]:
    """Return the folders that may be hidden from git whole: those that hold runs and nothing of the user's."""
    if all(path.is_dir() and (path.name == "csv" or _holds_runs(path)) for path in _entries(runs_root)):
        return [runs_root]
    hidden = [framework] if _holds_runs(framework) else []
    tables = runs_root / "csv"
    if tables.is_symlink():
        return hidden
    tables.mkdir(DIR_MODE, exist_ok=True)
    return [*hidden, tables] if all(path.suffix in (".csv", ".json") for path in _entries(tables)) else hidden


def _holds_runs(framework: Path) -> bool:
    return all(path.is_dir() and any((path / name).exists() for name in _MARKS) for path in _entries(framework))


def _entries(folder: Path) -> list[Path]:
    """Return what lies in a folder but our own small files, and links, which lead nowhere; nothing where none is."""
    try:
        return [path for path in folder.iterdir() if path.name not in _OURS and not path.is_symlink()]
    except OSError:
        return []


def _make_folder(path: Path, *, parents: bool = False) -> None:
    if parents and not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(DIR_MODE, exist_ok=True)


def _write_new(path: Path, data: bytes) -> None:
    """Write a small file where none is; one that is there already stays as it is."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    except FileExistsError:
        return
    try:
        if os.write(fd, data) != len(data):
            raise OSError(28, "No space left on device", str(path))
    finally:
        os.close(fd)


def _is_initialized(runs_root: Path) -> bool:
    """Whether `runwatch init` wrote its rules for this folder: then git tracks summaries and must not be blinded."""
    for folder in runs_root.absolute().parents:
        try:
            lines = (folder / ".gitignore").read_bytes().splitlines()
        except OSError:
            lines = []
        if any(line.startswith(b"!") and line.rstrip().endswith(_TRACKED_RULE) for line in lines):
            return True
        if (folder / ".git").exists():
            return False
    return False
