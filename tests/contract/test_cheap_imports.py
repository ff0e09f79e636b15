"""What ``import runwatch`` and a first event load: nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "textual", "rich", "git", "gitdb", "genai_prices", "tomlkit", "isal", "psutil", "click", "prometheus_client",
    "pydantic", "duckdb",
}  # fmt: skip
NOT_YET = {"asyncio", "logging", "socket", "ssl", "http", "email", "unittest", "sqlite3", "multiprocessing", "tomllib"}
"""Of the standard library: only when they are used."""

FIRST_EVENT = """
import runwatch
run = runwatch.RunLogger(guard=False)
assert run.emit("error", {"message": "x"})
run.path
"""


def loaded(code: str, cwd: Path) -> set[str]:
    """Return the top-level names in ``sys.modules`` after ``code`` has run."""
    script = (
        f"{code}\nimport sys, os\nprint(*{{name.partition('.')[0] for name in sys.modules}}, flush=True)\nos._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import runwatch", FIRST_EVENT], ids=["import", "first event"])
def test_nothing_heavy_is_loaded(code: str, tmp_path: Path) -> None:
    found = loaded(code, tmp_path)
    assert "runwatch" in found
    assert found & HEAVY == set()
    assert found & NOT_YET == set()


def test_the_import_alone_loads_not_even_our_own_rooms(tmp_path: Path) -> None:
    assert "msgspec" not in loaded("import runwatch; dir(runwatch)", tmp_path)


def test_a_name_that_is_none_is_an_attribute_error(tmp_path: Path) -> None:
    loaded("import runwatch\ntry: runwatch.nothing\nexcept AttributeError as e: assert 'nothing' in str(e)", tmp_path)
