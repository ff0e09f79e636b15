"""Checks of a run's recorded usage against a provider's export, for programs.

Must not compare: the finalizer's side does, and publishes what came of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runwatch.settings import Settings, load

if TYPE_CHECKING:
    from runwatch.finalize.reconciling import Reconciliation


class UsageReconciler:
    """Reconciles one finalized run."""

    def __init__(self, run_dir: str | os.PathLike[str], *, settings: Settings | None = None) -> None:
        """``run_dir``: the run directory; ``settings``: else the configuration in force in the current folder."""
        self._run_dir = Path(run_dir)
        self._settings = settings

    def check(self, source: str | os.PathLike[str], *, only: Mapping[str, str] | None = None) -> Reconciliation:
        """Compare the recorded tokens and cost with a provider's usage export, CSV or JSON, by model and day.

        Writes ``logs/reconciliation.log`` and ``post.jsonl``, rewrites the tracked files and adds one commit if they
        changed. ``only`` names values that columns of the export must have, such as ``{"project_id": "proj_1"}``.
        The result has ``agrees``, ``verified`` (after N agreeing checks in a row), ``differences`` and ``rows``.
        Raises UsageError for an export that cannot be meant, RunBusy and RecordError for a run that has not ended.
        """
        from runwatch.finalize.reconciling import reconcile

        settings = self._settings or load(Path.cwd(), os.environ)
        return reconcile(self._run_dir, Path(source), settings, only)
