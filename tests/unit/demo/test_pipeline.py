"""Pipelines: real pytest and coverage.py on one commit, whatever the work tree and the environment hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.demo import pipeline, scratch
from runwatch.demo.pipeline import Result


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return GitRepo(scratch.make(str(tmp_path / "scratch")))


def run(repo: GitRepo, *targets: str) -> Result:
    return pipeline.run(repo.path, 1, repo.head(), targets)


def test_the_package_as_it_is_shipped_fails_for_its_three_defects(repo: GitRepo) -> None:
    result = run(repo)
    assert (result.status, result.failed_jobs, result.error_type) == ("failed", ("tests",), "AssertionError")
    assert (result.tests.passed, result.tests.failed, result.tests.errors) == (13, 6, 0)
    assert {failure.test.split("::")[0] for failure in result.tests.failures} == {
        "tests/test_invoice.py",
        "tests/test_money.py",
        "tests/test_units.py",
    }
    assert result.coverage is not None
    assert 80 < result.coverage.percent < 90
    assert [path.name for path in result.reports] == ["coverage.json", "junit.xml"]


def test_the_commit_is_tested_and_not_the_work_tree(repo: GitRepo) -> None:
    repo.write("tests/test_text.py", "def test_broken(): assert False\n")
    result = run(repo, "tests/test_text.py")
    assert (result.status, result.tests.passed, result.coverage) == ("success", 3, None)
    assert repo.git("worktree", "list").count("\n") == 1, "the checkout is gone"


def test_options_of_the_callers_test_run_do_not_reach_it(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("COVERAGE_PROCESS_START", "/nowhere")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    assert run(repo, "tests/test_text.py").passed


def test_coverage_below_the_packages_own_bar_is_a_failed_job(repo: GitRepo) -> None:
    text = (repo.path / "pyproject.toml").read_text()
    repo.write("pyproject.toml", text.replace("fail_under = 75", "fail_under = 99"))
    repo.git("rm", "-q", "tests/test_money.py", "tests/test_units.py", "tests/test_invoice.py")
    repo.commit("raise the bar, keep only tests that pass")
    result = run(repo)
    assert (result.status, result.failed_jobs) == ("failed", ("coverage",))
    assert result.error_type == "failed"


def test_a_file_that_cannot_be_imported_is_an_error_and_fails(repo: GitRepo) -> None:
    repo.write("src/billing/units.py", "this is no Python\n")
    repo.commit("break it")
    result = run(repo, "tests/test_units.py")
    assert (result.status, result.tests.errors, result.tests.passed) == ("failed", 1, 0)


def test_an_endless_test_is_a_time_out(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_LIMIT_S", 2.0)
    repo.write("tests/test_text.py", "def test_endless():\n    while True:\n        pass\n")
    repo.commit("never end")
    result = run(repo, "tests/test_text.py")
    assert (result.status, result.failed_jobs, result.passed) == ("timeout", ("tests",), False)
