"""Whether somebody's `git commit` is waiting: in its editor, or in a hook that takes its time.

Must not touch the processes. A branch that moves meanwhile makes such a commit fail after its message was written.
Linux only: elsewhere nobody is ever seen.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = "/proc"
_VALUED = frozenset({b"-C", b"-c", b"--git-dir", b"--work-tree", b"--namespace", b"--exec-path", b"--super-prefix"})
"""Options of git itself that take the next word as their value. Source: git(1)."""


def find_commit(work_tree: Path, git_dir: Path, known: set[int]) -> int | None:
    """Return the pid of a process that commits in a work tree, None where there is none.

    Pids in ``known`` were looked at just before and are passed over; those looked at now are added to it.
    """
    message = os.fsencode(git_dir / "COMMIT_EDITMSG")
    try:
        pids = [int(name) for name in os.listdir(_PROC) if name.isdigit()]
    except OSError:
        return None
    for pid in pids:
        if pid in known:
            continue
        try:
            with open(f"{_PROC}/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        if message in words or (_is_commit(words) and _is_in(pid, work_tree)):
            return pid
        if words != [b""]:  # one that has not come to its exec yet shows its parent's words: only a kernel thread none
            known.add(pid)
    return None


def _is_commit(words: list[bytes]) -> bool:
    program = words[0].rpartition(b"/")[2]
    if program == b"git-commit":
        return True
    if program != b"git":
        return False
    rest = iter(words[1:])
    for word in rest:
        if word in _VALUED:
            next(rest, None)
        elif not word.startswith(b"-"):
            return word == b"commit"
    return False


def _is_in(pid: int, work_tree: Path) -> bool:
    """Whether a process works in a work tree; git goes to the top of it."""
    try:
        where = os.readlink(f"{_PROC}/{pid}/cwd")
    except OSError:
        return False
    return where == str(work_tree) or where.startswith(f"{work_tree}{os.sep}")
