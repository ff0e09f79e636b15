"""Why a stage of the finalizer was refused by the system, in a sentence with what to do about it.

Must not try anything again. What may be different in a minute, such as a full disk, is told from what stays.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

from runwatch.errors import RunwatchError

_WHAT = {
    errno.ENOSPC: "the disk of {place} is full: free space",
    errno.EDQUOT: "the disk quota of {place} is used up: free space",
    errno.EROFS: "the disk of {place} is read-only: make it writable",
    errno.EFBIG: "a file below {place} would grow beyond the limit of this shell: raise `ulimit -f`",
    errno.EMFILE: "this process may not open more files: raise `ulimit -n`",
    errno.ENFILE: "this system has no file left to open: close some programs",
    errno.EAGAIN: "no process or thread can be started: raise `ulimit -u` or `ulimit -v`, or close some programs",
    errno.ENOMEM: "there is no memory left: close some programs or raise `ulimit -v`",
    errno.EIO: "the disk of {place} does not answer (input/output error): look at it",
}
"""What the system answers where something has run out, and what helps."""


def is_shortage(error: BaseException) -> bool:
    """Whether an error, or what brought it about, is a shortage: the stage must be tried again when it is over."""
    return any(
        isinstance(each, MemoryError) or _is_thread(each) or (isinstance(each, OSError) and each.errno in _WHAT)
        for each in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _is_thread(error: BaseException) -> bool:
    """Whether the system refused a thread, for which Python has no error of its own."""
    return isinstance(error, RuntimeError) and "start new thread" in str(error)


def sentence(error: BaseException, place: Path) -> str:
    """Return why a stage failed. ``place``: the run directory."""
    if isinstance(error, MemoryError):
        return _WHAT[errno.ENOMEM]
    if _is_thread(error):
        return _WHAT[errno.EAGAIN]
    if isinstance(error, RunwatchError):
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in _WHAT:
            return _WHAT[cause.errno].format(place=place)
        return error.sentence
    if isinstance(error, OSError):
        if error.errno in _WHAT:
            return _WHAT[error.errno].format(place=place)
        return f"{error.filename or place}: {error.strerror or error}"
    return f"{type(error).__name__}: {error}"
