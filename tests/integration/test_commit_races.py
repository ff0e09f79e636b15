"""Commits at the same moment, and recorders killed on the way: each run once, nothing lost, nothing staged, no lock."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from commit_checks import (
    MESSAGE,
    TRACKED,
    a_run,
    assert_nothing_is_left,
    assert_only_the_run_is_committed,
    assert_the_index_agrees,
)
from git_repos import GitRepo
from runwatch.errors import CommitError
from runwatch.finalize import commit as commit_module
from runwatch.finalize.commit import CommitOptions, commit_run
from runwatch.finalize.index_lock import IndexLock
from runwatch.finalize.ref_update import RefUpdate
from runwatch.vcs import Repository, Running

PATIENT = CommitOptions(patience_s=60.0)
RECORDERS = 8
RUNS_EACH = int(os.environ.get("COMMIT_RACE_RUNS", "4"))
"""So many runs each of the recorders commits: four take seconds, COMMIT_RACE_RUNS=20 is the full proof."""

RECORDER = """
import sys
from pathlib import Path
from runwatch.finalize.commit import CommitOptions, commit_run
print("ready", flush=True)
sys.stdin.readline()
for run in map(Path, sys.argv[2:]):
    message = f"runwatch: f/{run.name} completed\\n\\nRunwatch-Run: f/{run.name}\\n"
    commit_run(run, sys.argv[1].split(","), message, CommitOptions(patience_s=60.0))
"""

USER = """
import subprocess, sys
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[1])):
    with open(f"mine_{number}", "w") as file:
        file.write(f"{number}\\n")
    for command in (["git", "add", f"mine_{number}"], ["git", "commit", "-qm", f"mine {number}"]):
        while True:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0:
                break
            if "index.lock" not in done.stderr:  # a lock for an instant is the price; anything else is a spoiled commit
                sys.exit(f"{command}: {done.stderr}")
"""


def started(program: str, *args: str, cwd: Path) -> subprocess.Popen[str]:
    """Start a Python program and wait until it says that it is ready; it goes on when told."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen(
        [sys.executable, "-c", program, *args],
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def let_go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()


def ended_well(child: subprocess.Popen[str]) -> None:
    _, err = child.communicate(timeout=120)
    assert (child.returncode, err) == (0, "")


def test_recorders_and_a_user_who_commits_all_the_time_lose_nothing(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    runs = [a_run(repo, f"r{number}") for number in range(RECORDERS * RUNS_EACH)]
    share = [list(map(str, runs[start::RECORDERS])) for start in range(RECORDERS)]
    children = [started(RECORDER, ",".join(TRACKED), *names, cwd=tmp_path) for names in share]
    children.append(started(USER, "25", cwd=tmp_path))
    for child in children:
        let_go(child)
    for child in children:
        ended_well(child)
    subjects = repo.git("log", "--format=%s").splitlines()
    assert sorted(subjects) == sorted(
        ["first", *(f"runwatch: f/{run.name} completed" for run in runs), *(f"mine {number}" for number in range(25))]
    )
    for sha, subject in (line.split(" ", 1) for line in repo.git("log", "--format=%H %s").splitlines()):
        if subject.startswith("runwatch: "):
            assert_only_the_run_is_committed(repo, sha, subject.split()[1].removeprefix("f/"))
        elif subject.startswith("mine"):
            assert repo.git("show", "--format=", "--name-status", sha).split() == ["A", subject.replace(" ", "_")]
    for run in runs:
        assert_the_index_agrees(repo, run.name)
    assert repo.git("status", "--porcelain") == ""
    assert_nothing_is_left(repo)


LAST_MOMENT = {
    "staging": (("git", "add", "late"),),
    "committing": (("git", "add", "late"), ("git", "commit", "-qm", "late")),
    "committing beside the index": (("git", "commit", "-q", "--allow-empty", "-m", "late"),),
    "switching branches": (("git", "checkout", "-q", "-b", "late"),),
    "switching beside the index": (("git", "branch", "late"), ("git", "symbolic-ref", "HEAD", "refs/heads/late")),
    "moving the branch": (("git", "update-ref", "refs/heads/main", "late-tag"),),
    "refreshing the index": (("touch", "README"), ("git", "update-index", "--refresh")),
}


INDEX_ALONE = ("staging", "refreshing the index")
"""What can still come between our lock of the branch and that of the index."""


@pytest.mark.parametrize(
    ("act", "moment"),
    [*((act, "RefUpdate.prepare") for act in LAST_MOMENT), *((act, "IndexLock.take") for act in INDEX_ALONE)],
)
def test_what_the_user_does_at_the_last_moment_is_kept(
    tmp_path: Path, act: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("tag", "late-tag", repo.git("commit-tree", "-p", "HEAD", "-m", "late", "HEAD^{tree}").strip())
    repo.write("late", "the user's\n")
    run = a_run(repo)
    waiting = list(LAST_MOMENT[act])
    expected: list[dict[str, object]] = []
    owner: type[IndexLock | RefUpdate] = {"IndexLock": IndexLock, "RefUpdate": RefUpdate}[moment.partition(".")[0]]
    original = getattr(owner, moment.partition(".")[2])

    def late(ours: IndexLock | RefUpdate) -> None:
        while waiting:
            subprocess.run(waiting.pop(0), cwd=tmp_path, check=True)
            expected[:] = [repo.state()]
        original(ours)

    monkeypatch.setattr(owner, moment.partition(".")[2], late)
    result = commit_run(run, TRACKED, MESSAGE, PATIENT)
    assert result is not None
    assert_only_the_run_is_committed(repo, result.sha)
    assert [repo.state()] == expected
    assert_the_index_agrees(repo)
    assert result.branch == repo.git("branch", "--show-current").strip()
    assert repo.git("merge-base", "--is-ancestor", result.sha, "HEAD") == ""
    assert ("late" in repo.git("log", "--format=%s").split()) == (act in MOVING)
    assert_nothing_is_left(repo)


MOVING = ("committing", "committing beside the index", "moving the branch")
"""After which the run's commit needs another parent."""


@pytest.mark.parametrize("act", [None, *LAST_MOMENT])
def test_what_changed_is_made_anew_under_the_lock_where_tries_came_too_late_and_nothing_else_is_done_there(
    tmp_path: Path, act: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("tag", "late-tag", repo.git("commit-tree", "-p", "HEAD", "-m", "late", "HEAD^{tree}").strip())
    repo.write("late", "the user's\n")
    run, waiting, started_under_lock = a_run(repo), list(LAST_MOMENT[act] if act else ()), list[str]()
    take, start, lock = IndexLock.take, Repository.start, repo.path / ".git/index.lock"
    before = [repo.state()]

    def late(ours: IndexLock) -> None:
        while waiting:
            subprocess.run(waiting.pop(0), cwd=tmp_path, check=True)
            before[:] = [repo.state()]
        take(ours)

    def noted(ours: Repository, *args: str, **options: Any) -> Running:
        if lock.exists():
            started_under_lock.append(args[0])
        return start(ours, *args, **options)

    monkeypatch.setattr(IndexLock, "take", late)
    monkeypatch.setattr(Repository, "start", noted)
    monkeypatch.setattr(commit_module, "_PATIENT_TRIES", 0)
    result = commit_run(run, TRACKED, MESSAGE, CommitOptions(patience_s=0.0))  # no second try
    assert result is not None
    assert started_under_lock == [*(["update-index"] if act else []), *(["commit-tree"] if act in MOVING else [])]
    assert_only_the_run_is_committed(repo, result.sha)
    assert [repo.state()] == before
    assert_the_index_agrees(repo)
    assert result.branch == repo.git("branch", "--show-current").strip()
    assert_nothing_is_left(repo)


def test_who_had_begun_to_commit_before_the_lock_was_taken_ends_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.with_history(tmp_path)
    run, take = a_run(repo), IndexLock.take
    monkeypatch.setattr(commit_module, "_PATIENT_TRIES", 0)
    with ExitStack() as ending:

        def beside(ours: IndexLock) -> None:
            words = ("sh", "-c", "echo up; read x", "sh", str(repo.path / ".git/COMMIT_EDITMSG"))
            child = ending.enter_context(subprocess.Popen(words, stdin=-1, stdout=-1))
            assert child.stdout is not None
            assert child.stdout.readline() == b"up\n"
            take(ours)

        monkeypatch.setattr(IndexLock, "take", beside)
        with pytest.raises(CommitError, match=r"a `git commit` \(process \d+\) is under way"):
            commit_run(run, TRACKED, MESSAGE, CommitOptions(patience_s=0.0))
        assert_nothing_is_left(repo)
    assert repo.git("log", "--format=%s").split() == ["first"]


ANEW = "finalize.commit._PATIENT_TRIES = 0; finalize.index_lock.IndexLock.fresh = property(lambda lock: False)"
"""Has the index made anew under its lock, as after tries that came too late."""

KILLED_AT = {
    "before anything": "finalize.commit.Job.attempt = die",
    "when the index is copied": "finalize.commit_objects.Objects.trees = die",
    "when the objects are stored": "finalize.index_lock.IndexLock.finish = die",
    "when the index is prepared": "finalize.ref_update.RefUpdate.prepare = die",
    "when the branch is locked": "finalize.index_lock.IndexLock.take = die",
    "when the index is locked": "finalize.ref_update.RefUpdate.land = die",
    "when the branch has moved": "finalize.index_lock.IndexLock.install = die",
    "when the index is in place": "finalize.index_lock.IndexLock.release = die",
    "when the lock holds what came too late": f"{ANEW}; finalize.index_lock.IndexLock.renew = die",
    "when it is made anew under the lock": f"{ANEW}; finalize.index_lock.IndexLock._fill = die",
    "when it was made anew under the lock": f"{ANEW}; finalize.ref_update.RefUpdate.land = die",
    "when it was made anew and the branch has moved": f"{ANEW}; finalize.index_lock.IndexLock.install = die",
}

DYING = """
import os, signal
from runwatch import finalize
from runwatch.finalize import commit, commit_objects, index_lock, ref_update
def die(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("moment", "unborn"),
    [
        *((moment, False) for moment in KILLED_AT),
        ("when the index is locked", True),
        ("when the branch has moved", True),
    ],
)
def test_killed_at_any_moment_and_done_again_gives_one_commit(tmp_path: Path, moment: str, unborn: bool) -> None:
    repo = GitRepo.create(tmp_path) if unborn else GitRepo.with_history(tmp_path)
    repo.write("staged", "by the user\n")
    repo.git("add", "staged")
    before = repo.state()
    run = a_run(repo)
    child = started(f"{DYING}\n{KILLED_AT[moment]}\n{RECORDER}", ",".join(TRACKED), str(run), cwd=tmp_path)
    let_go(child)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    result = commit_run(run, TRACKED, MESSAGE, PATIENT)
    assert result is not None
    assert repo.git("rev-list", "--count", "HEAD").strip() == ("1" if unborn else "2")
    assert_only_the_run_is_committed(repo, result.sha, parents=0 if unborn else 1)
    assert repo.state() == before
    assert_the_index_agrees(repo)
    assert_nothing_is_left(repo)


def test_killed_once_the_branch_has_moved_the_next_recorder_of_another_run_puts_the_index_right(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    run, other = a_run(repo), a_run(repo, "r2")
    child = started(
        f"{DYING}\n{KILLED_AT['when the branch has moved']}\n{RECORDER}", ",".join(TRACKED), str(run), cwd=tmp_path
    )
    let_go(child)
    child.communicate(timeout=60)
    assert (repo.path / ".git/index.lock").exists()
    assert repo.git("log", "-1", "--format=%s").strip() == "runwatch: f/r1 completed"
    commit_run(other, TRACKED, MESSAGE, PATIENT)
    assert_the_index_agrees(repo)
    assert_the_index_agrees(repo, "r2")
    assert_nothing_is_left(repo)


@pytest.mark.parametrize("then", ["again", "staging", "deleting"])
def test_a_lock_that_a_person_removed_as_git_advises_leaves_no_index_that_takes_the_run_out(
    tmp_path: Path, then: str
) -> None:
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    child = started(
        f"{DYING}\n{KILLED_AT['when the branch has moved']}\n{RECORDER}", ",".join(TRACKED), str(run), cwd=tmp_path
    )
    let_go(child)
    child.communicate(timeout=60)
    (repo.path / ".git/index.lock").unlink()
    if then == "staging":
        repo.write("README", "staged\n")
        repo.git("add", "README")
    if then == "deleting":  # for good: what HEAD no longer has is nobody's to bring back
        repo.git("commit", "-qm", "without the run")
        assert repo.git("ls-tree", "-r", "--name-only", "HEAD", "--", "runs") == ""
    result = commit_run(run, TRACKED, MESSAGE, PATIENT)
    assert result is not None
    assert result.made == (then == "deleting")
    assert_the_index_agrees(repo)
    assert repo.git("diff", "--cached", "--name-only").split() == (["README"] if then == "staging" else [])
    assert_nothing_is_left(repo)


def test_a_lock_that_only_kept_others_away_never_becomes_the_index(tmp_path: Path) -> None:
    """As a recorder leaves it that was killed beside another branch, which HEAD then came to."""
    repo = GitRepo.with_history(tmp_path)
    repo.write("staged", "by the user\n")
    repo.git("add", "staged")
    left = repo.path / f".git/runwatch-index-12345678-{repo.head()}"
    left.mkdir()
    (left / "empty").touch()
    os.link(left / "empty", repo.path / ".git/index.lock")
    result = commit_run(a_run(repo), TRACKED, MESSAGE, PATIENT)
    assert result is not None
    assert repo.git("diff", "--cached", "--name-only").split() == ["staged"]
    assert_the_index_agrees(repo)
    assert_nothing_is_left(repo)


def test_a_lock_of_somebody_else_is_not_taken_for_one_that_we_left(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    child = started(
        f"{DYING}\n{KILLED_AT['when the index is locked']}\n{RECORDER}", ",".join(TRACKED), str(run), cwd=tmp_path
    )
    let_go(child)
    child.communicate(timeout=60)
    lock = repo.path / ".git/index.lock"
    lock.unlink()  # by a person, who then begins something
    lock.write_text("theirs")
    with pytest.raises(Exception, match=r"index\.lock is held"):
        commit_run(run, TRACKED, MESSAGE, CommitOptions(patience_s=0.2))
    assert lock.read_text() == "theirs"


def instants(count: int, longest_s: float) -> Iterator[float]:
    chosen = random.Random(7)
    yield from (chosen.uniform(0, longest_s) for _ in range(count))


def test_recorders_killed_at_random_beside_a_user_lose_nothing(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    runs = [a_run(repo, f"r{number}") for number in range(6)]
    for run in runs:
        commit_run(run, TRACKED, f"runwatch: f/{run.name} warm-up\n", PATIENT)
    took_s = _time_of_one(repo, runs[0])
    user = started(USER, "12", cwd=tmp_path)
    let_go(user)
    for run, instant in zip(runs, instants(len(runs), 2 * took_s), strict=True):
        (run / "summary.md").write_text("# new\n")
        child = started(RECORDER, ",".join(TRACKED), str(run), cwd=tmp_path)
        let_go(child)
        time.sleep(instant)  # the moment of the kill, not a wait for anything
        child.kill()
        child.communicate()
        commit_run(run, TRACKED, f"runwatch: f/{run.name} completed\n", PATIENT)
    ended_well(user)
    subjects = repo.git("log", "--format=%s").splitlines()
    for run in runs:
        assert subjects.count(f"runwatch: f/{run.name} completed") == 1
        assert_the_index_agrees(repo, run.name)
        assert repo.git("show", f"HEAD:runs/f/{run.name}/summary.md") == "# new\n"
    assert [subject for subject in subjects if subject.startswith("mine")] == [f"mine {n}" for n in range(11, -1, -1)]
    assert repo.git("status", "--porcelain") == ""
    assert_nothing_is_left(repo)


def _time_of_one(repo: GitRepo, run: Path) -> float:
    (run / "summary.md").write_text("# measured\n")
    start = time.monotonic()
    commit_run(run, TRACKED, "runwatch: f/r0 measured\n", PATIENT)
    return time.monotonic() - start


@pytest.mark.parametrize("moment", ["prepare", "land"])
def test_a_branch_that_somebody_checks_out_at_the_last_moment_does_not_move_under_them(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ended on main, topic was checked out; while the commit is made the user goes back to main."""
    repo = GitRepo.with_history(tmp_path)
    repo.git("checkout", "-q", "-b", "topic")
    repo.write("staged", "by the user\n")
    repo.git("add", "staged")
    run, original, tries = a_run(repo), getattr(RefUpdate, moment), 0

    def late(ours: RefUpdate) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            done = subprocess.run(["git", "checkout", "-q", "main"], cwd=tmp_path, capture_output=True, check=False)
            assert (done.returncode == 0) == (moment == "prepare"), done.stderr  # else the index is locked
        original(ours)

    monkeypatch.setattr(RefUpdate, moment, late)
    result = commit_run(run, TRACKED, MESSAGE, PATIENT, ended_on="main")
    assert result is not None
    assert result.branch == "main"
    assert_only_the_run_is_committed(repo, result.sha)
    if moment == "land":
        repo.git("checkout", "-q", "main")
    assert_the_index_agrees(repo)
    assert repo.git("diff", "--cached", "--name-only").split() == ["staged"]
    assert_nothing_is_left(repo)
