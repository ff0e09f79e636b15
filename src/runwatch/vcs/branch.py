"""The branch at hand measured against where it left its base.

Must not list untracked files: they are no part of the branch yet, ``git diff`` does not count them either, and build
output would pass for work. Source: metrics.md, "code".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from runwatch.vcs import changes
from runwatch.vcs.layout import Head
from runwatch.vcs.running import GitError

if TYPE_CHECKING:
    from runwatch.vcs.repository import Repository

UNBORN: Final = "unborn"
"""As ``start_head``: there was no commit yet when the run started."""
TRAILER: Final = "Runwatch-Run"
"""The trailer by which runwatch's own commits are known."""
SUBJECT: Final = "runwatch: "
"""How the subject of runwatch's own commits begins."""


_TRUNKS: Final = ("main", "master")
_PLACES: Final = ("refs/heads", "refs/remotes/origin")


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a ``git.snapshot`` event."""

    branch: str | None
    """Short name; None when detached."""
    head: str | None
    """Object id in hex; None when unborn."""
    base: str | None
    """Object id of the merge base; None where everything is new."""
    files_created: int
    """Files."""
    files_modified: int
    """Files, those with a new type or mode included."""
    files_deleted: int
    """Files."""
    files_renamed: int
    """Files, edited on the way or not."""
    lines_added: int
    """Lines; binary files count none."""
    lines_deleted: int
    """Lines; binary files count none."""
    commits: int
    """Commits since the merge base, runwatch's own left out."""
    dirty: bool
    """Whether tracked files differ from HEAD."""


class Against(msgspec.Struct, frozen=True):
    """What the branch is compared with."""

    commit: str | None
    """The merge base; None where everything is new."""
    tree: str
    """What to diff against: the merge base, or the empty tree."""


def measure(repo: Repository, base: str | None, exclude: tuple[str, ...], start_head: str | None) -> Snapshot:
    """Return the branch against its merge base, edits of tracked files included. Raises GitError.

    ``base`` is the configured branch, None the default; ``exclude`` are folders at the top of the work tree;
    ``start_head`` is the commit at the start of the run, UNBORN when there was none, None when nobody knows.
    """
    head = repo.head()
    left = against(repo, head, base, start_head)
    files = changes.diff(repo, left.tree, exclude)
    at_base = left.commit == head.sha
    of = [file.status for file in files].count
    return Snapshot(
        branch=head.branch,
        head=head.sha,
        base=left.commit,
        files_created=of("created"),
        files_modified=of("modified"),
        files_deleted=of("deleted"),
        files_renamed=of("renamed"),
        lines_added=sum(file.added or 0 for file in files),
        lines_deleted=sum(file.deleted or 0 for file in files),
        commits=0 if at_base else commits_since(repo, left.commit, head.sha),
        dirty=bool(files) if at_base and files else changes.is_dirty(repo, exclude),
    )


def against(repo: Repository, head: Head, base: str | None, start_head: str | None) -> Against:
    """Return the merge base of HEAD with the first base there is.

    In order: the configured one, the remote's default branch, ``main``, ``master``, these two at the remote, the head
    at the start. A branch is no base of itself, here or at the remote (its own commits would never show), nor is one
    without a common ancestor.
    """
    if head.sha is not None:
        found = _common(repo, head.sha, candidates(repo, head, base, start_head))
        if found is not None:
            return Against(found, found)
        if start_head != UNBORN:
            return Against(head.sha, head.sha)
    return Against(None, repo.plumbing("hash-object", "-t", "tree", "--stdin", input=b"").rstrip("\n"))


def check_base(repo: Repository, head: Head, base: str | None) -> None:
    """Raise GitError where a branch could only be measured against another base than asked for, or against itself.

    What is the base of others, by its name or as it was asked for, has changed nothing.
    """
    if head.sha is None:
        return
    if base and not _is_itself(head, base):
        bases = list(_named(repo, head, base))
        if not bases:
            raise GitError(f"{repo.work_tree} has no base {base!r}: `git branch --all` lists the branches.")
        told = f"and its base {base!r}"
    else:
        bases = list(candidates(repo, head, None, None))
        told = "and what it could have left"
        if not bases and not base and head.branch not in _TRUNKS:
            raise GitError(
                f"{head.branch or head.sha} has no base in {repo.work_tree}: `git fetch origin main:main` brings one "
                "of that name, base= or [git] base names another."
            )
    if bases and _common(repo, head.sha, bases) is None:
        raise GitError(
            f"{head.branch or head.sha} {told} have no commit in common in {repo.work_tree}: where the clone is "
            "shallow, `git fetch --unshallow` brings the rest of the history."
        )


def no_base(repo: Repository, head: Head, base: str | None) -> str | None:
    """Return why a clone cannot measure its branch against the base; None where it can, or where nothing is cloned."""
    if not repo.plumbing("for-each-ref", "--count=1", "refs/remotes"):
        return None
    try:
        check_base(repo, head, base)
    except GitError as error:
        return error.sentence
    return None


def _common(repo: Repository, sha: str, bases: Iterable[str]) -> str | None:
    """Return the merge base with the first that has one."""
    for base in bases:
        found = repo.plumbing("merge-base", sha, base, check=False).rstrip("\n")
        if found:
            return found
    return None


def candidates(repo: Repository, head: Head, base: str | None, start_head: str | None) -> Iterator[str]:
    """Return commits by object id, best first."""
    if base:
        yield from _named(repo, head, base)
    refs = _default_refs(repo)
    remote = sorted(ref for ref in refs if ref.endswith("/HEAD"))
    remote.sort(key=lambda ref: ref != "refs/remotes/origin/HEAD")
    for ref in (*remote, *(f"{place}/{name}" for place in _PLACES for name in _TRUNKS)):
        found = refs.get(ref)
        if found is None:
            continue
        is_itself = head.branch is not None and found.branch == head.branch
        if not is_itself or (ref in remote and head.branch in _TRUNKS):  # what the remote has not got of main yet
            yield found.commit
    if start_head and start_head != UNBORN:
        yield start_head


def _named(repo: Repository, head: Head, base: str) -> Iterator[str]:
    """Return what ``base`` names, here and at the remote, but the branch itself."""
    for name in (base, f"origin/{base}"):
        if not name.startswith("-") and not _is_itself(head, name):
            yield from repo.plumbing("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False).split()


def _is_itself(head: Head, name: str) -> bool:
    return head.branch is not None and name in (head.branch, f"refs/heads/{head.branch}")


class _Ref(msgspec.Struct, frozen=True):
    """A branch that others may have left."""

    commit: str
    branch: str | None
    """Its name without the remote's; None where a remote's HEAD names none."""


def _default_refs(repo: Repository) -> dict[str, _Ref]:
    """Return what may be a base, by its full name."""
    patterns = ("refs/remotes/*/HEAD", *(f"{place}/{name}" for place in _PLACES for name in _TRUNKS))
    form = "--format=%(objectname) %(refname) %(symref)"
    lines = repo.plumbing("for-each-ref", form, *patterns).splitlines()
    found = {}
    for commit, ref, target in (line.split(" ") for line in lines):
        place = ref.rpartition("/")[0] + "/"
        name = target if ref.endswith("/HEAD") else ref
        found[ref] = _Ref(commit, name.removeprefix(place) if name.startswith(place) else None)
    return found


def commits_since(repo: Repository, base: str | None, head: str | None) -> int:
    """Count the commits from ``base`` to ``head`` but runwatch's own: subject and trailer say so."""
    if head is None:
        return 0
    span = head if base is None else f"{base}..{head}"
    form = f"--format=%x02%s%x1f%(trailers:key={TRAILER},valueonly,separator=%x20)"
    found = repo.plumbing("rev-list", form, span)
    records = [line[1:].split("\x1f", 1) for line in found.split("\n") if line.startswith("\x02")]
    return sum(not (subject.startswith(SUBJECT) and trailer.strip()) for subject, trailer in records)
