"""The three ways in which ``runwatch run`` lets a supervisor work: as this process, under the app, detached.

Must not hold the command or decide a status.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import click

from runwatch.cli.control import SocketControl
from runwatch.errors import RunwatchError
from runwatch.finalize.state import Outcome, load_state
from runwatch.journal.held import HeldDirectory
from runwatch.journal.lock import is_live
from runwatch.journal.paths import RunPaths
from runwatch.record import farewell, launch
from runwatch.record.config import SupervisorConfig
from runwatch.record.outcome import signal_name
from runwatch.settings import Settings, where_set

START_WAIT_S = 10.0
"""How long the supervisor may take to take its lock."""
END_WAIT_S = 5.0
"""How long it may take to go once the run is finalized."""
_ENDING = (signal.SIGTERM, signal.SIGQUIT)
_PASSED_ON = (*_ENDING, signal.SIGUSR1, signal.SIGUSR2)
"""Signals to the app that are the command's. One that closes the terminal is not: the run goes on then."""


def headless_config(settings: Settings, options: dict[str, Any]) -> SupervisorConfig:
    """Return the supervisor's options without the app."""
    return SupervisorConfig(
        mode="pty" if settings.capture.mode == "pty" else "pipe",
        null_stdin=(options["stdin"] or settings.capture.stdin) == "null",
        unbuffer=settings.capture.unbuffer,
        quiet=options["quiet"],
        marker_pattern=settings.steps.pattern,
        marker_where=_where(settings),
        max_file_bytes=settings.capture.max_file_bytes,
        grace_person_s=settings.run.grace_person_s,
        grace_signal_s=settings.run.grace_signal_s,
    )


def _where(settings: Settings) -> str | None:
    """Return where the user's step marker is set; None without any."""
    return where_set(Path.cwd(), os.environ, "steps", "pattern") if settings.steps.pattern else None


def _apart_config(settings: Settings, stdin: str | None) -> SupervisorConfig:
    """Return the supervisor's options under the app or detached."""
    columns, rows = shutil.get_terminal_size()
    return SupervisorConfig(
        mode="pipe" if settings.capture.mode == "pipe" else "pty",
        pass_through=False,
        own_session=True,
        null_stdin=not wants_input(settings, stdin),
        unbuffer=settings.capture.unbuffer,
        quiet=True,
        marker_pattern=settings.steps.pattern,
        marker_where=_where(settings),
        max_file_bytes=settings.capture.max_file_bytes,
        grace_person_s=settings.run.grace_person_s,
        grace_signal_s=settings.run.grace_signal_s,
        rows=rows,
        columns=columns,
    )


def wants_input(settings: Settings, stdin: str | None) -> bool:
    """Whether the command is to have our input, which is not the app's then."""
    return (stdin or settings.capture.stdin) == "inherit"


def detach(paths: RunPaths, settings: Settings, argv: list[str], *, stdin: str | None) -> int:
    """Start the run and leave it; print how to watch, wait and stop."""
    launch.start_supervisor(paths, _apart_config(settings, stdin), argv)
    _await_start(paths)
    click.echo(left_running(paths), err=True)
    return 0


def under_app(paths: RunPaths, settings: Settings, argv: list[str], *, stdin: str | None) -> int:
    """Start the run, show it in the app until its end or until the person leaves, and end as the command did."""
    control, held = SocketControl(paths), HeldDirectory(paths.root)
    # Until the app reads the keys itself, Ctrl-C is a signal: it must stop the run, not only this process.
    signal.signal(signal.SIGINT, lambda number, frame: control.stop_soon())
    relay = _Relay(control)
    supervisor = launch.start_supervisor(paths, _apart_config(settings, stdin), argv)
    relay.begin(supervisor)
    from runwatch.tui import collector

    collector.rest()
    from runwatch.cli.where import remember_theme
    from runwatch.tui.app import run_app

    try:
        run_app(paths.root, mode="run", control=control, settings=settings, remember_theme=remember_theme)
    except RunwatchError:
        if is_live(RunPaths(held.where()).lock):
            click.echo(left_running(paths), err=True)
        raise
    relay.end()
    return _leave(RunPaths(held.where()), supervisor)


class _Relay:
    """Hands signals that this process gets to the supervisor, which passes them on as it does without an app."""

    def __init__(self, control: SocketControl) -> None:
        self._control = control
        self._supervisor: int | None = None
        self._waiting: list[int] = []
        for number in _PASSED_ON:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._take)

    def begin(self, supervisor: int) -> None:
        """Name the supervisor, which takes what has come so far."""
        self._supervisor = supervisor
        while self._waiting:
            os.kill(supervisor, self._waiting.pop(0))

    def end(self) -> None:
        """Let signals be this process's own again: its number may be another process's once the supervisor is gone."""
        for number in _PASSED_ON:
            if signal.getsignal(number) == self._take:
                signal.signal(number, signal.SIG_DFL)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if number in _ENDING:
            self._control.is_ending = True
        if self._supervisor is None:
            self._waiting.append(number)
        else:
            os.kill(self._supervisor, number)  # our child, and nobody's else: once dead a zombie until it is waited for


def _leave(paths: RunPaths, supervisor: int) -> int:
    """Say what became of the run; end as its command did, or leave it running."""
    ended = load_state(paths.finalize_state).complete
    status = _wait_status(supervisor, END_WAIT_S if ended else 0.0)
    if farewell.is_gone(paths):
        if status is None:
            click.echo(
                f"runwatch: {paths.root} was deleted or moved away, and nothing more is recorded. "
                f"The command goes on: `kill {supervisor}` ends it.",
                err=True,
            )
            return 0
        farewell.not_finalized(paths)
        return farewell.end_like(_as_supervised(status))
    if status is None and is_live(paths.lock):
        click.echo(left_running(paths), err=True)
        return 0
    return _finish(paths, status)


def _finish(paths: RunPaths, status: int | None) -> int:
    """Print the four closing lines and end as the command did; 1 where nobody knows how that was."""
    from runwatch.finalize.publish import closing_lines

    for line in closing_lines(paths):
        click.echo(line, err=True)
    outcome = load_state(paths.finalize_state).outcome
    if outcome is None and status is not None:
        outcome = _as_supervised(status)
    return 1 if outcome is None else farewell.end_like(outcome)


def _wait_status(pid: int, patience_s: float) -> int | None:
    """Return the wait status of a child, None while it goes on."""
    deadline = time.monotonic() + patience_s
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found or time.monotonic() >= deadline:
            return status if found else None
        time.sleep(0.01)


def _as_supervised(status: int) -> Outcome:
    """Return how the command ended, by the supervisor that ended as it did."""
    if os.WIFSIGNALED(status):
        return Outcome(status="", signal=signal_name(os.WTERMSIG(status)))
    return Outcome(status="", exit_code=os.WEXITSTATUS(status))


def left_running(paths: RunPaths) -> str:
    """Return how to watch, wait for and stop a run that goes on."""
    name = f"{paths.framework}/{paths.run_id}"
    return (
        f"runwatch: {name} goes on.\n"
        f"  watch  runwatch watch {paths.run_id}\n"
        f"  wait   runwatch wait {paths.run_id}\n"
        f"  stop   runwatch stop {paths.run_id}"
    )


def _await_start(paths: RunPaths) -> None:
    """Wait until the supervisor holds its lock, or has already gone through the whole run."""
    deadline = time.monotonic() + START_WAIT_S
    while time.monotonic() < deadline:
        if is_live(paths.lock) or load_state(paths.finalize_state).outcome is not None:
            return
        time.sleep(0.01)
