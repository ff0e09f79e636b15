"""Starting a run that a program records by itself: place, directory, lock, first event.

Must not import anything heavy: the program waits for it.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from runwatch.errors import RunwatchError
from runwatch.events.lifecycle import SCHEMA
from runwatch.events.words import named
from runwatch.journal.create import create_run
from runwatch.journal.lock import Role, RunLock, reserve
from runwatch.journal.origin import boot_id, configured_llm, fold_settings, llm_complaint, usable_llm
from runwatch.journal.paths import RunPaths
from runwatch.journal.process_mark import mark_of
from runwatch.journal.reserve import set_aside
from runwatch.journal.step_at_hand import StepTeller
from runwatch.sdk.core import Emitter
from runwatch.sdk.forks import after_fork
from runwatch.sdk.plain import meant, text
from runwatch.sdk.trouble import say
from runwatch.settings import Settings, load, runs_root
from runwatch.vcs import find_work_tree, git_at_start
from runwatch.vcs.sparse import outside_cone_warning
from runwatch.version import VERSION

_LLM = ("provider", "model", "temperature")
_OWN_KEYS = ("llm_provider", "llm_model", "llm_temperature", "mode")
"""Keys of a program's ``config`` that have a place of their own in the first event."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says about the run that it starts."""

    framework: str
    """First level below the runs folder; ``default`` gives way to the configuration's."""
    run_id: str | None
    """None: made from the time."""
    project_id: int | str | None
    """The program's own number, part of the run id."""
    runs_dir: Path | None
    """None: by environment, configuration, work tree."""
    config: dict[str, Any]
    """What the program configured."""


class Started(msgspec.Struct, frozen=True):
    """A run that was started."""

    emitter: Emitter
    """Its journal is open and holds the first event."""
    lock: RunLock | None
    """Held as owner; None where the file system has no locks."""
    settings: Settings
    """The configuration in force."""
    teller: StepTeller
    """Says which step is at hand to processes that join."""


def start(wish: Wish, watch_over: Callable[[RunPaths, int], object] | None = None) -> Started:
    """Create a run and write ``run.started``. Raises RunwatchError, OSError; a disk that is full is no error.

    ``watch_over`` is called before the first event, with the run and a descriptor that holds it (-1: there is none): no
    event is acknowledged that nobody watches over.
    """
    cwd = Path.cwd()
    settings = _settings(cwd)
    work_tree = find_work_tree(cwd)
    framework = settings.run.framework if wish.framework == "default" else wish.framework
    root = wish.runs_dir.expanduser() if wish.runs_dir is not None else runs_root(settings, cwd, work_tree)
    paths = create_run(root.absolute(), framework, wish.run_id, project_id=wish.project_id, now=datetime.now(UTC))
    set_aside(paths)
    if watch_over is not None:
        reservation = _Reservation(paths)
        try:
            watch_over(paths, reservation.fd)
        finally:
            reservation.close()
    lock = _lock(paths)  # now: to close the reservation would have dropped it
    emitter = Emitter(paths)
    emitter.max_log_bytes = settings.capture.max_file_bytes
    teller = StepTeller(paths.root)
    emitter.steps.tell(teller)
    emitter.emit("run.started", _started(wish, paths, settings))
    if (complaint := llm_complaint(os.environ)) is not None:
        say(complaint)
        emitter.warn(complaint, "environment")
    if (complaint := outside_cone_warning(root)) is not None:
        say(f"{complaint}.")
        emitter.warn(complaint, "git")
    return Started(emitter, lock, settings, teller)


def _settings(cwd: Path) -> Settings:
    """Return the configuration; a wrong one is told of, and the defaults are used."""
    try:
        return load(cwd, os.environ)
    except (RunwatchError, OSError) as error:
        say(f"{error} The defaults are used.")
        return Settings()


class _Reservation:
    """Holds a new run until its guardian does; a child that another thread forks meanwhile does not keep it."""

    def __init__(self, paths: RunPaths) -> None:
        try:
            self.fd = reserve(paths.lock, inheritable=False)
        except OSError:
            self.fd = -1  # told by whoever takes the lock itself
        after_fork(self, _Reservation.close)

    def close(self) -> None:
        """Let go of it; who inherited it has it still."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


def _lock(paths: RunPaths) -> RunLock | None:
    try:
        lock = RunLock.of(paths.lock)
        if lock.acquire(Role.OWNER):
            with contextlib.suppress(OSError):  # a full disk
                lock.note(mark_of(os.getpid()))  # for `stop`, where the program drops this lock unawares
            return lock
    except OSError as error:
        say(f"the run cannot be locked ({error.strerror}): others cannot see that it is alive.")
    return None


def _started(wish: Wish, paths: RunPaths, settings: Settings) -> dict[str, Any]:
    config = wish.config
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "framework": paths.framework,
        "run_id": paths.run_id,
        "command": [text(word) for word in sys.orig_argv] or None,
        "cwd": text(os.getcwd()),
        "project_id": wish.project_id,
        "mode": config.get("mode") or settings.run.mode,
        "settings": fold_settings(settings),
        "llm": configured_llm({f"llm_{name}": _said(config, name) for name in _LLM}, settings, os.environ),
        "host": platform.node(),
        "boot_id": boot_id(),
        "versions": {"runwatch": VERSION, "python": platform.python_version()},
        "config": {text(key): value for key, value in config.items() if key not in _OWN_KEYS},
    }
    if (git := git_at_start(os.environ, Path.cwd())) is not None:
        fields["git"] = {**git, "base": settings.git.base}
    return {name: value for name, value in fields.items() if value is not None}


def configured(project_id: int | str | None, config: object) -> dict[str, Any]:
    """Return what a program that joins a run says of it; empty where it says nothing."""
    said = dict(config) if isinstance(config, Mapping) else {}
    llm = {name: usable for name in _LLM if (usable := _said(said, name)) is not None}
    fields = {
        "project_id": project_id,
        "mode": said.get("mode"),
        "llm": llm or None,
        "config": {text(key): value for key, value in said.items() if key not in _OWN_KEYS} or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _said(config: Mapping[str, Any], name: str) -> Any:
    value = meant(config.get(f"llm_{name}"))
    return None if value is None else _usable(name, value)


def _usable(name: str, value: Any) -> str | float | None:
    usable = usable_llm(name, value)
    is_word = isinstance(value, str) and named(value) is None
    if usable is None and not is_word:
        what = "number" if name == "temperature" else "name"
        say(f"llm_{name} {value!r:.40} is no {what} and is left out.")
    return usable
