"""Descriptors of ours among those of somebody else: the command's three, and those of a program that records itself.

Must not know what a descriptor is for. A number says nothing for long: a program may close all that it does not know,
and the next file that it opens gets the number.
"""

from __future__ import annotations

import fcntl
import os
import sys

STANDARD = (0, 1, 2)

Identity = tuple[int, int]
"""Device and inode."""

_held: set[int] = set()


def hold_standard() -> None:
    """Take the place of whichever of stdin, stdout and stderr this process was started without.

    Else the first files that it opens would get these numbers, and be taken for the command's input and output. What is
    started from here finds them closed, as we did. To be called first of all; a second call finds nothing to do.
    """
    for number, name, mode in zip(STANDARD, ("stdin", "stdout", "stderr"), "rww", strict=True):
        if identity(number) is not None:
            continue
        try:
            fd = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one; not inherited
        except OSError:
            return  # a system without even that
        _held.add(fd)
        # Python has None for it, which nothing that asks a stream whether it is a terminal expects.
        setattr(sys, name, open(fd, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - as long as the process


def is_held(number: int) -> bool:
    """Whether this process was started without that standard descriptor."""
    return number in _held


def above_standard(fd: int) -> int:
    """Return a descriptor of the same file that is none of the standard ones, for which a program might take it.

    Raises OSError, and has closed ``fd`` then.
    """
    if fd not in STANDARD:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, max(STANDARD) + 1)
    finally:
        os.close(fd)


def identity(fd: int) -> Identity | None:
    """Return which file a descriptor is of; None where it is closed."""
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def close_own(fd: int, known: Identity | None) -> None:
    """Close a descriptor unless it is somebody else's by now."""
    if known is not None and identity(fd) == known:
        try:
            os.close(fd)
        except OSError:
            pass  # the program was quicker
