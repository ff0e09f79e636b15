"""Git commands through GitPython: whose repository they see, what they leave alone, how they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from git_repos import GitRepo
from runwatch.vcs import Found, GitError, Repository, environment, find_repository, is_ignored


def test_variables_that_name_another_repository_are_not_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = GitRepo.with_history(tmp_path / "mine")
    other = GitRepo.with_history(tmp_path / "other")
    other.write("more", "x\n")
    other.commit("more")
    head = repo.head()
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git/index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git/objects"))
    with Repository(repo.path) as opened:
        assert opened.plumbing("rev-parse", "HEAD").strip() == head
        assert opened.plumbing("rev-parse", "--show-toplevel").strip() == str(repo.path)
        assert not opened.snapshot().dirty
    assert os.environ["GIT_DIR"] == str(other.path / ".git")


def test_looking_runs_no_monitor_and_no_hook_and_takes_no_lock(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    trace = tmp_path / "ran"
    hook = repo.write(".git/hooks/any", f"#!/bin/sh\necho $0 >> {trace}\n")
    hook.chmod(0o755)
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (repo.path / ".git/hooks" / name).symlink_to("any")
    repo.git("config", "core.fsmonitor", str(hook))
    repo.write("README", "edited\n")
    os.utime(repo.path / "src/a.py", (1, 1))
    (repo.path / ".git/index.lock").touch()
    index = (repo.path / ".git/index").read_bytes()
    with Repository(repo.path) as opened:
        assert opened.snapshot().dirty
        assert [file.path for file in opened.changed_files()] == ["README"]
    assert not trace.exists()
    assert (repo.path / ".git/index").read_bytes() == index


def test_no_process_is_left_behind(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    before = set(psutil.Process().children(recursive=True))
    with Repository(repo.path) as opened:
        opened.snapshot()
        opened.changed_files()
    assert set(psutil.Process().children(recursive=True)) - before == set()


def test_a_failing_command_says_which_and_why(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    with Repository(repo.path) as opened:
        with pytest.raises(
            GitError, match=r"git cat-file in .* failed \(128\): fatal: Not a valid object name nothing"
        ):
            opened.plumbing("cat-file", "-p", "nothing")
        assert opened.plumbing("cat-file", "-p", "nothing", check=False) == ""


def test_input_and_output_keep_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    with Repository(repo.path) as opened:
        blob = opened.plumbing("hash-object", "-w", "--stdin", input=b"\xff\x00caf\xe9").strip()
        assert os.fsencode(opened.plumbing("cat-file", "blob", blob)) == b"\xff\x00caf\xe9"


def test_a_repository_of_another_user_is_refused_with_git_s_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.with_history(tmp_path)
    monkeypatch.setattr(environment, "FIXED", environment.FIXED | {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    monkeypatch.setattr("runwatch.vcs.repository.FIXED", environment.FIXED)
    with Repository(repo.path) as opened, pytest.raises(GitError, match="dubious ownership"):
        opened.snapshot()


def test_without_a_git_program_opening_or_asking_fails_with_a_sentence(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    program = (
        "import sys; from pathlib import Path; from runwatch.vcs import GitError, Repository\n"
        "try:\n"
        "    with Repository(Path(sys.argv[1])) as repo: repo.snapshot()\n"
        "except GitError as error: print('said:', error)\n"
    )
    env = os.environ | {"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program, str(repo.path)], env=env, capture_output=True, text=True)
    assert done.stdout.startswith("said: "), done.stderr


def test_ignore_rules_are_answered_as_git_answers_them(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.write(".gitignore", "*.log\n")
    found = find_repository(repo.path)
    assert found is not None
    assert is_ignored(found, repo.path / "a.log")
    assert not is_ignored(found, repo.path / "a.txt")
    assert not is_ignored(found, repo.path / "-q")
    gone = Found(top=tmp_path / "src", git_dir=tmp_path / "src/.git")
    assert not is_ignored(gone, tmp_path / "src/a.log")  # no repository: git cannot say


def test_importing_vcs_does_not_import_gitpython() -> None:
    program = "import sys, runwatch.vcs; sys.exit('git' in sys.modules)"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", program], env=env).returncode == 0
