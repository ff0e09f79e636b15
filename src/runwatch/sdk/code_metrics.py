"""Code metrics and coverage of a branch, collected on request and recorded.

Must not raise into the program for what git or a forge does, block its event loop, or run anything in the work tree.
"""

from __future__ import annotations

import glob
import inspect
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from runwatch.errors import RunwatchError
from runwatch.sdk import active
from runwatch.sdk.beside import beside, waited
from runwatch.sdk.core import Emitter
from runwatch.sdk.given import folder
from runwatch.sdk.plain import one_line

Report: TypeAlias = "str | os.PathLike[str] | Any"
"""A report's path or pattern, or a PipelineProvider."""

_NAMES = (
    "files_created", "files_modified", "files_deleted", "files_renamed", "lines_added", "lines_deleted", "commits",
)  # fmt: skip
_WHERE = "CodeMetricsCollector"


class CodeMetricsCollector:
    """Measures branches of one repository."""

    def __init__(
        self, repo: str | os.PathLike[str] = ".", *, base: str | None = None, coverage: Report | None = None
    ) -> None:
        """``repo``: any folder in its work tree; ``base``: else the configured one, the remote's default, main, master.

        ``coverage``: a report (coverage.py JSON, Cobertura, LCOV) or a pattern of them, relative to ``repo``, the
        newest counts; or a ``PipelineProvider``, which is asked for the coverage of the branch's latest pipeline.
        """
        self._folder = folder(repo, "CodeMetricsCollector repo")
        self._base, self._coverage = base, coverage

    async def collect_for_branch(self, branch: str, issue_id: int | str | None = None) -> dict[str, Any]:
        """Measure a branch against its merge base and record it, for the issue at hand unless ``issue_id`` names one.

        Returns files_created, files_modified, files_deleted, files_renamed, lines_added, lines_deleted, commits and
        test_coverage (percent). What cannot be measured is None, with a warning event and a line on stderr. The
        branch that is checked out is measured with the edits of its tracked files, any other one between commits.
        """
        emitter = active.emitter()
        about = {} if issue_id is None else {"issue": issue_id}
        found: dict[str, Any] = dict.fromkeys((*_NAMES, "test_coverage"))
        fields = await self._tried(emitter, about, "code", lambda: beside(lambda: self._measure(emitter, branch)))
        if fields is not None:
            emitter.emit("git.snapshot", {**about, **fields})
            found |= {name: fields[name] for name in _NAMES}
        measured = await self._tried(emitter, about, "coverage", lambda: self._covered(branch))
        if measured is not None:
            emitter.emit("coverage.measured", {**about, **measured})
            found["test_coverage"] = measured["percent"]
        return found

    def collect_for_branch_sync(self, branch: str, issue_id: int | str | None = None) -> dict[str, Any]:
        """Do what ``collect_for_branch`` does, from plain code."""
        return waited(lambda: self.collect_for_branch(branch, issue_id))

    async def _tried(
        self, emitter: Emitter, about: dict[str, Any], what: str, work: Callable[[], Awaitable[Any]]
    ) -> dict[str, Any] | None:
        """Return what is measured; None, with a warning, where that fails."""
        try:
            found = await work()
        except Exception as error:  # noqa: BLE001 - a provider of the user's may raise anything
            said = error.sentence if isinstance(error, RunwatchError) else one_line(error)
            sentence = f"{what} not measured: {said}"[:1000]
            emitter.troubles.report(f"{_WHERE} {sentence}", sentence)
            emitter.emit("warning", {**about, "message": sentence, "where": _WHERE})
            return None
        return found if isinstance(found, dict) else None

    def _measure(self, emitter: Emitter, branch: str) -> dict[str, Any]:
        """Return the fields of a ``git.snapshot`` event. Raises RunwatchError."""
        from runwatch.settings import load
        from runwatch.sources.git import left_out
        from runwatch.vcs import GitError, Repository, git_variables

        found = git_variables(os.environ, Path.cwd(), None).work_tree(self._folder)
        if found is None:
            raise GitError(f"{self._folder} lies in no git work tree: give the folder of a repository.")
        settings = load(found.top, os.environ)
        exclude = left_out(found.top, settings, None if emitter.paths is None else emitter.paths.root)
        with Repository.of(found) as repo:
            return msgspec.structs.asdict(repo.branch_snapshot(branch, self._base or settings.git.base, exclude))

    async def _covered(self, branch: str) -> dict[str, Any] | None:
        """Return the fields of a ``coverage.measured`` event; None where nothing was asked for or is there."""
        asked = self._coverage
        if asked is None:
            return None
        if isinstance(asked, str | os.PathLike):
            found: dict[str, Any] = await beside(lambda: self._read(os.fspath(asked)))
            return found
        pipeline = await _answer(asked.latest_pipeline, branch)
        if pipeline is None:
            return None
        # A provider may answer with objects or mappings.
        is_mapping = isinstance(pipeline, dict)
        pipeline_id = pipeline["pipeline_id"] if is_mapping else pipeline.pipeline_id
        percent = await _answer(asked.coverage, pipeline_id)
        return None if percent is None else {"percent": float(percent), "source": f"pipeline {pipeline_id}"}

    def _read(self, pattern: str) -> dict[str, Any]:
        """Return the newest report that a pattern finds. Raises OSError, NoReport."""
        from runwatch.sources import coverage

        names = (
            [pattern]
            if (self._folder / pattern).is_file()
            else glob.glob(pattern, root_dir=self._folder, recursive=True)
        )
        if not names:
            raise FileNotFoundError(f"there is no report {pattern} in {self._folder}")
        newest = max(names, key=lambda name: (self._folder / name).stat().st_mtime_ns)
        try:
            return {**coverage.read(self._folder / newest), "source": newest}
        except coverage.NoReport as error:
            raise coverage.NoReport(f"{newest} is no coverage report: {error}") from error


async def _answer(method: Callable[..., Any], *args: Any) -> Any:
    """Ask a provider, one that blocks beside the loop."""
    answer = method(*args) if inspect.iscoroutinefunction(method) else beside(lambda: method(*args))
    answer = await answer
    return await answer if inspect.isawaitable(answer) else answer
