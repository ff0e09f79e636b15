"""Where git keeps the state of a work tree, read from its files alone.

Must not start a process or import GitPython: this runs before the recorded command starts.
Source: gitrepository-layout(5), git-worktree(1).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeAlias

import msgspec

_OBJECT_ID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_MAX_DEPTH = 5
"""How many symbolic refs may follow one another. Source: git's refs.c, SYMREF_MAXDEPTH."""

ChangeKey: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Head(msgspec.Struct, frozen=True):
    """What is checked out."""

    branch: str | None
    """Short name; None when detached, and where git keeps its refs in another form than files."""
    sha: str | None
    """Object id in hex; None when unborn."""


def find_work_tree(path: Path) -> Path | None:
    """Return the top of the git work tree that holds ``path``, symbolic links resolved; None outside of any."""
    here = Path(os.path.realpath(path))
    return next((folder for folder in (here, *here.parents) if git_dir(folder) is not None), None)


def git_dir(work_tree: Path) -> Path | None:
    """Return the git folder of the work tree whose top is ``work_tree``; None where there is none.

    A linked worktree or a submodule has its own: its HEAD and index lie there, its refs below `common_dir` of it.
    """
    entry = work_tree / ".git"
    try:
        link = entry.read_bytes()
    except IsADirectoryError:
        folder = entry
    except OSError:
        return None
    else:
        if not link.startswith(b"gitdir: "):
            return None
        folder = work_tree / os.fsdecode(link[len(b"gitdir: ") :].rstrip(b"\r\n"))
    folder = Path(os.path.realpath(folder))
    return folder if os.path.lexists(folder / "HEAD") and (common_dir(folder) / "objects").is_dir() else None


def common_dir(folder: Path) -> Path:
    """Return the folder that the linked worktrees of a repository share: objects, branches, packed refs."""
    try:
        shared = (folder / "commondir").read_bytes()
    except OSError:
        return folder
    return Path(os.path.realpath(folder / os.fsdecode(shared.rstrip(b"\r\n"))))


def read_head(path: Path) -> Head:
    """Return branch and commit of the work tree whose top is ``path``; both None where there is no repository."""
    folder = git_dir(path)
    if folder is None:
        return Head(None, None)
    ref = head_ref(folder)
    if ref is None:
        return Head(None, _object_id(_read(folder / "HEAD")))
    if ref == "refs/heads/.invalid":  # what HEAD says where refs are kept in reftables
        return Head(None, None)
    return Head(ref.removeprefix("refs/heads/"), read_ref(folder, ref))


def head_ref(folder: Path) -> str | None:
    """Return the full name of the ref that HEAD of a git folder points to; None when it is detached."""
    head = folder / "HEAD"
    if head.is_symlink():  # how git itself wrote it before 2006
        return os.readlink(head)
    return _symbolic(_read(head))


def read_ref(folder: Path, ref: str) -> str | None:
    """Return the object id that a full ref name stands for, as seen from a git folder; None when there is none."""
    shared = common_dir(folder)
    for _ in range(_MAX_DEPTH):
        raw = _read(folder / ref) or _read(shared / ref)
        target = _symbolic(raw)
        if target is None:
            return _object_id(raw) or _packed(shared, ref)
        ref = target
    return None


def change_key(folder: Path) -> ChangeKey:
    """Return what changes whenever git itself changes a work tree, given its git folder. Takes less than 0.1 ms.

    Edits of files do not show.
    """
    own = f"{folder}{os.sep}"  # plain strings: paths cost more than the calls
    head = _read(f"{own}HEAD")
    shared = f"{common_dir(folder)}{os.sep}" if os.path.exists(f"{own}commondir") else own
    ref = _symbolic(head)
    return (
        _stamp(f"{own}HEAD"),
        _stamp(f"{shared}{ref}") if ref else None,
        _stamp(f"{shared}packed-refs"),
        _stamp(f"{own}index"),
        _stamp(f"{own}logs/HEAD"),
    )


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _read(path: Path | str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, 4096)
    except OSError:  # a folder
        return b""
    finally:
        os.close(fd)


def _symbolic(raw: bytes) -> str | None:
    return os.fsdecode(raw[4:].strip()) if raw.startswith(b"ref:") else None


def _object_id(raw: bytes) -> str | None:
    text = raw.strip()
    return text.decode("ascii") if _OBJECT_ID.match(text) else None


def _packed(shared: Path, ref: str) -> str | None:
    try:
        packed = (shared / "packed-refs").read_bytes()
    except OSError:
        return None
    found = re.search(rb"^([0-9a-f]+) " + re.escape(os.fsencode(ref)) + rb"$", packed, re.MULTILINE)
    return _object_id(found[1]) if found else None
