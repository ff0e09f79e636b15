"""Preparing a run of a command: its directory, its first event, and the supervisor that takes over.

Must stay quick, since the command waits for it, and must import nothing heavy.
"""

from __future__ import annotations

import os
import platform
import signal
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from runwatch import version
from runwatch.errors import RecordError
from runwatch.events.lifecycle import SCHEMA
from runwatch.journal.create import create_run
from runwatch.journal.discard import discard
from runwatch.journal.lock import reserve
from runwatch.journal.origin import boot_id, configured_llm, fold_settings, llm_complaint
from runwatch.journal.paths import RunPaths
from runwatch.journal.reserve import set_aside
from runwatch.journal.writer import EventWriter, now_text
from runwatch.record.config import SupervisorConfig
from runwatch.record.stopping import ASKING
from runwatch.settings import Settings
from runwatch.vcs import git_at_start

_reserved: dict[Path, int] = {}
"""Run directory to the descriptor that holds it for its supervisor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command to record."""

    argv: list[str]
    """Program and arguments."""
    framework: str
    """First level below the runs folder."""
    run_id: str | None = None
    """None: made from the time."""
    runs_root: Path
    """The runs folder."""
    settings: Settings
    """The configuration in force."""
    environ: Mapping[str, str]
    """The environment, for the model's configuration and the parent run."""
    cwd: Path
    """Where the command runs."""
    complaint: str | None = None
    """What endangers the run, for its summary."""


def prepare(request: Request) -> RunPaths:
    """Create the run directory and write ``run.started``. Raises BadName, UsageError, RecordError.

    A signal that asks for an end waits from here on until there is a supervisor that answers it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)
    try:
        return _prepare(request)
    except BaseException:
        while _reserved:
            os.close(_reserved.popitem()[1])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)
        raise


def _prepare(request: Request) -> RunPaths:
    paths = create_run(request.runs_root, request.framework, request.run_id, now=datetime.now(UTC))
    set_aside(paths)
    try:
        return _begin(request, paths)
    except BaseException:
        discard(paths)
        raise


def _unwritten(paths: RunPaths, error: OSError) -> str:
    """Return why the first event is not in the journal, in a sentence with what to do about it."""
    with suppress(OSError):
        if not paths.journal.stat().st_mode & stat.S_IWUSR:
            return f"the umask of this shell write-protects what it makes, {paths.journal} too: `umask 077` first."
    return (
        f"the journal {paths.journal} cannot be written ({error.strerror}): free space or choose another folder with "
        "--runs-dir or RUNWATCH_RUNS_DIR."
    )


def _begin(request: Request, paths: RunPaths) -> RunPaths:
    try:
        fd = reserve(paths.lock)  # before the journal: from its first byte on nobody may take the run for dead
        if fd >= 0:
            _reserved[paths.root] = fd
    except OSError as error:
        raise RecordError(f"{paths.lock} cannot be created ({error.strerror}): choose another --runs-dir.") from error
    writer = EventWriter(paths)
    try:
        if not writer.emit("run.started", **_started(request, paths)):
            raise RecordError(_unwritten(paths, writer.failure))
        if (complaint := llm_complaint(request.environ)) is not None:
            writer.emit("warning", ts=now_text(), message=complaint, where="environment")
        if request.complaint is not None:
            writer.emit("warning", ts=now_text(), message=request.complaint, where="git")
        writer.sync()
    finally:
        writer.close()
    return paths


def _started(request: Request, paths: RunPaths) -> dict[str, Any]:
    git = git_at_start(request.environ, request.cwd)
    parent = request.environ.get("RUNWATCH_RUN_DIR")
    return {
        "ts": now_text(),
        "schema": SCHEMA,
        "framework": paths.framework,
        "run_id": paths.run_id,
        "command": [_printable(argument) for argument in request.argv],
        "cwd": _printable(str(request.cwd)),
        "mode": request.settings.run.mode,
        "llm": configured_llm({}, request.settings, request.environ),
        "git": git and {**git, "base": request.settings.git.base},
        "host": platform.node(),
        "boot_id": boot_id(),
        "versions": {"runwatch": version.VERSION, "python": platform.python_version()},
        "settings": fold_settings(request.settings),
        "parent_run": "/".join(Path(parent).parts[-2:]) if parent else None,
    }


def become_supervisor(paths: RunPaths, config: SupervisorConfig, argv: list[str]) -> NoReturn:
    """Replace this process by the supervisor: same pid, so that the shell's job control sees one program."""
    sys.stdout.flush()
    sys.stderr.flush()
    # Signals stay blocked, pending ones pending, through the exec: the supervisor takes them.
    os.execv(sys.executable, _supervisor(paths, config, argv))


def start_supervisor(paths: RunPaths, config: SupervisorConfig, argv: list[str]) -> int:
    """Start the supervisor in a session of its own, with no terminal, and return its pid.

    What comes through a pipe or from a file it keeps as its input, where the command is to have it.
    """
    given = 0 if config.null_stdin or sys.stdin.isatty() else 1
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)[given:]]
    argv = _supervisor(paths, config, argv)
    pid = os.posix_spawn(sys.executable, argv, os.environ, file_actions=null, setsid=True)
    while _reserved:
        os.close(_reserved.popitem()[1])  # the supervisor has it now
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)
    return pid


def _supervisor(paths: RunPaths, config: SupervisorConfig, argv: list[str]) -> list[str]:
    # -P: a module in the current folder must not stand in for one of the standard library.
    own = [sys.executable, "-P", "-m", "runwatch.record.supervisor"]
    config = msgspec.structs.replace(config, lock_fd=_reserved.get(paths.root, -1))
    return [*own, str(paths.root.resolve()), msgspec.json.encode(config).decode(), "--", *argv]


def _printable(text: str) -> str:
    """Make text that came as bytes valid Unicode; what is no UTF-8 shows as an escape."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
