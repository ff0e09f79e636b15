"""What a user gets: the package, its themes and rules, its types, and nothing of the checkout beside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from runwatch.version import VERSION

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    # With the build tool of this environment: a test must not need a package index.
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_it_holds_the_whole_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    package = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / "runwatch").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    themes = {f"runwatch/themes/{path.name}" for path in (ROOT / "themes").glob("*.toml")}
    held = {name for name in wheel.namelist() if not name.startswith(f"runwatch-{VERSION}.dist-info/")}
    assert held == package | themes
    assert {"runwatch/themes/runwatch-dark.toml", "runwatch/redact/rules.toml", "runwatch/py.typed"} <= held


def test_it_says_its_license_its_command_and_its_version(wheel: zipfile.ZipFile) -> None:
    about = f"runwatch-{VERSION}.dist-info"
    metadata = wheel.read(f"{about}/METADATA").decode()
    assert "License-Expression: MIT" in metadata
    assert f"\nVersion: {VERSION}\n" in metadata
    assert "Requires-Python: >=3.11" in metadata
    assert b"runwatch = runwatch.cli.main:main" in wheel.read(f"{about}/entry_points.txt")
    assert f"{about}/licenses/LICENSE" in wheel.namelist()


def test_an_installed_wheel_finds_its_themes_without_the_checkout(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    probe = (
        "from runwatch.palettes import load_palette, shipped_folder; "
        "print(shipped_folder(), load_palette('runwatch-light', [shipped_folder()]).dark)"
    )
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{tmp_path}/runwatch/themes False\n"
