"""The model of a run is never unknown when anything anywhere says it: each source in its order, in every file."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from integration.recorded import RUNWATCH, record
from runwatch.views.phrases import UNKNOWN_MODEL

FILE = '[llm]\nprovider = "in-file"\nmodel = "file-model"\ntemperature = 0.7\n'
ENVIRONMENT = {"LLM_PROVIDER": "in-environment", "LLM_MODEL": "environment-model", "LLM_TEMPERATURE": "0.2"}
NOTHING = dict.fromkeys(ENVIRONMENT, "")
NO_NAMES = {"LLM_PROVIDER": "unknown", "LLM_MODEL": "None", "LLM_TEMPERATURE": "hot"}
EXPLICIT = (
    "import runwatch; runwatch.RunLogger(project_id=1, config={'llm_provider': 'explicit', 'llm_model': 'said',"
    " 'llm_temperature': 0.0})"
)
CALL = [*RUNWATCH, "emit", "llm.completed", "provider=seen", "model=first-seen", "prompt_tokens=5"]
QUIET = [sys.executable, "-c", "pass"]


@pytest.mark.parametrize(
    ("command", "environment", "file", "expected"),
    [
        pytest.param(
            [sys.executable, "-c", EXPLICIT], ENVIRONMENT, FILE, ("explicit", "said", 0.0), id="an explicit value"
        ),
        pytest.param(
            CALL, ENVIRONMENT, FILE, ("in-environment", "environment-model", 0.2), id="then the environment"
        ),
        pytest.param(CALL, NOTHING, FILE, ("in-file", "file-model", 0.7), id="then runwatch.toml"),
        pytest.param(CALL, NO_NAMES, "", ("seen", "first-seen", None), id="then the first answer"),
        pytest.param(QUIET, NOTHING, "", (None, None, None), id="then nobody knows"),
    ],
)  # fmt: skip
def test_the_first_source_that_names_the_model_is_believed(
    tmp_path: Path,
    command: list[str],
    environment: dict[str, str],
    file: str,
    expected: tuple[str | None, str | None, float | None],
) -> None:
    (tmp_path / "runwatch.toml").write_text(file)
    record(*command, cwd=tmp_path, env=environment)
    (metadata,) = (tmp_path / "runs").glob("*/*/metadata.json")
    said = json.loads(metadata.read_text())["llm_configuration"]
    assert (said["provider"], said["model"], said["temperature"]) == expected
    (row,) = csv.DictReader(io.StringIO((metadata.parent / "csv" / "runs.csv").read_text(), newline=""))
    assert (row["provider"], row["model"]) == (expected[0] or "unknown", expected[1] or "unknown")
    summary = " ".join((metadata.parent / "logs_summary.txt").read_text().split())
    assert ("LLM_TEMPERATURE is 'hot'" in summary) == (environment is NO_NAMES)
    markdown = (metadata.parent / "summary.md").read_text()
    if expected[1] is None:
        assert UNKNOWN_MODEL in summary
        assert UNKNOWN_MODEL in markdown
    else:
        assert f"{expected[0]}/{expected[1]}" in summary
        assert UNKNOWN_MODEL not in summary
