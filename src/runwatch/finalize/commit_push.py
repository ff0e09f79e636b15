"""The branch with a run's commit pushed to its upstream, where `[commit] push` asks for it.

Must not retry, and must not wait for an answer that nobody is there to give. Source: git-push(1), gitcredentials(7).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from runwatch.errors import CommitError
from runwatch.finalize.whereabouts import repository_of
from runwatch.journal.paths import RunPaths
from runwatch.vcs import GitError, Repository

LIMIT_S = 60.0
"""How long a push may take, its hook included."""
_SILENT = {"SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}
_SILENT_SSH = {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
"""Nobody is asked: no terminal (vcs.environment), no window, no agent that asks for a passphrase of its own accord."""
_NO_QUESTIONS = ("credential.interactive=false", "push.recurseSubmodules=no")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def push(run_dir: Path, branch: str | None, *, environ: Mapping[str, str] = os.environ) -> None:
    """Push ``branch`` to the branch that is configured as its upstream, its pre-push hook included.

    Raises CommitError with the reason and what to do about it.
    """
    later = f"`runwatch finalize {run_dir.name}` pushes it later"
    found = repository_of(RunPaths(run_dir))
    if found is None:
        raise CommitError(f"{run_dir} lies in no git repository any more: nothing can be pushed.")
    if branch is None:
        raise CommitError(
            f"The commit is on a detached head of {found.top}: `git push REMOTE HEAD:BRANCH` publishes it."
        )
    try:
        with Repository.of(found) as repo:
            remote, ref = _upstream(repo, branch)
            if not remote or not ref:
                known = repo.plumbing("remote").split()
                command = shlex.join(["git", "push", "--set-upstream", *(known[:1] or ["REMOTE"]), branch])
                raise CommitError(f"Branch {branch} has no upstream to be pushed to: `{command}` does both.")
            command = shlex.join(["git", "push", remote, f"{branch}:{ref.removeprefix('refs/heads/')}"])
            try:
                _push(repo, remote, f"refs/heads/{branch}:{ref}", environ)
            except GitError as error:
                raise CommitError(
                    f"Branch {branch} was not pushed to {remote}: {_why(error)}: `{command}` shows it again; {later}."
                ) from error
    except GitError as error:
        raise CommitError(f"Branch {branch} was not pushed: {error.sentence.rstrip('.')}: {later}.") from error


def _upstream(repo: Repository, branch: str) -> tuple[str, str]:
    """Return remote and full ref of a branch's upstream; empty where there is none."""
    form = "--format=%(upstream:remotename)%00%(upstream:remoteref)"
    remote, _, ref = repo.plumbing("for-each-ref", form, f"refs/heads/{branch}").strip("\n").partition("\0")
    return remote, ref


def _push(repo: Repository, remote: str, refspec: str, environ: Mapping[str, str]) -> None:
    own = environ.get("GIT_SSH_COMMAND") or environ.get("GIT_SSH")
    own = own or repo.plumbing("config", "core.sshCommand", check=False).strip()
    env = _SILENT if own else _SILENT | _SILENT_SSH
    command = ("push", "--no-follow-tags", remote, refspec)
    repo.start(*command, env=env, settings=_NO_QUESTIONS, hooks=True).result(timeout_s=LIMIT_S)


def _why(error: GitError) -> str:
    """Return what git said in one line, without credentials."""
    if error.status is None:
        return f"it took more than {LIMIT_S:.0f} s"
    said = [line.strip() for line in error.stderr.splitlines() if line.strip()]
    told = [line for line in said if line.startswith(("! [", "fatal:", "ERROR:"))]
    told = told or [line for line in said if not line.startswith(("hint:", "To "))]
    reason = (told or ["git said nothing"])[0].removeprefix("fatal:").strip("! .:")
    return _CREDENTIALS.sub("", reason)
