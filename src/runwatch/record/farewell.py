"""The supervisor's last acts: what it says, who keeps reading for processes left behind, and ending as the command did.

Must not touch the run directory.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import NoReturn

from runwatch.finalize.state import Outcome
from runwatch.journal.paths import RunPaths
from runwatch.record.outcome import signal_number
from runwatch.record.stream import Stream

_PR_SET_DUMPABLE = 4  # <sys/prctl.h>
SIGNALED = 128
"""What shells add to a signal's number for an exit code."""


def say(sentence: str) -> None:
    """Write one line of runwatch's own to stderr, in one write; a terminal that is gone is no reason to fail."""
    try:
        os.write(2, f"runwatch: {sentence}\n".encode(errors="backslashreplace"))
    except OSError:
        pass


def is_gone(paths: RunPaths) -> bool:
    """Whether somebody deleted a run while it was recorded, or moved it away."""
    return not os.path.lexists(paths.journal)


def not_finalized(paths: RunPaths) -> None:
    """Say that the recorder did not finalize a run, and what does."""
    if is_gone(paths) and paths.root.is_dir():
        say(f"{paths.journal} was deleted while the command ran: nothing is left to finalize the run by.")
    elif is_gone(paths):
        say(f"{paths.root} was deleted or moved away while the command ran: it is not finalized.")
    else:
        say(f"the run is not finalized; `runwatch finalize {_as_typed(paths.root)}` does it.")


def _as_typed(path: Path) -> str:
    """Return a path as a shell takes it."""
    text = str(path)
    plain = text.replace("/", "").replace("-", "").replace("_", "").replace(".", "").isalnum()
    return text if plain and text.isascii() else "'" + text.replace("'", "'\"'\"'") + "'"  # as shlex, not imported here


def leave_streams(streams: list[Stream]) -> None:
    """Hand streams that a process left behind still writes to over to ``cat``, which outlives us.

    Without runwatch that process could go on writing; with a closed pipe it would die of SIGPIPE.
    """
    for stream in streams:
        stream.take_over()  # for good: our own thread must not take bytes that it cannot pass on any more
        if stream.closed:
            continue
        channel = stream.channel
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [(os.POSIX_SPAWN_DUP2, channel.read_fd, 0)]
        if channel.pass_fd is None:
            actions.append((os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0))
        else:
            actions.append((os.POSIX_SPAWN_DUP2, channel.pass_fd, 1))
        actions.append((os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0))
        try:
            os.posix_spawnp("cat", ["cat"], os.environ, file_actions=actions, setsigmask=[], setsigdef=[signal.SIGPIPE])
        except OSError:
            pass  # nobody reads on; the process left behind meets a closed pipe


def end_like(outcome: Outcome) -> NoReturn:
    """End this process as the command ended: the same exit code, or the same signal without a core."""
    sys.stdout = sys.stderr = None  # nothing of ours is buffered
    number = None if outcome.signal is None or outcome.own else signal_number(outcome.signal)
    if number is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if sys.platform == "linux":
            import ctypes  # a megabyte that only this end needs

            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    if number is not None:  # process 1 of a container, whom the kernel spares its own signals
        os._exit(SIGNALED + number)
    os._exit(outcome.exit_code if outcome.exit_code is not None else 125)
