"""What most commands need first: the configuration in force, the runs folder, and the run that is meant.

Must not do anything with them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runwatch.errors import NotFound, RecordError, SettingsError
from runwatch.settings import Settings, load, runs_root, where_set
from runwatch.vcs import find_work_tree


def settings_here(flags: dict[str, Any] | None = None) -> Settings:
    """Return the configuration in force in the current folder. Raises SettingsError."""
    return load(Path.cwd(), os.environ, flags or {})


def runs_here(runs_dir: str | None = None) -> Path:
    """Return the runs folder of the current place: ``--runs-dir`` first, then the configuration."""
    cwd = Path.cwd()
    return runs_root(settings_here({"run.runs_dir": runs_dir}), cwd, find_work_tree(cwd))


def check_readable(root: Path) -> None:
    """Raise RecordError where nobody can know which runs a runs folder holds: it is somebody else's."""
    if root.is_dir() and not os.access(root, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        from runwatch.finalize.condition import user_name

        owner, reader = user_name(root.stat().st_uid), user_name(os.geteuid())
        raise RecordError(f"{root} belongs to {owner} and cannot be read: be that user, not {reader}, and try again.")


def the_run(reference: str | None, runs_dir: str | None = None) -> Path:
    """Return the run directory that a person means. Raises NotFound, UsageError."""
    from runwatch.runs import find  # `run` needs none of it, and its command waits

    root = runs_here(runs_dir)
    try:
        return find.resolve(reference, root)
    except NotFound:
        check_readable(root)
        raise


def run_names(ctx: object, parameter: object, incomplete: str) -> list[str]:
    """Return the run ids that a shell may complete ``incomplete`` to."""
    from runwatch.runs.listing import run_directories

    return sorted(path.name for path in run_directories(runs_here()) if path.name.startswith(incomplete))


def check_look(settings: Settings) -> None:
    """Refuse a theme or a key that the app could not take, before anything is created. Raises SettingsError."""
    from runwatch.palettes import load_palette, theme_folders

    cwd = Path.cwd()
    if settings.keys:
        from runwatch.tui.keys import check_keys

        for action, keys in settings.keys.items():
            with _told_where("keys", action):
                check_keys({action: keys})
    with _told_where("tui", "theme"):
        load_palette(settings.tui.theme, theme_folders(find_work_tree(cwd) or cwd))


@contextmanager
def _told_where(section: str, key: str) -> Iterator[None]:
    """Begin the sentence of a setting that the app refuses with the file and the line that hold it."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"{where_set(Path.cwd(), os.environ, section, key)}: {error.sentence}") from error


def remember_theme(name: str) -> str:
    """Keep a theme that was chosen in the app where the theme in force is set; return where. Raises SettingsError."""
    from runwatch.settings import file_to_change
    from runwatch.settings.writing import set_value

    cwd = Path.cwd()
    path = file_to_change(cwd, os.environ, "tui", "theme")
    set_value(path, "tui.theme", name)
    if os.environ.get("RUNWATCH_TUI_THEME"):
        return f"{path}, which RUNWATCH_TUI_THEME overrules"
    return where_set(cwd, os.environ, "tui", "theme")


def pretty_json(value: object) -> str:
    """Return a value as indented JSON, without a line feed at its end."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
