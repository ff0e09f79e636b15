"""A run as a program sees it: starts or joins one, takes its steps and events, ends it.

Must not raise for a reason of runwatch's own: where no run can be had, everything is counted in memory.
"""

from __future__ import annotations

import os
import threading
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from runwatch.events.words import ended_badly, ended_well
from runwatch.journal.paths import RunPaths
from runwatch.sdk import active, call_told, endings, opening
from runwatch.sdk.core import Emitter
from runwatch.sdk.ending import end_alone
from runwatch.sdk.faults import record_fault
from runwatch.sdk.given import complain
from runwatch.sdk.guard import Guardian
from runwatch.sdk.hitl import Question
from runwatch.sdk.issues import IssueTracker, register
from runwatch.sdk.listeners import Callback, Listener
from runwatch.sdk.plain import one_line, shown, text
from runwatch.sdk.steps import Step
from runwatch.sdk.trouble import say

_WAIT_S = 60.0
"""How long ``finalize_run`` waits for the finalizer."""


class RunLogger:
    """A run of this program, or the one that ``runwatch run`` started around it. A context manager."""

    def __init__(
        self,
        project_id: int | str | None = None,
        config: Mapping[str, Any] | None = None,
        *,
        framework: str = "default",
        run_id: str | None = None,
        runs_dir: str | os.PathLike[str] | None = None,
        guard: bool = True,
    ) -> None:
        """Start a run, or join the one that the environment names.

        ``config`` takes ``llm_provider``, ``llm_model``, ``llm_temperature``, ``mode`` and any more. ``guard`` starts
        a process that finalizes the run even when this one is killed.
        """
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._ended = False
        self._guardian: Guardian | None = None
        self._unguarded: OSError | None = None
        """Why there is no guardian."""
        self._started: opening.Started | None = None
        self._subscribed: list[Listener] = []
        joined = active.joined()
        if joined is not None:
            self._emitter = joined
            _warn_of_what_is_not_ours(joined, framework, run_id)
            configured = opening.configured(project_id, config)
            if configured:
                joined.emit("run.configured", configured)
        else:
            self._emitter = self._start(project_id, config, framework, run_id, runs_dir, guard=guard)
        self._emitter.run = self
        if self._emitter.memory is None:
            endings.watch(self)

    @classmethod
    def around(cls, emitter: Emitter) -> RunLogger:
        """Return the run of an emitter that nobody has made one for; it proposes no status by itself."""
        run = emitter.run
        if not isinstance(run, RunLogger):
            run = cls.__new__(cls)
            run._pid, run._lock, run._ended = os.getpid(), threading.RLock(), False
            run._guardian, run._unguarded, run._started, run._emitter = None, None, None, emitter
            run._subscribed = []
            emitter.run = run
        return run

    def _start(
        self,
        project_id: int | str | None,
        config: Mapping[str, Any] | None,
        framework: str,
        run_id: str | None,
        runs_dir: str | os.PathLike[str] | None,
        *,
        guard: bool,
    ) -> Emitter:
        if active.is_disabled():
            return active.memory()
        try:
            wish = opening.Wish(
                framework=framework,
                run_id=run_id,
                project_id=project_id,
                runs_dir=None if runs_dir is None else Path(runs_dir),
                config=dict(config or {}),
            )
            self._started = opening.start(wish, self._guard if guard else None)
        except Exception as error:  # noqa: BLE001 - whatever keeps a run from starting must not stop the program
            if self._guardian is not None:
                self._guardian.say_goodbye({"status": "crashed", "reason": f"the run could not start: {text(error)}"})
                self._guardian.close()
                self._guardian = None
            say(f"{text(error)} Nothing is recorded: the program goes on, counted in memory.")
            return active.memory()
        emitter = self._started.emitter
        active.opened(emitter)
        if self._guardian is not None:
            emitter.own_secrets.are_known()
        if self._unguarded is not None:
            sentence = f"no guardian ({self._unguarded.strerror}): a killed run needs `recover`."
            emitter.troubles.report("guardian", sentence)
        return emitter

    def _guard(self, paths: RunPaths, lock_fd: int) -> None:
        try:
            self._guardian = Guardian.start(paths, lock_fd)
        except OSError as error:
            self._unguarded = error

    def __repr__(self) -> str:
        return f"<RunLogger {self.run_id or 'in memory'}>"

    @property
    def run_id(self) -> str:
        """Id of the run; empty when it is in memory only."""
        return self._emitter.run_id or ""

    @property
    def path(self) -> Path | None:
        """The run directory; None when the run is in memory only."""
        self._emitter.follow()
        return self._emitter.paths.root if self._emitter.paths is not None else None

    # --- what happens in it

    def emit(self, type: str, fields: Mapping[str, Any] | None = None) -> bool:
        """Write one event; True when it is acknowledged: it stays even if every process is killed the next instant.

        Tokens and cost of an ``llm.completed`` may have any client's names. How a run begins and ends is told by who
        records it: ``run.started`` and ``run.completed`` are refused with a warning.
        """
        if isinstance(type, str) and type in ("run.started", "run.completed"):  # type: ignore[redundant-expr]  # misuse
            self._emitter.warn(
                f"{type} is written by who records the run: propose a status with status.proposed", "emit"
            )
            return False
        return self._emitter.emit(type, call_told.as_event(self._emitter, type, fields))

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Have ``callback`` called with every event of this process, a mapping, off the emitting thread.

        A callback that raises, takes long over one event or falls far behind is dropped with a warning. Call what is
        returned to end it; the end of the run does, too, and waits a second for what was not taken yet.
        """
        listener = self._emitter.subscribe(callback)
        self._subscribed.append(listener)
        return lambda: self._emitter.unsubscribe(listener)

    def plan(self, total: int, names: Iterable[str] | None = None) -> None:
        """Say how many steps will come, and their names in order."""
        self._emitter.emit("steps.planned", {"total": total, "names": _names(names)})

    def step(self, name: str | None = None, number: int | None = None) -> Step:
        """Return a context manager: the next step, or the one of that number."""
        return Step(self._emitter, name, number)

    def hitl(self, question: str) -> Question:
        """Return a context manager around a person's answer."""
        return Question(self._emitter, question)

    def add_issue(self, issue_id: int | str) -> None:
        """Register an issue."""
        register(self._emitter, issue_id)

    def issue(self, issue_id: int | str, title: str | None = None) -> IssueTracker:
        """Return the tracker of an issue, registered if it was not."""
        register(self._emitter, issue_id, title)
        return IssueTracker(self, issue_id)

    # --- its end

    def finalize_run(self, status: str = "completed") -> None:
        """End the run and finalize it; a second call does nothing. In a joined run, propose the status.

        ``status``: completed, failed or another word for how it ended; one that nobody knows is a warning.
        """
        said = text(status)
        if not self._ended and not ended_well(said) and not ended_badly(said):
            known = "completed, success, failed, interrupted"
            complain(f"the run ended as {said!r:.60}, which does not count as a good end: {known} are known.", "run")
        self.end(said, None, wait_s=_WAIT_S)

    def end(self, status: str, reason: str | None, *, signal_name: str | None = None, wait_s: float) -> None:
        """End the run once, in the process that started it; a forked child's end is not the run's."""
        if self._pid != os.getpid():
            return
        with self._lock:
            if self._ended:
                return
            self._ended = True
        try:
            if self._started is not None:
                end_alone(self._started, self._guardian, status, reason, signal_name, wait_s)
            elif self._emitter.memory is None:
                self._emitter.own_secrets.look()
                paths = self._emitter.paths
                if paths is not None and paths.control.exists():  # a program's own run ends as that program says
                    self._emitter.emit("status.proposed", {"status": status, "reason": reason})
                self._emitter.unsubscribe(*self._subscribed)
        except Exception as error:  # noqa: BLE001 - the end of a program must not become an error by our doing
            say(f"the run could not be ended properly: {one_line(error)}.")
        finally:
            endings.unwatch(self)

    def __enter__(self) -> RunLogger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        status, reason = endings.of_exception(error)
        if error is not None and status == "failed" and not isinstance(error, SystemExit):
            record_fault(self._emitter, error)
        self.end(status, reason, wait_s=_WAIT_S)


def _names(names: object) -> list[str] | None:
    try:
        return None if names is None else [*map(text, names)]  # type: ignore[call-overload]  # whatever was passed
    except Exception:  # noqa: BLE001 - no list, or one of the program's that raises
        complain(f"plan wants the names of steps as a list, not {shown(names)}: they are left out.", "run.plan")
        return None


def _warn_of_what_is_not_ours(joined: Emitter, framework: str, run_id: str | None) -> None:
    """Say which wishes of a program cannot be fulfilled because it joins a run."""
    paths = joined.paths
    if paths is None:
        return
    wishes = (("framework", framework, "default", paths.framework), ("run_id", run_id, None, paths.run_id))
    for name, wish, none, is_so in wishes:
        if wish not in (none, is_so):
            where = f"{paths.framework}/{paths.run_id}"
            joined.warn(f"{name} {text(wish)} is not used: this program joined run {where}", "RunLogger")


def current_run() -> RunLogger | None:
    """Return the active run: the one of the calling task, else the newest of this process, else the one it joins."""
    emitter = active.current()
    return None if emitter is None else RunLogger.around(emitter)
