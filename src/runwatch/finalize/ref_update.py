"""A branch moved by compare-and-swap, by a git process that stands ready before the index is locked.

Must not retry. **Source**: git-update-ref(1), "--stdin" and its transactions.
"""

from __future__ import annotations

import os
import subprocess
from typing import Self

from runwatch.finalize.commit_place import NotNow, Target
from runwatch.vcs import GitError, Repository
from runwatch.vcs.repository import failure

_TIMEOUT_S = 60.0


class RefUpdate:
    """One update of one ref; aborted unless land() was called. Use it in a ``with`` statement."""

    def __init__(self, repo: Repository, target: Target, commit: str, reason: str) -> None:
        """``reason`` is what the reflog says."""
        self._repo = repo
        self._work_tree = repo.work_tree
        self._process = repo.spawn("update-ref", "-m", reason, "--stdin")
        no_deref = "option no-deref\n" if target.branch is None else ""
        act = f"update {target.ref} {commit} {target.tip}" if target.tip else f"create {target.ref} {commit}"
        self._send(f"start\n{no_deref}{act}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.communicate()  # end of input: git aborts what was not committed

    def land(self) -> None:
        """Move the ref. Raises NotNow where it is elsewhere by now or locked, GitError."""
        self._send("prepare\ncommit\n")
        try:
            _, err = self._process.communicate(timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise GitError(f"git update-ref in {self._work_tree} took more than {_TIMEOUT_S:.0f} s.") from None
        if self._process.returncode == 0:
            return
        said = os.fsdecode(err)
        if "cannot lock ref" in said or "unable to lock" in said.lower():
            first = said.strip().partition("\n")[0].removeprefix("fatal: ")
            raise NotNow(f"git in {self._work_tree} says {first!r}", "remove that lock if no git command is running")
        raise failure(self._work_tree, "update-ref", self._process.returncode, err)

    def _send(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(os.fsencode(text))
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended early: land() finds out why
