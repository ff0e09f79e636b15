"""Themes: the shipped ones are complete and readable, bad ones are refused with file, line and reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runwatch import palettes
from runwatch.errors import SettingsError

SHIPPED = [theme.name for theme in palettes.available([palettes.shipped_folder()])]
BEHIND_TEXT = {"cursor", "hit"}
NO_TEXT = {"rule", "hit_text", *BEHIND_TEXT}
"""Tokens that are not drawn as text on the common grounds."""


def luminance(color: str) -> float:
    """Relative luminance, 0–1. **Source**: WCAG 2.2, "relative luminance"."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1–21. **Source**: WCAG 2.2, "contrast ratio"."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.fixture
def dark_text() -> str:
    return (palettes.shipped_folder() / "runwatch-dark.toml").read_text(encoding="utf-8")


def refused(folder: Path, text: str, name: str = "runwatch-dark") -> str:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        palettes.read_palette(path)
    sentence = raised.value.sentence
    assert sentence.startswith(str(path))
    return sentence.removeprefix(str(path))


def test_a_dark_and_a_light_house_theme_are_shipped() -> None:
    loaded = {name: palettes.load_palette(name, [palettes.shipped_folder()]) for name in SHIPPED}
    assert loaded["runwatch-dark"].dark
    assert not loaded["runwatch-light"].dark
    assert luminance(loaded["runwatch-dark"].background) < 0.05
    assert luminance(loaded["runwatch-light"].background) > 0.9


@pytest.mark.parametrize("name", SHIPPED)
def test_all_text_of_a_shipped_theme_is_readable_on_every_ground(name: str) -> None:
    palette = palettes.load_palette(name, [palettes.shipped_folder()])
    texts = {token: color for token, color in palette.tokens.items() if token not in NO_TEXT}
    for token in ("primary", "secondary", "accent", "foreground", "success", "warning", "error"):
        texts[f"colors.{token}"] = getattr(palette, token)
    grounds = {key: getattr(palette, key) for key in ("background", "surface", "panel")}
    grounds["cursor"] = palette.tokens["cursor"]
    poor = {
        f"{token} on {ground}": round(contrast(color, behind), 2)
        for token, color in texts.items()
        for ground, behind in grounds.items()
        if contrast(color, behind) < 4.5
    }
    assert not poor
    assert contrast(palette.tokens["hit_text"], palette.tokens["hit"]) >= 4.5
    assert contrast(palette.foreground, palette.background) >= 12


@pytest.mark.parametrize("name", SHIPPED)
def test_borders_are_seen_and_stay_quieter_than_text(name: str) -> None:
    palette = palettes.load_palette(name, [palettes.shipped_folder()])
    rule, dim = palette.tokens["rule"], palette.tokens["dim"]
    assert 1.4 <= contrast(rule, palette.background) < contrast(dim, palette.background)


@pytest.mark.parametrize("name", SHIPPED)
def test_states_and_charts_of_a_shipped_theme_differ_from_each_other(name: str) -> None:
    tokens = palettes.load_palette(name, [palettes.shipped_folder()]).tokens
    for section in ("states", "charts"):
        colors = [tokens[token] for token in palettes.TOKENS[section]]
        assert len(set(colors)) == len(colors)


def test_the_users_folder_comes_before_the_projects_and_both_before_the_shipped(tmp_path: Path, dark_text: str) -> None:
    environ = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    folders = palettes.theme_folders(tmp_path / "project", environ)
    project, user = tmp_path / "project" / "themes", tmp_path / "config" / "runwatch" / "themes"
    assert folders == [user, project, palettes.shipped_folder()]

    project.mkdir(parents=True)
    (project / "runwatch-dark.toml").write_text(dark_text.replace("#0e1217", "#000001"), encoding="utf-8")
    assert palettes.load_palette("runwatch-dark", folders).background == "#000001"
    user.mkdir(parents=True)
    (user / "runwatch-dark.toml").write_text(dark_text.replace("#0e1217", "#000002"), encoding="utf-8")
    assert palettes.load_palette("runwatch-dark", folders).background == "#000002"
    assert [theme.name for theme in palettes.available(folders)] == sorted(SHIPPED)


def test_levels_are_told_from_states_of_the_same_name(tmp_path: Path, dark_text: str) -> None:
    path = tmp_path / "runwatch-dark.toml"
    path.write_text(re.sub(r"(?m)^error = .*$", 'error = "#abc"', dark_text), encoding="utf-8")
    palette = palettes.read_palette(path)
    assert palette.error == "#abc"
    assert palette.tokens["level_error"] == "#abc"
    assert palette.tokens["warning"] == "#f2bd62"


@pytest.mark.parametrize("color", ["red", "#12345", "1e90ff", "#12345g", "rgb(1,2,3)", ""])
def test_a_color_that_is_none_is_refused_with_its_line(tmp_path: Path, dark_text: str, color: str) -> None:
    line = dark_text.splitlines().index('running = "#6cb6ff"') + 1
    sentence = refused(tmp_path, dark_text.replace('running = "#6cb6ff"', f'running = "{color}"'))
    assert sentence == f", line {line}: states.running is {color!r}, but must be a color such as #1e90ff."


def test_a_number_for_a_color_is_refused(tmp_path: Path, dark_text: str) -> None:
    assert "states.running is 3, but" in refused(tmp_path, dark_text.replace('running = "#6cb6ff"', "running = 3"))


def test_an_unknown_token_is_refused_with_the_nearest_known_one(tmp_path: Path, dark_text: str) -> None:
    line = dark_text.splitlines().index('running = "#6cb6ff"') + 1
    sentence = refused(tmp_path, dark_text.replace("running =", "runing ="))
    assert sentence == f', line {line}: unknown color "states.runing"; the nearest known one is "running".'


def test_a_missing_token_is_refused_at_its_table(tmp_path: Path, dark_text: str) -> None:
    line = dark_text.splitlines().index("[states]") + 1
    sentence = refused(tmp_path, dark_text.replace('running = "#6cb6ff"\n', ""))
    assert sentence == f", line {line}: states.running is missing."


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[levels]", "[lvels]", 'unknown key "lvels"; the nearest known key is "levels"'),
        ("dark = true", 'dark = "yes"', "line 3: dark must be true or false, not 'yes'"),
        ("dark = true", "", "dark must be true or false, not 'absent'"),
        ('name = "runwatch-dark"', 'name = "other"', 'line 2: name must be "runwatch-dark", as the file is called'),
        ("[states]", "[states", "this is not TOML"),
    ],
)
def test_a_theme_that_is_wrong_is_refused_with_its_reason(
    tmp_path: Path, dark_text: str, old: str, new: str, reason: str
) -> None:
    assert reason in refused(tmp_path, dark_text.replace(old, new))


def test_a_theme_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(SettingsError, match="byte 8 is not UTF-8"):
        palettes.read_palette(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        palettes.read_palette(tmp_path / "absent.toml")


def test_an_unknown_theme_is_refused_with_the_names_of_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r'no theme "pink"; the themes are .*runwatch-dark, runwatch-light'):
        palettes.load_palette("pink", [palettes.shipped_folder()])
