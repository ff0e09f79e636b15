"""The archive of a run as a program asks for it, with what it names beside the record.

Must not pack anything itself: the finalizer's archive does, and its end makes the same again.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from runwatch.journal.modes import DIR_MODE
from runwatch.journal.paths import TRACKED, RunPaths
from runwatch.sdk.given import folder
from runwatch.sdk.plain import text
from runwatch.sdk.trouble import say

Named = str | os.PathLike[str]
_ADDED = "added"
"""Folder of a run for files whose name is taken at its top, or is one of ours."""
_WORKSPACE = "workspace"
_OURS = frozenset({*TRACKED, "events.jsonl", "issues", "csv", "logs", "artifacts", _WORKSPACE})
"""Names at the top of a run that are the record's, written already or not."""


class Archiver:
    """The archive of one run."""

    def __init__(self, run_dir: Named) -> None:
        self._paths = RunPaths(folder(run_dir, "Archiver run_dir"))

    def create_archive(
        self,
        workspace_dir: Named | None = None,
        metrics_file: Named | None = None,
        logs: Named | Iterable[Named] | None = None,
    ) -> Path:
        """Write ``run.tar.gz`` of the run and return its path.

        ``workspace_dir`` asks for the run's workspace. Files and folders named by the other two are archived in any
        case: where they lie when that is in the run directory, else as a copy under their name (``added/<name>`` where
        that is taken). The end of the run archives them too. A run that is finalized keeps its archive, unless
        something new is asked for. What cannot be done is said on stderr.
        """
        paths = self._paths
        try:
            named = [*_several(metrics_file), *_several(logs)]
            include = [self._place(Path(each), None) for each in named]
            if workspace_dir is not None:
                include.append(self._place(Path(workspace_dir), _WORKSPACE))
            self._make(_WORKSPACE in include, tuple(name for name in include if name != _WORKSPACE))
        except Exception as error:  # noqa: BLE001 - names that are none, a full disk: the program goes on
            say(f"the archive {paths.archive} was not made: {text(error)}")
        return paths.archive

    def verify(self) -> bool:
        """Read the archive in full; return whether it is what was recorded and what its listing says, else say why."""
        from runwatch.finalize import archive
        from runwatch.finalize.state import load_state

        try:
            report = archive.verify(self._paths.archive)
        except Exception as error:  # noqa: BLE001 - as above
            say(text(error))
            return False
        recorded = load_state(self._paths.finalize_state).archive
        if recorded is not None and recorded.sha256 != report.sha256:
            say(f"{self._paths.archive} has SHA-256 {report.sha256}, but {recorded.sha256} was recorded.")
            return False
        return True

    def _make(self, workspace: bool, include: tuple[str, ...]) -> None:
        from runwatch.finalize import archive, stages
        from runwatch.finalize.archive_asked import ask
        from runwatch.finalize.archiving import stands
        from runwatch.finalize.state import load_state
        from runwatch.journal.lock import is_live
        from runwatch.settings import load

        paths, settings = self._paths, load(Path.cwd(), os.environ)
        is_new = ask(paths.root, workspace=workspace, include=include)
        state = load_state(paths.finalize_state)
        if state.complete:
            # What is committed names the archive's hash: only the finalizer may make another one.
            if is_new or not stands(paths, state.archive):
                stages.run(paths.root, settings, first="archive")
            return
        archive.create(paths.root, options=archive.options(settings.archive, paths.root))
        if not is_live(paths.lock):
            archive.forget(paths.root)

    def _place(self, named: Path, name: str | None) -> str:
        """Return the path below the run of what a program named, copied there where it lies elsewhere."""
        root, where = self._paths.root.resolve(), named.resolve(strict=True)
        if where.is_relative_to(root) and where != root:
            return where.relative_to(root).as_posix()
        for number in count():
            below = name if name is not None and number == 0 else _below(where.name, number)
            target = root / below
            if _same(where, target):
                return below
            if not os.path.lexists(target):
                _copy(where, target)
                return below
        raise AssertionError  # there is always a next number


def _below(name: str, number: int) -> str:
    """Return where a copy goes: at the top of the run, unless that is no place for it, or taken."""
    from runwatch.finalize import manifest
    from runwatch.finalize.archive_sources import OWN

    is_ours = name in OWN | _OURS or name == manifest.NAME or name.startswith((".", "run.tar.gz."))
    if number == 0 and not is_ours:
        return name
    return f"{_ADDED}/{name}" if number <= 1 else f"{_ADDED}/{number}/{name}"


def _several(named: Named | Iterable[Named] | None) -> list[Named]:
    if named is None:
        return []
    return [named] if isinstance(named, str | os.PathLike) else list(named)


def _same(one: Path, other: Path) -> bool:
    """Whether both are files of the same content."""
    return one.is_file() and other.is_file() and not other.is_symlink() and filecmp.cmp(one, other, shallow=False)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; it has its name only when it is whole."""
    target.parent.mkdir(mode=DIR_MODE, parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        if source.is_dir():
            shutil.copytree(source, part, symlinks=True)
        else:
            shutil.copy2(source, part)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)
        raise
