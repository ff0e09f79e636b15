"""Where a run's commit goes: which work tree, which branch, and whether now is the time.

Must not write anything. Source: finalizer.md, "The commit".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from runwatch.errors import CommitError
from runwatch.vcs import GitError, Repository, common_dir, find_work_tree, git_dir, head_ref, read_ref

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

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A run in its work tree."""

    run_id: str
    """Which run."""
    work_tree: Path
    """Top of the work tree."""
    git_dir: Path
    """Its own git folder."""
    folder: tuple[str, ...]
    """Parts of the path from the top to the run directory."""
    names: tuple[str, ...]
    """Files of the run directory to commit, in order."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files as paths from the top."""
        return tuple("/".join((*self.folder, name)) for name in self.names)

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


def find_place(run_dir: Path, files: Iterable[Path | str]) -> Place:
    """Return where the run lies, with those of ``files`` that are regular files in it. Raises CommitError."""
    root = Path(os.path.realpath(run_dir))
    run_id = run_dir.name
    work_tree = find_work_tree(root)
    folder = git_dir(work_tree) if work_tree else None
    if work_tree is None or folder is None:
        raise CommitError(
            f"{root} lies in no git repository: in one (`git init`), `runwatch finalize {run_id}` commits it later."
        )
    names = tuple(dict.fromkeys(Path(file).name for file in files))
    place = Place(
        run_id=run_id,
        work_tree=work_tree,
        git_dir=folder,
        folder=root.relative_to(work_tree).parts,
        names=tuple(name for name in names if _is_regular(root / name)),
    )
    if not place.names:
        raise place.refuse(f"{root} has none of its summary files")
    return place


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
            f"HEAD of {place.work_tree} is detached in CI, where a commit would be lost",
            "keep the job summary and the archive as an artifact, or check a branch out",
        )
    return Target(
        ref=ref or "HEAD",
        branch=ref.removeprefix("refs/heads/") if ref else None,
        tip=_tip(repo, place, ref or "HEAD"),
        checked_out=True,
    )


def _named(repo: Repository, place: Place, branch: str) -> Target:
    """Return a branch that is not checked out here; one that is nowhere yet begins with the run's commit."""
    ref = f"refs/heads/{branch}"
    try:
        repo.plumbing("check-ref-format", ref)
    except GitError:
        raise place.refuse(f"{branch!r} is no name for a branch", "mend `[commit] mode`") from None
    shared = common_dir(place.git_dir)
    for folder in (shared, *(shared / "worktrees").glob("*")):
        if head_ref(folder) == ref and folder != place.git_dir:
            raise place.refuse(f"branch {branch} is checked out in another work tree", "switch that to another branch")
        unfinished = next((what for name, what in _RETURNS_TO.items() if _names(folder / name, ref)), None)
        if unfinished:
            raise place.refuse(f"{unfinished} of branch {branch} is under way", "finish or abort it")
    return Target(ref=ref, branch=branch, tip=_tip(repo, place, ref), checked_out=False)


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
