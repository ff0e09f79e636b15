"""The recipes of docs/logging.md: lines of structlog and loguru in the logs of the step that they belong to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.doc_pages import blocks
from integration.sdk_programs import Program


def _lines(cwd: Path, number: int) -> list[dict[str, Any]]:
    program = Program(cwd, blocks("logging.md", "python")[number])
    done = program.run()
    assert done.returncode == 0, done.stderr
    log = program.dir / "logs" / "step_001" / "adapter.log"
    return [json.loads(line) for line in log.read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("number", "message"), [(0, "answered"), (1, "answered {quickly}")], ids=["structlog", "loguru"]
)
def test_a_recipe_gives_json_lines_in_the_step_with_every_field_once(number: int, message: str, tmp_path: Path) -> None:
    answered, refused = _lines(tmp_path, number)
    fields = answered if number == 0 else answered["extra"]
    assert (answered["msg"], answered["level"], answered["component"], answered["step"]) == (
        message, "INFO", "adapter", 1,
    )  # fmt: skip
    assert (fields["request"], fields["tenant"], fields["tokens"]) == (7, "acme", 12)
    assert (refused["msg"], refused["level"]) == ("refused", "ERROR")
    assert refused["exception"].count("ValueError: too long") == 1
