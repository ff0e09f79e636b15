"""The repository's own commit hooks, where `[commit] hooks` asks for them: before and after a run's commit.

Must not let a hook change what is committed: that is the run's files as they lie on disk when the hooks are through.
No lock is held meanwhile; hooks take their time. Source: githooks(5).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runwatch.finalize.commit_objects import Objects, holds
from runwatch.finalize.commit_place import Place
from runwatch.journal.atomic import FILE_MODE
from runwatch.vcs import GitError, Repository
from runwatch.vcs.running import GitTimeout

_INDEX = ".commit-index"
_MESSAGE = ".commit-message"
"""What the hooks are shown lies in the run directory, where only one finalizer at a time is at work."""
_OFF = "`[commit] hooks = false`"


LIMIT_S = 30.0
"""So long all hooks before a commit may take, and so long those behind it: one may hang, and the end waits."""


def ask(repo: Repository, place: Place, tip: str | None, text: str) -> str:
    """Run pre-commit, prepare-commit-msg and commit-msg as `git commit` would; return the message they leave.

    pre-commit sees an index that is the last commit with the run's files put in, as with `git commit --only`; none of
    them is asked about a commit that is there already. Raises CommitError where one refuses or hangs, GitError,
    OSError.
    """
    with Objects(repo, place) as objects:
        objects.start()
        trees, blobs = objects.trees(tip), objects.blobs()
        if tip is not None and holds(trees[-1], blobs):
            return text
        tree = objects.add(trees, blobs)
    with _shown(place.root / _INDEX, place.root / _MESSAGE, text) as (index, message):
        env = {"GIT_INDEX_FILE": str(index)}
        repo.plumbing("read-tree", tree, env=env)
        deadline = time.monotonic() + LIMIT_S
        for name, *args in (
            ("pre-commit",),
            ("prepare-commit-msg", str(message), "message"),
            ("commit-msg", str(message)),
        ):
            _run(repo, place, env, name, *args, deadline=deadline)
        said = message.read_text("utf-8", "surrogateescape").strip()
    if not said:
        raise place.refuse("a commit hook left the message empty", f"mend it or set {_OFF}")
    return f"{said}\n"


def tell(repo: Repository) -> None:
    """Run post-commit; what becomes of it changes nothing, as with `git commit`."""
    try:
        repo.start("hook", "run", "--ignore-missing", "post-commit", hooks=True).result(check=False, timeout_s=LIMIT_S)
    except GitError:
        pass  # it hung: the commit is made


@contextmanager
def _shown(index: Path, message: Path, text: str) -> Iterator[tuple[Path, Path]]:
    lock = index.with_name(f"{index.name}.lock")
    try:
        for path in (index, lock, message):
            path.unlink(missing_ok=True)  # of one that was killed
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(message, flags, FILE_MODE), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        yield index, message
    finally:
        for path in (index, lock, message):
            path.unlink(missing_ok=True)


def _run(repo: Repository, place: Place, env: Mapping[str, str], name: str, *args: str, deadline: float) -> None:
    hook = repo.start("hook", "run", "--ignore-missing", name, "--", *args, env=env, hooks=True)
    try:
        hook.result(timeout_s=max(0.0, deadline - time.monotonic()))
    except GitTimeout as error:
        why = f"the commit hooks took more than {LIMIT_S:.0f} s, at last {name}"
        raise place.refuse(why, f"mend what hangs or set {_OFF}") from error
    except GitError as error:
        said = error.stderr.strip().rpartition("\n")[2]
        why = f"the {name} hook refused the commit" + (f" ({said})" if said else "")
        raise place.refuse(why, f"mend what it found or set {_OFF}") from error
