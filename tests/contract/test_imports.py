"""The house's directions of import hold, and the contracts that say so can fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(checkout / "src"), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    return subprocess.run(LINT, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def test_every_import_goes_down() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_contract_is_broken_by_the_import_it_forbids(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "src" / "runwatch"
    (package / "demo").mkdir(exist_ok=True)
    for name in ("__init__.py", "probe.py"):
        (package / "demo" / name).touch()
    for module, line in {
        "errors.py": "import runwatch.units",
        "cli/__init__.py": "import rich, git",
        "fold/__init__.py": "import time",
        "tui/__init__.py": "import runwatch.record",
        "demo/probe.py": "import runwatch.fold",
    }.items():
        with (package / module).open("a", encoding="utf-8") as stream:
            stream.write(f"\n{line}\n")
    (package / "attic.py").touch()  # a module on no floor

    done = lint(tmp_path)

    assert done.returncode != 0
    assert done.stdout.count(" BROKEN") == 6, done.stdout
    assert "attic" in done.stdout
