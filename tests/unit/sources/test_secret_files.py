"""The files from which a command takes secrets: found where it starts, bounded, never out of the place."""

from __future__ import annotations

import os
from pathlib import Path

from runwatch.sources.secret_files import MOST_BYTES, SecretFiles


def test_env_files_of_the_place_and_of_its_top_are_read_and_examples_are_not(tmp_path: Path) -> None:
    cwd = tmp_path / "deep" / "er"
    cwd.mkdir(parents=True)
    for folder, names in (
        (cwd, [".env", ".env.qa-7", ".env.example", ".env.local.sample", "environment"]),
        (tmp_path, [".envrc", "x.env"]),
    ):
        for name in names:
            (folder / name).write_text(name)
    (tmp_path / "deep" / ".env").write_text("between")
    assert sorted(SecretFiles(cwd, tmp_path).env_files()) == [".env", ".env.qa-7", ".envrc", "x.env"]
    assert list(SecretFiles(tmp_path / "gone", None).env_files()) == []


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path, None)
    assert list(files.env_files()) == []
    (tmp_path / ".env").write_text("A=1")
    assert list(files.env_files()) == ["A=1"]
    assert list(files.env_files()) == []
    (tmp_path / ".env").write_text("A=1\nB=2")
    assert list(files.env_files()) == ["A=1\nB=2"]


def test_nothing_is_read_that_leads_out_hangs_or_is_no_text(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (tmp_path / "outside").write_text("A=1")
    (place / "inside").write_text("inside")
    (place / ".env").symlink_to(tmp_path / "outside")
    (place / ".env.local").symlink_to("inside")
    os.mkfifo(place / ".env.pipe")
    (place / ".env.folder").mkdir()
    (place / ".env.binary").write_bytes(b"A=\0")
    (place / ".env.loop").symlink_to(".env.loop")
    assert list(SecretFiles(place, None).env_files()) == ["inside"]


def test_of_a_long_file_the_beginning_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A" * (MOST_BYTES + 100))
    assert [len(text) for text in SecretFiles(tmp_path, None).env_files()] == [MOST_BYTES]


def test_scripts_are_the_text_files_that_a_command_line_names(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("script")
    (tmp_path / "program").write_bytes(b"\x7fELF\0")
    arguments = ["sh", "run.sh", str(tmp_path / "run.sh"), "program", "", "a\nb", "/dev/zero", "/", "x" * 5000, "nul\0"]
    assert list(SecretFiles(tmp_path, None).scripts(arguments)) == ["script"]


def test_env_files_that_a_command_line_names_are_read_as_such(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "prod.env").write_text("for production")
    (tmp_path / "etc" / ".env.qa").write_text("for qa")
    arguments = ["docker", "run", "--env-file=etc/prod.env", "--env-file", "etc/.env.qa", "image"]
    files = SecretFiles(tmp_path, None)
    assert list(files.scripts(arguments)) == []
    assert list(files.env_files(arguments)) == ["for production", "for qa"]


def test_files_that_a_shell_is_told_to_read_are_among_them(tmp_path: Path) -> None:
    (tmp_path / "cfg").mkdir()
    for name in ("cfg/prod.env", "cfg/with space.env", "cfg/quoted.env", "cfg/last.env", "lib.sh", "no.sh"):
        (tmp_path / name).write_text(name)
    text = """set -a; . cfg/prod.env && source 'cfg/with space.env'
    if true; then . "cfg/quoted.env"; fi; (. ./cfg/last.env); . ./lib.sh; ls . no.sh; echo source no.sh
    . $HOME; . /dev/zero"""
    files = SecretFiles(tmp_path, None)
    found = ["cfg/last.env", "cfg/prod.env", "cfg/quoted.env", "cfg/with space.env"]
    assert sorted(files.env_files(["sh", "-c", text])) == found
    assert list(files.scripts(["sh", "-c", text])) == ["lib.sh"]


def test_a_module_that_python_is_told_to_run_is_a_script(tmp_path: Path) -> None:
    (tmp_path / "package" / "tool").mkdir(parents=True)
    (tmp_path / "package" / "tool" / "__main__.py").write_text("package")
    (tmp_path / "alone.py").write_text("alone")
    files = SecretFiles(tmp_path, None)
    assert list(files.scripts(["python3", "-m", "package.tool", "-m", "alone", "-m", "..alone"])) == [
        "package",
        "alone",
    ]
