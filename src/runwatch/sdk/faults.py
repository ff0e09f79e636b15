"""Exceptions that left a block of the user's program, as error events.

Must not swallow them. One exception is one event, however many blocks it leaves.
"""

from __future__ import annotations

import os
from typing import Any

from runwatch.sdk.core import Emitter
from runwatch.sdk.plain import text

_MARK = "_runwatch_recorded"


def record_fault(emitter: Emitter, error: BaseException, **fields: Any) -> None:
    """Record an exception, unless an inner block has done so."""
    if error.__dict__.get(_MARK):
        return
    error.__dict__[_MARK] = True
    message = text(error)
    emitter.emit(
        "error", {"error_type": type(error).__name__, "message": message[:4000], "where": where(error), **fields}
    )


def where(error: BaseException) -> str | None:
    """Return ``file:line in function`` of the innermost frame; outside the current folder the file's name only."""
    trace = error.__traceback__
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{_short(code.co_filename)}:{trace.tb_lineno} in {code.co_name}"


def _short(path: str) -> str:
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):
        relative = ".."
    return os.path.basename(path) if relative.startswith("..") else relative
