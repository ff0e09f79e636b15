"""The limit of open files: raised for runwatch's own processes, handed to the command as it was found.

Must not raise any hard limit, nor a limit that protects a disk or a machine. Source: getrlimit(2).
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

ENOUGH = 1024
"""More than we ever open, and no more than select() can take."""

_found = resource.getrlimit(resource.RLIMIT_NOFILE)


def raise_files() -> None:
    """Let this process open as many files as it may, up to what it can need."""
    soft, hard = _found
    if soft != resource.RLIM_INFINITY and soft < ENOUGH:
        _set((ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH), hard))


@contextmanager
def as_found() -> Iterator[None]:
    """Have what is started here inherit the limit that we were started with."""
    now = resource.getrlimit(resource.RLIMIT_NOFILE)
    _set(_found)
    try:
        yield
    finally:
        _set(now)


def _set(limits: tuple[int, int]) -> None:
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    except (OSError, ValueError):
        pass  # what cannot be raised is worked with
