"""What the run says of itself: its names, its model, its start and its end.

No I/O, no formatting. Definitions: metrics.md, "run" and "llm configuration".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from runwatch.events import Event
from runwatch.events.calls import LlmCompleted, LlmStarted
from runwatch.events.lifecycle import Llm as SaidLlm
from runwatch.events.lifecycle import RunCompleted, RunConfigured, RunStarted, StatusProposed
from runwatch.events.words import named
from runwatch.fold.clock import Clock, Moment, elapsed, seconds, until
from runwatch.fold.metrics import Llm
from runwatch.fold.settings import number_of

Names = tuple[str | None, str | None]
"""Provider and model."""


class Facts:
    """The run. A second ``run.started`` changes nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.started: RunStarted | None = None
        self.completed: RunCompleted | None = None
        self.proposed: str | None = None
        self.provider: str | None = None
        """What calls that name no provider use."""
        self.model: str | None = None
        """What calls that name no model use."""
        self.first_model: Names | None = None
        """Of the first ``llm.completed`` that named a model."""
        self._first_started: Names | None = None
        self._start: Moment | None = None
        self._end: Moment | None = None

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event; start and seal concern all parts, and are the fold's own."""
        return {StatusProposed: self._proposed}

    def begin(self, event: RunStarted) -> None:
        """Take over what the run says of itself."""
        if self.started is None:
            self.started = event
            self._start = self._clock.moment(event)
            self._settle()

    def seal(self, event: RunCompleted) -> None:
        """Take over how the run ended."""
        self.completed = event
        self._end = self._clock.moment(event)

    def see_completed(self, event: LlmCompleted) -> None:
        """Take the model of the first answer for the run's, where the run named none."""
        if named(event.model) is not None:
            self.first_model = event.provider, event.model
            self._settle()

    def see_started(self, event: LlmStarted) -> None:
        """Take the model of the first question, as long as no answer names one."""
        if self._first_started is None and named(event.model) is not None:
            self._first_started = event.provider, event.model

    def limit(self, name: str) -> float | None:
        """Return a limit of the run's configuration; None where it has none."""
        limits = self.started.settings.get("limits") if self.started is not None else None
        value = limits.get(name) if isinstance(limits, dict) else None
        return number_of(value)

    def llm(self) -> Llm:
        """Return the model of the run: explicit, else the first one seen."""
        provider, model = self.provider, self.model
        if model is None and self._first_started is not None:
            provider, model = provider or named(self._first_started[0]), self._first_started[1]
        said = self.started.llm if self.started is not None else None
        return Llm(provider=provider, model=model, temperature=said.temperature if said is not None else None)

    @property
    def start_time(self) -> str | None:
        """When it started; without a ``run.started``, when the first line was written."""
        return self._start[0] if self._start is not None else self._clock.first

    @property
    def end_time(self) -> str | None:
        """When it ended."""
        return self._end[0] if self._end is not None else None

    def duration_s(self, now: str | None) -> float:
        """Return seconds, up to ``now`` while it goes on."""
        if self._end is None:
            return seconds(until(self.start_time, now))
        return seconds(elapsed(self._start or (self.start_time, None, None), self._end) or 0)

    def configure(self, event: RunConfigured) -> None:
        """Let a program that joined have its say, value by value."""
        if self.started is None:
            return
        old, new = self.started.llm or SaidLlm(), event.llm or SaidLlm()
        llm = SaidLlm(
            provider=named(new.provider) or old.provider,
            model=named(new.model) or old.model,
            temperature=old.temperature if new.temperature is None else new.temperature,
        )
        self.started = msgspec.structs.replace(
            self.started,
            project_id=self.started.project_id if event.project_id is None else event.project_id,
            mode=event.mode or self.started.mode,
            llm=llm,
        )
        self._settle()

    def _proposed(self, event: StatusProposed) -> None:
        self.proposed = event.status

    def _settle(self) -> None:
        """Work out the run's model: field by field explicit, else of the first answer that does not contradict it."""
        said = self.started.llm if self.started is not None else None
        self.provider = named(said.provider) if said is not None else None
        self.model = named(said.model) if said is not None else None
        if self.first_model is None:
            return
        provider, model = named(self.first_model[0]), self.first_model[1]
        if self.model in (None, model) and (None in (self.provider, provider) or self.provider == provider):
            self.provider = self.provider or provider
            self.model = model
