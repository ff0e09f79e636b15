"""The metrics of a run from its journal, and what became known since, where the tracked files are not on disk.

Must not write anything, nor tell a secret that those files would not. They leave the disk with the branch
that has them. Source: targets.md, "git".
"""

from __future__ import annotations

import os

from runwatch.finalize.confidential import Confidential
from runwatch.finalize.redacted_metrics import RedactedMetrics
from runwatch.finalize.state import load_state
from runwatch.fold import Fold
from runwatch.fold.losses import overlaid
from runwatch.fold.metrics import Metrics
from runwatch.journal.follow import Follower, read_line
from runwatch.journal.losses import read_losses
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import now_text


def refold(paths: RunPaths) -> Fold:
    """Return the fold of a run's journal and of what became known after its end."""
    fold = Fold()
    for path in (paths.journal, paths.post):
        if path == paths.post and not fold.sealed:
            break
        follower = Follower(path)
        while lines := follower.read():
            for line in lines:
                if path == paths.journal:
                    fold.feed_line(line, follower.offset)
                elif (event := read_line(line)) is not None:
                    fold.feed_post(event)
        follower.close()
    return fold


def recounted(paths: RunPaths, patterns: tuple[str, ...] = ()) -> Metrics:
    """Return the metrics of a run; of one that ended without a seal with the status that finalize.json has.

    Secrets are taken out, also what matches ``patterns`` of the user's.
    """
    fold = refold(paths)
    outcome = load_state(paths.finalize_state).outcome
    ended = None if outcome is None else outcome.ended
    metrics = overlaid(
        fold.metrics(ended or now_text()), fold.losses, (loss.event() for loss in read_losses(paths.losses))
    )
    if outcome is not None and not fold.sealed:
        run = metrics.run
        run.status, run.reason, run.end_time = outcome.status, outcome.reason, outcome.ended
        run.exit_code, run.signal = outcome.exit_code, outcome.signal
    secrets = Confidential(paths, os.environ, patterns)
    secrets.refresh(metrics.run.command)
    shown = RedactedMetrics(secrets.redactor.tree).of(metrics)
    shown.run.run_id, shown.run.framework = metrics.run.run_id, metrics.run.framework
    return shown


def recounted_if_ended(paths: RunPaths) -> Metrics | None:
    """Return the metrics of a finalized run whose metrics.json is not on disk; None for any other run."""
    if os.path.lexists(paths.metrics) or not load_state(paths.finalize_state).complete:
        return None
    return recounted(paths)
