"""Git in one repository, whatever the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.demo import git_cli


def test_the_environment_does_not_lead_to_another_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = GitRepo.with_history(tmp_path / "theirs"), GitRepo.with_history(tmp_path / "ours")
    ours.commit("second")
    monkeypatch.setenv("GIT_DIR", str(theirs.path / ".git"))
    assert git_cli.run(ours.path, "rev-list", "--count", "HEAD") == "2"


def test_a_command_that_fails_says_what_git_said(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "ours")
    with pytest.raises(git_cli.GitFailed, match=r"git checkout: .*no-such-branch"):
        git_cli.run(repo.path, "checkout", "no-such-branch")
    assert "no-such-branch" not in git_cli.run(repo.path, "checkout", "no-such-branch", check=False)
