"""The steps of a run.

No I/O, no formatting. Definitions: metrics.md, "step".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runwatch.events import Event
from runwatch.events.lifecycle import StepCompleted, StepsPlanned, StepStarted
from runwatch.fold.clock import Clock, Moment, micros
from runwatch.fold.metrics import StepMetrics
from runwatch.fold.outcome import ended_well
from runwatch.fold.span import Span
from runwatch.fold.tally import CALLS, CHANGES, REQUESTS, Tally, cost_of, tokens_of

TEMPLATE_NOTE = "Template-based generation (no LLM calls)"
"""Of a step that ended well with no model call, in a run that has model calls elsewhere."""


class _Step:
    __slots__ = (
        "changes", "errors", "finished_retries", "name", "note", "number", "reopened", "service_calls", "shown",
        "shown_as", "span", "status",
    )  # fmt: skip

    def __init__(self, number: int) -> None:
        self.number = number
        self.name: str | None = None
        self.status: str | None = None
        self.note: str | None = None
        self.span = Span()
        self.finished_retries = 0
        """Retries up to the last end, and one for each start after an end."""
        self.reopened = 0
        """Starts while it went on."""
        self.service_calls = 0
        self.errors = 0
        self.changes = 0
        self.shown: StepMetrics | None = None
        self.shown_as: tuple[int, int, bool] | None = None


class Steps:
    """All steps. An event that names a step nobody opened opens it, since the line that did may be lost."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.by_number: dict[int, _Step] = {}
        """Must not be written by others."""
        self._open: dict[int, _Step] = {}
        """In order of their last start."""
        self.service_calls = 0
        """Of all steps, and of none."""
        self.planned: int | None = None
        self.planned_names: list[str] = []

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {StepsPlanned: self._planned, StepStarted: self._started, StepCompleted: self._completed}

    def __contains__(self, number: int) -> bool:
        return number in self.by_number

    @property
    def current(self) -> int | None:
        """The step that was started last and goes on."""
        return next(reversed(self._open), None)

    def imply(self, event: Event) -> None:
        """Open the step that an event names, when nothing said before that it exists."""
        if event.step is not None and event.step not in self.by_number:
            self.by_number[event.step] = step = _Step(event.step)
            step.span.open(self._clock.moment(event))

    def count_service_call(self, number: int | None) -> None:
        """Count one call of a service, retries included."""
        self.service_calls += 1
        if number is not None and (step := self.by_number.get(number)) is not None:
            step.service_calls += 1
            step.changes += 1

    def count_error(self, number: int | None) -> None:
        """Count one recorded error."""
        if number is not None and (step := self.by_number.get(number)) is not None:
            step.errors += 1
            step.changes += 1

    def close(self, moment: Moment) -> None:
        """End what goes on as interrupted."""
        for step in self.by_number.values():
            if step.status is None:
                step.finished_retries += step.reopened
                step.reopened = 0
                step.status = "interrupted"
                step.span.close(moment)
                step.changes += 1
        self._open.clear()

    def metrics(self, now: str | None, tallies: dict[int | None, Tally], *, has_model_calls: bool) -> list[StepMetrics]:
        """Return the steps by number. What ended and has not changed since is the same object as the time before."""
        empty = [0] * (CHANGES + 1)
        return [
            _shown(step, now, tallies.get(number, empty), has_model_calls)
            for number, step in sorted(self.by_number.items())
        ]

    def _planned(self, event: StepsPlanned) -> None:
        self.planned = event.total
        self.planned_names = event.names or []

    def _started(self, event: StepStarted) -> None:
        number = event.step if event.step is not None else max(self.by_number, default=0) + 1
        step = self.by_number.get(number)
        if step is None:
            step = self.by_number[number] = _Step(number)
        elif number in self._open:
            step.reopened += 1
        elif step.status is not None:
            step.finished_retries += 1
        step.changes += 1
        step.status = None
        step.name = event.name or step.name
        step.span.open(self._clock.moment(event))
        self._open.pop(number, None)
        self._open[number] = step

    def _completed(self, event: StepCompleted) -> None:
        number = event.step if event.step is not None else self.current
        if number is None:
            return
        step = self.by_number.get(number)
        if step is None:
            step = self.by_number[number] = _Step(number)
        step.changes += 1
        step.note = event.note or step.note
        if step.status is not None:
            return  # ended before: the first word stands until it is started again
        step.status = event.status
        step.finished_retries += max(step.reopened, event.retries)
        step.reopened = 0
        step.span.close(self._clock.moment(event), micros(event.duration_s))
        self._open.pop(number, None)


def _shown(step: _Step, now: str | None, tally: Tally, has_model_calls: bool) -> StepMetrics:
    as_of = (step.changes, tally[CHANGES], has_model_calls)
    if step.shown is not None and step.shown_as == as_of and step.status is not None:
        return step.shown
    note = step.note
    if note is None and has_model_calls and not tally[CALLS] and ended_well(step.status):
        note = TEMPLATE_NOTE
    step.shown_as = as_of
    step.shown = StepMetrics(
        step=step.number,
        name=step.name,
        status=step.status,
        start_time=step.span.start,
        end_time=step.span.end,
        duration_s=step.span.duration_s(now),
        retries=step.finished_retries + step.reopened,
        api_calls=tally[CALLS] + step.service_calls,
        llm_requests=tally[REQUESTS],
        tokens=tokens_of(tally),
        cost_usd=cost_of(tally),
        errors=step.errors,
        note=note,
    )
    return step.shown
