"""A recorder killed before every single thing it does to the disk on the way to a commit, and finalizing again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commit_checks import MESSAGE, TRACKED, a_run, assert_nothing_is_left, assert_only_the_run_is_committed
from git_repos import GitRepo
from runwatch.finalize.commit import CommitOptions, commit_run

PATIENT = CommitOptions(patience_s=30.0)

SERVER = """
import errno, os, signal, sys
from pathlib import Path
from runwatch.finalize import commit as commit_module
from runwatch.finalize.commit import CommitOptions, commit_run
from runwatch.finalize.index_lock import IndexLock
TOUCHING = ("os.link", "os.rename", "os.remove", "os.utime", "open", "subprocess.Popen", "os.mkdir", "fcntl.lockf")

def below(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]

def die(whole):
    if whole:  # as when a container is stopped: no git process of ours lives to tidy up
        for pid in below(os.getpid()):
            os.kill(pid, signal.SIGSTOP)
        for pid in below(os.getpid()):
            os.kill(pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)

def killing(instant, whole):
    left = instant
    def count(event, arguments):
        nonlocal left
        if event in TOUCHING and not str(arguments[0] if arguments else "").startswith(("/proc", "/sys")):
            left -= 1
            if left == -1:
                die(whole)
    sys.addaudithook(count)

def refuse(*arguments, **options):
    raise PermissionError(errno.EPERM, "no links here")

def commit(run):
    message = "runwatch: f/r1 completed\\n\\nRunwatch-Run: f/r1\\n"
    commit_run(Path(run), sys.argv[2].split(","), message, CommitOptions(patience_s=30.0))

commit(sys.argv[1])  # what is imported late is imported now
print("ready", flush=True)
for line in sys.stdin:
    instant, how, whole, run = line.rstrip("\\n").split(" ", 3)
    child = os.fork()
    if not child:
        if how == "without-links":
            os.link = refuse
        if how == "made-anew":
            commit_module._PATIENT_TRIES = 0
            IndexLock.fresh = property(lambda lock: False)
        killing(int(instant), whole == "whole")
        commit(run)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else f"ended {os.WEXITSTATUS(status)}", flush=True)
"""


class Server:
    """A process that forks recorders and kills them; starting Python for each of a hundred would take minutes."""

    def __init__(self, warm: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(warm), ",".join(TRACKED)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == "ready"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def killed(self, run: Path, instant: int, *, how: str, whole: bool) -> bool:
        """Let a recorder commit and kill it before its ``instant``-th act; False where it had fewer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{instant} {how} {'whole' if whole else 'alone'} {run}\n")
        self._process.stdin.flush()
        answer = self._answer()
        assert answer in ("killed", "ended 0")
        return answer == "killed"

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The forking process, warm."""
    made = Server(a_run(GitRepo.with_history(tmp_path / "warm")))
    yield made
    made.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="children are found in Linux's /proc")
@pytest.mark.parametrize(
    ("how", "whole"),
    [("plainly", False), ("plainly", True), ("without-links", False), ("made-anew", True)],
    ids=["alone", "all at once", "without links", "index made anew under its lock"],
)
def test_killed_before_any_act_and_finalized_again_there_is_one_commit_and_nothing_left(
    tmp_path: Path, server: Server, how: str, whole: bool
) -> None:
    template = GitRepo.with_history(tmp_path / "template")
    template.write("staged", "by the user\n")
    template.git("add", "staged")
    shutil.rmtree(template.path / ".git/hooks")
    a_run(template)
    instants = 0
    while True:
        repo = GitRepo(tmp_path / f"r{instants}")
        shutil.copytree(template.path, repo.path)
        repo.git("update-index", "-q", "--refresh")  # the copies have times of their own
        run = repo.path / "runs/f/r1"
        if not server.killed(run, instants, how=how, whole=whole):
            break
        if how == "without-links":
            _take_away_what_nobody_can_know(repo)
        result = commit_run(run, TRACKED, MESSAGE, PATIENT)
        assert result is not None, instants
        assert repo.git("log", "--format=%s").splitlines() == ["runwatch: f/r1 completed", "first"], instants
        assert repo.git("status", "--porcelain").splitlines() == ["A  staged"], instants
        assert_nothing_is_left(repo)
        if instants % 8 == 0:
            assert_only_the_run_is_committed(repo, result.sha)
            subprocess.run(["git", "fsck", "--strict"], cwd=repo.path, check=True, capture_output=True)
        shutil.rmtree(repo.path)
        instants += 1
    assert instants > 10


def _take_away_what_nobody_can_know(repo: GitRepo) -> None:
    """The price of a file system without links, which a person pays: an empty lock of the index (index_lock)."""
    lock = repo.path / ".git/index.lock"
    if lock.exists() and not lock.read_bytes():
        lock.unlink()
