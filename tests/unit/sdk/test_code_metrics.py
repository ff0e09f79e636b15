"""Code metrics and coverage collected on request, on real repositories."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from git_repos import GitRepo
from runwatch.sdk.code_metrics import CodeMetricsCollector
from runwatch.sdk.issues import IssueTracker
from sdk_recording import Recording


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A topic branch that is not checked out: one new file, one that lost a line."""
    made = GitRepo.with_history(tmp_path / "repo")
    made.git("checkout", "-q", "-b", "topic")
    made.write("src/b.py", "one\ntwo\n")
    made.write("README", "")
    made.commit("work")
    made.git("checkout", "-q", "main")
    return made


EXPECTED = {
    "files_created": 1, "files_modified": 1, "files_deleted": 0, "files_renamed": 0, "lines_added": 2,
    "lines_deleted": 1, "commits": 1,
}  # fmt: skip


def test_a_branch_is_measured_and_recorded_for_the_issue_at_hand(recording: Recording, repo: GitRepo) -> None:
    repo.write("coverage.json", json.dumps({"totals": {"covered_lines": 17, "num_statements": 20}}))
    collector = CodeMetricsCollector(repo.path / "src", coverage="../coverage.json")
    with IssueTracker(recording.emitter.run_id or "", 123).agent("coding"):
        found = asyncio.run(collector.collect_for_branch("topic"))
    assert found == {**EXPECTED, "test_coverage": 85.0}
    (snapshot,) = recording.events("git.snapshot")
    assert {name: snapshot.get(name, 0) for name in EXPECTED} == EXPECTED
    assert (snapshot["issue"], snapshot["branch"], snapshot["head"]) == (
        123,
        "topic",
        repo.git("rev-parse", "topic").strip(),
    )
    (coverage,) = recording.events("coverage.measured")
    assert (coverage["issue"], coverage["percent"], coverage["lines_covered"]) == (123, 85.0, 17)


def test_the_plain_form_takes_an_issue_and_a_base(recording: Recording, repo: GitRepo) -> None:
    repo.git("branch", "old", "main")
    found = CodeMetricsCollector(repo.path, base="old").collect_for_branch_sync("topic", issue_id="A-1")
    assert found == {**EXPECTED, "test_coverage": None}
    assert recording.events("git.snapshot")[0]["issue"] == "A-1"


def test_runs_of_the_repository_do_not_count_in_a_run_that_lies_elsewhere(recording: Recording, repo: GitRepo) -> None:
    assert not recording.paths.root.is_relative_to(repo.path)
    head = repo.git("rev-parse", "--abbrev-ref", "HEAD").strip()
    repo.git("checkout", "-q", "topic")
    repo.write("runs/default/run_1/summary.md", "# of another run\n")
    repo.git("add", "-f", "runs")
    repo.git("commit", "-q", "--amend", "--no-edit")
    repo.git("checkout", "-q", head)
    assert CodeMetricsCollector(repo.path).collect_for_branch_sync("topic") == {**EXPECTED, "test_coverage": None}


def test_a_repository_that_only_the_environment_names_is_measured(
    recording: Recording, repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = (repo.path / ".git").rename(repo.path.parent / "dotfiles.git")
    monkeypatch.setenv("GIT_DIR", str(folder))
    monkeypatch.setenv("GIT_WORK_TREE", str(repo.path))
    found = CodeMetricsCollector(repo.path / "src").collect_for_branch_sync("topic")
    assert found == {**EXPECTED, "test_coverage": None}
    assert recording.events("git.snapshot")[0]["branch"] == "topic"


def test_the_newest_report_of_a_pattern_counts(recording: Recording, repo: GitRepo) -> None:
    import os

    for at, lines in enumerate((5, 9, 7)):
        path = repo.write(f"out/{at}.json", json.dumps({"totals": {"covered_lines": lines, "num_statements": 10}}))
        os.utime(path, (1_000_000_000 + (at == 1), 1_000_000_000 + (at == 1)))
    collector = CodeMetricsCollector(repo.path, coverage=Path("out/*.json"))
    assert collector.collect_for_branch_sync("topic")["test_coverage"] == 90.0


def test_a_provider_is_asked_for_the_coverage_of_the_latest_pipeline(recording: Recording, repo: GitRepo) -> None:
    class Forge:
        async def latest_pipeline(self, branch: str) -> Any:
            return {"pipeline_id": 4260} if branch == "topic" else None

        def coverage(self, pipeline_id: int | str) -> float | None:
            return 72.5 if pipeline_id == 4260 else None

    collector = CodeMetricsCollector(repo.path, coverage=Forge())
    assert asyncio.run(collector.collect_for_branch("topic"))["test_coverage"] == 72.5
    assert recording.events("coverage.measured")[0]["source"] == "pipeline 4260"
    assert asyncio.run(collector.collect_for_branch("main"))["test_coverage"] is None


def test_what_cannot_be_measured_is_a_warning_and_never_raised(
    recording: Recording, repo: GitRepo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bare").mkdir()

    class Broken:
        def latest_pipeline(self, branch: str) -> Any:
            raise ConnectionError("refused")

    nothing = dict.fromkeys((*EXPECTED, "test_coverage"))
    assert CodeMetricsCollector(repo.path).collect_for_branch_sync("nowhere") == nothing
    assert CodeMetricsCollector(tmp_path / "bare").collect_for_branch_sync("topic") == nothing
    found = CodeMetricsCollector(repo.path, coverage=Broken()).collect_for_branch_sync("topic")
    assert found == {**EXPECTED, "test_coverage": None}
    found = CodeMetricsCollector(repo.path, coverage="README").collect_for_branch_sync("topic")
    assert found == {**EXPECTED, "test_coverage": None}
    found = CodeMetricsCollector(repo.path, coverage="no/*.xml").collect_for_branch_sync("topic")
    said = [event["message"] for event in recording.events("warning")]
    on_stderr = capsys.readouterr().err.splitlines()
    assert on_stderr == [f"runwatch: {message}" for message in said]
    assert said[0] == f"code not measured: {repo.path} has no branch 'nowhere': `git branch --all` lists them."
    assert "lies in no git work tree" in said[1]
    assert said[2] == "coverage not measured: ConnectionError: refused"
    assert "README is no coverage report" in said[3]
    assert "there is no report no/*.xml" in said[4]
