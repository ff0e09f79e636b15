"""A finished run whose tracked files left the disk, because another branch is checked out."""

from __future__ import annotations

import json
import tarfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from commit_checks import TRACKED
from git_repos import GitRepo
from integration.dead_runs import dead_run
from runwatch.cli.main import run as call
from runwatch.finalize import post, stages
from runwatch.finalize.publish import closing_lines, document_of
from runwatch.journal.paths import RunPaths
from runwatch.record import earlier
from runwatch.runs.listing import listed
from runwatch.serve.exposed import Runs
from runwatch.settings import Settings

ENDED: dict[str, Any] = {"status": "failed", "exit_code": 3, "reason": "exit code 3", "ended": "2026-10-20T10:00:09Z"}


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository with a second branch, a finalized run on the first, and `runwatch init` in force or not."""
    repo = GitRepo.with_history(tmp_path / "place")
    repo.git("branch", "other")
    stages.run(dead_run(repo.path / "runs", cwd=str(repo.path), ended=ENDED), Settings())
    return repo


def _shown(run: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    told = []
    for options in ([], ["--json"], ["--markdown"]):
        assert call(["show", *options, str(run)]) == 0
        told.append(capsys.readouterr().out)
    return told


def test_what_is_told_of_it_is_the_same(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    run = repo.path / "runs/f/r1"
    row, shown, closing = listed(run).row, _shown(run, capsys), closing_lines(RunPaths(run))
    assert (row.status, row.duration_seconds, row.steps_done, row.reason) == ("failed", 9.0, 2, "exit code 3")
    repo.git("checkout", "-q", "other")
    assert not any((run / name).exists() for name in TRACKED)
    assert listed(run).row == row
    assert _shown(run, capsys) == shown
    away = [line + " on branch main" if "logs_summary.txt" in line else line for line in closing]
    assert closing_lines(RunPaths(run)) == away


def test_another_archive_of_it_is_the_same_and_leaves_nothing_on_the_other_branch(repo: GitRepo) -> None:
    run = repo.path / "runs/f/r1"
    raw, commits = (run / "run.tar.gz").read_bytes(), repo.git("rev-list", "--all")
    repo.git("checkout", "-q", "other")
    there = sorted(path.name for path in run.iterdir())
    (run / "run.tar.gz").unlink()
    for first in (None, "archive"):
        state = stages.run(run, Settings(), first=first)
        assert state.done("verify")
        assert (run / "run.tar.gz").read_bytes() == raw
        assert sorted(path.name for path in run.iterdir()) == there
    assert repo.git("rev-list", "--all") == commits
    with tarfile.open(run / "run.tar.gz") as archive:
        times = {member.name.rpartition("/")[2]: member.mtime for member in archive.getmembers()}
    ended = datetime.fromisoformat(ENDED["ended"]).timestamp()
    assert {name: times[name] for name in TRACKED} == dict.fromkeys(TRACKED, ended), "whenever it is made"
    repo.git("checkout", "-q", "main")
    assert repo.git("status", "--porcelain") == ""


def test_what_becomes_known_later_is_committed_and_leaves_nothing_on_the_other_branch(
    repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    run = repo.path / "runs/f/r1"
    repo.git("checkout", "-q", "other")
    verdict = {"what": "usage", "expected": "1", "observed": "2", "verdict": "differs", "source": "x.csv"}
    state = post.publish(run, Settings(), [("verification.checked", verdict)])
    assert all(stage.done for stage in state.stages.values())
    assert not any((run / name).exists() for name in TRACKED)
    assert len(repo.git("rev-list", "main").split()) == 3
    assert json.loads(repo.git("show", "main:runs/f/r1/metrics.json"))["run"]["status"] == "failed"
    assert "differs" in _shown(run, capsys)[0]


def test_what_other_runs_and_the_server_know_of_it_is_the_same(repo: GitRepo) -> None:
    run = repo.path / "runs/f/r1"
    later = RunPaths(repo.path / "runs/f/r2")
    later.root.mkdir()
    exposed, totals = Runs(repo.path / "runs").now()
    before = earlier._before(later, "2027")
    assert [each["status"] for each in before] == ["failed"]
    repo.git("checkout", "-q", "other")
    served = Runs(repo.path / "runs")
    for _ in range(2):
        again, totals_again = served.now()
        assert [each.metrics.run for each in again] == [each.metrics.run for each in exposed]
        assert totals_again == totals
    (found,) = earlier._before(later, "2027")
    assert {name: found[name] for name in before[0]} == before[0]
    assert not (run / "metrics.json").exists()


def test_secrets_stay_out_of_what_is_counted_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "k3y-of-mine-4711-x")
    ended = {**ENDED, "reason": "it said k3y-of-mine-4711-x"}
    run = dead_run(tmp_path / "runs", cwd=str(tmp_path), ended=ended)
    stages.run(run, Settings())
    for name in TRACKED:
        (run / name).unlink()
    assert "said" in (listed(run).row.reason or "")
    assert "4711" not in (listed(run).row.reason or "")
    assert "4711" not in document_of(run, "json")
    assert "4711" not in document_of(run, "markdown")
