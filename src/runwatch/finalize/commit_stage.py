"""The finalizer's commit of one run: on the branch where the run ended, with what is to be said of it.

Must not do anything itself: commit.py makes the commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runwatch.events.lifecycle import RunStarted
from runwatch.finalize.commit import CommitResult, Message, commit_run, options
from runwatch.finalize.state import Commit, FinalizeState
from runwatch.finalize.whereabouts import first_event, git_variables, repository_of
from runwatch.fold.metrics import Metrics
from runwatch.journal.origin import boot_id
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import now_text
from runwatch.settings.groups import Commit as CommitSettings
from runwatch.vcs import GitError, GitVariables, Repository, head_of, read_ref


def commit_files(
    paths: RunPaths,
    files: Iterable[Path],
    message: Message,
    settings: CommitSettings,
    metrics: Metrics,
    known: Commit | None,
) -> Commit | None:
    """Commit files of a run; return the commit, ``known`` where commits are off. Raises CommitError."""
    _, started = first_event(paths)
    user = git_variables(started)
    began_on, ended_on = _branches(paths, started, user, metrics)
    # A second commit follows the first, wherever a run whose journal does not tell was committed.
    on = ended_on or (known.branch if known is not None else None)
    within = () if started is None or started.pid is None or started.boot_id != boot_id() else (started.pid,)
    result = commit_run(paths.root, files, message, options(settings), ended_on=on, user=user, within=within)
    if result is None:
        return known
    return Commit(
        sha=result.sha,
        branch=result.branch,
        made=known.made if known is not None and known.sha == result.sha else now_text(),
        note=_note(result, began_on, ended_on, _checked_out(paths.root, user), named=settings.mode != "current"),
    )


def is_taken_back(paths: RunPaths, known: Commit | None) -> bool:
    """Whether the branch that a run was committed on is still there without that commit, as after `git reset`.

    Committing again finds out whether it has the files all the same, as after a rebase.
    """
    found = repository_of(paths) if known is not None and known.branch is not None else None
    if known is None or found is None:
        return False
    ref = f"refs/heads/{known.branch}"
    if read_ref(found.git_dir, ref) == known.sha:
        return False
    try:
        with Repository.of(found) as repo:
            if not repo.plumbing("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", check=False).strip():
                return False
            left = repo.plumbing("rev-list", "--max-count=1", known.sha, f"^{ref}", "--", check=False)
            is_there = repo.plumbing("rev-parse", "--verify", "--quiet", f"{known.sha}^{{commit}}", check=False)
            return bool(left.strip()) or not is_there.strip()  # git deletes what no branch holds some day
    except GitError:
        return False


def must_push(settings: CommitSettings, state: FinalizeState, *, again: bool) -> bool:
    """Whether a commit that was made is to be pushed now; ``again``: though it was before."""
    wanted = settings.push and settings.mode != "off" and state.commit is not None and state.done("commit")
    return wanted and (again or not state.done("push"))


def _branches(
    paths: RunPaths, started: RunStarted | None, user: GitVariables, metrics: Metrics
) -> tuple[str | None, str | None]:
    """Return the branches that were checked out at the start and at the end of a run, in the work tree it lies in.

    None: a detached head, or nobody knows, as where it was started in another work tree, or where there is none.
    """
    if started is None or started.git is None or started.cwd is None:
        return None, None
    lies_in, began_in = user.work_tree(paths.root), user.work_tree(Path(started.cwd))
    if lies_in is None or began_in is None or began_in.top != lies_in.top:
        return None, None
    code = metrics.code
    seen = code is not None and (code.branch or code.head)
    return started.git.branch, code.branch if code is not None and seen else started.git.branch


def _checked_out(root: Path, user: GitVariables) -> str | None:
    work_tree = user.work_tree(root)
    return head_of(work_tree.git_dir).branch if work_tree is not None else None


def _note(
    result: CommitResult, began_on: str | None, ended_on: str | None, now_on: str | None, *, named: bool
) -> str | None:
    """Return what is to be said of branches that changed; None where none did.

    ``named``: the commit goes to a branch of its own, whatever is checked out.
    """
    if named:
        return None if began_on in (None, ended_on) else f"the run began on {began_on}, ended on {ended_on}"
    notes = []
    if began_on is not None and began_on != ended_on:
        notes.append(f"the run began on {began_on}" + ("" if ended_on == result.branch else f", ended on {ended_on}"))
    elif ended_on is not None and ended_on != result.branch:
        notes.append(f"the run ended on {ended_on}")
    if now_on is not None and now_on != result.branch:
        notes.append(f"{now_on} is checked out now")
    return ", ".join(notes) or None
