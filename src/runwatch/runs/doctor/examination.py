"""Everything that is looked at, in the order in which a person needs it.

Must not look at anything itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from runwatch.errors import SettingsError
from runwatch.runs.doctor import folder, machine, repository
from runwatch.runs.doctor.finding import Finding, fault, ok, warning
from runwatch.settings import Settings, load, project_file, runs_root, user_file
from runwatch.vcs import find_work_tree


def examine(
    cwd: Path,
    environ: Mapping[str, str],
    *,
    runs_dir: str | None = None,
    terminal: os.terminal_size | None = None,
    check_look: Callable[[Settings], None] | None = None,
    check_processes: Callable[[], str | None] | None = None,
) -> Iterator[Finding]:
    """Yield what was found in the place ``cwd``.

    ``check_look`` raises SettingsError for what the app would refuse, ``check_processes`` returns what the limit of
    processes costs a run.
    """
    try:
        settings = load(cwd, environ, {"run.runs_dir": runs_dir})
        if check_look:
            check_look(settings)
    except SettingsError as error:
        yield fault("configuration", error.sentence.rstrip("."), "mend it there")
        settings = Settings()
    else:
        yield ok("configuration", _files(cwd, environ))
    root = runs_root(settings, cwd, find_work_tree(cwd)).absolute()
    yield from _whole("runs folder", folder.look(root))
    yield from _whole("git", repository.look(root, settings, environ))
    yield from _whole("unfinished runs", folder.unfinished(root, settings))
    yield from _whole("machine", machine.look(environ, terminal))
    told = check_processes() if check_processes else None
    if told:
        what, _, remedy = told.rstrip(".").partition(": raise ")
        yield fault("processes", what, f"raise {remedy}") if remedy else warning("processes", what)


def _whole(check: str, looks: Iterator[Finding]) -> Iterator[Finding]:
    """Yield what ``looks`` finds; where the place itself keeps one from looking on, that is a finding too."""
    try:
        yield from looks
    except OSError as error:
        where = f" of {error.filename}" if error.filename else ""
        yield warning(check, f"not all could be looked at: {error.strerror}{where}", "mend that and look again")


def _files(cwd: Path, environ: Mapping[str, str]) -> str:
    found = [path for path in (project_file(cwd), user_file(environ)) if path is not None and os.path.exists(path)]
    return f"read from {' and '.join(map(str, found))}" if found else "the defaults, no file"
