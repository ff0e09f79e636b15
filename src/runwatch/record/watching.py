"""The recorder's watch over limits and alerts: what is crossed becomes an event, stops the run, is told to others.

Must not measure anything itself: the fold does, and `budget` and `earlier` compare.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

from runwatch.events import Event
from runwatch.events.calls import ServiceHealth
from runwatch.events.notices import AlertRaised, LimitReached
from runwatch.finalize.state import Outcome
from runwatch.fold.metrics import Metrics
from runwatch.journal.control import request
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.record import earlier
from runwatch.record.alerting import Messenger
from runwatch.record.budget import Budget, Crossing
from runwatch.settings import Settings

PERIOD_S = 0.5
"""How often limits are looked at."""
TELL_WAIT_S = 5.0
"""How long the end of a run may wait for alerts to be told."""
_STOP_WAIT_S = 2.0


class Watch:
    """Limits and alerts of one run. For the recorder's thread."""

    def __init__(
        self,
        paths: RunPaths,
        settings: Settings,
        writer: EventWriter,
        say: Callable[[str], None],
        *,
        program: int | None,
        known_bytes: int = 0,
    ) -> None:
        """``program`` is the pid of a program that records itself; None where a supervisor holds the command.

        A former recorder has seen the first ``known_bytes`` of the journal.

        ``say`` writes a line for people, where the journal takes no more.
        """
        self._paths, self._writer, self._say, self._program = paths, writer, say, program
        self._settings = settings.alerts
        self._budget = Budget(settings.limits)
        self._messenger = Messenger(settings.alerts, self._not_told)
        self._up: dict[str, bool] = {}
        self._known_bytes = known_bytes
        self._active = time.monotonic()
        self._next = 0.0

    def take(self, event: Event, position: int) -> None:
        """Look at one event, which ends at ``position`` of the journal."""
        is_new = position > self._known_bytes
        if isinstance(event, ServiceHealth):
            was_up = self._up.get(event.service, True)
            self._up[event.service] = event.healthy
            if is_new and was_up and not event.healthy and self._settings.service_down:
                what = event.service if event.error is None else f"{event.service} ({event.error})"
                self._writer.emit("alert.raised", rule="service_down", value=what)
        elif is_new and isinstance(event, AlertRaised | LimitReached):
            self._messenger.send(self._told_of(event))

    def active(self) -> None:
        """Note that the command printed or the program recorded something."""
        self._active = time.monotonic()

    def due(self, now: float) -> bool:
        """Whether it is time to look at the limits, if there are any."""
        return self._budget.is_set and now >= self._next

    def poll(self, metrics: Metrics, now: float) -> None:
        """Look at the limits; ``metrics`` are those of this moment, ``now`` is in monotonic seconds."""
        self._next = now + PERIOD_S
        self._look(metrics, now, ended=False)

    def at_the_end(self, metrics: Metrics, outcome: Outcome) -> None:
        """Look at the limits once more and compare the run with the framework's earlier ones, before it is sealed."""
        self._look(metrics, time.monotonic(), ended=True)
        for rule, value, threshold in earlier.alerts(self._paths, metrics, outcome, self._settings):
            self._writer.emit("alert.raised", rule=rule, value=value, threshold=threshold)

    def _look(self, metrics: Metrics, now: float, *, ended: bool) -> None:
        for sentence in self._budget.unseen(metrics, ended=ended):
            self._writer.emit("warning", message=sentence, where="limits")
        for crossing in self._budget.check(metrics, now=now, quiet_s=0.0 if ended else now - self._active):
            stops = crossing.stops and not ended  # what has ended was stopped by nobody
            kind = "limit.reached" if stops else "alert.raised"
            self._writer.emit(kind, rule=crossing.rule, value=crossing.value, threshold=crossing.threshold)
            if stops:
                self._stop(crossing)

    def close(self) -> None:
        """Have what was raised told."""
        self._messenger.close(TELL_WAIT_S)

    def _stop(self, crossing: Crossing) -> None:
        if self._program is None:
            message = {"op": "stop", "limit": crossing.rule, "by": f"limit {crossing.rule}", "person": False}
            request(self._paths.control, message, timeout_s=_STOP_WAIT_S)
        elif self._program > 0:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._program, signal.SIGTERM)

    def _told_of(self, event: AlertRaised | LimitReached) -> dict[str, object]:
        return {
            "type": "limit.reached" if isinstance(event, LimitReached) else "alert.raised",
            "rule": event.rule,
            "value": event.value,
            "threshold": event.threshold,
            "time": event.ts,
            "framework": self._paths.framework,
            "run_id": self._paths.run_id,
            "run_dir": str(self._paths.root),
        }

    def _not_told(self, sentence: str) -> None:
        if not self._writer.emit("warning", message=sentence, where="alerts"):
            self._say(f"runwatch: {sentence}.")
