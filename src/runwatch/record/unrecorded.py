"""Running the command without recording it, where something that recording needs cannot be had.

Must not leave a trace of us in the command: this process becomes it.
"""

from __future__ import annotations

import errno
import os
import signal
from typing import NoReturn

from runwatch.record import limits

EXIT_NOT_FOUND, EXIT_NOT_EXECUTABLE = 127, 126
_SET_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")
"""Ignored by every Python for itself; no shell starts a program so."""
_REMEDIES = {
    errno.EBADF: "no more files can be opened: raise `ulimit -n`",
    errno.EMFILE: "no more files can be opened: raise `ulimit -n`",
    errno.ENFILE: "this system has no file left to open: close some programs",
    errno.EAGAIN: "no process or thread can be started: raise `ulimit -u` or `ulimit -v`, or close some programs",
    errno.ENOMEM: "there is no memory left: raise `ulimit -v` or close some programs",
    errno.ENOSPC: "the disk is full: free space",
    errno.EDQUOT: "the disk quota is used up: free space",
    errno.EROFS: "the disk is read-only: choose another with --runs-dir",
}


def reason(error: BaseException) -> str:
    """Return in one sentence why a command is not recorded, and what to do about it."""
    if isinstance(error, MemoryError):
        return f"{_REMEDIES[errno.ENOMEM]}."
    if isinstance(error, RuntimeError):  # Python's word for a thread that the system refuses
        return f"{_REMEDIES[errno.EAGAIN]}."
    if isinstance(error, OSError):
        said = _REMEDIES.get(error.errno or 0)
        return f"{said}." if said else f"{error.filename or 'system'}: {error.strerror or error}."
    return str(error)


def become(argv: list[str]) -> NoReturn:
    """Become the command: same pid, terminal, descriptors, limits, signals."""
    for name in _SET_BY_PYTHON:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    with limits.as_found():
        try:
            os.execvp(argv[0], argv)
        except OSError as error:
            os.write(2, f"runwatch: {argv[0]}: {error.strerror}\n".encode(errors="backslashreplace"))
            missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
            os._exit(EXIT_NOT_FOUND if missing else EXIT_NOT_EXECUTABLE)
