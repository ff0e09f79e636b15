"""The place of a task or thread in a run."""

from __future__ import annotations

import contextvars

from runwatch.sdk.context import Scope, enter, leave, scope_of


def test_a_scope_holds_for_its_owner_only() -> None:
    mine, other = object(), object()
    enter(Scope(mine, 3, 123, "coding"))
    assert scope_of(mine) == Scope(mine, 3, 123, "coding")
    assert scope_of(other) == Scope(other)


def test_leaving_goes_back_even_from_another_context() -> None:
    mine = object()
    former = enter(Scope(mine, 1))
    contextvars.copy_context().run(leave, former)
    assert scope_of(mine).step == 1, "the other context is another place"
    leave(former)
    assert scope_of(mine).step is None
