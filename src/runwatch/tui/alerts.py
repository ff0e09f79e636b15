"""Which alerts of a live run a person has not been told of yet.

Must not show them.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.notifications import SeverityLevel

from runwatch.fold.metrics import Notice
from runwatch.tui.state import LIVE, Snapshot

KINDS: Mapping[str, tuple[str, SeverityLevel]] = {
    "alert.raised": ("Alert", "warning"),
    "limit.reached": ("Limit reached", "error"),
}
"""Wire names to what they are called for people, and how much they weigh."""


class Alerts:
    """Counts what was there when somebody began to look, and what came since."""

    def __init__(self, *, from_start: bool = False) -> None:
        """``from_start``: the run began when somebody began to look, so that every alert came since."""
        self._known: int | None = 0 if from_start else None

    def new(self, snapshot: Snapshot) -> list[Notice]:
        """Return the alerts and limits that came since the snapshot before; none of a run that has ended.

        Of a run that was there before, the first look at the whole journal only counts: the overview tells of those.
        """
        if snapshot.read_ratio < 1.0:
            return []
        count = snapshot.metrics.run.alerts
        known, self._known = self._known, count
        if known is None or count <= known or snapshot.life not in LIVE:
            return []
        found = [notice for notice in snapshot.metrics.notices if notice.kind in KINDS]
        return found[-(count - known) :]
