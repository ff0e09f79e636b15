"""What the demo's processes see of the caller's environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runwatch.demo.environment import clean, for_pytest


@pytest.mark.parametrize(
    "name",
    [
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_AUTHOR_NAME",
        "RUNWATCH_RUN_DIR",
        "RUNWATCH_RUNS_DIR",
        "RUNWATCH_DISABLE",
        "LLM_MODEL",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "PYTEST_ADDOPTS",
        "PYTEST_CURRENT_TEST",
        "COVERAGE_PROCESS_START",
        "COV_CORE_SOURCE",
        "GITHUB_STEP_SUMMARY",
        "PYTHONOPTIMIZE",
        "PYTHONWARNINGS",
    ],
)
def test_what_belongs_to_the_callers_own_work_is_left_out(name: str) -> None:
    assert name not in clean({name: "theirs", "PATH": "/bin"})


def test_what_finds_programs_and_shapes_the_screen_stays() -> None:
    theirs = {"PATH": "/bin", "TERM": "xterm", "NO_COLOR": "1", "HOME": "/home/a", "CI": "true"}
    assert theirs.items() <= clean(theirs).items()


def test_where_modules_are_found_is_said_for_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert clean({"PYTHONPATH": "src::/lib"})["PYTHONPATH"] == f"{tmp_path}/src:/lib"


def test_git_reads_no_configuration_but_the_scratch_repositorys() -> None:
    cleaned = clean({"GIT_CONFIG_GLOBAL": "/home/a/theirs"})
    assert (cleaned["GIT_CONFIG_GLOBAL"], cleaned["GIT_CONFIG_NOSYSTEM"]) == (os.devnull, "1")


def test_pytest_gets_no_plugins_of_the_caller() -> None:
    cleaned = for_pytest({"PYTEST_PLUGINS": "theirs", "COLUMNS": "200"})
    assert "PYTEST_PLUGINS" not in cleaned
    assert (cleaned["PYTEST_DISABLE_PLUGIN_AUTOLOAD"], cleaned["COLUMNS"]) == ("1", "80")
