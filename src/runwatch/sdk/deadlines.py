"""Which time limits of asyncio are around the calling task, and whether one of them has cut it short.

Must not import asyncio or wait. Code under ``asyncio.timeout`` sees a cancellation when its time is up; only outside
the limit does that become a TimeoutError.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Timeout


def around() -> tuple[Timeout, ...]:
    """Return the limits that run for the calling task; none outside one, or in a loop that does not show its timers."""
    asyncio = sys.modules.get("asyncio")
    try:
        task = asyncio.current_task() if asyncio is not None else None
        if asyncio is None or task is None:
            return ()
        timers: Any = getattr(task.get_loop(), "_scheduled", ())
        owners = [getattr(getattr(timer, "_callback", None), "__self__", None) for timer in list(timers)]
        return tuple(
            owner for owner in owners if isinstance(owner, asyncio.Timeout) and getattr(owner, "_task", None) is task
        )
    except Exception:  # noqa: BLE001 - no loop runs, or one of the program's own making
        return ()


def has_cut_short(error: BaseException | None, limits: tuple[Timeout, ...]) -> bool:
    """Return whether an exception is the cancellation by one of the limits."""
    asyncio = sys.modules.get("asyncio")
    is_cancelled = asyncio is not None and isinstance(error, asyncio.CancelledError)
    return is_cancelled and any(limit.expired() for limit in limits)
