"""When the branch is looked at again, and what is told of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.events.measures import GitSnapshot
from runwatch.settings import Settings
from runwatch.settings.groups import Run
from runwatch.sources import git as source_module
from runwatch.sources.git import GitSource, left_out
from runwatch.vcs import Found, GitVariables, Repository, find_repository


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the looks, which stay real."""
    counted: list[int] = []

    class Counting(Repository):
        def __enter__(self) -> Counting:
            counted.append(1)
            return super().__enter__()

    monkeypatch.setattr(source_module, "Repository", Counting)
    return counted


def found_at(path: Path) -> Found:
    found = find_repository(path)
    assert found is not None
    return found


def ticks(*seconds: float) -> Iterator[float]:
    """A clock under which each look, timed at its begin, once open and at its end, takes the given time."""
    now = 0.0
    for took in seconds:
        yield now
        yield now
        now += took
        yield now


def test_the_first_look_is_told_and_fits_the_event(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    found = GitSource(found_at(repo.path), start_head=repo.head()).poll(0.0)
    assert found is not None
    event = GitSnapshot(**found)
    assert (event.branch, event.head, event.commits, event.dirty) == ("main", repo.head(), 0, False)


def test_while_nothing_changes_nothing_is_looked_at_or_told(tmp_path: Path, looks: list[int]) -> None:
    source = GitSource(found_at(GitRepo.with_history(tmp_path).path))
    assert source.poll(0.0)
    for tenth in range(49):
        assert source.poll(tenth / 10) is None
    assert len(looks) == 1


def test_a_commit_is_told_within_a_second(tmp_path: Path, looks: list[int]) -> None:
    repo = GitRepo.with_history(tmp_path)
    source = GitSource(found_at(repo.path), start_head=repo.head(), clock=ticks(0.001, 0.001).__next__)
    source.poll(0.0)
    repo.write("README", "changed\n")
    repo.commit("second")
    assert source.poll(0.5) is None  # a script may commit in a loop
    found = source.poll(1.0)
    assert found is not None
    assert (found["commits"], found["files_modified"], found["head"]) == (1, 1, repo.head())
    assert len(looks) == 2


def test_an_edit_is_told_at_the_next_spaced_look(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    source = GitSource(found_at(repo.path), start_head=repo.head(), clock=ticks(0.01, 0.01).__next__)
    source.poll(0.0)
    repo.write("README", "edited\n")
    assert source.poll(4.9) is None
    found = source.poll(5.0)
    assert found is not None
    assert found["dirty"]


def test_a_slow_repository_is_looked_at_less_often(tmp_path: Path, looks: list[int]) -> None:
    repo = GitRepo.with_history(tmp_path)
    source = GitSource(found_at(repo.path), start_head=repo.head(), clock=ticks(0.5, 0.5, 0.5).__next__)
    source.poll(0.0)
    repo.write("README", "edited\n")
    assert source.poll(49.9) is None
    assert len(looks) == 1
    assert source.poll(50.0) is not None


def test_the_last_look_is_taken_whatever_the_spacing_says(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    source = GitSource(found_at(repo.path), start_head=repo.head())
    source.poll(0.0)
    repo.write("README", "edited\n")
    found = source.poll(float("inf"))
    assert found is not None
    assert found["dirty"]


def test_folders_that_do_not_count_are_left_out(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.write("out/runs/f/r/summary.md", "x\n")
    repo.git("add", "out")
    found = GitSource(found_at(repo.path), start_head=repo.head(), exclude=("out/runs",)).poll(0.0)
    assert found is not None
    assert (found["files_created"], found["dirty"]) == (0, False)


def test_without_a_commit_at_the_start_everything_is_new(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path)
    source = GitSource(found_at(repo.path), start_head=None)
    source.poll(0.0)
    repo.write("a", "1\n")
    repo.commit("first")
    found = source.poll(10.0)
    assert found is not None
    assert (found["files_created"], found["commits"], found["base"]) == (1, 1, None)


def test_a_repository_that_goes_away_is_remembered_as_a_failure_and_found_again(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    source = GitSource(found_at(repo.path), start_head=repo.head())
    source.poll(0.0)
    shutil.move(repo.path / ".git", tmp_path / "away")
    assert source.poll(100.0) is None
    assert source.failure is not None
    assert str(repo.path) in source.failure
    shutil.move(tmp_path / "away", repo.path / ".git")
    repo.commit("back")
    assert source.poll(200.0) is not None
    assert source.failure is None


def test_a_work_tree_that_only_the_environment_names_is_measured_like_any_other(tmp_path: Path) -> None:
    """As people keep their dotfiles: `git --git-dir ~/.dotfiles --work-tree ~`."""
    repo = GitRepo.with_history(tmp_path / "home")
    start, folder = repo.head(), tmp_path / "home.git"
    (repo.path / ".git").rename(folder)
    named = {"GIT_DIR": str(folder), "GIT_WORK_TREE": str(repo.path)}
    work_tree = GitVariables(dir=str(folder), tree=str(repo.path)).work_tree(repo.path)
    assert work_tree is not None
    source = GitSource(work_tree, start_head=start, clock=ticks(0.001, 0.001).__next__)
    first = source.poll(0.0)
    repo.write("README", "changed\n")
    repo.git("commit", "-qam", "second", **named)
    second = source.poll(1.0)
    assert first is not None
    assert (first["head"], first["branch"], first["dirty"]) == (start, "main", False)
    assert second is not None
    assert (second["commits"], second["files_modified"], source.failure) == (1, 1, None)


def test_a_clone_that_lacks_the_base_is_told_of(tmp_path: Path) -> None:
    origin = GitRepo.with_history(tmp_path / "origin")
    origin.git("checkout", "-q", "-b", "topic")
    GitRepo(tmp_path).git("clone", "-q", "--depth", "1", "-b", "topic", f"file://{origin.path}", "clone")
    clone = GitRepo(tmp_path / "clone")
    source = GitSource(found_at(clone.path), start_head=clone.head())
    assert source.poll(0.0) is not None
    assert (source.notice or "").startswith(f"topic has no base in {clone.path}")
    for path in (origin.path, GitRepo.with_history(tmp_path / "alone").path):
        source = GitSource(found_at(path), start_head=GitRepo(path).head())
        assert source.poll(0.0) is not None
        assert source.notice is None


@pytest.mark.parametrize(
    ("configured", "run", "expected"),
    [
        (None, None, ("runs",)),
        (None, "runs/default/1", ("runs",)),
        (None, "../elsewhere/default/1", ("runs",)),
        (None, "own/place/default/1", ("runs", "own/place")),
        ("artifacts", None, ("artifacts",)),
        ("artifacts", "artifacts/default/1", ("artifacts",)),
        ("../shared", "../shared/default/1", ("runs",)),
        (".", "default/1", ()),
    ],
)
def test_what_is_left_out_does_not_depend_on_where_the_run_lies_that_asks(
    tmp_path: Path, configured: str | None, run: str | None, expected: tuple[str, ...]
) -> None:
    top = tmp_path / "work"
    settings = Settings(run=Run(runs_dir=configured))
    assert left_out(top, settings, None if run is None else top / run) == expected
