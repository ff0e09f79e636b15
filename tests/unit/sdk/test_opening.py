"""Starting a run: its place, its first event, its lock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration.recorded import repository
from runwatch.errors import BadName
from runwatch.journal.lock import Role, holders
from runwatch.sdk import opening
from sdk_recording import Recording


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def started(**wish: Any) -> tuple[Recording, dict[str, Any]]:
    fields: dict[str, Any] = {
        "framework": "default",
        "run_id": None,
        "project_id": None,
        "runs_dir": None,
        "config": {},
    }
    opened = opening.start(opening.Wish(**{**fields, **wish}))
    recording = Recording(opened.emitter)
    assert holders(recording.paths.lock)[Role.OWNER] > 0
    opened.emitter.close()
    assert opened.lock is not None
    opened.lock.close()
    return recording, recording.lines()[0]


def test_a_run_lies_at_the_top_of_the_work_tree(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(here / "project")
    (here / "project" / "deep").mkdir()
    monkeypatch.chdir(here / "project" / "deep")
    recording, first = started()
    assert recording.paths.root.parent == (here / "project" / "runs" / "default").resolve()
    assert first["git"]["branch"] == "main"
    assert len(first["git"]["head"]) == 40


def test_outside_a_repository_it_lies_in_the_current_folder(here: Path) -> None:
    recording, first = started()
    assert recording.paths.root.parent == here / "runs" / "default"
    assert "git" not in first


def test_argument_environment_and_configuration_say_otherwise(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "runwatch.toml").write_text('[run]\nruns_dir = "configured"\nframework = "baes"\nmode = "nightly"\n')
    recording, first = started()
    assert recording.paths.root.parent == here / "configured" / "baes"
    assert first["mode"] == "nightly"
    monkeypatch.setenv("RUNWATCH_RUNS_DIR", str(here / "environment"))
    assert started()[0].paths.root.is_relative_to(here / "environment")
    recording, _ = started(runs_dir=Path("argument"), framework="mine", run_id="r1")
    assert recording.paths.root == here / "argument" / "mine" / "r1"


def test_the_first_event_says_who_what_and_with_which_model(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_PROVIDER", "from-environment")
    monkeypatch.setenv("LLM_MODEL", "from-environment")
    (here / "runwatch.toml").write_text('[llm]\nmodel = "from-file"\ntemperature = 0.7\n')
    config = {"llm_provider": "deepseek", "mode": "implement_all", "seed": 3}
    recording, first = started(project_id=168, config=config)
    assert recording.paths.run_id.startswith("run_")
    assert recording.paths.run_id.endswith("_project_168")
    assert first["type"] == "run.started"
    assert (first["run_id"], first["framework"], first["project_id"]) == (recording.paths.run_id, "default", 168)
    assert first["llm"] == {"provider": "deepseek", "model": "from-environment", "temperature": 0.7}
    assert (first["mode"], first["config"]) == ("implement_all", {"seed": 3})
    assert first["cwd"] == str(here)
    assert set(first["versions"]) == {"python", "runwatch"}
    assert "step" not in first


def test_a_temperature_of_zero_is_a_temperature(here: Path) -> None:
    assert started(config={"llm_temperature": 0})[1]["llm"]["temperature"] == 0.0
    assert started(config={"llm_temperature": "warm"})[1].get("llm") is None
    assert started(config={"llm_temperature": float("nan"), "llm_model": "  "})[1].get("llm") is None


def test_a_word_for_no_model_is_no_model(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "runwatch.toml").write_text('[llm]\nmodel = "from-file"\n')
    _, first = started(config={"llm_provider": "unknown", "llm_model": "none"})
    assert first["llm"] == {"model": "from-file"}
    assert capsys.readouterr().err == "", "such a word is no mistake"


def test_a_temperature_of_the_environment_that_is_no_number_is_a_warning(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLM_TEMPERATURE", "hot")
    recording, first = started()
    assert "llm" not in first
    (warning,) = recording.events("warning")
    for text in (warning["message"], capsys.readouterr().err):
        assert "LLM_TEMPERATURE is 'hot'" in text


def test_a_wrong_configuration_is_told_and_the_defaults_are_used(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "runwatch.toml").write_text("[run]\nframwork = 1\n")
    recording, _ = started()
    assert recording.paths.framework == "default"
    assert "framwork" in capsys.readouterr().err


def test_a_bad_name_creates_nothing(here: Path) -> None:
    with pytest.raises(BadName):
        started(framework="../x")
    assert list(here.iterdir()) == []
