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
_SECTION = re.compile(rb"\s*\[\s*([^\]]*?)\s*\](.*)")
_BARE = re.compile(rb'\s*bare\s*(?:=\s*"?([a-z0-9]+)"?\s*)?(?:[#;].*)?\Z')
_MAX_DEPTH = 5
"""How many symbolic refs may follow one another. Source: git's refs.c, SYMREF_MAXDEPTH."""

ChangeKey: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Head(msgspec.Struct, frozen=True):
    """What is checked out."""

    branch: str | None
    """Short name; None when detached, and where git keeps its refs in another form than files."""
    sha: str | None
    """Object id in hex; None when unborn."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A repository, as seen from a folder."""

    top: Path
    """Top of the work tree; of a bare repository the folder in which it was found, mostly its git folder."""
    git_dir: Path
    """The git folder."""
    bare: bool = False
    """Whether it has no work tree."""
    named: bool = False
    """Whether somebody named its git folder, instead of being in it."""

    def committed(self, runs: Path) -> tuple[str, ...]:
        """Return the parts of a runs folder's path, links resolved, in what is committed: its name alone where bare."""
        return runs.parts[-1:] if self.bare else runs.relative_to(self.top).parts


def find_repository(path: Path, named: str | None = None, tree: str | None = None) -> Found | None:
    """Return the nearest repository above ``path``, symbolic links resolved, as git finds it; None outside of any.

    There the repository that is ``named``, as by GIT_DIR, takes its place, where it is bare or ``tree``, as by
    GIT_WORK_TREE, holds the path; nowhere else does it count: what a hook leaves in that variable is of another
    repository.
    """
    here = Path(os.path.realpath(path))
    asked = os.path.realpath(named) if named else None
    for top in (here, *here.parents):
        folder = git_dir(top)
        if folder is not None:
            bare = top == folder or is_bare(folder)
            return Found(top=top, git_dir=folder, bare=bare, named=str(folder) == asked)
    if asked is not None and tree and is_git_dir(Path(asked)):
        top = Path(os.path.realpath(tree))
        if top in (here, *here.parents):
            return Found(top=top, git_dir=Path(asked), named=True)
    if asked is not None and _is_bare_at(Path(asked)):
        return Found(top=Path(asked), git_dir=Path(asked), bare=True, named=True)
    return None


def find_work_tree(path: Path) -> Path | None:
    """Return the top of the git work tree that holds ``path``, symbolic links resolved.

    None outside of any, and in a bare repository, also where that lies in a work tree.
    """
    found = find_repository(path)
    return found.top if found is not None and not found.bare else None


def git_dir(top: Path) -> Path | None:
    """Return the git folder of the work tree whose top is ``top``, ``top`` itself for a bare repository; else None.

    A linked worktree or a submodule has its own: its HEAD and index lie there, its refs below `common_dir` of it.
    """
    entry = top / ".git"
    try:
        link = entry.read_bytes()
    except IsADirectoryError:
        folder = entry
    except OSError:
        return Path(os.path.realpath(top)) if _is_bare_at(top) else None
    else:
        if not link.startswith(b"gitdir: "):
            return None
        folder = top / os.fsdecode(link[len(b"gitdir: ") :].rstrip(b"\r\n"))
    folder = Path(os.path.realpath(folder))
    return folder if is_git_dir(folder) else None


def is_git_dir(folder: Path) -> bool:
    """Whether a folder is a repository's, or a linked worktree's part of one.

    Its objects may lie elsewhere. **Source**: git's setup.c, is_git_directory().
    """
    if not os.path.lexists(folder / "HEAD"):
        return False
    return (common_dir(folder) / "objects").is_dir() or os.path.isdir(os.environ.get("GIT_OBJECT_DIRECTORY") or "\0")


def is_bare(folder: Path) -> bool:
    """Whether a git folder says that it has no work tree."""
    return _says_bare(folder) is True


def _is_bare_at(folder: Path) -> bool:
    """Whether a folder is itself the git folder of a bare repository."""
    if not os.path.lexists(folder / "HEAD") or os.path.lexists(folder / "commondir"):
        return False
    if not (folder / "objects").is_dir() or not (folder / "refs").is_dir():
        return False
    said = _says_bare(folder)
    return folder.name != ".git" if said is None else said


def _says_bare(folder: Path) -> bool | None:
    """Return what a git folder's configuration says of itself; None where it says nothing.

    A linked worktree has a work tree, whatever it shares. **Source**: git's setup.c, check_repository_format_gently().
    """
    if os.path.lexists(folder / "commondir"):
        return False
    try:
        lines = (folder / "config").read_bytes().lower().splitlines()
    except OSError:
        return None
    said, in_core = None, False
    for line in lines:
        section = _SECTION.match(line)
        if section is not None:
            in_core, line = section[1] == b"core", section[2]
        setting = _BARE.match(line) if in_core else None
        if setting is not None:
            said = setting[1] in (None, b"true", b"yes", b"on", b"1")
    return said


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
    return Head(None, None) if folder is None else head_of(folder)


def head_of(folder: Path) -> Head:
    """Return branch and commit of the work tree that a git folder belongs to."""
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
