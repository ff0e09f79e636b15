"""Errors, warnings, alerts, checks and questions, in bounded lists.

No I/O. One line of text is made of each notice, because its values may be of any type.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from runwatch.events import Event, event_type
from runwatch.events.lifecycle import HitlAnswered, HitlRequested
from runwatch.events.notices import (
    AlertRaised,
    Degraded,
    ErrorRecorded,
    LimitReached,
    OutcomeVerified,
    RecorderReplaced,
    VerificationChecked,
    Warned,
)
from runwatch.fold import alerts, losses
from runwatch.fold.agents import Agents
from runwatch.fold.clock import Clock, Moment, elapsed, micros, seconds
from runwatch.fold.identity import OpenCalls
from runwatch.fold.issues import Issues
from runwatch.fold.metrics import Check, ErrorGroup, Notice, Question
from runwatch.fold.steps import Steps

_GROUPS = 500
_ENDS = 250
_TEXT = 4000
"""Longer texts are cut: a program may put a whole page into a message."""

T = TypeVar("T")


class Ends(Generic[T]):
    """The first and the last 250 of a list that may be endless."""

    __slots__ = ("_first", "_last")

    def __init__(self) -> None:
        self._first: list[T] = []
        self._last: deque[T] = deque(maxlen=_ENDS)

    def append(self, value: T) -> None:
        """Add one."""
        if len(self._first) < _ENDS:
            self._first.append(value)
        else:
            self._last.append(value)

    def all(self) -> list[T]:
        """Return what is kept, in order."""
        return [*self._first, *self._last]


class Notices:
    """What people must be told."""

    def __init__(self, clock: Clock, steps: Steps, issues: Issues, agents: Agents) -> None:
        self._clock = clock
        self._steps = steps
        self._issues = issues
        self._agents = agents
        self._groups: dict[tuple[str | None, str], ErrorGroup] = {}
        self._notices: Ends[Notice] = Ends()
        self._checks: dict[str, tuple[Check, str | None]] = {}
        """By what was checked, in the order of the last check; beside each, what it was checked against."""
        self._questions: Ends[list[Question]] = Ends()
        self._open: OpenCalls[tuple[list[Question], Moment]] = OpenCalls(_GROUPS)
        self.errors = 0
        """Recorded errors."""
        self.alerts = 0
        """Alerts and limits reached."""
        self.recorders_replaced = 0
        self.losses: dict[str | None, Degraded] = {}
        """Writer to the last that was said of what it lost: each line tells its totals."""

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {
            ErrorRecorded: self._error,
            Warned: lambda e: self._note(e, f"{e.where}: {e.message}" if e.where else e.message),
            AlertRaised: self._alert,
            LimitReached: self._alert,
            RecorderReplaced: self._replaced,
            Degraded: self._degraded,
            VerificationChecked: self._checked,
            OutcomeVerified: self._verified,
            HitlRequested: self._asked,
            HitlAnswered: self._answered,
        }

    def close(self, moment: Moment) -> None:
        """End the waits that go on, without an answer."""
        for holder, since in self._open.drain():
            holder[0] = msgspec.structs.replace(holder[0], wait_s=seconds(elapsed(since, moment) or 0))

    def groups(self) -> list[ErrorGroup]:
        """Return the errors, grouped."""
        return list(self._groups.values())

    def notices(self) -> list[Notice]:
        """Return the notices."""
        return self._notices.all()

    def checks(self) -> list[Check]:
        """Return the last check of each thing."""
        return [check for check, _ in self._checks.values()]

    def questions(self) -> list[Question]:
        """Return the questions."""
        return [holder[0] for holder in self._questions.all()]

    def _error(self, event: ErrorRecorded) -> None:
        self.errors += 1
        self._steps.count_error(event.step)
        if event.issue is not None:
            self._issues.of(event.issue).errors += 1
        if event.agent is not None:
            self._agents.count_error(event.issue, event.agent)
        message = event.message[:_TEXT]
        key = (event.error_type, message)
        group = self._groups.get(key)
        if group is not None:
            self._groups[key] = msgspec.structs.replace(group, count=group.count + 1)
        elif len(self._groups) < _GROUPS:
            self._groups[key] = ErrorGroup(
                error_type=event.error_type,
                message=message,
                first_time=self._clock.ts,
                step=event.step,
                issue=event.issue,
                component=event.component,
                where=event.where,
            )

    def pass_over_seal(self, event: Event) -> None:
        """Note a line that says that the run ended and is nobody's who can know."""
        self._note(
            event, "a run.completed that runwatch did not write does not end the run: propose a status", kind="warning"
        )

    def _note(
        self,
        event: Event,
        message: str,
        rule: str | None = None,
        kind: str | None = None,
        *,
        success: bool | None = None,
    ) -> None:
        kind, message = kind or event_type(event), message[:_TEXT]
        self._notices.append(
            Notice(kind=kind, message=message, time=self._clock.ts, step=event.step, rule=rule, success=success)
        )

    def _alert(self, event: AlertRaised | LimitReached) -> None:
        self.alerts += 1
        self._note(event, alerts.in_words(event), event.rule)

    def _replaced(self, event: RecorderReplaced) -> None:
        self.recorders_replaced += 1
        self._note(event, event.reason)

    def _degraded(self, event: Degraded) -> None:
        event.since = event.since or self._clock.ts
        writer = losses.writer_of(event)
        self.losses[writer] = losses.more(self.losses.get(writer), event)
        self._note(event, f"{losses.in_words(event)} since {event.since}")

    def _checked(self, event: VerificationChecked) -> None:
        self._hold(event)
        source = f" ({event.source})" if event.source else ""
        self._note(
            event, f"{event.what}: {event.verdict}, expected {event.expected}, observed {event.observed}{source}"
        )

    def _hold(self, event: VerificationChecked) -> None:
        """Keep the last word of each; a check that is counted speaks for its parts, whose names begin with its own."""
        what = event.what[:_TEXT]
        if event.checks is not None:
            for part, (_, digest) in list(self._checks.items()):
                if part.startswith(f"{what} ") and (event.checks or digest != event.digest):
                    del self._checks[part]
        self._checks.pop(what, None)
        if len(self._checks) == _ENDS:
            del self._checks[next(iter(self._checks))]
        check = Check(what=what, verdict=event.verdict, source=event.source, time=self._clock.ts, checks=event.checks)
        self._checks[what] = check, event.digest

    def _verified(self, event: OutcomeVerified) -> None:
        self._issues.verify(event)
        self._agents.verify(event)
        about = ["issue", str(event.issue)] if event.issue is not None else []
        about += ["agent", event.agent] if event.agent is not None else []
        said = "success" if event.success else "failure"
        evidence = f", {event.evidence}" if event.evidence else ""
        self._note(event, f"{' '.join(about) or 'run'}: {said} by {event.source}{evidence}", success=event.success)

    def _asked(self, event: HitlRequested) -> None:
        holder = [Question(question=event.question[:_TEXT], time=self._clock.ts)]
        self._questions.append(holder)
        self._open.start(event.call_id, "question", (holder, self._clock.moment(event)))

    def _answered(self, event: HitlAnswered) -> None:
        asked = self._open.end(event.call_id, "question")
        if asked is None:
            return
        holder, since = asked
        wait = micros(event.wait_s)
        if wait is None:
            wait = elapsed(since, self._clock.moment(event)) or 0
        holder[0] = msgspec.structs.replace(holder[0], answer=event.answer, wait_s=seconds(wait))
