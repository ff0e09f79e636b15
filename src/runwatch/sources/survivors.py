"""Processes of a run that are alive: those that carry its directory in their environment, and the marked command.

Must not touch them. What a command left behind clears its environment seldom, and a pid alone proves nothing.
"""

from __future__ import annotations

import os

import msgspec
import psutil

from runwatch.journal.lock import noted
from runwatch.journal.paths import RunPaths
from runwatch.journal.process_mark import marked

VARIABLE = "RUNWATCH_RUN_DIR"
"""Set for the command and whatever it starts. Source: record.md, "The environment of the command"."""
MOST_COLUMNS = 80


class Survivor(msgspec.Struct, frozen=True, kw_only=True):
    """One process that outlived those who watched over its run."""

    pid: int
    """Process id."""
    command: str
    """Its command line, cut."""


def survivors(paths: RunPaths) -> tuple[Survivor, ...]:
    """Return the living processes of a run whose watchers are gone, this process and its parents left out; by pid."""
    root = os.path.realpath(paths.root)
    command = marked(noted(paths.lock))
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [
        Survivor(pid=process.pid, command=command_line(process))
        for process in psutil.process_iter()
        if process.pid not in ours - {command} and (process.pid == command or _belongs(process, root))
    ]
    return tuple(sorted(found, key=lambda each: each.pid))


def _belongs(process: psutil.Process, root: str) -> bool:
    try:
        named = process.environ().get(VARIABLE)
        return bool(named) and os.path.realpath(str(named)) == root and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def command_line(process: psutil.Process) -> str:
    """Return the command line of a process, cut; a question mark where it cannot be read."""
    try:
        text = " ".join(process.cmdline()) or process.name()
    except (psutil.Error, OSError):
        return "?"
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= MOST_COLUMNS else text[: MOST_COLUMNS - 1] + "…"
