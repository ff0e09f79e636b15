"""Whether a cone holds the runs folder, read from git's files and held against what git checks out."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.vcs.sparse import outside_cone

FOLDERS = ("runs", "src/runs", "src/odd [x]*/runs", "src/odd [x]/runs", "über")
CONES = (
    (),
    ("src",),
    ("src/runs",),
    ("src/runs/default/a",),
    ("runs", "über"),
    ("src/odd [x]*",),
    ("src/odd [x]/runs", "runs"),
)


def checked_out(repo: GitRepo, folder: str) -> bool:
    """Whether git keeps a run of that folder on the disk."""
    (line,) = repo.git("ls-files", "-t", "-z", "--", f":(literal){folder}/default/r/metadata.json").split("\0")[:1]
    return line.startswith("H ")


def test_it_agrees_with_what_git_checks_out(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path)
    for folder in FOLDERS:
        repo.write(f"{folder}/default/r/metadata.json", "{}")
    repo.commit("runs")
    for cone in CONES:
        repo.git("sparse-checkout", "set", "--cone", "--skip-checks", *cone)
        for folder in FOLDERS:
            left_out = outside_cone(repo.path / folder)
            assert left_out == (None if checked_out(repo, folder) else folder), (cone, folder)
    assert outside_cone(repo.path) is None
    repo.git("sparse-checkout", "disable")
    assert [outside_cone(repo.path / folder) for folder in FOLDERS] == [None] * len(FOLDERS)


def test_each_linked_worktree_has_a_cone_of_its_own(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "main")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = GitRepo(tmp_path / "linked")
    linked.git("sparse-checkout", "set", "--cone", "src")
    assert outside_cone(linked.path / "runs") == "runs"
    assert outside_cone(linked.path / "src" / "runs") is None
    assert outside_cone(repo.path / "runs") is None


@pytest.mark.parametrize("rules", [("/*", "!/src/"), ("/src/",)])
def test_a_sparse_checkout_without_a_cone_deletes_no_folder(rules: tuple[str, ...], tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("sparse-checkout", "set", "--no-cone", *rules)
    assert outside_cone(repo.path / "runs") is None
