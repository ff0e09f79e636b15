"""Themes as files: `themes/<name>.toml` read, checked and turned into a palette of colors.

Must not import Textual: a wrong color passes Textual's registration and fails only when it is drawn, so all is checked
here, before the app sees it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from runwatch.errors import SettingsError
from runwatch.settings.lines import line_of
from runwatch.settings.places import user_file

BASE_COLORS = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
)
"""Keys of `[colors]`: what a theme of Textual is made of."""

TOKENS: Mapping[str, tuple[str, ...]] = {
    "chrome": ("rule", "dim", "key", "cursor", "hit", "hit_text"),
    "states": ("done", "running", "waiting", "warning", "failed", "skipped"),
    "levels": ("debug", "info", "warn", "error", "critical"),
    "charts": ("chart_1", "chart_2", "chart_3", "chart_4", "chart_5", "chart_6"),
}
"""Keys of the other tables. `cursor` and `hit` lie behind text, `rule` draws borders, all others color text."""

_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
_SUFFIX = ".toml"


class Palette(NamedTuple):
    """A theme: every color as `#rgb` or `#rrggbb`."""

    name: str
    """As the file is called."""
    dark: bool
    """Light text on a dark ground."""
    primary: str
    secondary: str
    accent: str
    """The focused pane's border."""
    foreground: str
    background: str
    surface: str
    panel: str
    success: str
    warning: str
    error: str
    tokens: Mapping[str, str]
    """Color by token of `TOKENS`; those of `[levels]` are called `level_…`, since `error` and `warning` stand twice."""


class ThemeFile(NamedTuple):
    """Where a theme lies; it has not been read yet."""

    name: str
    """What a person calls it."""
    path: Path
    """The file that wins among those of its name."""


def theme_folders(project: Path, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the folders that hold themes, the first that has a name wins: the user's, the project's, the shipped."""
    return [user_file(environ).parent / "themes", project / "themes", shipped_folder()]


def shipped_folder() -> Path:
    """Return the folder of the house themes: in the package when it was installed, else in the checkout."""
    installed = Path(__file__).with_name("themes")
    return installed if installed.is_dir() else Path(__file__).parents[2] / "themes"


def available(folders: Iterable[Path]) -> list[ThemeFile]:
    """Return the themes by name, each once."""
    found: dict[str, ThemeFile] = {}
    for folder in folders:
        if os.path.isdir(folder):
            for path in sorted(folder.glob(f"*{_SUFFIX}")):
                found.setdefault(path.stem, ThemeFile(path.stem, path))
    return sorted(found.values())


def load_palette(name: str, folders: Sequence[Path]) -> Palette:
    """Return the theme of this name. Raises SettingsError, a sentence with file, line and reason."""
    themes = {theme.name: theme for theme in available(folders)}
    if name not in themes:
        known = ", ".join(themes) or "none: this installation lacks its themes folder"
        raise SettingsError(f'There is no theme "{name}"; the themes are {known}.')
    return read_palette(themes[name].path)


def read_palette(path: Path) -> Palette:
    """Read one file. Raises SettingsError, a sentence with file, line and reason."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8.") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from error
    return _parse(path, text)


@lru_cache(maxsize=4)  # a theme is checked before the app starts, and read again by the app
def _parse(path: Path, text: str) -> Palette:
    import tomllib

    try:
        table: Mapping[str, Any] = tomllib.loads(text)  # ten times as quick as TOML Kit, and the first frame waits
    except tomllib.TOMLDecodeError as error:
        raise _no_toml(path, text, error) from error
    fault = next(_faults(table, path.stem), None)
    if fault is not None:
        keys, reason = fault
        line = line_of(text, keys) or 1
        raise SettingsError(f"{path}, line {line}: {reason}.")
    tokens = {
        f"level_{name}" if section == "levels" else name: table[section][name]
        for section, names in TOKENS.items()
        for name in names
    }
    return Palette(
        name=path.stem, dark=table["dark"], tokens=tokens, **{key: table["colors"][key] for key in BASE_COLORS}
    )


def _no_toml(path: Path, text: str, error: ValueError) -> SettingsError:
    """Return the error of a file that is no TOML, with the line that TOML Kit finds."""
    import tomlkit
    from tomlkit.exceptions import ParseError

    try:
        tomlkit.parse(text)
    except ParseError as found:
        return SettingsError(f"{path}, line {found.line}: this is not TOML ({found}).")
    return SettingsError(f"{path}: this is not TOML ({error}).")


def _faults(table: Mapping[str, Any], stem: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong, each with the keys that lead there."""
    sections = {"colors": BASE_COLORS, **TOKENS}
    for key in table:
        if key not in sections and key not in ("name", "dark"):
            yield (
                (key,),
                f'unknown key "{key}"; the nearest known key is "{_nearest(key, ["name", "dark", *sections])}"',
            )
    if table.get("name") != stem:
        yield ("name",), f'name must be "{stem}", as the file is called, not {table.get("name", "absent")!r}'
    if not isinstance(table.get("dark"), bool):
        yield ("dark",), f"dark must be true or false, not {table.get('dark', 'absent')!r}"
    for section, names in sections.items():
        values = table.get(section)
        if not isinstance(values, dict):
            yield (section,), f"the table [{section}] is missing; it sets {', '.join(names)}"
            continue
        for key, value in values.items():
            if key not in names:
                yield (
                    (section, key),
                    f'unknown color "{section}.{key}"; the nearest known one is "{_nearest(key, names)}"',
                )
            elif not isinstance(value, str) or not _COLOR.fullmatch(value):
                yield (section, key), f"{section}.{key} is {value!r}, but must be a color such as #1e90ff"
        for key in names:
            if key not in values:
                yield (section,), f"{section}.{key} is missing"


def _nearest(name: str, known: Sequence[str]) -> str:
    import difflib

    return difflib.get_close_matches(name, known, 1, 0.0)[0]
