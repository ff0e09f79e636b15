"""Where in a run the calling task or thread is: its step, issue and agent.

Must not emit or read a clock. Context is per task and per thread; a thread that has none of its own gets the
process-wide step from its emitter. Source: record.md, "Logs".
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TypeVar

import msgspec

_T = TypeVar("_T")
_MOST_BEGUN = 64
"""Of what a task began and others ended, no more than this is remembered."""


class Stay(msgspec.Struct, eq=False, gc=False):
    """One attempt of an agent, as long as somebody's context may name it."""

    outer: Scope
    """Where the task was before."""
    is_over: bool = False
    """Set once, by whoever ends the attempt or its issue, in whatever task or thread."""


class Scope(msgspec.Struct, frozen=True, gc=False):
    """One place in a run. It holds for events of its owner only: another run in this process has its own."""

    owner: object
    """The emitter of the run."""
    step: int | None = None
    """Number of the step."""
    issue: int | str | None = None
    """Id of the issue."""
    agent: str | None = None
    """Role at work."""
    stay: Stay | None = None
    """The attempt that named issue and agent; once it is over, they are those around it."""

    def at(self, step: int | None) -> Scope:
        """Return the same place in another step."""
        return Scope(self.owner, step, self.issue, self.agent, self.stay)

    def still_open(self) -> Scope:
        """Return the nearest place, from this one outwards, whose attempt is not over; the step stays."""
        scope = self
        while scope.stay is not None and scope.stay.is_over:
            scope = scope.stay.outer
        return scope if scope is self else scope.at(self.step)


scope_var: ContextVar[Scope | None] = ContextVar("runwatch_scope", default=None)
"""The scope of the calling task or thread; the emitter reads it for every event."""


def scope_of(owner: object) -> Scope:
    """Return the calling task's scope in ``owner``'s run; an empty one where it has none."""
    scope = scope_var.get()
    return scope.still_open() if scope is not None and scope.owner is owner else Scope(owner)


def stay_from(scope: Scope) -> Stay:
    """Return a new attempt inside ``scope``; what is over is dropped all the way out, so that no chain grows."""
    outer = scope = scope.still_open()
    while scope.stay is not None:
        stay, scope = scope.stay, scope.stay.outer.still_open()
        stay.outer = scope
    return Stay(outer)


def drop_over(owner: object) -> None:
    """Take what is over out of the calling task's scope in ``owner``'s run."""
    scope = scope_var.get()
    if scope is not None and scope.owner is owner:
        scope_var.set(scope.still_open())


def enter(scope: Scope) -> Scope | None:
    """Make ``scope`` the calling task's; return the former one for ``leave``."""
    former = scope_var.get()
    scope_var.set(scope)
    return former


def leave(former: Scope | None) -> None:
    """Go back to a former scope.

    Not by the token of a context variable: an async generator may be left in another context than it was entered in.
    """
    scope_var.set(former)


_begun: ContextVar[tuple[str, ...]] = ContextVar("runwatch_begun", default=())


def begin(identity: str) -> None:
    """Note what the calling task began: it and the tasks it starts know it from what others began side by side."""
    _begun.set((*_begun.get(), identity)[-_MOST_BEGUN:])


def finish(identity: str) -> None:
    """Forget what was begun."""
    _begun.set(tuple(other for other in _begun.get() if other != identity))


def own_or_last(under_way: dict[str, _T]) -> _T | None:
    """Return what the calling task began last of ``under_way``; else what anybody did; None where nothing is."""
    for identity in reversed(_begun.get()):
        found = under_way.get(identity)
        if found is not None:
            return found
    return next(reversed(under_way.values()), None)
