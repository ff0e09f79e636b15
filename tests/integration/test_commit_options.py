"""`[commit]` push, hooks and sign: each does what it says, on real remotes, hooks and keys."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
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
from integration.dead_runs import dead_run
from runwatch.errors import CommitError
from runwatch.finalize import commit_hooks, commit_push, stages
from runwatch.finalize.commit import CommitOptions, CommitResult, commit_run
from runwatch.finalize.publish import closing_lines
from runwatch.finalize.state import FinalizeState
from runwatch.journal.paths import RunPaths
from runwatch.settings import Settings
from runwatch.settings.groups import Commit

HOOKS = CommitOptions(hooks=True, patience_s=0.3)
PUSH = Commit(push=True)


def commit(run: Path, options: CommitOptions) -> CommitResult:
    result = commit_run(run, TRACKED, MESSAGE, options)
    assert result is not None
    return result


def a_dead_run(repo: GitRepo, name: str = "f/r1") -> Path:
    git = {"branch": "main", "head": "0" * 40}
    return dead_run(repo.path / "runs", name, cwd=str(repo.path), git=git)


def finalized(run: Path, settings: Commit = PUSH) -> FinalizeState:
    return stages.run(run, Settings(commit=settings))


# ---- push ----


@pytest.fixture
def remote(tmp_path: Path) -> GitRepo:
    """A bare repository to push to."""
    return GitRepo.create(tmp_path / "remote.git", "--bare")


@pytest.fixture
def repo(tmp_path: Path, remote: GitRepo) -> GitRepo:
    """A repository whose branch main was pushed to the remote, as the branch `shared` there."""
    made = GitRepo.with_history(tmp_path / "r")
    made.git("remote", "add", "up", str(remote.path))
    made.git("push", "-q", "up", "main:shared")
    made.git("branch", "-q", "--set-upstream-to=up/shared")
    return made


def pushed(remote: GitRepo, branch: str = "shared") -> str:
    return remote.git("rev-parse", "--verify", "-q", f"refs/heads/{branch}", check=False).strip()


def push_line(run: Path) -> str:
    return next((line for line in closing_lines(RunPaths(run)) if line.startswith("runwatch: push ")), "")


def test_the_branch_is_pushed_to_its_upstream_where_that_is_asked_for(repo: GitRepo, remote: GitRepo) -> None:
    before = pushed(remote)
    run = a_dead_run(repo)
    state = finalized(run, Commit())
    assert (pushed(remote), "push" in state.stages) == (before, False)
    state = finalized(run)
    assert state.commit is not None
    assert pushed(remote) == state.commit.sha == repo.head()
    assert repo.git("status", "-sb").splitlines()[0] == "## main...up/shared"
    assert (state.complete, state.stages["push"].done, push_line(run)) == (True, True, "")


def test_a_push_that_is_refused_is_told_and_made_later(repo: GitRepo, remote: GitRepo, tmp_path: Path) -> None:
    clone = GitRepo(tmp_path / "clone")
    subprocess.run(["git", "clone", "-q", "-b", "shared", str(remote.path), str(clone.path)], check=True)
    clone.write("theirs", "x\n")
    theirs = clone.commit("theirs")
    clone.git("push", "-q")
    run = a_dead_run(repo)
    state = finalized(run)
    assert state.complete
    assert state.commit is not None
    assert pushed(remote) == theirs
    line = push_line(run)
    assert "Branch main was not pushed to up: [rejected] main -> shared (fetch first)" in line
    assert "`git push up main:shared` shows it again; `runwatch finalize r1` pushes it later" in line
    repo.git("pull", "-q", "--no-rebase", "--no-edit")
    again = finalized(run)
    assert again.commit == state.commit
    assert pushed(remote) == repo.head()
    assert push_line(run) == ""
    assert repo.git("log", "--format=%s").splitlines().count("runwatch: f/r1 crashed") == 1


def test_a_branch_without_an_upstream_is_told_how_to_get_one(tmp_path: Path, remote: GitRepo) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    repo.git("remote", "add", "up", str(remote.path))
    run = a_dead_run(repo)
    assert finalized(run).complete
    assert "has no upstream to be pushed to: `git push --set-upstream up main` does both" in push_line(run)
    repo.git("push", "-q", "--set-upstream", "up", "main")
    assert finalized(run).stages["push"].done


def test_a_remote_that_is_gone_is_told_in_git_s_words(repo: GitRepo, remote: GitRepo) -> None:
    shutil.rmtree(remote.path)
    run = a_dead_run(repo)
    assert finalized(run).complete
    assert "does not appear to be a git repository" in push_line(run)


def test_a_named_branch_is_pushed(repo: GitRepo, remote: GitRepo) -> None:
    repo.git("push", "-q", "--set-upstream", "up", "main:refs/heads/records")
    repo.git("config", "branch.records.remote", "up")
    repo.git("config", "branch.records.merge", "refs/heads/records")
    repo.git("branch", "records")
    state = finalized(a_dead_run(repo), Commit(push=True, mode="records"))
    assert state.commit is not None
    assert pushed(remote, "records") == state.commit.sha
    assert pushed(remote) != state.commit.sha


def test_a_push_runs_its_hook_and_nothing_that_it_may_not(repo: GitRepo, remote: GitRepo) -> None:
    repo.write(".git/hooks/pre-push", "#!/bin/sh\ncat >> .git/pushed\n").chmod(0o755)
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\ntouch .git/asked\n").chmod(0o755)
    repo.git("tag", "-a", "-m", "x", "a-tag")
    repo.git("config", "push.followTags", "true")
    finalized(a_dead_run(repo))
    assert (repo.path / ".git/pushed").read_text().split()[0] == "refs/heads/main"
    assert not (repo.path / ".git/asked").exists()
    assert remote.git("tag") == ""


def test_a_push_that_hangs_is_ended_with_all_it_started(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_push, "LIMIT_S", 1.0)
    started = tmp_path / "started"
    repo.git("remote", "set-url", "up", "ssh://nobody@localhost/nowhere.git")
    repo.git("config", "core.sshCommand", f"echo $$ > '{started}'; exec sleep 600; :")
    run = a_dead_run(repo)
    assert finalized(run).complete
    assert "it took more than 1 s" in push_line(run)
    assert not psutil.pid_exists(int(started.read_text())) or (
        psutil.Process(int(started.read_text())).status() == psutil.STATUS_ZOMBIE
    )


class Asking(http.server.BaseHTTPRequestHandler):
    """A remote that wants to know who is there."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def asking() -> Iterator[str]:
    """The address of a remote that asks for a password."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asking) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_nobody_is_asked_for_a_password_and_none_is_told(repo: GitRepo, asking: str) -> None:
    if not (Path(repo.git("--exec-path").strip()) / "git-remote-http").exists():
        pytest.skip("git-remote-http is not installed")
    repo.git("remote", "set-url", "up", f"http://user:hunter2@{asking}/r.git")
    run = a_dead_run(repo)
    assert finalized(run).complete
    line = push_line(run)
    assert "Authentication failed" in line or "terminal prompts disabled" in line
    assert "hunter2" not in line
    assert "hunter2" not in (run / "finalize.json").read_text()


# ---- hooks ----


def hook(repo: GitRepo, name: str, body: str) -> None:
    repo.write(f".git/hooks/{name}", f"#!/bin/sh\n{body}\n").chmod(0o755)


def test_the_commit_hooks_run_in_git_s_order_and_see_what_git_would_show_them(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    repo.write("README", "staged by the user\n")
    repo.git("add", "README")
    before = repo.state()
    seen = repo.path / ".git/seen"
    for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"):
        hook(repo, name, f"echo {name} $2 >> '{seen}'")
    hook(repo, "pre-commit", f"echo pre-commit >> '{seen}'; git diff --cached --name-only HEAD >> '{seen}'")
    hook(repo, "commit-msg", f"echo commit-msg >> '{seen}'; echo 'Change-Id: I1' >> \"$1\"")
    hook(repo, "post-commit", f"echo post-commit >> '{seen}'; git log -1 --format=%s >> '{seen}'; exit 3")
    for name in ("reference-transaction", "post-index-change"):
        hook(repo, name, f"echo {name} >> '{seen}'; exit 1")
    run = a_run(repo)
    result = commit(run, HOOKS)
    assert seen.read_text().splitlines() == [
        "pre-commit",
        *sorted(f"runs/f/r1/{name}" for name in TRACKED),
        "prepare-commit-msg message",
        "commit-msg",
        "post-commit",
        "runwatch: f/r1 completed",
    ]
    assert repo.git("log", "-1", "--format=%(trailers:only)").split("\n")[:2] == ["Runwatch-Run: f/r1", "Change-Id: I1"]
    assert_only_the_run_is_committed(repo, result.sha)
    assert repo.state() == before
    assert_the_index_agrees(repo)
    assert not list(run.glob(".commit-*"))
    seen.unlink()
    assert not commit(run, HOOKS).made
    assert not seen.exists()


def test_a_hook_that_mends_a_summary_is_listened_to_and_one_that_adds_more_is_not(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    repo.write("other", "not the run's\n")
    hook(repo, "pre-commit", "echo mended > runs/f/r1/summary.md; git add -f other runs/f/r1/summary.md")
    result = commit(a_run(repo), HOOKS)
    assert_only_the_run_is_committed(repo, result.sha)
    assert repo.git("show", "HEAD:runs/f/r1/summary.md") == "mended\n"
    assert repo.git("status", "--porcelain") == "?? other\n"
    assert_the_index_agrees(repo)


@pytest.mark.parametrize("name", ["pre-commit", "prepare-commit-msg", "commit-msg"])
def test_a_hook_that_refuses_is_obeyed(tmp_path: Path, name: str) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    hook(repo, name, "echo first; echo the reason >&2; exit 1")
    before, head = repo.state(), repo.head()
    run = a_run(repo)
    with pytest.raises(CommitError, match=rf"the {name} hook refused the commit \(the reason\): mend .*`runwatch fin"):
        commit(run, HOOKS)
    assert (repo.state(), repo.head()) == (before, head)
    assert_nothing_is_left(repo)
    assert not list(run.glob(".commit-*"))


def test_a_hook_that_hangs_is_ended_and_holds_no_commit_back_that_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_hooks, "LIMIT_S", 1.0)
    repo = GitRepo.with_history(tmp_path / "r")
    hook(repo, "commit-msg", "echo $$ > .git/pid; exec sleep 600")
    before, head = repo.state(), repo.head()
    run = a_run(repo)
    with pytest.raises(CommitError, match=r"the commit hooks took more than 1 s, at last [a-z-]+: mend what hangs"):
        commit(run, HOOKS)
    assert (repo.state(), repo.head()) == (before, head)
    assert not list(run.glob(".commit-*"))
    hook(repo, "commit-msg", "exit 0")
    hook(repo, "post-commit", "echo $$ > .git/pid; exec sleep 600")
    assert_only_the_run_is_committed(repo, commit(run, HOOKS).sha)
    hung = int((repo.path / ".git/pid").read_text())
    while psutil.pid_exists(hung) and psutil.Process(hung).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)  # killed, and on its way


def test_hooks_are_asked_in_an_unborn_repository_too(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path / "r")
    hook(repo, "pre-commit", "touch .git/asked")
    assert_only_the_run_is_committed(repo, commit(a_run(repo), HOOKS).sha, parents=0)
    assert (repo.path / ".git/asked").exists()


def test_a_hook_that_takes_its_time_keeps_no_other_recorder_waiting(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    reached, go_on = tmp_path / "reached", tmp_path / "go-on"
    hook(repo, "pre-commit", f"touch '{reached}'; until test -e '{go_on}'; do sleep 0.02; done")
    slow, quick = a_run(repo), a_run(repo, "r2")
    thread = threading.Thread(target=commit, args=(slow, HOOKS))
    thread.start()
    try:
        while not reached.exists():
            assert thread.is_alive()
        assert commit_run(quick, TRACKED, "quick\n", CommitOptions(patience_s=0.5)) is not None
    finally:
        go_on.touch()
        thread.join()
    assert repo.git("log", "--format=%s").splitlines() == ["runwatch: f/r1 completed", "quick", "first"]


# ---- sign ----


def test_a_commit_is_signed_as_git_is_configured_to(tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    repo = GitRepo.with_history(tmp_path / "r")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"tester@example.invalid {key.with_suffix('.pub').read_text()}")
    repo.git("config", "gpg.format", "ssh")
    repo.git("config", "user.signingKey", str(key))
    repo.git("config", "gpg.ssh.allowedSignersFile", str(allowed))
    signed = commit(a_run(repo), CommitOptions(sign=True, author="A Bot <bot@example.invalid>"))
    assert repo.git("log", "-1", "--format=%G? %an", signed.sha).strip() == "G A Bot"
    unsigned = commit(a_run(repo, "r2"), CommitOptions())
    assert repo.git("log", "-1", "--format=%G?", unsigned.sha).strip() == "N"
