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


scope_var: ContextVar[Scope | None] = ContextVar("runwatch_scope", default=None)
"""The scope of the calling task or thread; the emitter reads it for every event."""


def scope_of(owner: object) -> Scope:
    """Return the calling task's scope in ``owner``'s run; an empty one where it has none."""
    scope = scope_var.get()
    return scope if scope is not None and scope.owner is owner else Scope(owner)


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
