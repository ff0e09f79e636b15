"""Where in a run the calling task or thread is: its step, issue and agent.

Must not emit or read a clock. Context is per task and per thread; a thread that has none of its own gets the
process-wide step from its emitter. Source: record.md, "Logs".
"""

from __future__ import annotations

from contextvars import ContextVar

import msgspec


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
