"""The three ways in which ``runwatch run`` lets a supervisor work: as this process, under the app, detached.

Must not hold the command or decide a status.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import click

from runwatch.errors import RunwatchError
from runwatch.finalize.state import load_state
from runwatch.journal.lock import is_live
from runwatch.journal.paths import RunPaths
from runwatch.record import farewell, launch
from runwatch.record.config import SupervisorConfig
from runwatch.settings import Settings, where_set

START_WAIT_S = 10.0
"""How long the supervisor may take to take its lock."""


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
        null_stdin=(stdin or settings.capture.stdin) != "inherit",
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


def detach(paths: RunPaths, settings: Settings, argv: list[str]) -> int:
    """Start the run and leave it; print how to watch, wait and stop."""
    launch.start_supervisor(paths, _apart_config(settings, None), argv)
    _await_start(paths)
    click.echo(left_running(paths), err=True)
    return 0


def under_app(paths: RunPaths, settings: Settings, argv: list[str], *, stdin: str | None) -> int:
    """Start the run, show it in the app until its end or until the person leaves, and end as the command did."""
    from runwatch.cli.control import SocketControl

    control = SocketControl(paths)
    # Until the app reads the keys itself, Ctrl-C is a signal: it must stop the run, not only this process.
    signal.signal(signal.SIGINT, lambda number, frame: control.stop_soon())
    launch.start_supervisor(paths, _apart_config(settings, stdin), argv)
    from runwatch.tui import collector

    collector.rest()
    from runwatch.cli.where import remember_theme
    from runwatch.tui.app import run_app

    try:
        run_app(paths.root, mode="run", control=control, settings=settings, remember_theme=remember_theme)
    except RunwatchError:
        if is_live(paths.lock):
            click.echo(left_running(paths), err=True)
        raise
    if is_live(paths.lock):
        click.echo(left_running(paths), err=True)
        return 0
    return finish(paths)


def finish(paths: RunPaths) -> int:
    """Print the four closing lines and end as the command did; 1 where nobody knows how that was."""
    from runwatch.finalize.publish import closing_lines

    for line in closing_lines(paths):
        click.echo(line, err=True)
    outcome = load_state(paths.finalize_state).outcome
    if outcome is None:
        return 1
    return farewell.end_like(outcome)


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
