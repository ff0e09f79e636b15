"""How the program ends, noticed in time: polite signals, the interpreter's exit, exceptions.

Must not replace a handler that the program set. Source: python-api.md, "A run".
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import types
from typing import Protocol

from runwatch.sdk.plain import one_line

_WATCHED = ("SIGTERM", "SIGHUP")
_SIGNAL_WAIT_S = 8.0
"""Process managers grant 7 to 10 s between SIGTERM and SIGKILL; in a container our death ends the finalizer too."""
_EXIT_WAIT_S = 60.0


class Watched(Protocol):
    """A run that has to be ended with the program."""

    def end(self, status: str, reason: str | None, *, signal_name: str | None = None, wait_s: float) -> None:
        """End it unless it has ended, or belongs to another process."""


_runs: list[Watched] = []
_ours: set[int] = set()
"""Signals whose default handler gave way to ours."""


def watch(run: Watched) -> None:
    """End ``run`` with the program, whatever ends it politely."""
    if not _runs:
        atexit.register(_at_exit)
    _runs.append(run)
    if threading.current_thread() is threading.main_thread():
        for name in _WATCHED:
            _set_handler(name)


def unwatch(run: Watched) -> None:
    """Forget ``run``; after the last one the signals are as they were."""
    if run in _runs:
        _runs.remove(run)
    if _runs:
        return
    atexit.unregister(_at_exit)
    if threading.current_thread() is threading.main_thread():
        while _ours:
            number = _ours.pop()
            if signal.getsignal(number) is _on_signal:
                signal.signal(number, signal.SIG_DFL)


def _after_fork() -> None:
    """A forked child does not end the run, and dies of a signal as it would without us."""
    for number in _ours:
        if signal.getsignal(number) is _on_signal:
            signal.signal(number, signal.SIG_DFL)
    _ours.clear()


os.register_at_fork(after_in_child=_after_fork)


def of_exception(error: BaseException | None) -> tuple[str, str | None]:
    """Return status and reason of a run whose block was left by ``error``."""
    if error is None:
        return "completed", None
    if isinstance(error, SystemExit):
        if error.code is None or error.code == 0:
            return "completed", None
        return "failed", f"exit code {error.code}" if isinstance(error.code, int) else str(error.code)[:500]
    if is_interruption(error):
        return "interrupted", one_line(error)
    return "failed", one_line(error)


def is_interruption(error: BaseException) -> bool:
    """Whether a person or a scheduler, not a fault, ended a block."""
    return isinstance(error, (KeyboardInterrupt, GeneratorExit)) or type(error).__name__ == "CancelledError"


def _set_handler(name: str) -> None:
    number = getattr(signal, name, None)
    if number is not None and number not in _ours and signal.getsignal(number) is signal.SIG_DFL:
        try:
            signal.signal(number, _on_signal)
        except ValueError:
            return  # not the main interpreter
        _ours.add(number)


def _on_signal(number: int, frame: types.FrameType | None) -> None:
    """Record, restore, and send the signal again. A second one, while we wait, goes straight through."""
    name = signal.Signals(number).name
    signal.signal(number, signal.SIG_DFL)
    try:
        for run in list(reversed(_runs)):
            run.end("interrupted", f"killed by {name}", signal_name=name, wait_s=_SIGNAL_WAIT_S)
    finally:
        os.kill(os.getpid(), number)


def _at_exit() -> None:
    """The interpreter leaves and nobody ended the run: by an exception that it has shown, or cleanly."""
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    status, reason = of_exception(error if isinstance(error, BaseException) else None)
    for run in list(reversed(_runs)):
        run.end(status, reason, wait_s=_EXIT_WAIT_S)
