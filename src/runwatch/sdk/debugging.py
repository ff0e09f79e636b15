"""Debugging cycles of an issue: from a failure to its resolution, in attempts, as events.

Must not judge them. A misuse is a warning event.
"""

from __future__ import annotations

import time
import types
from secrets import token_hex
from typing import Any

import msgspec

from runwatch.sdk.context import begin, finish, own_or_last
from runwatch.sdk.core import Emitter
from runwatch.sdk.plain import text


class _Open(msgspec.Struct, frozen=True):
    """A cycle that goes on."""

    cycle: str
    agent: str
    started: float
    """Monotonic seconds."""


class Cycles:
    """The debugging cycles of one issue in this process, in the order of their start."""

    def __init__(self) -> None:
        # No lock: each act on it is one that the interpreter does whole, and a fork finds none held.
        self._open: dict[str, _Open] = {}

    def start(self, emitter: Emitter, issue: int | str, agent: str, error_type: str, message: str) -> str:
        """Begin a cycle and return its id, unique within the run."""
        cycle = _Open(token_hex(4), agent, time.monotonic())
        self._open[cycle.cycle] = cycle
        begin(cycle.cycle)
        fields: dict[str, Any] = {"error_type": error_type, "error_message": message[:4000]}
        emitter.emit("debug.started", {"issue": issue, "agent": agent, "cycle": cycle.cycle, **fields})
        return cycle.cycle

    def attempt(self, emitter: Emitter, issue: int | str, cycle: str | None = None) -> None:
        """Record one try, in the cycle of that id, or in the one that the calling task, else anybody, began last."""
        found = self._find(cycle)
        if found is None:
            emitter.warn(f"a debugging attempt at issue {issue} outside any cycle", "record_debug_attempt")
            return
        emitter.emit("debug.attempt", {"issue": issue, "agent": found.agent, "cycle": found.cycle})

    def end(self, emitter: Emitter, issue: int | str, resolved: bool, method: object, cycle: str | None = None) -> None:
        """End the cycle of that id, or the one that the calling task, else anybody, began last."""
        found = self._find(cycle)
        if found is None:
            if cycle is None:
                emitter.warn(f"a debugging cycle of issue {issue} was ended, but none goes on", "end_debugging_cycle")
            return  # the block's own cycle was ended inside the block
        self._open.pop(found.cycle, None)
        finish(found.cycle)
        emitter.emit(
            "debug.completed",
            {
                "issue": issue,
                "agent": found.agent,
                "cycle": found.cycle,
                "resolved": resolved,
                "method": None if method is None else text(method),
                "duration_s": round(time.monotonic() - found.started, 6),
            },
        )

    def _find(self, cycle: str | None) -> _Open | None:
        if cycle is not None:
            return self._open.get(cycle)
        return own_or_last(self._open.copy())


class Cycle:
    """One cycle as a context manager: resolved at a clean exit, unless told otherwise."""

    def __init__(
        self, emitter: Emitter, cycles: Cycles, issue: int | str, agent: str, error_type: str, message: str
    ) -> None:
        self._emitter, self._cycles, self._issue = emitter, cycles, issue
        self._about = (agent, error_type, message)
        self._cycle = ""
        self._resolved = True
        self._method: str | None = None

    def attempt(self) -> None:
        """Record one try at a repair."""
        self._cycles.attempt(self._emitter, self._issue, self._cycle)

    def resolve(self, method: str | None = None) -> None:
        """Say what made the failure go away."""
        self._resolved, self._method = True, method

    def give_up(self) -> None:
        """Say that the failure stays."""
        self._resolved = False

    def __enter__(self) -> Cycle:
        self._cycle = self._cycles.start(self._emitter, self._issue, *self._about)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        resolved = self._resolved and error is None
        self._cycles.end(self._emitter, self._issue, resolved, self._method, self._cycle)
