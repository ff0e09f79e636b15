"""What must answer in a blink loads no heavy library: every `--help`, `ls` and `emit`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runwatch.cli.main import COMMANDS

HEAVY = (
    "duckdb",
    "genai_prices",
    "git",
    "gitlab",
    "isal",
    "opentelemetry",
    "prometheus_client",
    "psutil",
    "pydantic",
    "regex",
    "rich",
    "textual",
    "tomlkit",
)
"""Each costs from ten milliseconds to half a second to import. **Source**: targets.md."""

PROGRAM = """
import contextlib, io, json, sys
from runwatch.cli.main import run
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()):
        code = run(arguments)
    print(json.dumps([arguments, code, said.getvalue(), sorted(set(json.loads(sys.argv[2])) & set(sys.modules))]))
"""


def called(cwd: Path, *calls: list[str], heavy: tuple[str, ...] = HEAVY) -> list[tuple[list[str], int, str, list[str]]]:
    """Make the calls in one process; return each with its exit code, its output, and what is loaded by then."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(calls), json.dumps(heavy)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True, timeout=120)
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def helped(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[str], int, str, list[str]]]:
    calls = [["--help"], *([name, "--help"] for name in COMMANDS)]
    return called(tmp_path_factory.mktemp("empty"), *calls)


def test_the_probe_sees_what_is_loaded(tmp_path: Path) -> None:
    (_, _, _, loaded), *_ = called(tmp_path, ["--help"], heavy=("click", "textual"))
    assert loaded == ["click"]


def test_no_help_loads_anything_heavy(helped: list[tuple[list[str], int, str, list[str]]]) -> None:
    assert len(helped) == len(COMMANDS) + 1
    for arguments, code, _, loaded in helped:
        assert (code, loaded) == (0, []), arguments


def test_every_help_has_an_example(helped: list[tuple[list[str], int, str, list[str]]]) -> None:
    for arguments, _, said, _ in helped:
        assert "Example: " in said, arguments


@pytest.mark.parametrize("arguments", [["ls"], ["emit", "warning", "message=x"]], ids=["ls", "emit"])
def test_a_quick_command_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    (_, code, _, loaded), *_ = called(tmp_path, arguments)
    assert code in (0, 1, 2)
    assert loaded == []
