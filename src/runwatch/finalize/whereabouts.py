"""Where a run was recorded, as seen from here: on this machine, on it before it went down, or on another one.

Must not write anything. Source: record.md, "The run directory", liveness; finalizer.md, "Who finalizes".
"""

from __future__ import annotations

import os
import platform
import time
from itertools import islice

from runwatch.events.lifecycle import RunStarted
from runwatch.journal.follow import events
from runwatch.journal.origin import boot_id
from runwatch.journal.paths import RunPaths
from runwatch.vcs import Found, GitVariables

FIRST_LINES = 10_000
"""So far into a journal its first readable event is looked for."""
TAIL_BYTES = 65536
"""How much of its end is read for the last time."""
START_S = 30.0
"""A run that has no lock file yet may be starting for so long."""


def first_event(paths: RunPaths) -> tuple[bool, RunStarted | None]:
    """Return whether the journal holds any readable event, and how the run says that it started."""
    readable = False
    for _, event in islice(events(paths.journal), FIRST_LINES):
        readable = readable or event is not None
        if isinstance(event, RunStarted):
            return True, event
    return readable, None


def git_variables(started: RunStarted | None) -> GitVariables:
    """Return which repository, index and work tree the user's environment named when a run started."""
    noted = started.git if started is not None else None
    return GitVariables(noted.dir, noted.index, noted.tree) if noted is not None else GitVariables()


def repository_of(paths: RunPaths) -> Found | None:
    """Return the repository that takes a run's commit; None where there is none."""
    return git_variables(first_event(paths)[1]).repository(paths.root)


def work_tree_of(paths: RunPaths) -> Found | None:
    """Return the same where it has a work tree; None for a bare repository."""
    return git_variables(first_event(paths)[1]).work_tree(paths.root)


def last_time(paths: RunPaths) -> str | None:
    """Return the time of the last event that has one, from the journal's end; None where none is there."""
    try:
        begin = max(0, os.stat(paths.journal).st_size - TAIL_BYTES)
    except OSError:
        return None
    return next((event.ts for _, event in reversed(list(events(paths.journal, begin))) if event and event.ts), None)


def other_machine(paths: RunPaths, started: RunStarted | None) -> str | None:
    """Return the name of the machine that recorded a run, where that is not this one; None for this one.

    The boot decides where both are known: a container has another host name in each life, and the locks of one
    kernel are seen by all of its containers. After another boot the host name decides, and a heartbeat that is younger
    than this boot tells of a machine that has our name.
    """
    if started is None:
        return None
    own_boot, own_name = boot_id(), platform.node()
    if own_boot and started.boot_id == own_boot:
        return None
    if started.host and started.host != own_name:
        return started.host
    if own_boot and started.boot_id and _beat_since_boot(paths):
        return f"another machine called {started.host or own_name}"
    return None


def how_lost(paths: RunPaths) -> str:
    """Return why a run ended that nobody saw the end of."""
    _, started = first_event(paths)
    own_boot = boot_id()
    here = started is not None and started.host in (None, platform.node())
    if started is not None and here and own_boot and started.boot_id not in (None, own_boot):
        return "the machine went down while it ran"
    return "its processes are gone"


def may_be_starting(paths: RunPaths, started: RunStarted | None) -> bool:
    """Whether a run was created moments ago and its owner has not come to its lock yet.

    A journal that holds anything but its first event has an owner no more: the lock comes before its first byte, and
    that event in one write.
    """
    gone = _holds_bytes(paths) if started is None else _creator_is_gone(started)  # first: the lock may just be made
    if os.path.lexists(paths.lock) or gone:
        return False
    try:
        return -START_S < time.time() - os.stat(paths.root).st_mtime < START_S
    except OSError:
        return False


def _holds_bytes(paths: RunPaths) -> bool:
    try:
        return os.lstat(paths.journal).st_size > 0
    except OSError:
        return False


def _creator_is_gone(started: RunStarted) -> bool:
    if started.pid is None or started.boot_id != boot_id():
        return False
    try:
        os.kill(started.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # somebody else's process
    return False


def _beat_since_boot(paths: RunPaths) -> bool:
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return False
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    try:
        return os.stat(paths.lock).st_mtime > booted
    except OSError:
        return False
