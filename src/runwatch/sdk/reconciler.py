"""Checks of a run's recorded usage against a provider's export, for programs.

Must not compare, or raise into the program: the finalizer's side compares, and publishes what came of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runwatch.errors import RunwatchError
from runwatch.sdk import active
from runwatch.sdk.plain import one_line, text
from runwatch.settings import Settings, load

if TYPE_CHECKING:
    from runwatch.finalize.reconciling import Reconciliation


class UsageReconciler:
    """Reconciles one finalized run."""

    def __init__(self, run_dir: str | os.PathLike[str], *, settings: Settings | None = None) -> None:
        """``run_dir``: the run directory; ``settings``: else the configuration in force in the current folder."""
        self._run_dir = run_dir
        self._settings = settings

    def check(self, source: str | os.PathLike[str], *, only: Mapping[str, str] | None = None) -> Reconciliation:
        """Compare the recorded tokens and cost with a provider's usage export, CSV or JSON, by model and day.

        Writes ``logs/reconciliation.log`` and ``post.jsonl``, rewrites the tracked files and adds one commit if they
        changed. ``only`` names values that columns of the export must have, such as ``{"project_id": "proj_1"}``.
        The result has ``agrees``, ``verified`` (after N agreeing checks in a row, of exports made one after the other),
        ``differences`` and ``rows``. Where nothing could be compared (an export that cannot be meant, a run that has
        not ended), its ``verdict`` is ``failed``, it agrees in nothing, and ``problems`` says why, as does stderr.
        """
        try:
            from runwatch.finalize.reconciling import reconcile

            settings = self._settings or load(Path.cwd(), os.environ)
            return reconcile(Path(self._run_dir), Path(source), settings, only)
        except Exception as error:  # noqa: BLE001 - a file, a busy run, a full disk: the program goes on
            sentence = error.sentence if isinstance(error, RunwatchError) else f"{one_line(error)}."
            sentence = f"The usage of {text(self._run_dir)} is not checked: {sentence}"
            active.emitter().troubles.report(f"reconcile {sentence}", sentence)
            return self._failed(text(source), sentence)

    def _failed(self, source: str, sentence: str) -> Reconciliation:
        from runwatch.finalize.reconciling import Reconciliation, Sums

        wanted = (self._settings or Settings()).reconcile
        return Reconciliation(
            run=text(self._run_dir),
            source=source,
            verdict="failed",
            checks=0,
            needed=wanted.agreeing_checks,
            tolerance_pct=wanted.tolerance_pct,
            rows=[],
            recorded=Sums(),
            exported=Sums(),
            problems=[sentence],
        )
