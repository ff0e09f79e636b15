"""Where a run failed, and the last that its command wrote there: what a reviewer asks first.

Must not read more than the end of a log, or follow a link. Source: finalizer.md, "The summary".
"""

from __future__ import annotations

import os
from pathlib import Path

from runwatch.fold.metrics import Metrics, StepMetrics
from runwatch.fold.outcome import ended_well
from runwatch.journal.beneath import open_beneath
from runwatch.journal.paths import RunPaths
from runwatch.redact import Redactor
from runwatch.views.facts import FailedStep

MOST_LINES = 20
TAIL_BYTES = 32768
"""How much of a log's end is read."""


def failed_step(paths: RunPaths, metrics: Metrics, redactor: Redactor) -> FailedStep | None:
    """Return where the run failed with the last lines written there; None for a run that ended well."""
    if metrics.run.status is None or ended_well(metrics.run.status):
        return None
    step = _which(metrics)
    for component in ("stderr", "stdout"):
        path = paths.component_log(step.step if step else None, component)
        # Redacted before it is cut: a key has many lines, of which the last few do not look like one.
        lines = [line for line in redactor.lines(_tail(paths, path)) if line][-MOST_LINES:]
        if lines:
            return FailedStep(
                lines=tuple(lines),
                step=step.step if step else None,
                name=step.name if step else None,
                log=str(path.relative_to(paths.root)),
            )
    return FailedStep(lines=(), step=step.step if step else None, name=step.name if step else None)


def _which(metrics: Metrics) -> StepMetrics | None:
    """The last step that failed, else the last one that did not end well."""
    failed = [step for step in metrics.steps if step.status == "failed"]
    others = [step for step in metrics.steps if step.status not in (None, "success", "skipped", "failed")]
    return failed[-1] if failed else others[-1] if others else None


def _tail(paths: RunPaths, path: Path) -> list[str]:
    """Return the last lines of a log, without line feeds; empty where there is none."""
    try:
        fd = open_beneath(paths.root, str(path.relative_to(paths.root)))
    except OSError:
        return []
    try:
        size = os.fstat(fd).st_size
        begin = max(0, size - TAIL_BYTES)
        data = os.pread(fd, TAIL_BYTES, begin)
    finally:
        os.close(fd)
    lines = data.decode("utf-8", "replace").rstrip("\n").split("\n")
    if not begin:
        return lines
    # A line whose beginning is not at hand may begin in the middle of a secret: it goes, or at least its first word.
    return lines[1:] if len(lines) > 1 else [f"… {lines[0].partition(' ')[2]}"]
