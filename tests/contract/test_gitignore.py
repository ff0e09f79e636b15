"""The ignore rules: of a run, git sees exactly the five files that a reviewer reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runwatch.runs.place import RULES

ROOT = Path(__file__).parents[2]
TRACKED = {"commit.txt", "logs_summary.txt", "metadata.json", "metrics.json", "summary.md"}
UNTRACKED = {
    ".lock",
    "events.jsonl",
    "finalize.json",
    "post.jsonl",
    "run.tar.gz",
    "csv/runs.csv",
    "issues/issue_1_metrics.json",
    "logs/run.log",
    "logs/step_001/metadata.json",
    "logs/step_001/stdout.log",
    "workspace/summary.md",
    "artifacts/metrics.json",
}


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
    for name in TRACKED | UNTRACKED:
        path = tmp_path / "runs" / "some-framework" / "20261121-013155-abc123" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "runs" / "csv").mkdir()
    (tmp_path / "runs" / "csv" / "runs.csv").touch()
    (tmp_path / "runs" / "index.sqlite").touch()
    return tmp_path


def test_of_a_run_exactly_the_five_files_are_added(checkout: Path) -> None:
    git(checkout, "add", "-A")
    added = git(checkout, "ls-files", "runs").splitlines()
    assert added == [f"runs/some-framework/20261121-013155-abc123/{name}" for name in sorted(TRACKED)]


def test_nothing_of_a_run_stays_untracked_in_git_status(checkout: Path) -> None:
    git(checkout, "add", "-A")
    git(checkout, "commit", "-q", "-m", "all")
    assert git(checkout, "status", "--porcelain") == ""


def test_the_rules_are_the_ones_that_init_writes_for_others() -> None:
    rules = [line for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines() if "/runs/" in line]
    assert rules == list(RULES)


def test_the_package_of_the_same_name_is_not_ignored(checkout: Path) -> None:
    module = checkout / "src" / "runwatch" / "runs" / "find.py"
    module.parent.mkdir(parents=True)
    module.touch()
    git(checkout, "add", "-A")
    assert "src/runwatch/runs/find.py" in git(checkout, "ls-files")
