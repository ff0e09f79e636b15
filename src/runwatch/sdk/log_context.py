"""The logging context of programs that set it by hand: which run, which step.

Must not hold a state of its own beside the run's: without a run it only directs log files.
"""

from __future__ import annotations

import os
from contextvars import ContextVar

from runwatch.errors import BadName
from runwatch.journal.paths import check_name
from runwatch.sdk import active
from runwatch.sdk.context import enter, scope_of
from runwatch.sdk.core import Emitter
from runwatch.sdk.given import folder
from runwatch.sdk.plain import shown, text
from runwatch.sdk.steps import Step, close_step, open_step
from runwatch.sdk.trouble import say

_Mine = tuple[Emitter, int]
_mine: ContextVar[_Mine | None] = ContextVar("runwatch_log_step", default=None)
"""The step that the calling task or thread has set."""


class LogContext:
    """The one logging context of this process; use ``get_instance``. Safe to use from threads and tasks."""

    _instance: LogContext | None = None

    def __init__(self) -> None:
        self._set: dict[_Mine, None] = {}
        """Steps that were set and not cleared, in order."""

    @classmethod
    def get_instance(cls) -> LogContext:
        """Return the one instance."""
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def set_run_context(self, run_id: str, framework: str, logs_dir: str | os.PathLike[str]) -> None:
        """Direct log files below ``logs_dir``. In an active run they stay where that run's logs are."""
        emitter = active.current()
        if emitter is not None:
            if emitter.run_id != text(run_id):
                emitter.warn(
                    f"logs of {text(framework)}/{text(run_id)} go to the active run {emitter.run_id}", "LogContext"
                )
            return
        try:
            check_name("framework", text(framework))
            check_name("run id", text(run_id))
        except BadName as error:
            say(error.sentence)
        memory = active.memory()
        memory.run_id, memory.logs = text(run_id), folder(logs_dir, "set_run_context logs_dir")

    def set_step_context(self, step_num: int) -> None:
        """Make a step the calling task's. In an active run the former one of this task ends and this one begins."""
        emitter, former = active.emitter(), _mine.get()
        if former is not None and former[0] is emitter and shown(step_num) == shown(former[1]):
            return
        if former is not None:
            self._close(former)
        step = open_step(emitter, None, step_num)
        scope = scope_of(emitter)
        enter(scope.at(step))
        _mine.set((emitter, step))
        self._set[emitter, step] = None

    def clear_step_context(self) -> None:
        """End the step that the calling task has set; one that has set none ends the one that was set last."""
        former = _mine.get()
        if former is None or former not in self._set:
            current = (active.emitter(), active.emitter().steps.current or 0)
            former = current if current in self._set else None
        if former is not None:
            self._close(former)
        _mine.set(None)

    def step_context(self, step_num: int, name: str | None = None) -> Step:
        """Return a context manager that sets and clears: the one that ``run.step`` gives."""
        return Step(active.emitter(), name, step_num)

    @property
    def step_num(self) -> int | None:
        """The step at hand."""
        emitter = active.emitter()
        scope = scope_of(emitter)
        return scope.step if scope.step is not None else emitter.steps.current

    def _close(self, mine: _Mine) -> None:
        emitter, step = mine
        if mine in self._set:
            del self._set[mine]
            if not emitter.closed:
                close_step(emitter, step, "success")
        scope = scope_of(emitter)
        if scope.step == step:
            enter(scope.at(None))
