"""Every command and program in README.md and docs/ is run here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from integration.recorded import repository
from runwatch.cli.main import COMMANDS
from runwatch.settings import load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(language, text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, (language, text) in enumerate(BLOCK.findall(page.read_text("utf-8")))
    if not text.startswith("python3 -m venv")  # the set-up commands: .ci/run runs them
]


@pytest.mark.parametrize(("language", "text"), BLOCKS)
def test_a_block_of_the_docs_works_as_it_stands(language: str, text: str, tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "experiment.py").write_text("print('hello')\n")
    (tmp_path / "python").symlink_to(sys.executable)
    path = f"{Path(sys.executable).parent}:{tmp_path}:{os.environ['PATH']}"
    program = [sys.executable, "-c", text] if language == "python" else ["bash", "-euc", text]
    # A shell script's `runwatch step` and `emit` need a run around them.
    around = [] if language == "python" else [sys.executable, "-m", "runwatch.cli.main", "run", "--headless", "--"]
    done = subprocess.run(
        [*around, *program],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert list(tmp_path.glob("runs/*/*/run.tar.gz"))


CONFIGURATIONS = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, text in enumerate(
        re.findall(r"^```toml\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )
]


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_a_configuration_of_the_docs_is_taken(text: str, tmp_path: Path) -> None:
    (tmp_path / "runwatch.toml").write_text(text)
    load(tmp_path, {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"`runwatch ([a-z]+)[` ]", page.read_text("utf-8")))
    assert named <= set(COMMANDS), named - set(COMMANDS)


def test_the_picture_of_the_readme_is_there() -> None:
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8")):
        assert (ROOT / name).is_file(), name
