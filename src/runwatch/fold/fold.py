"""The fold itself: each event goes to the part that owns it, and the seal ends all.

No I/O, no clock, no formatting. One thread feeds and asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runwatch.events import TYPES, Event, Unknown, Unreadable, salvage
from runwatch.events.calls import LlmPriced
from runwatch.events.codec import UNUSUAL, decode_unusual, fast_decoder
from runwatch.events.lifecycle import RunCompleted, RunConfigured, RunStarted, is_seal
from runwatch.events.measures import CoverageMeasured, GitSnapshot, ResourceSample, TestsMeasured
from runwatch.fold.clock import CANONICAL_LENGTH, canonical_time
from runwatch.fold.losses import Losses
from runwatch.fold.metrics import Metrics
from runwatch.fold.money import PriceFunction
from runwatch.fold.parts import Parts
from runwatch.fold.projection import project
from runwatch.fold.settings import FoldSettings


class Fold:
    """Events in, metrics out, the same every time.

    ``price`` is asked for calls whose cost neither the provider nor an ``llm.priced`` line says.
    """

    def __init__(self, price: PriceFunction | None = None, settings: FoldSettings | None = None) -> None:
        self._parts = Parts(price, settings or FoldSettings())
        self._clock = self._parts.clock
        self._steps = self._parts.steps
        self._step_numbers = self._parts.steps.by_number
        self._issues = self._parts.issues
        self._issue_ids = self._parts.issues.by_id
        self._counts = self._parts.counts
        self._sealed = False
        self._decode = fast_decoder()
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            **dict.fromkeys(TYPES.values(), _pass_over),
            **self._parts.handlers(),
            RunStarted: self._run_started,
            RunConfigured: self._run_configured,
            RunCompleted: self._seal,
            GitSnapshot: self._snapshot,
            CoverageMeasured: self._coverage,
            TestsMeasured: self._parts.tests.measure,
            ResourceSample: self._sample,
        }

    @property
    def sealed(self) -> bool:
        """Whether the seal was read: no line after it counts."""
        return self._sealed

    @property
    def status(self) -> str | None:
        """The final status of the run, None while it goes on."""
        completed = self._parts.facts.completed
        return None if completed is None else completed.status

    @property
    def losses(self) -> Losses:
        """What the journal tells of losses, by writer. Do not write to it."""
        return self._parts.notices.losses

    def feed(self, event: Event | Unknown) -> None:
        """Fold one event. Those after the seal are only counted."""
        counts = self._counts
        if self._sealed:
            counts.after_seal += 1
            return
        ts = event.ts
        if ts is not None:
            clock = self._clock
            if len(ts) == CANONICAL_LENGTH and ts[-1] == "Z" and clock.first is not None:
                clock.ts = ts
            else:
                clock.set(ts)
        handler = self._handlers.get(type(event))
        if handler is None:
            counts.unknown += 1
            return
        counts.events += 1
        step: int | None = event.step  # type: ignore[union-attr]  # only Event has handlers
        if step is not None and step not in self._step_numbers:
            self._steps.imply(event)  # type: ignore[arg-type]  # as above
        issue = event.issue  # type: ignore[union-attr]  # as above
        if issue is not None and issue not in self._issue_ids:
            self._issues.imply(event)  # type: ignore[arg-type]  # as above
        handler(event)

    def feed_line(self, raw: bytes, offset_after: int = 0) -> None:
        """Fold one line of the journal that ends at ``offset_after``.

        A torn line is counted as unreadable; an acknowledged event that it hides is folded. Blank lines, which a writer
        leaves after a short write, are passed over.
        """
        if offset_after:
            self._counts.offset = offset_after
        event: Event | Unknown
        try:
            event = self._decode(raw)
        except UNUSUAL:
            try:
                event = decode_unusual(raw)
            except Unreadable:
                self._unreadable(raw)
                return
        try:
            self.feed(event)
        except (ArithmeticError, ValueError):  # a number that the bounds let through: no line may end a run's record
            self._counts.unreadable += 1

    def feed_post(self, event: Event | Unknown) -> None:
        """Fold one event of ``post.jsonl``, what became known after the end: after the journal, sealed or not."""
        if isinstance(event, Unknown):
            self._counts.unknown += 1
            return
        if isinstance(event, RunStarted | RunCompleted):
            return
        if event.ts is not None:
            self._clock.set(event.ts)
        self._steps.imply(event)
        self._issues.imply(event)
        self._handlers[type(event)](event)
        if self._sealed:
            self._parts.close(self._clock.moment(event))

    def metrics(self, now: str) -> Metrics:
        """Return the metrics as of ``now`` (RFC 3339), which counts only for what goes on.

        Changes nothing. Parts that have not changed are the same objects as the time before: do not write to them.
        """
        return project(self._parts, canonical_time(now), sealed=self._sealed)

    def unrecorded_prices(self) -> list[LlmPriced]:
        """Return an ``llm.priced`` for each remembered call whose cost is the price function's and in no line yet.

        Written before the seal they keep the numbers when price lists change; a call without a known price is among
        them, with no cost. Only the last calls are remembered (FoldSettings.remembered_calls): in a longer run
        ``prices_due`` must be written in between. Without a price function there are none.
        """
        return list(self._parts.models.unrecorded_prices())

    def prices_due(self) -> list[LlmPriced]:
        """Return such lines for the older half of the remembered calls, each call once, many at a time.

        They must be written soon: before half as many calls as are remembered have ended.
        """
        return self._parts.models.prices_due()

    def _unreadable(self, raw: bytes) -> None:
        if not raw.strip():
            return
        if self._sealed:
            self._counts.after_seal += 1
            return
        self._counts.unreadable += 1
        event = salvage(raw)
        if event is not None:
            self.feed(event)

    def _run_started(self, event: RunStarted) -> None:
        parts = self._parts
        parts.facts.begin(event)
        parts.trends.begin(parts.facts.start_time)
        parts.settings = parts.settings.updated(event.settings)
        parts.models.learn()

    def _run_configured(self, event: RunConfigured) -> None:
        self._parts.facts.configure(event)
        self._parts.models.learn()

    def _seal(self, event: RunCompleted) -> None:
        if not is_seal(event, self._parts.facts.started):
            self._parts.notices.pass_over_seal(event)
            return
        self._parts.facts.seal(event)
        self._parts.close(self._clock.moment(event))
        self._counts.last_time = self._clock.ts
        self._sealed = True

    def _snapshot(self, event: GitSnapshot) -> None:
        self._parts.code_of(event).see(event)

    def _coverage(self, event: CoverageMeasured) -> None:
        self._parts.code_of(event).measure(event)

    def _sample(self, event: ResourceSample) -> None:
        self._parts.resources.sample(event)
        self._parts.trends.sample(self._clock.ts, event.cpu_percent, event.rss_bytes)


def _pass_over(event: Event) -> None:
    """Fold what no metric needs."""
