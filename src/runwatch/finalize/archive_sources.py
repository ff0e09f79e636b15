"""Which files of a run directory belong in its archive, and opening them without being led out of it.

Must not follow a symbolic link, whoever planted it, and must not read what it opens.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from runwatch.finalize import manifest
from runwatch.finalize.manifest import LeftOut

OWN = frozenset({"finalize.json", "post.jsonl", "control.sock", "run.tar.gz"})
"""At the top of a run: what changes after the archive, and the archive. Names with a dot in front are ours too."""
ON_REQUEST = ("workspace", "artifacts")
"""Folders at the top of a run that are archived only when asked."""
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp\Z")
"""What journal.atomic writes before it renames."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # without waiting for the writer of a pipe


Kind: TypeAlias = Literal["file", "folder", "a symbolic link", "no regular file"]


class ArchiveOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive holds beside the record itself."""

    workspace: bool = False
    """Take the run's ``workspace`` folder in."""
    artifacts: bool = False
    """Take the run's ``artifacts`` folder in."""
    exclude: tuple[str, ...] = ()
    """Shell patterns of files in these two to leave out: of the whole path below the run, or of the name alone."""
    include: tuple[str, ...] = ()
    """Paths below the run of files and folders that are taken in whatever else is said here."""


class Folder:
    """A run directory held open. Use it in a ``with`` statement."""

    def __init__(self, path: Path) -> None:
        """Open it; it must be no link itself, the folders above it may be. Raises OSError."""
        self._fd = os.open(path, _FOLDER)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def open(self, name: str) -> int:
        """Return a descriptor of a file below the folder; no part of its path may be a link. Raises OSError."""
        folder, _, last = name.rpartition("/")
        fd = self._descend(folder)
        try:
            return os.open(last, _FILE, dir_fd=fd)
        finally:
            os.close(fd)

    def entries(self, folder: str) -> list[tuple[str, Kind]]:
        """Return names and kinds of what is in a folder below this one ("" for itself). Raises OSError."""
        fd = self._descend(folder)
        try:
            with os.scandir(fd) as found:
                return [(entry.name, _kind(entry)) for entry in found]
        finally:
            os.close(fd)

    def size(self, name: str) -> int:
        """Return the length of a file below the folder, in bytes; 0 when it cannot be read."""
        found = self.stat(name)
        return found.st_size if found else 0

    def stat(self, name: str) -> os.stat_result | None:
        """Return the state of what has a name below the folder, links not followed; None when there is nothing."""
        folder, _, last = name.rpartition("/")
        try:
            fd = self._descend(folder)
        except OSError:
            return None
        try:
            return os.stat(last, dir_fd=fd, follow_symlinks=False)
        except OSError:
            return None
        finally:
            os.close(fd)

    def _descend(self, folder: str) -> int:
        fd = os.dup(self._fd)
        for part in folder.split("/") if folder else ():
            try:
                deeper = os.open(part, _FOLDER, dir_fd=fd)
            finally:
                os.close(fd)
            fd = deeper
        return fd


def _kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return "a symbolic link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "no regular file"


def plan(folder: Folder, options: ArchiveOptions) -> tuple[list[str], list[LeftOut]]:
    """Return the paths of the files to archive, in the order of their bytes, and what was left out and why."""
    names: list[str] = []
    left_out: list[LeftOut] = []
    wanted = _wanted(options)
    for name, kind in _walk(folder, wanted):
        if kind:
            left_out.append(LeftOut(manifest.shown(name), kind))
        else:
            names.append(name)
    return sorted(names, key=os.fsencode), sorted(left_out, key=lambda entry: entry.name)


def _wanted(options: ArchiveOptions) -> Callable[[str], bool]:
    asked = {"workspace": options.workspace, "artifacts": options.artifacts}

    def wanted(name: str) -> bool:
        top, below, rest = name.partition("/")
        last = name.rpartition("/")[2]
        if _TEMPORARY.match(last) or (not below and (top in OWN or top.startswith("run.tar.gz."))):
            return False
        if any(f"{name}/".startswith(f"{named}/") or named.startswith(f"{name}/") for named in options.include):
            return True  # it, what is in it, and the folders that lead there
        if top in asked:
            patterns = options.exclude if rest else ()
            return asked[top] and not any(fnmatch.fnmatchcase(part, p) for p in patterns for part in (name, rest, last))
        return bool(below) or not top.startswith(".")

    return wanted


def _walk(folder: Folder, wanted: Callable[[str], bool]) -> Iterator[tuple[str, str | None]]:
    """Yield each wanted path with why it cannot be archived, None for a regular file."""
    waiting = [""]
    while waiting:
        here = waiting.pop()
        try:
            entries = folder.entries(here)
        except OSError as error:
            yield here, f"cannot be read: {error.strerror}"
            continue
        for last, kind in entries:
            name = f"{here}/{last}" if here else last
            if not wanted(name):
                continue
            if kind == "folder":
                waiting.append(name)
            elif kind != "file":
                yield name, kind
            elif name == manifest.NAME:
                yield name, "the name of the archive's own listing"
            else:
                yield name, None
