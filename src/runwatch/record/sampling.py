"""When the recorder looks at the outside, and what it writes of it: process tree and git.

Must not fold or show anything. A source that fails is told once in the journal and left out.
"""

from __future__ import annotations

import os
from pathlib import Path

from runwatch.events.lifecycle import RunStarted
from runwatch.finalize.confidential import Confidential
from runwatch.finalize.whereabouts import git_variables
from runwatch.journal.follow import events
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.settings import Settings
from runwatch.sources.environments import Environments
from runwatch.sources.git import GitSource, left_out
from runwatch.sources.process import ProcessSource
from runwatch.sources.reports import ReportSource
from runwatch.units import parse_time
from runwatch.vcs import GitError

PERIODS_S = ((600.0, 1.0), (3600.0, 2.0), (float("inf"), 5.0))
"""Age of the run below which, and how often the process tree is sampled: long runs need fewer."""
LOOKS_S = ((10.0, 0.2), (float("inf"), 1.0))
"""The same for the environments of new processes, whose secrets must be known before they end."""


class Sampler:
    """The sources of one run."""

    def __init__(
        self,
        paths: RunPaths,
        writer: EventWriter,
        settings: Settings,
        command: int,
        secrets: Confidential,
    ) -> None:
        """``secrets`` is told the variables of the command's processes that no other had."""
        self._paths, self._writer, self._secrets = paths, writer, secrets
        self._processes: ProcessSource | None = None
        self._environments = Environments(os.environb)
        self.watch(command)
        self._git = _git_source(paths, settings)
        self._reports = _report_source(paths, settings)
        self._started: float | None = None
        self._next_sample = self._next_look = 0.0
        self._failed: set[str] = set()

    def watch(self, command: int) -> None:
        """Sample this process and all below it."""
        self._processes = ProcessSource(command) if command > 0 else None

    def poll(self, now: float) -> None:
        """Sample what is due at ``now`` (monotonic seconds)."""
        if self._started is None:
            self._started = now
        age = now - self._started
        if self._processes is not None and now >= self._next_look:
            self._next_look = now + next(period for limit, period in LOOKS_S if age < limit)
            self._look(self._processes)
        if self._processes is not None and now >= self._next_sample:
            self._next_sample = now + next(period for limit, period in PERIODS_S if age < limit)
            self._sample(self._processes)
        if self._git is not None:
            self._snapshot(self._git, now)
        if self._reports is not None:
            self._read_reports(self._reports, now)

    def last(self, ended: str | None) -> None:
        """Take the last snapshot of the branch and the last reports: how things stood when the run ended."""
        if self._git is not None:
            self._snapshot(self._git, float("inf"), ended)
        if self._reports is not None:
            self._read_reports(self._reports, float("inf"), ended)

    def _look(self, source: ProcessSource) -> None:
        try:
            found = self._environments.new(source.processes())
        except Exception as error:  # noqa: BLE001 - a source must never end the recorder
            self._report("environments", error)
            return
        if found:
            self._secrets.meet(found)

    def _sample(self, source: ProcessSource) -> None:
        try:
            fields = source.sample()
        except Exception as error:  # noqa: BLE001 - as above
            self._report("process", error)
            return
        if fields is not None:
            self._writer.emit("resource.sample", **fields, known_secrets=self._secrets.count or None)

    def _snapshot(self, source: GitSource, now: float, ts: str | None = None) -> None:
        try:
            event = source.poll(now)
        except Exception as error:  # noqa: BLE001 - as above
            self._report("git", error)
            return
        if source.failure is not None:
            self._report("git", GitError(source.failure))
        if source.notice is not None and "notice of git" not in self._failed:
            self._failed.add("notice of git")
            message = f"Changes are counted from where the run started: {source.notice}"
            self._writer.emit("warning", message=message, where="git")
        if event is not None:
            self._writer.emit("git.snapshot", **{"ts": ts, **event})

    def _read_reports(self, source: ReportSource, now: float, ts: str | None = None) -> None:
        try:
            found = source.poll(now)
        except Exception as error:  # noqa: BLE001 - as above
            self._report("reports", error)
            return
        for type_name, fields in found:
            self._writer.emit(type_name, **{"ts": ts, **fields})
        while source.failures:
            name, reason = source.failures.popitem()
            if name not in self._failed:
                self._failed.add(name)
                self._writer.emit("warning", message=f"{name} is no report that can be read: {reason}", where="reports")

    def _report(self, source: str, error: Exception) -> None:
        if source not in self._failed:
            self._failed.add(source)
            self._writer.emit("warning", message=f"{type(error).__name__}: {error}", where=f"source {source}")


def _report_source(paths: RunPaths, settings: Settings) -> ReportSource | None:
    """Return the source for the configured patterns, from where the command started; None without any."""
    capture = settings.capture
    _, first = next(events(paths.journal), (0, None))
    cwd, started = getattr(first, "cwd", None), getattr(first, "ts", None)
    if not cwd or not (capture.coverage or capture.tests):
        return None
    since = parse_time(started).timestamp() if started else 0.0
    return ReportSource(Path(cwd), since, coverage_patterns=capture.coverage, test_patterns=capture.tests)


def _git_source(paths: RunPaths, settings: Settings) -> GitSource | None:
    """Return the source for the work tree that the command started in, or that the user's environment named then."""
    _, first = next(events(paths.journal), (0, None))
    if not isinstance(first, RunStarted) or not first.cwd:
        return None
    work_tree = git_variables(first).work_tree(Path(first.cwd))
    if work_tree is None:
        return None
    exclude = left_out(work_tree.top, settings, paths.root)
    head = first.git.head if first.git else None
    return GitSource(work_tree, base=settings.git.base, start_head=head, exclude=exclude)
