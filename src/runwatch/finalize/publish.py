"""Writing what others read of a run: the tracked files, the issue reports, the CSV files, all redacted.

Must not compute a metric or word anything: the fold and the views do. Source: record.md, "The run directory".
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from runwatch.finalize import failing
from runwatch.finalize.confidential import Confidential
from runwatch.finalize.recount import recounted, refold
from runwatch.finalize.redacted_metrics import RedactedMetrics
from runwatch.finalize.state import FinalizeState, Stage, load_state
from runwatch.finalize.tables import Tables
from runwatch.finalize.unlocated import Unlocated
from runwatch.finalize.whereabouts import repository_of
from runwatch.finalize.withholding import LOST
from runwatch.fold import Fold
from runwatch.fold.losses import overlaid
from runwatch.fold.metrics import IssueMetrics, Metrics, Run
from runwatch.journal.atomic import DIR_MODE, write_atomic, write_json
from runwatch.journal.beneath import read_regular
from runwatch.journal.follow import events
from runwatch.journal.losses import read_losses
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import now_text
from runwatch.pricing import Pricer
from runwatch.settings import Settings
from runwatch.units import seconds_between
from runwatch.version import VERSION
from runwatch.views import (
    commit_text,
    console,
    issue_report,
    metadata_json,
    metrics_json,
    summary_markdown,
    summary_text,
)
from runwatch.views.facts import NO_FACTS, Archive, Commit, Facts, StageFailure


class Publisher:
    """Writes the files of one run; each call replaces them whole, so that it can be repeated."""

    def __init__(
        self,
        paths: RunPaths,
        settings: Settings,
        environ: Mapping[str, str] = os.environ,
        secrets: Confidential | None = None,
    ) -> None:
        """``secrets`` is what another publisher of this process knows of them."""
        self.paths, self.settings, self._environ = paths, settings, environ
        self.secrets = secrets if secrets is not None else Confidential(paths, environ, settings.redact.patterns)
        """What is known of the run's secrets."""
        self._redactor, self._learned = self.secrets.redactor, self.secrets.learned
        self._written: dict[Path, int] = {}
        """File to the hash of what this publisher wrote into it last."""
        self._reported: dict[int | str, IssueMetrics] = {}
        """Issue to what its reports were made of."""
        self._metrics = RedactedMetrics(self.secrets.tree)
        self._tables = Tables(paths, self.secrets.tree)

    def new_fold(self) -> Fold:
        """Return an empty fold with the configuration's prices."""
        return Fold(price=Pricer(self.settings.pricing))

    def live(self, metrics: Metrics) -> None:
        """Flush a run that goes on: metrics, metadata, issue reports and this run's rows. Raises OSError."""
        shown = self.redacted(metrics)
        self._json(self.paths.metrics, metrics_json.render(shown), durable=False)
        failed = self._issues(shown)
        self._tables.live(shown)
        # Last: who waits for a run to show up finds all of it, and nothing more comes for a second.
        self._json(self.paths.metadata, metadata_json.render(shown, self._facts(FinalizeState())), durable=False)
        if failed is not None:
            raise failed

    def close(self) -> None:
        """Give descriptors back."""
        self._tables.close()

    def metadata(self, metrics: Metrics, state: FinalizeState) -> None:
        """Write metadata.json. Raises OSError."""
        shown = self.redacted(metrics)
        write_json(self.paths.metadata, metadata_json.render(shown, self._facts(state)))

    def metrics(self, metrics: Metrics) -> None:
        """Write metrics.json. Raises OSError."""
        write_json(self.paths.metrics, metrics_json.render(self.redacted(metrics)))

    def reports(self, metrics: Metrics) -> None:
        """Write the issue reports and the CSV rows of this run and of all runs. Raises OSError."""
        shown = self.redacted(metrics)
        failed = self._issues(shown)
        self._tables.final(shown)
        if failed is not None:
            raise failed

    def summaries(self, metrics: Metrics, state: FinalizeState, failures: Mapping[str, Stage]) -> None:
        """Write logs_summary.txt, summary.md and commit.txt. Raises OSError."""
        shown = self.redacted(metrics)
        failed = failing.failed_step(self.paths, shown, self._redactor)
        if failed is not None and failed.lines and self.secrets.is_lost:
            failed = msgspec.structs.replace(failed, lines=(LOST,))
        facts = self._facts(state, failures, failed)
        write_atomic(self.paths.summary_text, summary_text.render(shown, facts).encode())
        write_atomic(self.paths.summary_markdown, summary_markdown.render(shown, facts).encode())
        write_atomic(self.paths.commit_text, commit_text.render(shown).encode())

    def slow_patterns(self, metrics: Metrics) -> list[int]:
        """Return the numbers of the user's patterns that take too long on what a run publishes, from 1."""
        if self.settings.redact.patterns:
            failing.failed_step(self.paths, self.redacted(metrics), self._redactor)
        return self._redactor.slow_patterns

    def redacted(self, metrics: Metrics) -> Metrics:
        """Return the metrics with every secret in any text taken out."""
        self.secrets.refresh(metrics.run.command)
        if self._learned != self.secrets.learned:  # what was redacted before may hold what is known by now
            self._learned = self.secrets.learned
            self._metrics = RedactedMetrics(self.secrets.tree)
        shown = self._metrics.of(metrics)
        # Where the run lies is in the path of every file: a redacted name would only keep it from being found.
        shown.run.run_id, shown.run.framework = metrics.run.run_id, metrics.run.framework
        return shown

    def _issues(self, metrics: Metrics) -> OSError | None:
        """Write the reports of the issues, each for itself; return why the first failed that could not be written."""
        failed = None
        for issue in metrics.issues:
            if self._reported.get(issue.issue) is issue:
                continue  # most have ended, and are the same as the time before
            try:
                self.paths.issues.mkdir(mode=DIR_MODE, exist_ok=True)
                for kind in ("metrics", "report"):
                    self._json(self.paths.issue_file(issue.issue, kind), issue_report.render(issue), durable=False)
            except OSError as error:
                failed = failed or error
            else:
                self._reported[issue.issue] = issue
        return failed

    def _json(self, path: Path, value: object, *, durable: bool) -> None:
        """Write a file whose content changed since this publisher wrote it last."""
        content = hash(msgspec.json.encode(value))
        if self._written.get(path) != content:
            write_json(path, value, durable=durable)
            self._written[path] = content

    def _facts(self, state: FinalizeState, failures: Mapping[str, Stage] | None = None, failed: Any = None) -> Facts:
        facts = facts_of(self.paths, state, failures or {})
        publish = self.settings.commit.publish
        shown = msgspec.structs.replace(
            facts,
            commit=None,
            failures=self._unlocated(facts.failures),
            failed_step=failed,
            host=platform.node() if "host" in publish else None,
            cwd=self._started_in() if "cwd" in publish else None,
        )
        # A stage's error may name a remote with its password.
        return msgspec.convert(self._redactor.tree(msgspec.to_builtins(shown)), Facts)

    def _unlocated(self, failures: tuple[StageFailure, ...]) -> tuple[StageFailure, ...]:
        if not failures:
            return ()
        publish, found = self.settings.commit.publish, repository_of(self.paths)
        tell = Unlocated(self.paths.root, found, self._environ, publish, self._started_in())
        return tuple(msgspec.structs.replace(each, reason=tell(each.reason)) for each in failures)

    def _started_in(self) -> str | None:
        _, first = next(events(self.paths.journal), (0, None))
        return getattr(first, "cwd", None)


def facts_of(paths: RunPaths, state: FinalizeState, failures: Mapping[str, Stage]) -> Facts:
    """Return what the finalizer's state tells a view."""
    archive, commit = state.archive, state.commit
    return Facts(
        version=VERSION,
        archive=Archive(
            file=archive.file, size_bytes=archive.size_bytes, sha256=archive.sha256, members=archive.members
        )
        if archive
        else None,
        commit=Commit(sha=commit.sha, branch=commit.branch, note=commit.note) if commit else None,
        failures=tuple(
            StageFailure(stage=name, reason=stage.error or "unknown", remedy=stage.remedy)
            for name, stage in failures.items()
        ),
    )


def closing_lines(
    paths: RunPaths, *, color: bool = False, state: FinalizeState | None = None, metrics: Metrics | None = None
) -> list[str]:
    """Return result, summary, archive and commit of a finalized run, from its files alone.

    ``state`` and ``metrics`` are what the finalizer knows, where a full disk may have kept it from writing them.
    """
    state = state or load_state(paths.finalize_state)
    failed = {name: stage for name, stage in state.stages.items() if not stage.done}
    facts = msgspec.structs.replace(facts_of(paths, state, failed), run_path=_as_typed(paths.root))
    if not os.path.lexists(paths.summary_text) and state.commit is not None:
        facts = msgspec.structs.replace(facts, summary_on=state.commit.branch)
    metrics, outcome = metrics or _stored(paths) or recounted(paths), state.outcome
    if metrics.run.status is None and outcome is not None:  # a full disk kept the last metrics from being written
        metrics.run.status, metrics.run.reason = outcome.status, outcome.reason
        metrics.run.exit_code, metrics.run.signal = outcome.exit_code, outcome.signal
    return console.closing(metrics, facts, color=color)


def summary_of(run_dir: Path, *, status: str | None = None, reason: str | None = None) -> str:
    """Return the text summary of a run as of now, folded from its journal; nothing is written.

    ``status`` and ``reason`` are those of a run that ended and whose journal does not say so. Of a journal that holds
    no event, what its other files tell.
    """
    paths = RunPaths(run_dir)
    fold = refold(paths)
    metrics = overlaid(fold.metrics(now_text()), fold.losses, (loss.event() for loss in read_losses(paths.losses)))
    if not metrics.run.run_id:
        metrics = _told_beside(paths, metrics)
        metrics.run.status = metrics.run.status or status
        metrics.run.reason = metrics.run.reason or reason
        return summary_text.render(metrics, facts_of(paths, load_state(paths.finalize_state), {}))
    if metrics.run.status is None and status is not None:
        # Its clock stands at the last thing that is known.
        metrics = fold.metrics(metrics.journal.last_time or now_text())
        metrics.run.status, metrics.run.reason = status, reason
        metrics.run.end_time = metrics.journal.last_time
    state = load_state(paths.finalize_state)
    return summary_text.render(metrics, facts_of(paths, state, {}) if state.complete else NO_FACTS)


def document_of(run_dir: Path, kind: Literal["json", "markdown"]) -> str:
    """Return metrics.json or summary.md of a run that has none on disk, counted anew; nothing is written."""
    paths = RunPaths(run_dir)
    metrics = recounted(paths)
    if kind == "json":
        return msgspec.json.format(msgspec.json.encode(metrics_json.render(metrics)), indent=2).decode() + "\n"
    secrets = Confidential(paths, os.environ)
    secrets.refresh()
    where = failing.failed_step(paths, metrics, secrets.redactor)
    facts = msgspec.structs.replace(facts_of(paths, load_state(paths.finalize_state), {}), failed_step=where)
    return summary_markdown.render(metrics, facts)


def _stored(paths: RunPaths) -> Metrics | None:
    try:
        return msgspec.json.decode(read_regular(paths.metrics), type=Metrics)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _told_beside(paths: RunPaths, unread: Metrics) -> Metrics:
    """Return what metrics.json, else metadata.json, tells of a run whose journal does not; its place at least."""
    metrics = _stored(paths) or Metrics()
    metrics.journal = unread.journal
    if not metrics.run.run_id:
        try:
            run = msgspec.json.decode(read_regular(paths.metadata), type=Run)  # the same names
            if run.start_time and run.end_time:
                run.duration_seconds = max(0.0, seconds_between(run.start_time, run.end_time))
        except (OSError, ValueError):  # what is no JSON and what is no time too
            run = Run()
        metrics.run = run
    metrics.run.run_id, metrics.run.framework = paths.run_id, paths.framework
    return metrics


def _as_typed(path: Path) -> str:
    """Return a path as a person in the current folder would type it."""
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):
        return str(path)
    return relative if not relative.startswith("../..") else str(path)
