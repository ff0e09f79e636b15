"""Which runs there are and what is known of them, kept from one scrape to the next.

Must not fold: a live run's metrics.json is the fold, at most a second old. Only of an ended run whose file left the
disk with its branch the metrics are counted anew, once.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec

from runwatch.finalize.recount import recounted_if_ended
from runwatch.fold.metrics import InstrumentMetrics, Metrics
from runwatch.journal.beneath import read_regular
from runwatch.journal.lock import is_live
from runwatch.journal.paths import RunPaths
from runwatch.runs.listing import run_directories
from runwatch.runs.totals import Totals, keep, load_totals, totals_path
from runwatch.views.prometheus import MOST_RUNS, Exposed, Summed, added

_Stamp = tuple[int, int, int]


class _Known:
    """One run as it was seen last."""

    __slots__ = ("exposed", "instruments", "settled", "stamp")

    def __init__(self) -> None:
        self.stamp: _Stamp | None = None
        self.exposed: Exposed | None = None
        """None again for an old run, of which only the instruments are kept."""
        self.instruments: list[InstrumentMetrics] = []
        self.settled = False
        """Whether it has a final status: nothing but what becomes known later changes it."""


class Runs:
    """The runs below one folder; safe to use from threads, one refresh at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._stored: tuple[_Stamp | None, Totals] = (None, Totals())
        self._still: list[InstrumentMetrics] | None = None
        """What is stored and what runs have that ended, added up; None once any of it is another."""
        self._totals: Summed | None = None
        """The same with the live runs."""

    def now(self) -> tuple[list[Exposed], Summed]:
        """Return the live and the newest runs, and the counters and histograms of all there have been.

        What has not changed since the time before is the same object.
        """
        with self._lock:
            self._refresh()
            self._add_up()
            shown = [known for known in self._known.values() if known.exposed is not None]
            shown.sort(key=_order, reverse=True)
            for known in shown[MOST_RUNS:]:
                if known.settled:
                    known.exposed = None  # its figures are not shown one by one
            runs = [known.exposed for known in shown[:MOST_RUNS] if known.exposed is not None]
            assert self._totals is not None
            return runs, self._totals

    def _add_up(self) -> None:
        gone = set(self._stored[1].counted)
        there = [(known.settled, known.instruments) for name, known in self._known.items() if name not in gone]
        if self._still is None:
            self._still = added([self._stored[1].instruments, *(held for settled, held in there if settled)])
        if self._totals is None:
            self._totals = Summed(added([self._still, *(held for settled, held in there if not settled)]))

    def _changed(self, *, settled: bool) -> None:
        """Note that the sums are others now; ``settled``: those of the ended runs too."""
        self._totals = None
        if settled:
            self._still = None

    def _refresh(self) -> None:
        found: set[str] = set()
        for path in run_directories(self._root):
            name = f"{path.parent.name}/{path.name}"
            found.add(name)
            self._look(path, self._known.setdefault(name, _Known()))
        gone = {name: self._known.pop(name).instruments for name in set(self._known) - found}
        if gone:
            self._changed(settled=True)
        if any(gone.values()):
            try:
                keep(self._root, gone)  # deleted by hand; what `prune` deletes, it keeps itself
            except OSError:
                pass  # a read-only place: the counters fall, as after a restart
        stamp = _stamp(totals_path(self._root))
        if stamp != self._stored[0]:
            self._stored = stamp, load_totals(self._root)
            self._changed(settled=True)

    def _look(self, path: Path, known: _Known) -> None:
        paths = RunPaths(path)
        former = known.exposed
        live = not known.settled and is_live(paths.lock)
        stamp = _stamp(paths.metrics)
        if stamp is None and former is None and not live and not known.settled:
            counted = recounted_if_ended(paths)  # its file left the disk with another branch
            if counted is not None:
                self._take(known, Exposed(counted, live))
            return
        if stamp is None or stamp == known.stamp:
            if former is not None and former.live != live:
                self._take(known, Exposed(former.metrics, live))
            return
        try:
            metrics = msgspec.json.decode(read_regular(paths.metrics), type=Metrics)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return  # not yet, or not any more; what was known stays
        known.stamp = stamp
        self._take(known, Exposed(metrics, live))

    def _take(self, known: _Known, exposed: Exposed) -> None:
        settled = exposed.metrics.run.status is not None and not exposed.live
        self._changed(settled=settled or known.settled)
        known.exposed, known.instruments, known.settled = exposed, exposed.metrics.instruments, settled


def _order(known: _Known) -> tuple[bool, str]:
    run = known.exposed
    return (False, "") if run is None else (run.live, run.metrics.run.start_time or "")


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
