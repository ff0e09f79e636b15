"""Where a run failed, and the last that its command wrote there: what a reviewer asks first.

Must not read more than the end of a log, or follow a link. Source: finalizer.md, "The summary".
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runwatch.errors import RunwatchError
from runwatch.finalize.archive_extract import extract
from runwatch.finalize.raw_logs import are_gone
from runwatch.fold.metrics import Metrics, StepMetrics
from runwatch.fold.outcome import ended_well
from runwatch.journal.beneath import open_beneath
from runwatch.journal.paths import RunPaths
from runwatch.redact import Redactor
from runwatch.views.facts import FailedStep

MOST_LINES = 20
_PART = re.compile(r"(?P<stem>.+)\.(?P<number>[1-9]\d{0,5})\.log\Z")
TAIL_BYTES = 32768
"""How much of a log's end is read."""


def failed_step(paths: RunPaths, metrics: Metrics, redactor: Redactor) -> FailedStep | None:
    """Return where the run failed with the last lines written there; None for a run that ended well."""
    if metrics.run.status is None or ended_well(metrics.run.status):
        return None
    step = _which(metrics)
    with _with_logs(paths, step.step if step else None) as holder:
        for component in ("stderr", "stdout"):
            path = _newest(holder.component_log(step.step if step else None, component))
            # Redacted before it is cut: a key has many lines, of which the last few do not look like one.
            lines = [line for line in redactor.lines(_tail(holder, path)) if line][-MOST_LINES:]
            if lines:
                return FailedStep(
                    lines=tuple(lines),
                    step=step.step if step else None,
                    name=step.name if step else None,
                    log=str(path.relative_to(holder.root)),
                )
    return FailedStep(lines=(), step=step.step if step else None, name=step.name if step else None)


@contextmanager
def _with_logs(paths: RunPaths, step: int | None) -> Iterator[RunPaths]:
    """Yield the run, or what its archive has of a step's output where the raw logs were taken away."""
    if not are_gone(paths.root) or not paths.archive.is_file():
        yield paths
        return
    folder = paths.step_logs(step).relative_to(paths.root)
    with tempfile.TemporaryDirectory(prefix="runwatch-logs-") as place:
        try:
            extract(paths.archive, Path(place), [f"{folder}/{stream}*.log" for stream in ("stdout", "stderr")])
        except RunwatchError:
            pass  # then there is nothing to show
        yield RunPaths(Path(place) / paths.run_id)


def _which(metrics: Metrics) -> StepMetrics | None:
    """The last step that failed, else the last one that did not end well."""
    failed = [step for step in metrics.steps if step.status == "failed"]
    others = [step for step in metrics.steps if step.status not in (None, "success", "skipped", "failed")]
    return failed[-1] if failed else others[-1] if others else None


def _newest(path: Path) -> Path:
    """Return the file in which a log that reached its length goes on last."""
    number = 1
    while (following := path.with_name(f"{path.stem}.{number}.log")).exists():
        number += 1
    return following.with_name(f"{path.stem}.{number - 1}.log") if number > 1 else path


def _before(path: Path) -> Path | None:
    """Return the file that a log went on from into this one."""
    match = _PART.match(path.name)
    if match is None:
        return None
    number = int(match["number"]) - 1
    return path.with_name(f"{match['stem']}.{number}.log" if number else f"{match['stem']}.log")


def _tail(paths: RunPaths, path: Path) -> list[str]:
    """Return the last lines of a log, without line feeds; empty where there is none."""
    data, begin, part = b"", 0, path
    while True:
        try:
            fd = open_beneath(paths.root, str(part.relative_to(paths.root)))
        except OSError:
            break
        try:
            begin = max(0, os.fstat(fd).st_size - (TAIL_BYTES - len(data)))
            data = os.pread(fd, TAIL_BYTES - len(data), begin) + data
        finally:
            os.close(fd)
        former = _before(part)
        if begin or former is None:
            break
        part = former
    lines = data.decode("utf-8", "replace").rstrip("\n").split("\n")
    if not begin:
        return lines
    # A line whose beginning is not at hand may begin in the middle of a secret: it goes, or at least its first word.
    return lines[1:] if len(lines) > 1 else [f"… {lines[0].partition(' ')[2]}"]
