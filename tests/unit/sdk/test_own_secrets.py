"""What a program's environment holds later on is told to its run, and nothing is loaded where nothing changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runwatch.journal.known_secrets import remembered
from runwatch.journal.paths import RunPaths
from runwatch.sdk.own_secrets import OwnSecrets
from sdk_recording import Recording

LATER = "loaded" + "later"


def names(paths: RunPaths) -> list[str]:
    """Return the variables that a run remembers."""
    return [each.name for digests in remembered(paths) for each in digests.values]


def test_what_was_there_at_the_start_is_known_and_what_comes_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARLY_TOKEN", "early" + LATER)
    own = OwnSecrets(RunPaths(tmp_path))
    own.are_known()
    own.look()
    monkeypatch.setenv("LATER_TOKEN", LATER)
    own.look()
    monkeypatch.setenv("GREETING", LATER)
    own.look()
    assert names(RunPaths(tmp_path)) == ["LATER_TOKEN"]
    monkeypatch.setenv("LATER_TOKEN", "another-one-2")
    own.look()
    assert set(names(RunPaths(tmp_path))) == {"LATER_TOKEN"}
    assert len(names(RunPaths(tmp_path))) > 1


@pytest.mark.parametrize(
    ("type_name", "fields"),
    [("step.started", {"step": 1}), ("error", {"message": "x"}), ("tool.completed", {"tool": "t", "error": "x"})],
)
def test_a_secret_is_told_before_the_event_that_may_quote_it(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, type_name: str, fields: dict[str, object]
) -> None:
    monkeypatch.setenv("LATER_TOKEN", LATER)
    recording.emitter.emit("llm.completed", {"model": "m", "result": "success"})
    assert names(recording.paths) == []
    recording.emitter.emit(type_name, fields)
    assert names(recording.paths) == ["LATER_TOKEN"]


def test_a_run_that_cannot_be_told_is_told_later_and_the_program_notices_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = RunPaths(tmp_path / "run")
    own = OwnSecrets(paths)
    monkeypatch.setenv("LATER_TOKEN", LATER)
    own.look()
    paths.root.mkdir()
    own.look()
    assert "LATER_TOKEN" in names(paths)
    OwnSecrets(None).look()


def test_a_program_whose_environment_did_not_change_loads_nothing_for_it(tmp_path: Path) -> None:
    program = """
import os, sys
from runwatch.journal.paths import RunPaths
from runwatch.sdk.own_secrets import OwnSecrets
own = OwnSecrets(RunPaths("."))
own.are_known()
own.look()
os.environ["SSH_AUTH_SOCK"] = os.environ["MAX_TOKENS"] = "anything at all"
own.look()
print([name for name in sys.modules if name.startswith(("runwatch.redact", "tomllib", "msgspec"))])
os.environ["LATER_TOKEN"] = "loaded-later-1"
own.look()
print("runwatch.redact.digests" in sys.modules)
"""
    environment = {**os.environ, "OWN_TOKEN": LATER}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert done.stdout.split(b"\n")[:2] == [b"[]", b"True"]
