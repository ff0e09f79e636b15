"""Tasks and dispatchers of an orchestrator, as events.

Must not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from runwatch.sdk import active
from runwatch.sdk.instruments import Instrument
from runwatch.sdk.plain import text
from runwatch.sdk.usage import whole


class TaskMetrics:
    """Tasks of whatever run is active."""

    def __init__(self) -> None:
        self.execution_duration = Instrument("task_execution_duration_seconds")
        """Histogram by worker profile and phase, seconds."""
        self.completion_total = Instrument("task_completion_total")
        """Counter by status and worker profile."""
        self.retry_count = Instrument("task_retry_count")
        """Histogram, retries."""


class DispatchMetrics:
    """The dispatch loop of whatever run is active."""

    def __init__(self) -> None:
        self.loop_cycle_duration = Instrument("dispatch_loop_cycle_duration_seconds")
        """Histogram, seconds."""
        self.loop_iterations = Instrument("dispatch_loop_iterations_total")
        """Counter by run id."""
        self.tasks_dispatched_per_cycle = Instrument("dispatch_tasks_dispatched_per_cycle")
        """Histogram, tasks."""
        self.worker_completions_per_cycle = Instrument("dispatch_worker_completions_per_cycle")
        """Histogram, workers."""


def update_task_state_gauges(tasks: object) -> None:
    """Say how many tasks are in each state now; a state that is not named has none.

    ``tasks``: a mapping of status to number; else tasks, or a mapping whose values are tasks. A task is a mapping with,
    or an object that has, a ``status``.
    """
    try:
        states, wrong = _states(tasks)
    except Exception as error:  # noqa: BLE001 - whatever the program's own tasks raise
        active.emitter().warn(f"tasks cannot be counted: {text(error)}", "update_task_state_gauges")
        return
    if states or not wrong:
        active.emitter().emit("tasks.state", {"states": states})
    if wrong:
        active.emitter().warn(f"no number of tasks: {', '.join(wrong)}; left out", "update_task_state_gauges")


def _states(tasks: Any) -> tuple[dict[str, int], list[str]]:
    """Return how many tasks are in each state, and what of a mapping is no number of them."""
    if isinstance(tasks, Mapping):
        if all(isinstance(number, int | float) for number in tasks.values()):
            told = {text(status): (number, whole(number)) for status, number in tasks.items()}
            wrong = [f"{status} {number!r:.40}" for status, (number, known) in told.items() if known is None]
            return {status: known for status, (_, known) in told.items() if known is not None}, wrong
        tasks = tasks.values()
    found: Iterable[Any] = tasks
    return dict(Counter(text(it["status"] if isinstance(it, Mapping) else it.status) for it in found)), []


task_metrics = TaskMetrics()
"""Tasks of whatever run is active."""
dispatch_metrics = DispatchMetrics()
"""The dispatch loop of whatever run is active."""
