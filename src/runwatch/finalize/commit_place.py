"""Where a run's commit goes: which work tree, which branch, and whether now is the time.

Must not write anything. Source: finalizer.md, "The commit".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from runwatch.errors import CommitError
from runwatch.vcs import (
    GitVariables,
    Repository,
    common_dir,
    head_ref,
    is_bare,
    is_git_dir,
    read_ref,
)
from runwatch.vcs.environment import other_common_dir
from runwatch.vcs.special_names import first_special

IN_PROGRESS = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase or `git am`",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "sequencer": "a cherry-pick or revert of several commits",
    "BISECT_LOG": "a bisect",
}
"""What git keeps in a work tree's own folder while something is unfinished, and what that is."""
_RETURNS_TO = {
    "rebase-merge/head-name": "a rebase",
    "rebase-merge/update-refs": "a rebase",
    "rebase-apply/head-name": "a rebase",
    "BISECT_START": "a bisect",
}
"""Where git notes, in a work tree's own folder, the branch that it moves or goes back to in the end."""
_REFTABLE = "refs/heads/.invalid"
"""What HEAD says where refs are kept in reftables instead of files."""


class NotNow(Exception):
    """Something is in the way that may be gone the next instant."""

    def __init__(self, why: str, remedy: str, *, pid: int | None = None) -> None:
        """``pid`` is the process after whose end it is gone, where one is known."""
        super().__init__(why)
        self.why = why
        self.remedy = remedy
        self.pid = pid


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A run in its work tree, or in a bare repository."""

    run_id: str
    """Which run."""
    root: Path
    """Its directory."""
    work_tree: Path
    """Top of the work tree; of a bare repository where it was found."""
    git_dir: Path
    """Its own git folder."""
    bare: bool = False
    """Whether there is no work tree, and so no index to agree."""
    named: bool = False
    """Whether the user named the git folder."""
    other_index: Path | None = None
    """The index that the user works with besides the work tree's own; None where that is the only one."""
    folder: tuple[str, ...] = ()
    """Parts of the path from the top to the run directory, as the commit has it."""
    names: tuple[str, ...] = ()
    """Files of the run directory to commit, in order."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files as paths from the top."""
        return tuple("/".join((*self.folder, name)) for name in self.names)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files on disk, in the same order."""
        return tuple(self.root / name for name in self.names)

    @property
    def indexes(self) -> tuple[Path, ...]:
        """What must agree with the branch that is checked out."""
        return (self.git_dir / "index", *([] if self.other_index is None else [self.other_index]))

    @property
    def called(self) -> str:
        """The repository in a sentence."""
        return f"the bare repository {self.git_dir}" if self.bare else str(self.work_tree)

    def refuse(self, why: str, remedy: str = "") -> CommitError:
        """Return the error that says why there is no commit now, and how there will be one."""
        then = f"`runwatch finalize {self.run_id}` commits it later"
        return CommitError(f"{why}: {remedy + ', then ' if remedy else ''}{then}.")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The ref that is moved."""

    ref: str
    """Full name; HEAD itself when detached."""
    branch: str | None
    """Short name; None when detached."""
    tip: str | None
    """Where it stands; None when it has no commit yet."""
    checked_out: bool
    """Whether this work tree has it checked out, so that its index must agree."""


def find_place(run_dir: Path, files: Iterable[Path | str], user: GitVariables | None = None) -> Place:
    """Return where the run lies, with those of ``files`` that are regular files in it. Raises CommitError.

    ``user`` is what the user's environment named when the run started. In a bare repository, which has no top, the run
    goes to where it would lie in a work tree: the runs folder at the top, then framework and run.
    """
    user = user or GitVariables()
    root = Path(os.path.realpath(run_dir))
    run_id = run_dir.name
    found = user.repository(root)
    if found is None and user.dir is not None and is_git_dir(Path(user.dir)):
        raise CommitError(
            f"{root} lies in no git repository, and GIT_DIR names {user.dir} without a work tree that holds it: "
            "set GIT_WORK_TREE too for the runs to come."
        )
    way = way_out(run_dir, user) if found is None else None
    if way is not None:
        raise CommitError(
            f"{way.link} is a symbolic link to {way.target}, out of the git repository {way.left}: put a folder in its "
            f"place, or make that a repository (`git init`), then `runwatch finalize {run_id}` commits it later."
        )
    if found is None:
        raise CommitError(
            f"{root} lies in no git repository: in one (`git init`), `runwatch finalize {run_id}` commits it later."
        )
    names = tuple(dict.fromkeys(Path(file).name for file in files))
    place = Place(
        run_id=run_id,
        root=root,
        work_tree=found.top,
        git_dir=found.git_dir,
        bare=found.bare,
        named=found.named,
        other_index=None if found.bare else other_index(user, found.git_dir),
        folder=root.parts[-3:] if found.bare else root.relative_to(found.top).parts,
        names=tuple(name for name in names if _is_regular(root / name)),
    )
    special = first_special(place.folder)
    if special is not None:
        raise CommitError(
            f"{root} cannot be committed, since git keeps the name {special!r} for itself: choose another framework, "
            "run id or runs folder for the runs to come."
        )
    if not place.names:
        raise place.refuse(f"{root} has none of its summary files")
    return place


class WayOut(NamedTuple):
    """How a path leaves the repository that it seems to lie in."""

    link: Path
    """The symbolic link on it."""
    target: Path
    """Where that leads."""
    left: Path
    """Top of the repository."""


def way_out(path: Path, user: GitVariables) -> WayOut | None:
    """Return the last symbolic link on a path that leads out of a repository; None where none does."""
    here = Path(os.path.abspath(path))
    for link in (here, *here.parents):
        left = user.repository(link.parent) if link.is_symlink() else None
        if left is not None:
            return WayOut(link, Path(os.path.realpath(link)), left.top)
    return None


def other_index(user: GitVariables, git_dir: Path) -> Path | None:
    """Return the index of a work tree that the user works with instead of its own; None where there is none such.

    One of another repository, as a hook leaves it to what it starts, is none; nor is one that `git commit` makes for
    the time of its hooks.
    """
    if user.index is None or (user.dir is not None and os.path.realpath(user.dir) != str(git_dir)):
        return None
    path = Path(os.path.realpath(user.index))
    if path == Path(os.path.realpath(git_dir / "index")) or path.suffix == ".lock" or not _is_regular(path):
        return None
    return None if path.parent != git_dir and is_git_dir(path.parent) else path


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def find_target(
    repo: Repository, place: Place, mode: str, environ: Mapping[str, str], *, ended_on: str | None = None
) -> Target:
    """Return the ref to move now. Raises CommitError where it must not be moved, GitError.

    With mode current that is the branch that was checked out when the run ended, ``ended_on``, also where another one
    is by now; None, or a branch that is gone: whatever is checked out.
    """
    receiving = environ.get("GIT_QUARANTINE_PATH")
    if receiving and Path(os.path.realpath(receiving)).parent == common_dir(place.git_dir) / "objects":
        raise place.refuse(f"git is receiving a push in {place.called}, which a commit would spoil", "let it end")
    elsewhere = other_common_dir(environ, place.git_dir)
    if elsewhere is not None:
        raise place.refuse(
            f"GIT_COMMON_DIR is set to {elsewhere}, which has other branches than {place.called}",
            "unset GIT_COMMON_DIR",
        )
    ref = head_ref(place.git_dir)
    if ref == _REFTABLE:
        ref = repo.plumbing("symbolic-ref", "--quiet", "HEAD", check=False).strip() or None
    if mode != "current":
        if ref != f"refs/heads/{mode}":
            return _named(repo, place, mode)
    elif ended_on is not None and ref != f"refs/heads/{ended_on}" and _tip(repo, place, f"refs/heads/{ended_on}"):
        return _named(repo, place, ended_on)
    unfinished = next((what for name, what in IN_PROGRESS.items() if os.path.lexists(place.git_dir / name)), None)
    if unfinished:
        raise place.refuse(f"{unfinished} is under way in {place.work_tree}", "finish or abort it")
    if ref is None and environ.get("CI", "").lower() not in ("", "0", "false"):
        raise place.refuse(
            f"HEAD of {place.called} is detached in CI, where a commit would be lost",
            "keep the job summary and the archive as an artifact, or check a branch out",
        )
    branch = ref.removeprefix("refs/heads/") if ref else None
    if place.bare:
        if branch is not None:
            _check_unused(place, branch)
        if os.path.lexists(place.git_dir / "index"):
            raise place.refuse(
                f"{place.called} has an index: a work tree elsewhere is checked out from it, and its next commit would "
                "take the run out again",
                "name another branch with `[commit] mode`",
            )
    return Target(ref=ref or "HEAD", branch=branch, tip=_tip(repo, place, ref or "HEAD"), checked_out=not place.bare)


def _named(repo: Repository, place: Place, branch: str) -> Target:
    """Return a branch that is not checked out here; one that is nowhere yet begins with the run's commit."""
    ref = f"refs/heads/{branch}"
    if repo.plumbing("check-ref-format", "--branch", branch, check=False).rstrip("\n") != branch:
        # Not `refs/heads/…` alone: HEAD and what begins with a dash would pass, and @{-1} is another branch's name.
        raise place.refuse(f"{branch!r} is no name for a branch", "mend `[commit] mode`")
    _check_unused(place, branch)
    return Target(ref=ref, branch=branch, tip=_tip(repo, place, ref), checked_out=False)


def _check_unused(place: Place, branch: str) -> None:
    """Raise CommitError where another work tree of the repository has a branch checked out or goes back to it."""
    ref = f"refs/heads/{branch}"
    shared = common_dir(place.git_dir)
    checks_nothing_out = is_bare(shared) and not os.path.lexists(shared / "index")
    for folder in (*([] if checks_nothing_out else [shared]), *(shared / "worktrees").glob("*")):
        if head_ref(folder) == ref and folder != place.git_dir:
            raise place.refuse(
                f"branch {branch} is checked out in another work tree",
                "switch that to another branch" + (", or name one with `[commit] mode`" if place.bare else ""),
            )
        unfinished = next((what for name, what in _RETURNS_TO.items() if _names(folder / name, ref)), None)
        if unfinished:
            raise place.refuse(f"{unfinished} of branch {branch} is under way", "finish or abort it")


def _names(path: Path, ref: str) -> bool:
    """Whether a file of git's says that a branch is in use."""
    try:
        said = path.read_bytes()
    except OSError:
        return False
    names = [os.fsdecode(line) for line in said.splitlines()]
    return ref in names or ref.removeprefix("refs/heads/") in names


def _tip(repo: Repository, place: Place, ref: str) -> str | None:
    if head_ref(place.git_dir) == _REFTABLE:
        return repo.plumbing("rev-parse", "--verify", "--quiet", ref, check=False).strip() or None
    return read_ref(place.git_dir, ref)
