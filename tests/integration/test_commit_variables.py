"""What variables of git's and attributes do to a run's commit: made as the user's git would, or refused in a sentence.

`doctor` says the same before it happens.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

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
from runwatch.finalize.commit import CommitOptions, CommitResult, commit_run
from runwatch.runs.doctor import repository
from runwatch.runs.doctor.finding import Finding
from runwatch.settings import Settings

ROLES = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")


def commit(run: Path) -> CommitResult:
    result = commit_run(run, TRACKED, MESSAGE, CommitOptions(patience_s=5.0))
    assert result is not None
    return result


def doctor(repo: GitRepo) -> list[Finding]:
    return list(repository.look(repo.path / "runs", Settings()))


def faults(repo: GitRepo) -> list[str]:
    return [found.sentence for found in doctor(repo) if found.level == "fault"]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    """A repository of somebody whom git knows, with something staged."""
    for name in ROLES:
        monkeypatch.delenv(name, raising=False)
    made = GitRepo.create(tmp_path / "place")
    made.git("config", "user.name", "Ada")
    made.git("config", "user.email", "ada@example.org")
    made.write("README", "read me\n")
    made.commit("first")
    made.write("staged", "by the user\n")
    made.git("add", "staged")
    monkeypatch.chdir(made.path)
    return made


@pytest.mark.parametrize(
    ("said", "author", "committer"),
    [
        ({"GIT_AUTHOR_NAME": ""}, "Ada <ada@example.org>", "Ada <ada@example.org>"),
        ({"GIT_COMMITTER_NAME": " ."}, "Ada <ada@example.org>", "Ada <ada@example.org>"),
        ({"GIT_AUTHOR_NAME": "Bo", "GIT_COMMITTER_NAME": ""}, "Bo <ada@example.org>", "Ada <ada@example.org>"),
        ({"GIT_AUTHOR_EMAIL": "", "GIT_COMMITTER_EMAIL": ""}, "Ada <>", "Ada <>"),  # git takes that
        (dict.fromkeys(ROLES, ""), "Ada <>", "Ada <>"),
    ],
)
def test_a_name_that_git_refuses_is_passed_over(
    repo: GitRepo, said: dict[str, str], author: str, committer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = repo.state()
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    result = commit(a_run(repo))
    assert repo.git("log", "-1", "--format=%an <%ae>, %cn <%ce>").strip() == f"{author}, {committer}"
    assert_only_the_run_is_committed(repo, result.sha)
    assert repo.state() == before
    warned = {found.sentence.split()[0] for found in doctor(repo) if found.level == "warning"}
    assert warned == {name for name in said if name.endswith("NAME") and not said[name].strip(" .")}
    assert any(f"commits are by {author}" in found.sentence for found in doctor(repo))
    assert faults(repo) == []


def test_where_nobody_says_a_usable_name_it_is_runwatchs_own(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("config", "user.name", "<>")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "")
    commit(a_run(repo))
    assert repo.git("log", "-1", "--format=%an <%ae>").strip() == "runwatch <ada@example.org>"


def moved(repo: GitRepo, folder: Path) -> dict[str, str]:
    """All objects are where the variable says."""
    shutil.move(repo.path / ".git/objects", folder)
    (repo.path / ".git/objects").mkdir()
    return {"GIT_OBJECT_DIRECTORY": str(folder)}


def moved_away(repo: GitRepo, folder: Path) -> dict[str, str]:
    """There is no other folder of objects."""
    shutil.move(repo.path / ".git/objects", folder)
    return {"GIT_OBJECT_DIRECTORY": str(folder)}


def copied(repo: GitRepo, folder: Path) -> dict[str, str]:
    """The branch can be read with the variable and without."""
    shutil.copytree(repo.path / ".git/objects", folder)
    return {"GIT_OBJECT_DIRECTORY": str(folder)}


def beside(repo: GitRepo, folder: Path) -> dict[str, str]:
    """What was committed before is found beside."""
    shutil.move(repo.path / ".git/objects", folder)
    (repo.path / ".git/objects").mkdir()
    return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(folder)}


def own_common(repo: GitRepo, folder: Path) -> dict[str, str]:
    """The variable says what is so anyway."""
    return {"GIT_COMMON_DIR": str(repo.path / ".git")}


@pytest.mark.parametrize("lie", [moved, moved_away, copied, beside, own_common], ids=lambda each: each.__name__)
def test_the_commit_is_where_the_users_git_finds_it(
    repo: GitRepo, tmp_path: Path, lie: Callable[[GitRepo, Path], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lie(repo, tmp_path / "objects").items():
        monkeypatch.setenv(name, value)
    before, run = repo.state(), a_run(repo)
    assert faults(repo) == []
    result = commit(run)
    assert_only_the_run_is_committed(repo, result.sha)
    assert_the_index_agrees(repo)
    assert repo.state() == before
    assert repo.git("fsck", "--connectivity-only", "--no-dangling") == ""
    assert_nothing_is_left(repo)


def test_objects_of_the_repository_whose_hook_this_is_are_not_those_of_another(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = GitRepo.with_history(tmp_path / "other")
    with monkeypatch.context() as hook:
        hook.setenv("GIT_DIR", str(other.path / ".git"))
        hook.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git/objects"))
        hook.setenv("GIT_COMMON_DIR", str(other.path / ".git"))
        result = commit(a_run(repo))
    assert_only_the_run_is_committed(repo, result.sha)
    assert other.git("cat-file", "-t", result.sha, check=False) == ""


def test_branches_that_another_folder_has_are_named_and_nothing_is_committed(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = GitRepo.create(tmp_path / "other", "--bare")
    run, before, head = a_run(repo), repo.state(), repo.head()
    with monkeypatch.context() as named:
        named.setenv("GIT_COMMON_DIR", str(other.path))
        with pytest.raises(CommitError, match=r"GIT_COMMON_DIR is set to .*: unset GIT_COMMON_DIR, then"):
            commit(run)
        assert [sentence.split()[0] for sentence in faults(repo)] == ["GIT_COMMON_DIR"]
    assert (repo.state(), repo.head()) == (before, head)
    assert commit(run).made


def test_objects_that_lack_the_last_commit_are_named(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    run, before, empty = a_run(repo), repo.state(), repo.path.parent / "empty"
    empty.mkdir()
    with monkeypatch.context() as named:
        named.setenv("GIT_OBJECT_DIRECTORY", str(empty))
        with pytest.raises(CommitError, match=r"cannot read the last commit, \w+: unset GIT_OBJECT_DIRECTORY"):
            commit(run)
        assert any("cannot read the last commit" in sentence for sentence in faults(repo))
    assert repo.state() == before
    assert commit(run).made


@pytest.mark.parametrize("encoding", ["UTF-16", "no-such"])
def test_files_that_git_takes_for_another_encoding_are_refused_with_what_takes_them_out(
    repo: GitRepo, encoding: str
) -> None:
    repo.write(".gitattributes", f"runs/** working-tree-encoding={encoding}\n")
    before, run = repo.state(), a_run(repo)
    with pytest.raises(CommitError, match=f"for {encoding}, as the attribute working-tree-encoding says") as refused:
        commit(run)
    assert [f"for {encoding}" in sentence for sentence in faults(repo)] == [True]
    assert repo.state() == before
    remedy = "runs/** -working-tree-encoding"
    assert f"`{remedy}` at the end of .gitattributes" in refused.value.sentence
    with open(repo.path / ".gitattributes", "a") as file:
        file.write(f"{remedy}\n")
    assert faults(repo) == []
    assert_only_the_run_is_committed(repo, commit(run).sha)


def test_an_encoding_that_only_makes_them_read_wrong_is_a_warning_and_utf_8_is_none(repo: GitRepo) -> None:
    objects = sorted(os.walk(repo.path / ".git/objects"))
    repo.write(".gitattributes", "*.md working-tree-encoding=ISO-8859-1\n*.json working-tree-encoding=utf8\n")
    (warned,) = [found for found in doctor(repo) if found.level == "warning"]
    assert "takes summary.md, which is UTF-8, for ISO-8859-1" in warned.sentence
    assert warned.remedy == "add `runs/** -working-tree-encoding` at the end of .gitattributes"
    assert sorted(os.walk(repo.path / ".git/objects")) == objects


def test_an_index_that_is_not_there_is_named(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo.path / ".git/other"))
    (told,) = [found for found in doctor(repo) if found.check == "environment"]
    assert "which is not there: runs are committed to the usual index alone" in told.sentence
