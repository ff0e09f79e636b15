"""Attempts of agents at an issue, as events and as the context of what happens in them.

Must not judge them. A misuse is a warning event.
"""

from __future__ import annotations

import sys
import threading
import time
import types
from itertools import count
from secrets import token_hex

import msgspec

from runwatch.sdk.context import Scope, Stay, begin, drop_over, enter, finish, leave, own_or_last, scope_of, stay_from
from runwatch.sdk.core import Emitter
from runwatch.sdk.plain import one_line, text


class _Attempt(msgspec.Struct, frozen=True):
    """An attempt that is under way."""

    name: str
    """Role."""
    number: int
    call_id: str
    started: float
    """Monotonic seconds."""
    stay: Stay
    """What contexts know of it."""


class Agents:
    """The agents of one issue in this process."""

    def __init__(self) -> None:
        # No lock: each act below is one that the interpreter does whole, and a fork finds none held.
        self._attempts: dict[str, count[int]] = {}
        self._open: dict[str, _Attempt] = {}
        """By call id: tasks may run attempts of one agent side by side."""

    def start(self, emitter: Emitter, issue: int | str, name: str, max_attempts: int | None) -> str:
        """Begin an attempt, make it the calling task's context and return its call id."""
        scope = scope_of(emitter)
        again = self._under_way(name) if scope.agent == name and scope.issue == issue else None
        stay = stay_from(scope)
        place = Scope(emitter, scope.step, issue, name, stay)
        enter(place)
        number = next(self._attempts.setdefault(name, count(1)))
        attempt = _Attempt(name, number, token_hex(6), time.monotonic(), stay)
        self._open[attempt.call_id] = attempt
        emitter.attempts[attempt.call_id] = place if _in_main_thread() else None
        begin(attempt.call_id)
        if again is not None:
            emitter.warn(f"agent {name} was started again before its attempt {again.number} ended", "start_agent")
        emitter.emit(
            "agent.started",
            {
                "issue": issue,
                "agent": name,
                "attempt": number,
                "max_attempts": max_attempts,
                "call_id": attempt.call_id,
            },
        )
        return attempt.call_id

    def end(
        self, emitter: Emitter, issue: int | str, name: str, success: bool, error: object, call_id: str | None = None
    ) -> None:
        """End the attempt of that id, or the one that the calling task began last, else the last that anybody did."""
        if call_id is None:
            found = self._under_way(name)
            call_id = None if found is None else found.call_id
        attempt = None if call_id is None else self._open.pop(call_id, None)
        if attempt is None:
            emitter.warn(f"agent {name} was ended, but it had not started", "end_agent")
            return
        finish(attempt.call_id)
        emitter.attempts.pop(attempt.call_id, None)
        attempt.stay.is_over = True
        emitter.emit(
            "agent.completed",
            {
                "issue": issue,
                "agent": name,
                "attempt": attempt.number,
                "success": success,
                "error": _words(error),
                "duration_s": round(time.monotonic() - attempt.started, 6),
                "call_id": attempt.call_id,
            },
        )
        drop_over(emitter)

    def leave_all(self) -> None:
        """Take the attempts under way out of every context: their issue has ended."""
        for attempt in self._open.copy().values():
            attempt.stay.is_over = True

    def _under_way(self, name: str) -> _Attempt | None:
        return own_or_last({key: each for key, each in self._open.copy().items() if each.name == name})


class Agent:
    """One attempt as a context manager."""

    def __init__(self, emitter: Emitter, agents: Agents, issue: int | str, name: str, max_attempts: int | None) -> None:
        self._emitter, self._agents, self._issue = emitter, agents, issue
        self.name = name
        """Role."""
        self._max_attempts = max_attempts
        self._error: object = None
        self._failed = False
        self._former: Scope | None = None
        self._call_id: str | None = None

    def fail(self, error: object = None) -> None:
        """Say that the attempt failed, without an exception."""
        self._failed, self._error = True, error

    def __enter__(self) -> Agent:
        self._former = enter(scope_of(self._emitter))
        self._call_id = self._agents.start(self._emitter, self._issue, self.name, self._max_attempts)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        failed = self._failed or error is not None
        why = error if error is not None else self._error
        self._agents.end(self._emitter, self._issue, self.name, not failed, why, self._call_id)
        leave(self._former)


def _in_main_thread() -> bool:
    """Return whether the main thread does this, and no event loop in it."""
    asyncio = sys.modules.get("asyncio.events")
    running = getattr(asyncio, "_get_running_loop", None)
    return threading.current_thread() is threading.main_thread() and (running is None or running() is None)


def _words(error: object) -> str | None:
    if error is None:
        return None
    return one_line(error) if isinstance(error, BaseException) else text(error)[:2000]
