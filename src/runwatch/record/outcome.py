"""What a run's end is called: status and reason from how the command ended and who asked for it.

Pure: no process, no file. Source: finalizer.md, "Promised, whatever ends it" 2; cli-and-tui.md, ``runwatch run``.
"""

from __future__ import annotations

import os
import signal as signals
from dataclasses import dataclass

from runwatch.finalize.state import Outcome

POLITE = frozenset({"SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"})
"""Signals by which a person or a process manager asks for an end."""

LIMIT_CODE = 124
"""Exit code of a run that a limit stopped. Source: cli-and-tui.md, ``runwatch run``."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody asked the run to stop."""

    by: str
    """Who, for the reason: ``Ctrl-C``, ``runwatch stop``, ``SIGTERM`` …"""
    limit: str | None = None
    """The limit that was reached, where one did it."""


def signal_name(number: int) -> str:
    """Return ``SIGTERM`` for 15; ``signal 63`` for one without a name."""
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"


def signal_number(name: str) -> int | None:
    """Return the number of a signal as `signal_name` calls it; None for what is no name of one."""
    number = getattr(signals, name, None) if name.startswith("SIG") else name.removeprefix("signal ")
    try:
        return None if number is None else int(number)
    except (TypeError, ValueError):
        return None


def decide(
    *,
    wait_status: int,
    stop: Stop | None,
    ended: str,
    killed: str | None = None,
    core_dumped: bool = False,
    oom_kills: int = 0,
) -> Outcome:
    """Return the outcome of a command from waitpid's status and from who asked it to stop.

    ``killed`` says why we sent SIGKILL, if we did. A run that a limit stopped has a code of ours, `LIMIT_CODE`.
    ``oom_kills`` is how many processes around us the kernel killed for lack of memory while the command ran.
    """
    number = os.WTERMSIG(wait_status) if os.WIFSIGNALED(wait_status) else None
    code = None if number is not None else os.WEXITSTATUS(wait_status)
    name = signal_name(number) if number is not None else None
    how = f"killed by {name}" if name else f"exit code {code}"
    if core_dumped:
        how += " (core dumped)"
    if oom_kills and not killed and (name == "SIGKILL" or code == 128 + signals.SIGKILL):
        how += ": out of memory (the kernel killed for that here meanwhile)"
    if stop is not None:
        tail = f", {killed}" if killed and name == "SIGKILL" else f", {how}"
        if stop.limit is not None:
            reason = f"limit {stop.limit} reached{tail}"
            return Outcome(status="interrupted", exit_code=LIMIT_CODE, reason=reason, ended=ended, own=True)
        reason = f"stopped by {stop.by}{tail}"
        return Outcome(status="interrupted", exit_code=code, signal=name, reason=reason, ended=ended)
    if name is not None:
        status = "interrupted" if name in POLITE else "crashed"
        return Outcome(status=status, signal=name, reason=how, ended=ended)
    status = "completed" if code == 0 else "failed"
    return Outcome(status=status, exit_code=code, reason=how, ended=ended)


def not_started(code: int, sentence: str, ended: str) -> Outcome:
    """Return the outcome of a command that could not be started: 126 or 127, as a shell gives them."""
    return Outcome(status="failed", exit_code=code, reason=sentence, ended=ended, own=True)


def owner_lost(ended: str, command: str = "the supervisor was killed") -> Outcome:
    """Return the outcome of a run whose owner is gone: nobody can know the command's code."""
    return Outcome(status="crashed", reason=command, ended=ended)
