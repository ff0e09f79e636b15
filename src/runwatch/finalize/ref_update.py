"""A branch moved by compare-and-swap, by a git process that stands ready before the index is locked.

Must not retry. **Source**: git-update-ref(1), "--stdin" and its transactions.
"""

from __future__ import annotations

import os
import re
from types import TracebackType
from typing import Self

from runwatch.finalize.commit_place import NotNow, Target
from runwatch.vcs import GitError, Repository

REFUSED = re.compile(
    r"Unable to create '(?P<file>[^'\n]+)': (?P<why>Operation not permitted|Permission denied|Read-only file system)",
    re.IGNORECASE,
)
"""What git says of a lock that it may not make. **Source**: git's lockfile.c, unable_to_lock_message()."""


BROKEN = re.compile(r"unable to resolve reference '(?P<ref>[^'\n]+)': reference broken")
"""What git says of a ref that holds no object id. **Source**: git's refs/files-backend.c."""
BLOCKED = re.compile(r"'(?P<other>[^'\n]+)' exists; cannot create '(?P<ref>[^'\n]+)'")
"""What git says of a ref that would lie below another one. **Source**: git's refs.c, "refname_available"."""


class RefUpdate:
    """One update of one ref: aim(), prepare(), then land(); else it is aborted. Use it in a ``with`` statement."""

    def __init__(self, repo: Repository, reason: str) -> None:
        """Start what does it; ``reason`` is what the reflog says."""
        self._work_tree = repo.work_tree
        self._process = repo.start("update-ref", "-m", reason, "--stdin")

    def aim(self, target: Target, commit: str) -> None:
        """Say what is to move, and where to."""
        no_deref = "option no-deref\n" if target.branch is None else ""
        act = f"update {target.ref} {commit} {target.tip}" if target.tip else f"create {target.ref} {commit}"
        self._process.say(os.fsencode(f"start\n{no_deref}{act}\n"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.__exit__(kind, error, trace)  # end of input: git aborts what was not committed

    def prepare(self) -> None:
        """Lock the ref and write its new value, synced, beside it; git's own commands wait a tenth of a second for it.

        Raises NotNow where it is elsewhere by now or locked, GitError.
        """
        self._ask("prepare")

    def land(self) -> None:
        """Move the ref; all that takes time is done. Raises as prepare() does."""
        self._ask("commit")

    def _ask(self, what: str) -> None:
        self._process.say(f"{what}\n".encode())
        try:
            while self._process.line() != f"{what}: ok".encode():  # "start: ok" comes first
                pass
        except GitError as error:
            if any(lasting.search(error.stderr) for lasting in (REFUSED, BROKEN, BLOCKED)):
                raise  # no lock that goes away: trying again is of no use
            if "cannot lock ref" in error.stderr or "unable to lock" in error.stderr.lower():
                said = error.stderr.partition("\n")[0].removeprefix("fatal: ").removeprefix(f"{what}: ")
                why = f"git in {self._work_tree} says {said!r}"
                raise NotNow(why, "remove that lock if no git command is running") from None
            raise
