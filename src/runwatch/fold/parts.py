"""The parts of a fold, put together.

No I/O, no formatting, no arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runwatch.events import Event
from runwatch.fold.agents import Agents
from runwatch.fold.calls import Calls
from runwatch.fold.clock import Clock, Moment
from runwatch.fold.code import Code, Tests
from runwatch.fold.debugging import Debugging
from runwatch.fold.facts import Facts
from runwatch.fold.health import Health
from runwatch.fold.instruments import Instruments
from runwatch.fold.issues import Issues
from runwatch.fold.ledger import Ledger
from runwatch.fold.models import Models
from runwatch.fold.money import PriceFunction
from runwatch.fold.notices import Notices
from runwatch.fold.pipelines import Pipelines
from runwatch.fold.resources import Resources
from runwatch.fold.series import Trends
from runwatch.fold.settings import FoldSettings
from runwatch.fold.steps import Steps


class Counts:
    """What was read."""

    __slots__ = ("after_seal", "events", "last_time", "offset", "unknown", "unreadable")

    def __init__(self) -> None:
        self.offset = 0
        self.events = 0
        self.unreadable = 0
        self.unknown = 0
        self.after_seal = 0
        self.last_time: str | None = None
        """Of the seal; before it the clock knows."""


class Parts:
    """Everything a fold holds."""

    def __init__(self, price: PriceFunction | None, settings: FoldSettings) -> None:
        self.settings = settings
        self.counts = Counts()
        self.clock = Clock()
        self.facts = Facts(self.clock)
        self.steps = Steps(self.clock)
        self.issues = Issues(self.clock)
        self.agents = Agents(self.clock, self.issues)
        self.pipelines = Pipelines(self.clock, self.issues)
        self.debugging = Debugging(self.clock, self.issues, self.agents)
        self.trends = Trends()
        self.ledger = Ledger(self._imply, self.agents.ended.use, self.trends)
        self.models = Models(self.clock, self.facts, self.ledger, price, settings, self.agents.attempt_of)
        self.calls = Calls(self.clock, self.steps, self.agents, settings)
        self.health = Health(self.clock)
        self.instruments = Instruments(self.facts)
        self.notices = Notices(self.clock, self.steps, self.issues, self.agents)
        self.resources = Resources()
        self.tests = Tests()
        self.code = Code()
        """Outside of any issue."""
        self.issue_code: Code | None = None
        """Of the issue measured last."""

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return which part folds which event."""
        parts = (
            self.facts, self.steps, self.issues, self.agents, self.pipelines, self.debugging, self.models, self.calls,
            self.notices, self.health, self.instruments,
        )  # fmt: skip
        return {event: handler for part in parts for event, handler in part.handlers().items()}

    def close(self, moment: Moment) -> None:
        """End all that goes on, calls first, since they count in what they belong to."""
        for part in (
            self.models, self.calls, self.agents, self.debugging, self.pipelines, self.issues, self.steps, self.notices,
        ):  # fmt: skip
            part.close(moment)

    def code_of(self, event: Event) -> Code:
        """Return whose code an event measures."""
        if event.issue is None:
            return self.code
        self.issue_code = self.issues.of(event.issue).code
        return self.issue_code

    def _imply(self, issue: int | str | None, agent: str | None) -> None:
        if agent is not None:
            self.agents.of(issue, agent)
        elif issue is not None:
            self.issues.of(issue)
