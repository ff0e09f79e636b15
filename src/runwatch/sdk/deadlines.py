"""Which time limits of asyncio are around the calling task, and whether one of them has cut it short.

Must not import asyncio or wait. Code under ``asyncio.timeout`` or ``asyncio.wait_for`` sees a cancellation when its
time is up; only outside the limit does that become a TimeoutError. What asyncio does not tell is looked up in its own
names; without them a limit is not seen, and the call counts as an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

Limit = Callable[[], bool]
"""Whether its time is up."""


def around() -> tuple[Limit, ...]:
    """Return the limits that run for the calling task; none outside one, or in a loop that does not show its timers."""
    asyncio = sys.modules.get("asyncio")
    try:
        task = asyncio.current_task() if asyncio is not None else None
        if asyncio is None or task is None:
            return ()
        timers: Any = getattr(task.get_loop(), "_scheduled", ())
        owners = [getattr(getattr(timer, "_callback", None), "__self__", None) for timer in list(timers)]
        limits: list[Limit] = [
            owner.expired
            for owner in owners
            if isinstance(owner, asyncio.Timeout) and getattr(owner, "_task", None) is task
        ]
        release = getattr(asyncio.tasks, "_release_waiter", None)
        for callback, *_ in getattr(task, "_callbacks", None) or ():  # how wait_for of Python 3.11 waits for a task
            if isinstance(callback, partial) and callback.func is release:
                limits.append(partial(_is_released, callback.args[0]))
        return tuple(limits)
    except Exception:  # noqa: BLE001 - no loop runs, or one of the program's own making
        return ()


def _is_released(waiter: Any) -> bool:
    return waiter.done() and not waiter.cancelled()


def has_cut_short(error: BaseException | None, limits: tuple[Limit, ...]) -> bool:
    """Return whether an exception is the cancellation by one of the limits."""
    asyncio = sys.modules.get("asyncio")
    cancelled = getattr(asyncio, "CancelledError", None)  # none while another thread is importing asyncio
    is_cancelled = cancelled is not None and isinstance(error, cancelled)
    return is_cancelled and any(is_up() for is_up in limits)
