"""A run directory held by a descriptor: where it lies by now, though folders above it were renamed or moved meanwhile.

Must not read what it holds. A name means nothing any more once somebody typed `mv runs old`; the descriptor goes on
meaning the same directory. Where a system does not tell where that lies (no /proc), all is as the names say.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runwatch.journal.descriptors import Identity, above_standard, identity
from runwatch.journal.modes import FOLDER

_DESCRIPTORS = "/proc/self/fd"
_JOURNAL = "events.jsonl"


class HeldDirectory:
    """One run directory, as long as this process lives."""

    def __init__(self, root: Path, *, fd: int = -1, file_fd: int = -1) -> None:
        """Hold the run directory ``root``, or wherever what another process holds and gave to us lies: ``fd``.

        ``file_fd``: of a file in it, which tells where it lies where ``root`` is its name no more.
        """
        if file_fd >= 0 and not os.path.lexists(root) and (known := identity(file_fd)) is not None:
            file = path_of(file_fd, known)
            root = root if file is None else file.parent
        self.first = root
        """Where it lay when this was made."""
        self._last = root
        try:
            self._fd = above_standard(os.open(root, FOLDER)) if fd < 0 else fd
            os.set_inheritable(self._fd, False)
        except OSError:  # no descriptor is left, or the run is gone already
            self._fd = -1
        self._known = identity(self._fd) if self._fd >= 0 else None

    @property
    def path(self) -> Path:
        """A path that leads there whatever the folders above it are called; for this process alone, and as it is."""
        path = Path(f"{_DESCRIPTORS}/{self._fd}/../{self._last.name}")
        return path if self._known is not None and _is(path, self._known) else self._last

    def where(self) -> Path:
        """Return where it lies now; where it lay last, if it was deleted."""
        if self._known is not None and not _is(self._last, self._known):
            self._last = path_of(self._fd, self._known) or self._last
        return self._last

    @contextmanager
    def inheritable(self) -> Iterator[str]:
        """Have what is started meanwhile inherit the descriptor; yield its number, -1 where there is none."""
        if self._known is None:
            yield "-1"
            return
        os.set_inheritable(self._fd, True)
        try:
            yield str(self._fd)
        finally:
            os.set_inheritable(self._fd, False)

    def close(self) -> None:
        """Give the descriptor back; it lies where it lay last from then on."""
        if self._known is not None:
            os.close(self._fd)
            self._known = None

    def renamed(self, path: str) -> str:
        """Return what ``path`` is called now, where it lies below the folder that was renamed or moved."""
        before, after = list(self.first.parts), list(self.where().parts)
        while before and after and before[-1] == after[-1]:
            before.pop()
            after.pop()
        if before == after or not before or Path(path).parts[: len(before)] != tuple(before):
            return path
        return str(Path(*after, *Path(path).parts[len(before) :]))

    def program(self) -> tuple[str, dict[str, str]]:
        """Return this interpreter's program and our environment for another one: either may lie in that folder.

        Without PYTHONINSPECT, which would have it read on behind its end.
        """
        environment = dict(os.environ)
        environment.pop("PYTHONINSPECT", None)
        if "PYTHONPATH" in environment:
            folders = environment["PYTHONPATH"].split(os.pathsep)
            environment["PYTHONPATH"] = os.pathsep.join(map(self.renamed, folders))
        return self.renamed(sys.executable), environment


def as_named(text: str, root: Path) -> str:
    """Return a sentence with the name ``root`` in place of any path that `HeldDirectory.path` made of it."""
    return re.sub(rf"{_DESCRIPTORS}/\d+/\.\.(?=/)", lambda _: str(root.parent), text)


def where_joined(named: Path) -> Path:
    """Return where the run lies whose processes were told that it is ``named``, when they were started.

    Who records it is an ancestor of theirs and has its journal open; ``named`` where there is none.
    """
    if os.path.lexists(named / _JOURNAL):
        return named
    pid = os.getppid()
    while pid > 1:
        try:
            for fd in os.scandir(f"/proc/{pid}/fd"):
                with suppress(FileNotFoundError):  # it was closed just now
                    file = os.readlink(fd.path)
                    if file.endswith(f"/{named.name}/{_JOURNAL}"):
                        return Path(file).parent
            with open(f"/proc/{pid}/stat", "rb") as stat:
                pid = int(stat.read().rpartition(b")")[2].split()[1])
        except OSError:  # it has ended, or is somebody else's
            break
    return named


def path_of(fd: int, known: Identity) -> Path | None:
    """Return the path of an open file or folder that ``known`` says what it is; None where it has none any more."""
    try:
        path = Path(os.readlink(f"{_DESCRIPTORS}/{fd}"))
    except OSError:
        return None
    return path if _is(path, known) else None


def _is(path: Path, known: Identity) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == known
