"""Model calls: what is a request, a retry or a repeat, and what each used and cost.

No I/O, no formatting. Definitions: metrics.md, "Tokens and prices" and "step".

What counts once
- A line about a request id, or about an attempt of a call id, that is already counted is a repeat: it corrects that
  call (the larger of each number, a cost that was not known) and counts nothing again.
- A line that tells a running total is a call that used what the total grew by; one that has not grown is a repeat.
- A model call is an ``llm.completed`` that is no repeat, or an ``llm.retry`` whose failed attempt no ``llm.completed``
  told of. Each call counts among the calls, and either as a request or as a retry of one.
- It is a retry when an earlier attempt with its call id is known. Without one, when its ``attempt`` is above 1 and a
  call with the attempt before is known in the same step, issue and agent that no other retry has claimed; or when its
  ``attempt`` is missing and a retry notice there announced it. A lone attempt 3, all that a program told of its
  request, is the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from runwatch.events import Event
from runwatch.events.calls import LlmCompleted, LlmPriced, LlmRetry, LlmStarted
from runwatch.fold.additions import additions
from runwatch.fold.call import FOREIGN, Call
from runwatch.fold.clock import Clock, Moment, elapsed, micros
from runwatch.fold.costs import Costs
from runwatch.fold.counters import Counters
from runwatch.fold.facts import Facts, Names
from runwatch.fold.identity import OpenCalls, place_of
from runwatch.fold.ledger import Ledger
from runwatch.fold.money import PriceFunction, pico_of
from runwatch.fold.remembered import RememberedCalls
from runwatch.fold.retries import tells_of
from runwatch.fold.settings import FoldSettings
from runwatch.fold.tally import CALLS, REQUESTS
from runwatch.fold.twins import Twins
from runwatch.fold.usage import merged, normalized, raw_usage

_PORTIONS = 200
"""Prices are due by so small a part of the remembered calls: nobody waits long while they are written."""
_Open = tuple[LlmStarted, Moment]


class Models:
    """Folds the events of model calls into the ledger."""

    def __init__(
        self,
        clock: Clock,
        facts: Facts,
        ledger: Ledger,
        price: PriceFunction | None,
        settings: FoldSettings,
        attempt_of: Callable[[int | str | None, str], int],
    ) -> None:
        """``attempt_of`` an issue and an agent is the ordinal of the attempt under way, 0 without one."""
        self._attempt_of = attempt_of
        self._clock = clock
        self._facts = facts
        self._ledger = ledger
        self._costs = Costs(facts, price)
        self._open: OpenCalls[_Open] = OpenCalls(settings.remembered_open)
        self._calls = RememberedCalls(settings.remembered_calls)
        self._twins = Twins(self._calls, self._open)
        self._counters = Counters()
        self._ordinal = 0
        self._limit = settings.remembered_calls
        self._due = 0
        """Number of the first call whose price has not been due."""
        self._nameless: list[int] | None = []
        """Calls from before any model was named; None once one is."""

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {
            LlmStarted: self._started,
            LlmRetry: self._retry,
            LlmCompleted: self._completed,
            LlmPriced: self._priced,
        }

    def close(self, moment: Moment) -> None:
        """End what goes on as interrupted, which counts as a failure."""
        for started, since in self._open.drain():
            earlier = None if started.call_id is None else self._calls.by_call(started.call_id)
            call = self._new_call(started, (started.provider, started.model), "interrupted", None, "sdk", earlier)
            call.duration = elapsed(since, moment)
            call.count(1)
            self._observe(call)

    def unrecorded_prices(self) -> Iterator[LlmPriced]:
        """Yield the prices that no line holds yet, of the calls that are remembered, the oldest first."""
        return self._costs.unrecorded(self._calls.all())

    def prices_due(self) -> list[LlmPriced]:
        """Return the prices of the calls that will be forgotten before long; those of each call once."""
        until = self._calls.added - self._limit // 2
        if until - self._due < max(1, self._limit // _PORTIONS):
            return []
        calls = self._calls.numbered(range(self._due, until))
        self._due = until
        return list(self._costs.unrecorded(calls))

    def learn(self) -> None:
        """Price the calls that named no model, now that the run's is known."""
        if self._nameless is None or self._facts.model is None:
            return
        for call in self._calls.numbered(self._nameless):
            if call.is_priced and call.pico is None and not call.is_recorded:
                self._change(call, lambda call: self._costs.set(call, None))
        self._nameless = None

    def _started(self, event: LlmStarted) -> None:
        key = None if event.call_id is not None else place_of(event)
        self._open.start(event.call_id, key, (event, self._clock.moment(event)))
        self._facts.see_started(event)
        if event.call_id is not None:
            former = self._calls.by_call(event.call_id)
            if former is not None and former.result == "success":
                self._calls.forget_call_id(event.call_id)  # it is used again for another call

    def _completed(self, event: LlmCompleted) -> None:
        self._ordinal += 1
        call_id = event.call_id
        key = None if call_id is not None else place_of(event)
        opened = self._open.end(call_id, key)
        if self._facts.first_model is None and event.model is not None:
            self._facts.see_completed(event)
            self.learn()
        earlier = self._calls.by_call(call_id) if call_id is not None else None
        is_told = event.counter is None and (earlier is not None or event.request_id is not None)
        known = self._known(event, earlier) if is_told else None
        if known is not None:
            self._correct(known, event)
            return
        used, cost = raw_usage(event), event.cost_usd
        if event.counter is not None and (used is not None or cost is not None):
            growth = self._counters.growth(event.counter, event)
            if growth is None:
                return
            used, cost = growth
        provider, model = event.provider, event.model
        if opened is not None:
            provider, model = provider or opened[0].provider, model or opened[0].model
        source = event.source or "sdk"
        if model is None and source != "sdk":
            provider, model = self._twins.names(event, used)
        call = self._new_call(event, (provider, model), event.result, event.attempt, source, earlier)
        if event.duration_s is not None:
            call.duration = micros(event.duration_s)
        elif opened is not None:
            call.duration = elapsed(opened[1], self._clock.moment(event))
        call.raw = used
        call.counts = normalized(used)
        self._costs.set(call, cost)
        self._name(call, event)
        call.count(1)
        self._observe(call)
        if source != "sdk" or self._twins.is_needed:
            self._join(call)

    def _join(self, new: Call) -> None:
        """Add to what each source said of one call what the others know, first of all whose call it is."""
        others = self._twins.add(new)
        if not others:
            return
        lines = [*others, new]
        owner = next((call for call in lines if call.cell.contest.place[1] is not None), None)
        for call in lines:
            if owner is not None and call.cell.contest.place[1] is None:
                self._ledger.give(call, owner)
                self._calls.keep(call)
        for call, raw, pico, duration in additions(lines):
            if pico is not None or normalized(raw) != call.counts:
                self._change(call, partial(self._costs.take_over, raw=raw, pico=pico))
                self._twins.corrected(call)
            if duration is not None:
                self._time(call, duration)

    def _retry(self, event: LlmRetry) -> None:
        scope = self._ledger.scope(event.step, event.issue, event.agent)
        earlier = None
        if event.call_id is not None:
            earlier = self._calls.by_call(event.call_id)
            if earlier is not None and tells_of(event, earlier):
                earlier.is_announced = True
                earlier.cell.scope.unannounced -= 1
                self._calls.keep(earlier)
                return
        elif scope.unannounced > 0:
            scope.unannounced -= 1
            scope.announced += 1
            return
        opened = self._open.by_id.get(event.call_id) if event.call_id is not None else None
        if opened is not None:
            names = opened[0].provider, opened[0].model
        else:
            last = scope.last_model
            names = (last.provider, last.name) if last is not None else (None, None)
        call = self._new_call(event, names, "error", event.attempt, "sdk", earlier)
        call.is_announced = call.is_notice = True
        scope.unannounced -= 1  # it is its own notice
        if event.call_id is None:
            scope.announced += 1
        else:
            self._calls.add(call, event.call_id)
        call.count(1)

    def _priced(self, event: LlmPriced) -> None:
        call = self._calls.by_ref(event.ref)
        if call is not None and not call.is_said:
            self._change(call, lambda call: self._costs.record(call, event))

    def _known(self, event: LlmCompleted, earlier: Call | None) -> Call | None:
        """Return the counted call that this line repeats, None where it is a call of its own."""
        attempt = event.attempt
        if event.request_id is not None:
            call = self._calls.by_request(event.request_id)
            if call is not None:
                is_later = attempt is not None and attempt > call.attempt and call.result != "success"
                return None if is_later else call
        if earlier is None or (event.request_id is not None and earlier.request_id is not None):
            return None
        if attempt is None:
            return earlier if earlier.result == "success" else None
        return earlier if attempt == earlier.attempt else None

    def _new_call(
        self, event: Event, names: Names, result: str, attempt: int | None, source: str, earlier: Call | None
    ) -> Call:
        """Return a call, counted among calls and, where it is one, among requests.

        ``earlier`` is the last attempt that is known of its call id.
        """
        facts = self._facts
        provider, model = names
        cell = self._ledger.cell(
            event.step, event.issue, event.agent, provider or facts.provider, model or facts.model, source
        )
        attempt, is_retry = cell.scope.take(attempt, result, earlier)
        cell.scope.last_model = cell.model
        cell.totals[CALLS] += 1
        if not is_retry:
            cell.totals[REQUESTS] += 1
        under = 0 if event.agent is None else self._attempt_of(event.issue, event.agent)
        return Call(cell, result, attempt, self._clock.ts, under, is_retry=is_retry)

    def _name(self, call: Call, event: LlmCompleted) -> None:
        """Remember a call under its names."""
        call.request_id = event.request_id
        call.writer, call.seq = event.writer, event.seq
        if event.request_id is None and (event.writer is None or event.seq is None):
            call.writer, call.seq = FOREIGN, self._ordinal
        self._calls.add(call, event.call_id)
        if self._nameless is not None and call.cell.model.name is None and len(self._nameless) < self._limit:
            self._nameless.append(call.number)

    def _correct(self, call: Call, event: LlmCompleted) -> None:
        """Take over what a repeated line knows better."""
        is_news = call.is_notice
        if call.request_id is None and event.request_id is not None:
            self._calls.name(call, event.request_id)
        self._change(call, lambda call: self._merge(call, event))
        duration = None if event.duration_s is None else micros(event.duration_s)
        if call.duration is None and duration is not None:
            self._time(call, duration)
        if self._twins.is_needed and is_news:
            self._join(call)
        elif self._twins.is_needed:
            self._twins.corrected(call)

    def _time(self, call: Call, duration: int) -> None:
        """Note how long a counted call took, now that it is known."""
        self._change(call, lambda call: setattr(call, "duration", duration))
        self._observe_duration(call)

    def _merge(self, call: Call, event: LlmCompleted) -> None:
        counts, was_priced = call.counts, call.is_priced
        call.request_id = call.request_id or event.request_id
        call.raw = merged(call.raw, raw_usage(event))
        call.counts = normalized(call.raw)
        if call.is_notice or call.result != "success":
            call.result = event.result
            call.is_notice = False
        if event.cost_usd is not None:
            if not call.is_said or (pico_of(event.cost_usd) or 0) > (call.pico or 0):
                self._costs.set(call, event.cost_usd)
        elif not call.is_said and (call.counts != counts or not was_priced):
            self._costs.set(call, None)

    def _change(self, call: Call, change: Callable[[Call], None]) -> None:
        """Take a call's numbers out of the sums, change them, and put them in again."""
        total, pico = call.counts[5], call.pico or 0
        self._ledger.touch(call.cell)
        call.count(-1)
        change(call)
        call.count(1)
        self._calls.keep(call)
        self._ledger.use(call.cell, call.ts, call.counts[5] - total, (call.pico or 0) - pico)

    def _observe(self, call: Call) -> None:
        """Show a new call in the durations and trends."""
        self._observe_duration(call)
        if call.raw is not None or call.pico:
            self._ledger.use(call.cell, call.ts, call.counts[5], call.pico or 0)

    def _observe_duration(self, call: Call) -> None:
        if call.duration is not None:
            self._ledger.time(call.cell, call.duration)
