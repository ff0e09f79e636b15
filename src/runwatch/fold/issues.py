"""The units of work of a run, and what is known of each.

No I/O, no formatting. Definitions: metrics.md, "issue" and "external truth".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runwatch.events import Event
from runwatch.events.lifecycle import IssueCompleted, IssueStarted
from runwatch.events.notices import OutcomeVerified
from runwatch.fold.clock import Clock, Moment, is_later, micros
from runwatch.fold.code import Code
from runwatch.fold.outcome import ended_well
from runwatch.fold.span import Span

if TYPE_CHECKING:
    from runwatch.fold.agent import Agent
    from runwatch.fold.debugging import Cycle
    from runwatch.fold.metrics import IssueMetrics
    from runwatch.fold.pipelines import Pipeline

_ABOUT_THE_ISSUE = ("git", "forge")
"""Sources that see a merged branch or a closed issue, even where they name an agent."""


class Issue:
    """One issue; its parts are kept up to date by the modules that own them."""

    __slots__ = (
        "again", "agents", "changes", "code", "cycles", "errors", "id", "name", "parts_open", "pipelines", "said",
        "shown", "shown_as", "span", "title", "verified", "verified_by_agent",
    )  # fmt: skip

    def __init__(self, id_: int | str) -> None:
        self.id = id_
        self.name = str(id_)
        """Issues are compared as text."""
        self.title: str | None = None
        self.said: str | None = None
        """The status that was said; None while it goes on."""
        self.verified: bool | None = None
        self.verified_by_agent: bool | None = None
        self.span = Span()
        self.again: Moment | None = None
        """When it was started again after its end; only another end makes that count."""
        self.errors = 0
        self.agents: dict[str, Agent] = {}
        self.pipelines: list[Pipeline] = []
        self.cycles: list[Cycle] = []
        self.code = Code()
        self.parts_open = 0
        """Attempts and cycles under way."""
        self.changes = 0
        self.shown: IssueMetrics | None = None
        self.shown_as: tuple[int, int] | None = None

    @property
    def status(self) -> str | None:
        """What was said, turned by the external truth; None while it goes on."""
        verified = self.verified if self.verified is not None else self.verified_by_agent
        if self.said is None or verified is None or verified == ended_well(self.said):
            return self.said
        return "success" if verified else "failed"


class Issues:
    """All issues, in order of their start. An event that names an issue nobody started starts it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.by_id: dict[int | str, Issue] = {}
        """By the id as it was written: 7 and "7" lead to the same issue. Must not be written by others."""
        self.all: dict[str, Issue] = {}

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {IssueStarted: self._started, IssueCompleted: self._completed}

    def get(self, id_: int | str) -> Issue | None:
        """Return an issue that is known."""
        return self.by_id.get(id_) or self.all.get(str(id_))

    def imply(self, event: Event) -> None:
        """Start the issue that an event names, when nothing named it before in this spelling."""
        if event.issue is None or event.issue in self.by_id:
            return
        name = str(event.issue)
        issue = self.all.get(name)
        if issue is None:
            issue = self.all[name] = Issue(event.issue)
            issue.span.open(self._clock.moment(event))
        self.by_id[event.issue] = issue

    def of(self, id_: int | str) -> Issue:
        """Return an issue that an event named, about to change."""
        issue = self.by_id[id_]
        issue.changes += 1
        return issue

    def verify(self, event: OutcomeVerified) -> None:
        """Take over the external truth about an issue. With an agent named, it is the agent's, and the issue's too
        where the source sees merges; what names no agent outranks that."""
        if event.issue is None:
            return
        issue = self.of(event.issue)
        if event.agent is None:
            issue.verified = event.success
        elif event.source in _ABOUT_THE_ISSUE:
            issue.verified_by_agent = event.success

    def close(self, moment: Moment) -> None:
        """End what goes on as interrupted."""
        for issue in self.all.values():
            if issue.said is None:
                issue.changes += 1
                issue.said = "interrupted"
                issue.span.close(moment)

    def _started(self, event: IssueStarted) -> None:
        if event.issue is None:
            return
        issue = self.of(event.issue)
        issue.title = event.title or issue.title
        moment = self._clock.moment(event)
        if issue.said is None:
            issue.span.open(moment)
        elif issue.again is None and not is_later((issue.span.end, None, None), moment):
            issue.again = moment  # another process may only look at it: what was said stands until it is said again

    def _completed(self, event: IssueCompleted) -> None:
        if event.issue is None:
            return
        issue = self.of(event.issue)
        if issue.said is not None:
            if issue.again is None:
                return  # the first word stands until it is started again
            issue.span.open(issue.again)
            issue.again = None
        issue.said = event.status
        issue.span.close(self._clock.moment(event), micros(event.duration_s))
