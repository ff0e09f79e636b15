"""Counters and histograms of runs that are gone, so that what is exposed never falls.

Must not count a run twice: those that are counted are named, and whoever adds up leaves them out while they still lie
on the disk. Source: python-api.md, "Over several runs".
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from runwatch.finalize.shared_table import locked
from runwatch.fold.metrics import InstrumentMetrics
from runwatch.journal.atomic import DIR_MODE, write_json
from runwatch.journal.beneath import read_regular
from runwatch.views.prometheus import added

_MOST_NAMES = 10_000
"""Runs that are remembered as counted, the last ones: a directory that is gone does not come back."""


class Totals(msgspec.Struct, kw_only=True):
    """The file ``runs/csv/totals.json``."""

    instruments: list[InstrumentMetrics] = []
    """Sums over the runs that are gone."""
    counted: list[str] = []
    """Those runs, as ``framework/run_id``."""


def load_totals(root: Path) -> Totals:
    """Return what is stored below a runs folder; nothing where the file is missing or broken."""
    try:
        return msgspec.json.decode(read_regular(totals_path(root)), type=Totals)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Totals()


def keep(root: Path, gone: dict[str, list[InstrumentMetrics]]) -> None:
    """Add runs (``framework/run_id`` to instruments) before they are deleted, each once. Raises OSError."""
    totals_path(root).parent.mkdir(mode=DIR_MODE, exist_ok=True)
    with locked(totals_path(root).parent):
        totals = load_totals(root)
        new = {run: held for run, held in gone.items() if run not in totals.counted}
        if not new:
            return
        totals.instruments = added([totals.instruments, *new.values()])
        totals.counted = [*totals.counted, *new][-_MOST_NAMES:]
        write_json(totals_path(root), totals)


def totals_path(root: Path) -> Path:
    """Return where they are stored."""
    return root / "csv" / "totals.json"
