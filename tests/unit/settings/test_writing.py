"""Changing a file leaves the rest of it alone; the file for a start says what there is and changes nothing."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from runwatch.cli.where import remember_theme
from runwatch.errors import SettingsError
from runwatch.settings import Settings, load
from runwatch.settings.writing import default_text, meanings, set_value

NAMES = ["runwatch.toml", "pyproject.toml"]


def value_in(path: Path, *keys: str) -> object:
    table: object = tomllib.loads(path.read_text(encoding="utf-8"))
    for key in ("tool", "runwatch", *keys) if path.name == "pyproject.toml" else keys:
        assert isinstance(table, dict)
        table = table[key]
    return table


@pytest.mark.parametrize("name", NAMES)
def test_a_value_is_set_in_a_file_that_is_not_there_yet(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    set_value(path, "tui.theme", "runwatch-light")
    set_value(path, "run.framework", "é")
    assert value_in(path, "tui", "theme") == "runwatch-light"
    assert value_in(path, "run", "framework") == "é"
    assert os.listdir(path.parent) == [name]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_comments_order_and_line_ends_stay(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "pyproject.toml"
    before = (
        '# first\n[project]\nname="x" # a name\n\n[tool.runwatch.run]\n# why\nframework = "a"   # keep\n\n'
        "# leads the next\n[tool.mypy]\nb=2"
    ).replace("\n", ending) + ending
    path.write_bytes(before.encode())
    set_value(path, "run.framework", "b")
    set_value(path, "run.mode", "nightly")
    set_value(path, "tui.theme", "mine")
    after = path.read_bytes().decode()
    expected = before.replace('framework = "a"', 'framework = "b"').replace(
        f"[tool.runwatch.run]{ending}", f'[tool.runwatch.run]{ending}mode = "nightly"{ending}'
    )
    assert after == f'{expected}{ending}[tool.runwatch.tui]{ending}theme = "mine"{ending}'


def test_a_key_that_is_commented_out_is_set_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "runwatch.toml"
    path.write_text(default_text(), encoding="utf-8")
    set_value(path, "tui.theme", "mine")
    assert path.read_text(encoding="utf-8") == default_text().replace('#theme = "runwatch-dark"', 'theme = "mine"')


def test_tables_written_in_other_ways_are_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "runwatch.toml"
    path.write_text('tui = {theme = "a"}\nrun.framework = "f"\n')
    set_value(path, "tui.theme", "b")
    set_value(path, "run.mode", "m")
    assert value_in(path, "tui") == {"theme": "b"}
    assert value_in(path, "run") == {"framework": "f", "mode": "m"}


def test_a_link_and_the_mode_of_the_file_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "target.toml", tmp_path / "runwatch.toml"
    target.touch(mode=0o640)
    link.symlink_to(target)
    set_value(link, "tui.theme", "x")
    assert link.is_symlink()
    assert "x" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640


def test_what_may_not_be_set_is_refused_and_nothing_written(tmp_path: Path) -> None:
    path = tmp_path / "runwatch.toml"
    for dotted, value in (("tui.theme", 3), ("tui.theem", "x"), ("theme", "x")):
        with pytest.raises(SettingsError):
            set_value(path, dotted, value)
    assert not path.exists()
    path.write_text("[tui\n")
    with pytest.raises(SettingsError, match="line 1: this is not TOML; mend it first"):
        set_value(path, "tui.theme", "x")
    path.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"cannot be changed .* tui\.theme was not set"):
        set_value(path, "tui.theme", "x")
    assert path.read_bytes() == b"\xff"


@pytest.mark.parametrize("name", NAMES)
def test_a_chosen_theme_is_kept_where_the_one_in_force_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.delenv("RUNWATCH_TUI_THEME", raising=False)
    project, own = tmp_path / "project" / name, tmp_path / "user" / "runwatch" / "runwatch.toml"
    prefix = "tool.runwatch." if name == "pyproject.toml" else ""
    project.parent.mkdir()
    project.write_text(f"[{prefix}run]\nframework = 'a'\n")
    monkeypatch.chdir(project.parent)
    assert remember_theme("runwatch-light") == f"{own}, line 2"
    assert "theme" not in project.read_text()
    project.write_text(f"[{prefix}tui]\n# ours\ntheme = 'runwatch-dark'  # for all\n")
    assert remember_theme("textual-dark") == f"{name}, line 3"
    assert project.read_text() == f'[{prefix}tui]\n# ours\ntheme = "textual-dark"  # for all\n'
    assert value_in(own, "tui", "theme") == "runwatch-light"
    monkeypatch.setenv("RUNWATCH_TUI_THEME", "runwatch-dark")
    assert remember_theme("runwatch-light") == f"{project}, which RUNWATCH_TUI_THEME overrules"


def test_the_file_for_a_start_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "runwatch.toml").write_text(default_text(), encoding="utf-8")
    assert load(tmp_path, {"HOME": str(tmp_path)}) == Settings()


def test_every_line_of_it_can_be_taken_out_of_its_comment(tmp_path: Path) -> None:
    every = default_text([section.name for section in msgspec.structs.fields(Settings)])
    taken_out = re.sub(r"(?m)^#(?! )", "", every)
    (tmp_path / "runwatch.toml").write_text(taken_out, encoding="utf-8")
    settings = load(tmp_path, {"HOME": str(tmp_path)})
    assert settings.limits.max_duration_s == 9000
    assert set(tomllib.loads(taken_out)) == {section.name for section in msgspec.structs.fields(Settings)}


def test_it_leaves_out_what_nothing_acts_on_yet() -> None:
    assert "[limits]" not in default_text()
    assert "[commit]" in default_text()
    assert "#push" not in default_text()
    assert "#push" in default_text(["commit"])


def test_every_setting_has_a_meaning() -> None:
    for section in msgspec.structs.fields(Settings):
        if isinstance(section.type, type) and issubclass(section.type, msgspec.Struct):
            names = {item.name for item in msgspec.structs.fields(section.type)}
            assert set(meanings(section.type)) == names, section.name
            assert section.type.__doc__
        else:
            assert section.name in meanings(Settings)
