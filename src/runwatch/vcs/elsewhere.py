"""A branch that is not checked out, measured between commits; and whether a commit has reached a base.

Must not look at the work tree or fetch: what the repository holds is what is known. Source: metrics.md, "code".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwatch.vcs import changes
from runwatch.vcs.branch import Snapshot, against, candidates, check_base, commits_since
from runwatch.vcs.layout import Head
from runwatch.vcs.running import GitError

if TYPE_CHECKING:
    from runwatch.vcs.repository import Repository


def measure_branch(repo: Repository, branch: str, base: str | None, exclude: tuple[str, ...]) -> Snapshot:
    """Return a branch against its merge base, from its commits alone.

    Raises GitError where there is no such branch, no such base, or no commit that both have.
    A local branch comes before the remote's of that name, and that before a tag or a commit.
    """
    head = Head(branch, find(repo, branch))
    check_base(repo, head, base)
    left = against(repo, head, base, None)
    assert head.sha is not None
    files = changes.between(repo, left.tree, head.sha, exclude)
    of = [file.status for file in files].count
    return Snapshot(
        branch=branch,
        head=head.sha,
        base=left.commit,
        files_created=of("created"),
        files_modified=of("modified"),
        files_deleted=of("deleted"),
        files_renamed=of("renamed"),
        lines_added=sum(file.added or 0 for file in files),
        lines_deleted=sum(file.deleted or 0 for file in files),
        commits=0 if left.commit == head.sha else commits_since(repo, left.commit, head.sha),
        dirty=False,
    )


def find(repo: Repository, branch: str) -> str:
    """Return the object id of a branch's tip. Raises GitError."""
    for name in (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}", branch):
        if not name.startswith("-"):
            found = repo.plumbing("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False).strip()
            if found:
                return found
    raise GitError(f"{repo.work_tree} has no branch {branch!r}: `git branch --all` lists them.")


def reached(repo: Repository, commit: str, branch: str | None, base: str | None) -> str | None:
    """Return the commit of the first base that holds ``commit``; None where none does.

    ``branch`` is never its own base. A squashed or rebased merge leaves no trace that git could know.
    """
    for candidate in candidates(repo, Head(branch, commit), base, None):
        try:
            repo.plumbing("merge-base", "--is-ancestor", commit, candidate)
        except GitError as error:
            if error.status == 1:
                continue
            raise
        return candidate
    return None
