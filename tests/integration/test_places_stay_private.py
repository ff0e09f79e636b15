"""Where a run lies on this machine is said on the terminal, and in nothing that git gets."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from git_repos import GitRepo
from integration.dead_runs import dead_run
from runwatch.finalize import stages
from runwatch.finalize.publish import closing_lines
from runwatch.journal.paths import RunPaths
from runwatch.settings import Settings
from runwatch.settings.groups import Commit


def _run_with_two_failures(repo: GitRepo) -> Path:
    """A run whose archive and reports cannot be made, each for a file that is in the way."""
    run = dead_run(repo.path / "runs", cwd=str(repo.path))
    (run / "run.tar.gz/x").mkdir(parents=True)
    (run / "csv").symlink_to(repo.path / "src")
    return run


def test_why_a_stage_failed_names_no_folder_of_this_machine_to_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "node", lambda: "a-host-of-mine")
    repo = GitRepo.with_history(tmp_path / "place")
    run = _run_with_two_failures(repo)
    state = stages.run(run, Settings())
    failed = {name for name, stage in state.stages.items() if not stage.done}
    assert {"archive", "reports"} <= failed
    committed = repo.git("log", "-p", "--format=%B", "-1")
    assert "Not done:   archive: runs/f/r1/run.tar.gz" in committed
    for private in (str(tmp_path), "a-host-of-mine"):
        assert private not in committed
    assert str(run / "run.tar.gz") in "\n".join(closing_lines(RunPaths(run)))


def test_the_folder_is_published_where_that_was_asked_for(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "place")
    run = _run_with_two_failures(repo)
    stages.run(run, Settings(commit=Commit(publish=("cwd",))))
    assert str(run / "run.tar.gz") in repo.git("show", "--format=", "HEAD", "--", "runs/f/r1/summary.md")
