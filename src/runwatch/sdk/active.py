"""Which run the calling code records into: its own, the newest of the process, the one it joins, or none.

Must not create a run. Without any, events are counted in memory.
"""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path

from runwatch.errors import RunwatchError
from runwatch.journal.control import request
from runwatch.journal.held import where_joined
from runwatch.journal.lock import is_live
from runwatch.journal.origin import llm_left_open
from runwatch.journal.paths import RunPaths
from runwatch.journal.step_at_hand import reader_of
from runwatch.journal.steps import step_at_hand
from runwatch.sdk.context import scope_var
from runwatch.sdk.core import Emitter
from runwatch.sdk.trouble import say
from runwatch.settings import Settings, load

RUN_DIR = "RUNWATCH_RUN_DIR"
"""Names the run directory that the processes of a recorded command join."""
STEP = "RUNWATCH_STEP"
"""Pins the step of a process that joins."""

_lock = threading.RLock()
_open: list[Emitter] = []
_joined: dict[str, Emitter | None] = {}
"""Run directory as the environment named it → its emitter; None where it cannot be joined."""
_exported: list[str | None] = []
"""What the environment named before this process's first open run took its place, and that run's directory."""
_memory: list[Emitter] = []
"""The emitter of no run, once it is needed."""


def emitter() -> Emitter:
    """Return where an event of the calling code goes; one that counts in memory when there is no run."""
    return current() or memory()


def current() -> Emitter | None:
    """Return the emitter of the run that the calling code is in; None when there is no run."""
    scope = scope_var.get()
    if scope is not None:
        owner = scope.owner
        if isinstance(owner, Emitter) and owner.memory is None and not owner.closed:
            return owner
    if _open:
        return _open[-1]
    return joined()


def memory() -> Emitter:
    """Return the emitter of no run."""
    if not _memory:
        with _lock:
            if not _memory:
                _memory.append(Emitter(None))
    return _memory[0]


def joined() -> Emitter | None:
    """Return the emitter of the run that the environment names; None where it names none that is live."""
    named = os.environ.get(RUN_DIR)
    if not named or is_disabled() or named in _exported[1:]:
        return None
    if named not in _joined:
        with _lock:
            if named not in _joined:
                _joined[named] = _join(named)
    emitter = _joined[named]
    return None if emitter is None or emitter.closed else emitter


def is_disabled() -> bool:
    """Whether the user switched runwatch off."""
    return os.environ.get("RUNWATCH_DISABLE", "") not in ("", "0")


def opened(emitter: Emitter) -> None:
    """Make a run the process's newest, and the one that processes join which this one starts."""
    with _lock:
        _open.append(emitter)
        _export()


def ended(emitter: Emitter) -> None:
    """Forget a run."""
    with _lock:
        if emitter in _open:
            _open.remove(emitter)
            _export()


def _export() -> None:
    """Name the newest run in the environment; after the last one it is as it was. A value of the program's stays."""
    named = os.environ.get(RUN_DIR)
    if not _exported:
        _exported[:] = [named, None]
    former, ours = _exported
    if named not in (former, ours):
        return
    newest = next((one.paths for one in reversed(_open) if one.paths is not None), None)
    if newest is not None:
        os.environ[RUN_DIR] = _exported[1] = os.fspath(newest)
        return
    _exported.clear()
    if former is None:
        os.environ.pop(RUN_DIR, None)
    else:
        os.environ[RUN_DIR] = former


def find(run_id: str) -> Emitter | None:
    """Return the emitter of an open run by its id; None when this process has none of that name."""
    candidates = [*reversed(_open), current()]
    return next((one for one in candidates if one is not None and one.run_id == run_id), None)


def _after_fork() -> None:
    """A forked child records into what its parent recorded into; the lock may be held by a thread that is no more."""
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


def _join(named: str) -> Emitter | None:
    paths = RunPaths(where_joined(Path(named)))
    if not paths.journal.is_file() or not is_live(paths.lock):
        say(f"{RUN_DIR} names {named}, which is no live run: it is not joined.")
        return None
    try:
        emitter = Emitter(paths)
    except RunwatchError as error:
        say(error.sentence)
        return None
    emitter.joined = True
    atexit.register(emitter.own_secrets.look)
    emitter.steps.start_in(_step_at_hand(paths))
    follows = None if _pinned() else reader_of(paths.root)
    if follows is not None:
        emitter.steps.follow(follows)
    settings = _settings()
    if settings is not None:
        emitter.max_log_bytes = settings.capture.max_file_bytes
    try:
        llm = llm_left_open(paths.journal, settings or Settings(), os.environ)
    except OSError:
        llm = None
    if llm is not None:
        emitter.emit("run.configured", {"llm": llm})
    return emitter


def _settings() -> Settings | None:
    try:
        return load(Path.cwd(), os.environ)
    except (RunwatchError, OSError):
        return None  # `runwatch run` has refused it, or will


def _pinned() -> int | None:
    pinned = os.environ.get(STEP, "")
    return int(pinned) if pinned.isdecimal() and int(pinned) > 0 else None


def _step_at_hand(paths: RunPaths) -> int | None:
    """Return the step that the environment pins, else what the supervisor says, else what the journal says."""
    pinned = _pinned()
    if pinned is not None:
        return pinned
    reply = request(paths.control, {"op": "ping"})
    if reply is not None and reply.get("ok"):
        step = reply.get("step")
        return step if isinstance(step, int) else None
    return step_at_hand(paths.journal)
