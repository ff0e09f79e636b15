"""Whether a `git commit` of the user's is under way: in its editor, in a hook that takes its time, or around us.

Must not touch the processes. A branch that moves meanwhile makes such a commit fail after its message was written.
Linux only: elsewhere nobody is ever seen.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from runwatch.vcs import find_repository, is_git_dir

_PROC = "/proc"
_VALUED = frozenset({b"-C", b"-c", b"--git-dir", b"--work-tree", b"--namespace", b"--exec-path", b"--super-prefix"})
"""Options of git itself that take the next word as their value. Source: git(1)."""
_MOST_ABOVE = 64
"""So many ancestors are looked at."""
_LOOK_S = 0.002
"""So often is looked whether a process is gone, where the system does not tell."""


def find_commit(work_tree: Path, git_dir: Path, known: set[int], *, within: Iterable[int] = ()) -> int | None:
    """Return the pid of a process that commits in a work tree, None where there is none; see find_commits."""
    return next(find_commits(work_tree, git_dir, known, within=within), None)


def find_commits(work_tree: Path, git_dir: Path, known: set[int], *, within: Iterable[int] = ()) -> Iterator[int]:
    """Yield the pids of the processes that commit in a work tree.

    Pids in ``known`` were looked at just before and are passed over; those looked at now are added to it. So are the
    ancestors of this process and of those ``within``: they wait for us, see `commit_around`.
    """
    try:
        pids = [int(name) for name in os.listdir(_PROC) if name.isdigit()]
    except OSError:
        return
    if os.getpid() not in known:
        known.update(pid for pid, _ in _above(within))
    message = os.fsencode(git_dir / "COMMIT_EDITMSG")
    for pid in pids:
        if pid in known:
            continue
        words = _words(pid)
        if words is None:  # it ended meanwhile
            continue
        if message in words or (_is_commit(words) and _is_in(pid, words, work_tree, git_dir)):
            yield pid
        elif words != [
            b""
        ]:  # one that has not come to its exec yet shows its parent's words: only a kernel thread none
            known.add(pid)


def outlasting(pids: Iterable[int], patience_s: float) -> int | None:
    """Wait until processes have ended; return one that has not after ``patience_s``, None where all have."""
    deadline = time.monotonic() + patience_s
    return next((pid for pid in pids if not _ends(pid, deadline)), None)


def _ends(pid: int, deadline: float) -> bool:
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):  # an old Linux, or no descriptor left
        while (there := _words(pid)) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        return not there
    try:
        ended = select.poll()
        ended.register(fd, select.POLLIN)
        return bool(ended.poll(max(0.0, deadline - time.monotonic()) * 1e3))
    finally:
        os.close(fd)


def commit_around(work_tree: Path, git_dir: Path, *, within: Iterable[int] = ()) -> int | None:
    """Return the pid of a `git commit` in a work tree that waits for this process, or for one of those ``within``.

    Such as one whose hook records a run. Behind its own commit, in a post-commit hook, it waits no more.
    """
    below: list[bytes] = []
    for pid, words in _above(within):
        if _is_commit(words) and _is_in(pid, words, work_tree, git_dir) and not _is_through(below):
            return pid
        below = words
    return None


def _above(within: Iterable[int]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield pid and words of this process, of those given, and of the ancestors of each."""
    for pid in (os.getpid(), *within):
        for _ in range(_MOST_ABOVE):
            words = _words(pid)
            if words is None or pid <= 1:
                break
            yield pid, words
            pid = _parent(pid)


def _is_through(hook: list[bytes]) -> bool:
    """Whether a process that git started, told by its words, is a hook that comes behind what git does."""
    return any(word.rpartition(b"/")[2].startswith(b"post-") for word in hook[:3])


def _words(pid: int) -> list[bytes] | None:
    try:
        with open(f"{_PROC}/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return None


def _parent(pid: int) -> int:
    try:
        with open(f"{_PROC}/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


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


def _is_in(pid: int, words: list[bytes], work_tree: Path, git_dir: Path) -> bool:
    """Whether a git process works on a work tree's own git folder; git goes to the top of what it works on."""
    try:
        where = os.readlink(f"{_PROC}/{pid}/cwd")
    except OSError:
        return False
    named = _named(pid, words)
    if named is not None:
        folder = Path(os.path.realpath(os.path.join(where, os.fsdecode(named))))
        if is_git_dir(folder):  # else it was named as seen from where that process was before
            return folder == git_dir
    if where != str(work_tree) and not where.startswith(f"{work_tree}{os.sep}"):
        return False
    found = find_repository(Path(where))  # not that of a submodule, or another one in a folder of it
    return named is not None or found is None or found.git_dir == git_dir


def _named(pid: int, words: list[bytes]) -> bytes | None:
    """Return the git folder that a git process was given; None where it looked for one."""
    for number, word in enumerate(words):
        if word == b"--git-dir":
            return b"".join(words[number + 1 : number + 2])
        if word.startswith(b"--git-dir="):
            return word.partition(b"=")[2]
        if number and not word.startswith(b"-") and words[number - 1] not in _VALUED:
            break  # the command: what follows is its own
    try:
        with open(f"{_PROC}/{pid}/environ", "rb") as file:
            found = [each for each in file.read().split(b"\0") if each.startswith(b"GIT_DIR=")]
    except OSError:
        return None
    return found[0].partition(b"=")[2] or None if found else None
