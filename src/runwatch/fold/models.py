"""Model calls: what is a request, a retry or a repeat, and what each used and cost.

No I/O, no formatting. Definitions: metrics.md, "Tokens and prices" and "step".

What counts once
- A line about a request id, or about an attempt of a call id, that is already counted is a repeat: it corrects that
  call (the larger of each number, a cost that was not known) and counts nothing again.
- A model call is an ``llm.completed`` that is no repeat, or an ``llm.retry`` whose failed attempt no ``llm.completed``
  told of. Each call counts among the calls, and either as a request or as a retry of one.
- It is a retry when an earlier attempt with its call id is known. Without one, when its ``attempt`` is above 1 and a
  call with the attempt before is known in the same step, issue and agent that no other retry has claimed; or when its
  ``attempt`` is missing and a retry notice there announced it. A lone attempt 3, all that a program told of its
  request, is the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from runwatch.events import Event
from runwatch.events.calls import LlmCompleted, LlmPriced, LlmRetry, LlmStarted
from runwatch.fold.clock import Clock, Moment, elapsed, micros
from runwatch.fold.facts import Facts
from runwatch.fold.identity import OpenCalls
from runwatch.fold.ledger import Ledger, Scope
from runwatch.fold.money import PriceFunction, pico_of, usd_of
from runwatch.fold.remembered import FOREIGN, Call, RememberedCalls
from runwatch.fold.series import Trends
from runwatch.fold.settings import FoldSettings
from runwatch.fold.tally import (
    CACHE_READ,
    CACHE_WRITE,
    CALLS,
    COMPLETION,
    FAILURES,
    MICROS,
    PICO,
    PRICED,
    PROMPT,
    RATE_LIMITS,
    REASONING,
    REQUESTS,
    TIMEOUTS,
    TOTAL,
    UNPRICED,
)
from runwatch.fold.usage import has_split, merged, normalized, raw_usage

_Open = tuple[LlmStarted, Moment]


class Models:
    """Folds the events of model calls into the ledger."""

    def __init__(
        self,
        clock: Clock,
        facts: Facts,
        ledger: Ledger,
        trends: Trends,
        price: PriceFunction | None,
        settings: FoldSettings,
    ) -> None:
        self._clock = clock
        self._facts = facts
        self._ledger = ledger
        self._trends = trends
        self._price_function = price
        self._open: OpenCalls[_Open] = OpenCalls(settings.remembered_open)
        self._calls = RememberedCalls(settings.remembered_calls)
        self._ordinal = 0
        self._nameless: list[Call] | None = []
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
            call = self._new_call(started, started, "interrupted", None, "sdk")
            call.duration = elapsed(since, moment)
            self._count(call, 1)
            self._observe(call)

    def unrecorded_prices(self) -> Iterator[LlmPriced]:
        """Yield the prices that no line holds yet, of the calls that are remembered, the oldest first."""
        for call in self._calls.all():
            if call.is_priced and call.prices is not None and (ref := call.ref) is not None:
                names = dict(zip(("library", "version", "date"), call.prices.split(" "), strict=False))
                yield LlmPriced(ref=ref, cost_usd=None if call.pico is None else usd_of(call.pico), prices=names)

    def learn(self) -> None:
        """Price the calls that named no model, now that the run's is known."""
        if self._nameless is None or self._facts.model is None:
            return
        for call in self._nameless:
            if call.is_priced and call.pico is None and call.prices is None:
                self._count(call, -1)
                self._set_price(call, None)
                self._count(call, 1)
        self._nameless = None

    def _started(self, event: LlmStarted) -> None:
        key = None if event.call_id is not None else (event.step, event.issue, event.agent)
        self._open.start(event.call_id, key, (event, self._clock.moment(event)))
        self._facts.see_started(event)
        if event.call_id is not None:
            former = self._calls.by_call.get(event.call_id)
            if former is not None and former.result == "success":
                del self._calls.by_call[event.call_id]  # the id is used again for another call

    def _completed(self, event: LlmCompleted) -> None:
        self._ordinal += 1
        call_id = event.call_id
        key = None if call_id is not None else (event.step, event.issue, event.agent)
        opened = self._open.end(call_id, key)
        if self._facts.first_model is None:
            self._facts.see_completed(event)
            self.learn()
        known = self._known(event)
        if known is not None:
            self._correct(known, event)
            return
        started = opened[0] if opened is not None else None
        call = self._new_call(event, started, event.result, event.attempt, event.source or "sdk")
        if event.duration_s is not None:
            call.duration = micros(event.duration_s)
        elif opened is not None:
            call.duration = elapsed(opened[1], self._clock.moment(event))
        call.raw = raw_usage(event)
        call.counts = normalized(call.raw)
        self._set_price(call, event.cost_usd)
        self._name(call, event)
        self._count(call, 1)
        self._observe(call)

    def _retry(self, event: LlmRetry) -> None:
        scope = self._ledger.scope(event.step, event.issue, event.agent)
        if event.call_id is not None:
            last = self._calls.by_call.get(event.call_id)
            if (
                last is not None
                and last.result != "success"
                and not last.is_announced
                and event.attempt in (None, last.attempt)
            ):
                last.is_announced = True
                return
        elif scope.unannounced:
            scope.unannounced -= 1
            scope.announced += 1
            return
        opened = self._open.by_id.get(event.call_id) if event.call_id is not None else None
        call = self._new_call(event, opened[0] if opened is not None else None, "error", event.attempt, "sdk")
        call.is_announced = call.is_notice = True
        if event.call_id is None:
            scope.announced += 1
            scope.unannounced -= 1
        else:
            call.call_id = event.call_id
            self._calls.add(call)
        self._count(call, 1)

    def _priced(self, event: LlmPriced) -> None:
        call = self._calls.find(event.ref)
        if call is None or (call.is_priced and call.pico is not None and call.prices is None):
            return  # the provider's own word wins
        self._count(call, -1)
        call.is_priced = True
        call.pico = pico_of(event.cost_usd)
        names = event.prices
        call.prices = " ".join(names[key] for key in ("library", "version", "date") if key in names) or "unnamed"
        call.cell.model.prices = call.prices if call.pico is not None else call.cell.model.prices
        self._count(call, 1)

    def _known(self, event: LlmCompleted) -> Call | None:
        """Return the counted call that this line repeats, None where it is a call of its own."""
        attempt = event.attempt
        if event.request_id is not None:
            call = self._calls.by_request.get(event.request_id)
            if call is not None:
                is_later = attempt is not None and attempt > call.attempt and call.result != "success"
                return None if is_later else call
        if event.call_id is None:
            return None
        call = self._calls.by_call.get(event.call_id)
        if call is None or (event.request_id is not None and call.request_id is not None):
            return None
        if attempt is None:
            return call if call.result == "success" else None
        return call if attempt == call.attempt else None

    def _new_call(
        self, event: Event, started: LlmStarted | None, result: str, attempt: int | None, source: str
    ) -> Call:
        """Return a call, counted among calls and, where it is one, among requests."""
        facts = self._facts
        model = getattr(event, "model", None) or (started.model if started is not None else None)
        provider = getattr(event, "provider", None) or (started.provider if started is not None else None)
        cell = self._ledger.cell(
            event.step, event.issue, event.agent, provider or facts.provider, model or facts.model, source
        )
        earlier = self._calls.by_call.get(event.call_id) if event.call_id is not None else None
        scope = cell.scope
        is_retry = earlier is not None
        if attempt is None:
            attempt = 1 if earlier is None else earlier.attempt + 1
            if event.call_id is None and scope.announced:
                scope.announced -= 1
                is_retry = True
        elif attempt > 1:
            is_retry = _claim(scope, attempt - 1) or is_retry
            if event.call_id is None and scope.announced:
                scope.announced -= 1
        scope.attempts[attempt] = scope.attempts.get(attempt, 0) + 1
        if event.call_id is None and result != "success":
            scope.unannounced += 1
        cell.totals[CALLS] += 1
        if not is_retry:
            cell.totals[REQUESTS] += 1
        return Call(cell, result, attempt, self._clock.ts)

    def _name(self, call: Call, event: LlmCompleted) -> None:
        """Remember a call under its names."""
        call.request_id = event.request_id
        call.call_id = event.call_id
        call.writer, call.seq = event.writer, event.seq
        if call.ref is None:
            call.writer, call.seq = FOREIGN, self._ordinal
        self._calls.add(call)
        if self._nameless is not None and call.cell.model.name is None:
            self._nameless.append(call)

    def _correct(self, call: Call, event: LlmCompleted) -> None:
        """Take over what a repeated line knows better."""
        self._count(call, -1)
        before = call.counts[5], call.pico or 0
        call.raw = merged(call.raw, raw_usage(event))
        call.counts = normalized(call.raw)
        if call.duration is None and event.duration_s is not None:
            call.duration = micros(event.duration_s)
            self._observe_duration(call)
        if call.is_notice or call.result != "success":
            call.result = event.result
            call.is_notice = False
        if event.cost_usd is not None:
            self._set_price(call, event.cost_usd)
        elif call.prices is not None or call.pico is None:
            self._set_price(call, None)
        if call.request_id is None and event.request_id is not None:
            call.request_id = event.request_id
            self._calls.by_request[event.request_id] = call
        self._count(call, 1)
        self._trends.use(call.ts, call.counts[5] - before[0], (call.pico or 0) - before[1])

    def _set_price(self, call: Call, said_usd: float | None) -> None:
        """Give a call its cost: the provider's word, else the price list's."""
        call.prices = None
        call.pico = pico_of(said_usd)
        if call.pico is not None:
            call.is_priced = True
            return
        call.is_priced = call.raw is not None or call.result == "success"
        if self._price_function is None or not has_split(call.raw):
            return
        model = call.cell.model
        prompt, completion, read, write, _, _ = call.counts
        name, provider = model.name or self._facts.model, model.provider or self._facts.provider
        call.pico, call.prices = self._price_function(provider, name, prompt, completion, read, write, call.ts)
        if call.prices is not None:
            model.prices = call.prices

    def _count(self, call: Call, sign: int) -> None:
        """Put a call's numbers into its cell, or take them out."""
        cell = call.cell
        if not cell.is_dirty:
            self._ledger.touch(cell)
        if cell.contest.anonymous is False and call.request_id is None:
            cell.contest.anonymous = True
        totals = cell.totals
        if call.raw is not None:
            prompt, completion, read, write, thought, total = call.counts
            totals[PROMPT] += sign * prompt
            totals[COMPLETION] += sign * completion
            totals[CACHE_READ] += sign * read
            totals[CACHE_WRITE] += sign * write
            totals[REASONING] += sign * thought
            totals[TOTAL] += sign * total
        if call.pico is not None:
            totals[PICO] += sign * call.pico
            totals[PRICED] += sign
        elif call.is_priced:
            totals[UNPRICED] += sign
        if call.duration is not None:
            totals[MICROS] += sign * call.duration
        if call.result != "success":
            totals[FAILURES] += sign
            if call.result == "rate_limit":
                totals[RATE_LIMITS] += sign
            elif call.result == "timeout":
                totals[TIMEOUTS] += sign

    def _observe(self, call: Call) -> None:
        """Show a new call in the durations and trends."""
        self._observe_duration(call)
        if call.raw is not None or call.pico:
            self._trends.use(call.ts, call.counts[5], call.pico or 0)

    def _observe_duration(self, call: Call) -> None:
        if call.duration is not None:
            call.cell.durations.add(call.duration)


def _claim(scope: Scope, attempt: int) -> bool:
    """Take one call with this attempt number as the one that is retried; return whether there was one."""
    left = scope.attempts.get(attempt, 0)
    if not left:
        return False
    scope.attempts[attempt] = left - 1
    return True
