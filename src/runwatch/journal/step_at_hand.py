"""``.step``: the number of the step at hand, in one small file that every joined process can ask for each event.

Must not decide which step that is: the owner of the run tells it. It is a hint beside the journal, lost without harm.
"""

from __future__ import annotations

import os
from pathlib import Path

from runwatch.errors import RunwatchError
from runwatch.journal.beneath import open_regular
from runwatch.journal.descriptors import Identity, above_standard, close_own, identity

NAME = ".step"
"""Name of the file in the run directory."""
_BEFORE = b"step "
_BYTES = 16
"""Length of the file: one write, so that a reader sees one number or the other."""


class StepTeller:
    """Where the owner of a run says which step is at hand."""

    def __init__(self, root: Path) -> None:
        self._path = root / NAME
        self._fd: int | None = None
        self._file: Identity | None = None
        self._pid = os.getpid()
        self.tell(None)

    def tell(self, step: int | None) -> None:
        """Say which step is at hand, None between steps; a forked child says nothing. Never raises."""
        if self._pid != os.getpid():
            return
        try:
            if self._fd is None or identity(self._fd) != self._file:  # a program may close what it does not know
                self._fd = above_standard(open_regular(self._path, os.O_WRONLY | os.O_CREAT))
                self._file = identity(self._fd)
            os.pwrite(self._fd, _BEFORE + b"%010d\n" % (step or 0), 0)
        except OSError:
            pass  # a full disk: joined processes keep what they knew

    def close(self) -> None:
        """Take the file away: nobody can join any more."""
        fd, self._fd = self._fd, None
        path = self._path
        if fd is not None:
            try:
                if identity(fd) == self._file:
                    path = Path(os.readlink(f"/proc/self/fd/{fd}"))  # it moved with its folder
            except OSError:
                pass  # no Linux
            close_own(fd, self._file)
        try:
            os.unlink(path)
        except OSError:
            pass


class StepReader:
    """Where a joined process asks; one system call a question."""

    def __init__(self, root: Path) -> None:
        """Open the file. Raises OSError where the run has none."""
        self._path = root / NAME
        self._open()

    def _open(self) -> None:
        self._fd = above_standard(open_regular(self._path))
        self._file = identity(self._fd)

    def read(self, known: int | None) -> int | None:
        """Return the step at hand; ``known`` where the file does not say it any more."""
        try:
            said = os.pread(self._fd, _BYTES, 0)
        except OSError:
            said = b""
        if len(said) != _BYTES or not said.startswith(_BEFORE):
            said = self._again()
        if len(said) != _BYTES:
            return known
        try:
            return int(said[len(_BEFORE) :]) or None
        except ValueError:
            return known

    def _again(self) -> bytes:
        """Read the file by its name, where the descriptor is another file's by now."""
        if identity(self._fd) == self._file:
            return b""
        try:
            self._open()
            said = os.pread(self._fd, _BYTES, 0)
        except OSError:
            return b""
        return said if said.startswith(_BEFORE) else b""


def reader_of(root: Path) -> StepReader | None:
    """Return a reader; None where the run has no such file."""
    try:
        return StepReader(root)
    except (OSError, RunwatchError):
        return None
