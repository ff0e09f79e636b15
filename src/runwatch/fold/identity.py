"""Which line tells of which call: pairs of start and end, repeats, retries. Remembers a bounded number of calls.

No I/O, no formatting; counts nothing itself.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, Literal, TypeVar

from runwatch.events import Event

T = TypeVar("T")

Verdict = Literal["new", "retry", "repeat"]
"""A call not seen before, another attempt at one that failed, a line about one that is already counted."""

_ENDED_WELL = 1
_FAILED = 2
_ANNOUNCED = 3


def place_of(event: Event) -> tuple[int | None, str | None, str | None]:
    """Return step, issue and agent of an event; issues are compared as text."""
    issue = event.issue
    return event.step, issue if issue is None or issue.__class__ is str else str(issue), event.agent


class OpenCalls(Generic[T]):
    """What has started and not ended: by ``call_id``, else the latest of those with the same key.

    Past its limit the oldest is forgotten, since a program that never ends its calls must not fill the memory.
    """

    __slots__ = ("_limit", "_stacks", "by_id")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.by_id: dict[str, T] = {}
        self._stacks: dict[Hashable, list[T]] = {}

    def start(self, call_id: str | None, key: Hashable, value: T) -> T | None:
        """Remember a start; return what was forgotten for it: one with the same id, or the oldest of too many."""
        if call_id is None:
            stack = self._stacks.setdefault(key, [])
            stack.append(value)
            return stack.pop(0) if len(stack) > self._limit else None
        former = self.by_id.pop(call_id, None)
        self.by_id[call_id] = value
        if former is None and len(self.by_id) > self._limit:
            return self.by_id.pop(next(iter(self.by_id)))
        return former

    def end(self, call_id: str | None, key: Hashable) -> T | None:
        """Forget and return the start that this end belongs to, None where there is none."""
        if call_id is not None:
            return self.by_id.pop(call_id, None)
        stack = self._stacks.get(key)
        if not stack:
            return None
        value = stack.pop()
        if not stack:
            del self._stacks[key]
        return value

    def drain(self) -> list[T]:
        """Forget and return all, those with an id first, each in order of start."""
        left = [*self.by_id.values(), *(value for stack in self._stacks.values() for value in stack)]
        self.by_id.clear()
        self._stacks.clear()
        return left


class Attempts:
    """What became of the last attempt at each call, to tell repeated lines and retries from new calls.

    - A second end of a call that ended well is a repeat, and not counted.
    - A second end of a call that failed is another attempt at it.
    - A retry notice tells of a failed attempt. Where the failed attempt's own end came before it, that one is meant;
      else the notice is all that is known of it.
    - An id that is started anew after it ended well is a new call.
    Calls without an id have a key of their own kind; there only an announced attempt is told from a new call.
    """

    __slots__ = ("_last", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._last: dict[int, int] = {}
        """By hash: a fifth of the memory of the ids."""

    def started(self, call_id: str | None) -> None:
        """Take note of a start."""
        if call_id is not None and self._last.get(hash(call_id)) == _ENDED_WELL:
            del self._last[hash(call_id)]

    def ended(self, call_id: str | None, key: Hashable, *, success: bool) -> tuple[Verdict, bool]:
        """Return what an end is, and whether a retry notice announced it."""
        if call_id is None:
            last = self._last.pop(hash(key), 0)
            if not success:
                self._keep(hash(key), _FAILED)
            return ("retry", True) if last == _ANNOUNCED else ("new", False)
        name = hash(call_id)
        last = self._last.get(name, 0)
        if last == _ENDED_WELL:
            return "repeat", False
        self._keep(name, _ENDED_WELL if success else _FAILED)
        return ("retry" if last else "new"), last == _ANNOUNCED

    def announced(self, call_id: str | None, key: Hashable) -> bool:
        """Take note of a retry notice; return whether the failed attempt that it tells of is already counted."""
        name = hash(key if call_id is None else call_id)
        counted = self._last.get(name, 0) == _FAILED
        self._keep(name, _ANNOUNCED)
        return counted

    def _keep(self, name: int, state: int) -> None:
        self._last[name] = state
        if len(self._last) > self._limit:
            del self._last[next(iter(self._last))]
