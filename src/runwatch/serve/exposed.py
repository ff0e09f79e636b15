"""Which runs there are and what is known of them, kept from one scrape to the next.

Must not fold: a live run's metrics.json is the fold, at most a second old.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec

from runwatch.fold.metrics import InstrumentMetrics, Metrics
from runwatch.journal.beneath import read_regular
from runwatch.journal.lock import is_live
from runwatch.journal.paths import RunPaths
from runwatch.runs.listing import run_directories
from runwatch.runs.totals import keep, load_totals
from runwatch.views.prometheus import MOST_RUNS, Exposed, added

_Stamp = tuple[int, int]


class _Known:
    """One run as it was seen last."""

    __slots__ = ("instruments", "live", "metrics", "settled", "stamp")

    def __init__(self) -> None:
        self.stamp: _Stamp | None = None
        self.metrics: Metrics | None = None
        """None again for an old run, of which only the instruments are kept."""
        self.instruments: list[InstrumentMetrics] = []
        self.live = False
        self.settled = False
        """Whether it has a final status: nothing but what becomes known later changes it."""


class Runs:
    """The runs below one folder; safe to use from threads, one refresh at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._started: dict[str, str] = {}

    def now(self) -> tuple[list[Exposed], list[InstrumentMetrics]]:
        """Return the live and the newest runs, and the counters and histograms of all there have been."""
        with self._lock:
            self._refresh()
            totals = load_totals(self._root)
            gone = set(totals.counted)
            there = [known.instruments for name, known in self._known.items() if name not in gone]
            shown = [known for known in self._known.values() if known.metrics is not None]
            shown.sort(
                key=lambda known: (known.live, (known.metrics and known.metrics.run.start_time) or ""), reverse=True
            )
            for known in shown[MOST_RUNS:]:
                if known.settled:
                    known.metrics = None  # its figures are not shown one by one
            runs = [Exposed(known.metrics, known.live) for known in shown[:MOST_RUNS] if known.metrics is not None]
            return runs, added([totals.instruments, *there])

    def _refresh(self) -> None:
        found: set[str] = set()
        for path in run_directories(self._root):
            name = f"{path.parent.name}/{path.name}"
            found.add(name)
            self._look(path, self._known.setdefault(name, _Known()))
        gone = {name: self._known.pop(name).instruments for name in set(self._known) - found}
        if any(gone.values()):
            try:
                keep(self._root, gone)  # deleted by hand; what `prune` deletes, it keeps itself
            except OSError:
                pass  # a read-only place: the counters fall, as after a restart

    def _look(self, path: Path, known: _Known) -> None:
        paths = RunPaths(path)
        if not known.settled:
            known.live = is_live(paths.lock)
        try:
            status = os.stat(paths.metrics, follow_symlinks=False)
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == known.stamp:
                return
            metrics = msgspec.json.decode(read_regular(paths.metrics), type=Metrics)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return  # not yet, or not any more; what was known stays
        known.stamp, known.metrics, known.instruments = stamp, metrics, metrics.instruments
        known.settled = metrics.run.status is not None and not known.live
