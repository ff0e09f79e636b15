"""Steps of a run: opened, numbered, closed, whoever else opens steps beside this program.

Must not write logs: the supervisor cuts the command's output, the log handler follows the context.
"""

from __future__ import annotations

import sys
import time
import types

from runwatch.journal.control import request
from runwatch.journal.steps import read_steps
from runwatch.sdk import endings, plain
from runwatch.sdk.context import Scope, enter, leave, scope_of
from runwatch.sdk.core import Emitter
from runwatch.sdk.faults import record_fault


class Step:
    """A step as a context manager: it begins and ends with the block."""

    def __init__(self, emitter: Emitter, name: str | None, number: int | None) -> None:
        self._emitter = emitter
        self.name = None if name is None else plain.text(name)
        """For people."""
        self.number = number
        """From 1; None before it begins, unless it was asked for."""
        self._status: str | None = None
        self._retries = 0
        self._note: str | None = None
        self._former: Scope | None = None
        self._entered = False

    def retry(self) -> None:
        """Say that the step is tried again."""
        self._retries += 1

    def note(self, text: str) -> None:
        """Leave one line for people beside the step; the last one stays."""
        self._note = plain.text(text)

    def skip(self, reason: str) -> None:
        """Say that the step was skipped, and why."""
        self._status, self._note = "skipped", plain.text(reason)

    def __enter__(self) -> Step:
        if self._entered:
            self._emitter.warn(f"step {self.number} was entered a second time", "run.step")
        self._entered = True
        self.number = open_step(self._emitter, self.name, self.number)
        scope = scope_of(self._emitter)
        self._former = enter(scope.at(self.number))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        status, _ = endings.of_exception(error)
        if status == "completed":
            status = self._status or "success"
        if error is not None and status == "failed" and not isinstance(error, SystemExit):
            record_fault(self._emitter, error, step=self.number)
        if self.number is not None:
            close_step(self._emitter, self.number, status, self._retries, self._note)
        leave(self._former)


def open_step(emitter: Emitter, name: str | None, number: int | None) -> int:
    """Open a step, in a joined run after the supervisor's word, and return its number."""
    number = _checked(emitter, number)
    if emitter.joined and emitter.paths is not None:
        _flush_streams()
        reply = request(emitter.paths.control, {"op": "step", "step": number, "name": name, "source": "sdk"})
        allotted = reply.get("step") if reply is not None and reply.get("ok") else None
        if isinstance(allotted, int):
            number = allotted
        elif number is None:
            emitter.steps.skip_to(read_steps(emitter.paths.journal).last)
    step = emitter.steps.open(number, time.monotonic())
    emitter.emit("step.started", {"step": step, "name": name, "source": "sdk"})
    return step


def close_step(emitter: Emitter, step: int, status: str, retries: int = 0, note: str | None = None) -> None:
    """Close a step that this process has open; any other is a misuse, and a warning."""
    started = emitter.steps.close(step)
    if started is None:
        emitter.warn(f"step {step} was ended, but this process has not opened it", "run.step")
        return
    if emitter.joined and emitter.paths is not None:
        _flush_streams()
        request(emitter.paths.control, {"op": "step_end", "step": step})
    emitter.emit(
        "step.completed",
        {
            "step": step,
            "status": status,
            "retries": retries,
            "note": note,
            "duration_s": round(time.monotonic() - started, 6),
        },
    )


def _checked(emitter: Emitter, number: object) -> int | None:
    if number is None:
        return None
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 1_000_000:
        return number
    emitter.warn(f"{plain.shown(number)} is no step number: steps count from 1; the next one is taken", "run.step")
    return None


def _flush_streams() -> None:
    """What the program printed before this moment belongs to the step before, though Python still holds it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001 - the program may have put anything there, or nobody reads any more
            continue
