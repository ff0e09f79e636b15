"""The instruments whose exposed names are promised: kind, labels, help and buckets of each, as data.

No clock, no path, no I/O. Source: python-api.md, "Instruments that keep their Prometheus names".
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram"]

DURATION_EDGES = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    900.0,
    3600.0,
    14400.0,
)
"""Upper bounds in seconds, milliseconds to hours."""
COUNT_EDGES = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Upper bounds of counts, 0 to 100."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument as it is exposed."""

    name: str
    """Exposed name, base unit included."""
    kind: Kind
    """What its values mean."""
    help: str
    """One line for people."""
    labels: tuple[str, ...] = ()
    """Names of its labels."""

    @property
    def edges(self) -> tuple[float, ...]:
        """Upper bounds of a histogram's buckets, without the last, which has none."""
        return edges_of(self.name) if self.kind == "histogram" else ()


def edges_of(name: str) -> tuple[float, ...]:
    """Return the bounds that suit what a histogram of this name counts: seconds or things."""
    return DURATION_EDGES if name.endswith("_seconds") else COUNT_EDGES


_MODEL = ("model", "provider")

PROMISED = {
    instrument.name: instrument
    for instrument in (
        Instrument(name="git_merge_duration_seconds", kind="histogram", help="Time of a merge."),
        Instrument(name="git_merge_total", kind="counter", help="Merges by result.", labels=("result",)),
        Instrument(name="git_active_merges", kind="gauge", help="Merges under way."),
        Instrument(name="git_checkout_duration_seconds", kind="histogram", help="Time of a checkout."),
        Instrument(name="git_conflicts_per_merge", kind="histogram", help="Conflicts in a merge."),
        Instrument(
            name="git_conflict_resolution_total", kind="counter",
            help="Attempts at resolving a conflict by result and method.", labels=("result", "method"),
        ),
        Instrument(
            name="git_conflict_resolution_duration_seconds", kind="histogram", help="Time of resolving a conflict."
        ),
        Instrument(
            name="git_worktree_creation_duration_seconds", kind="histogram", help="Time of making a work tree."
        ),
        Instrument(
            name="git_worktree_operations_total", kind="counter",
            help="Operations on work trees by operation and result.", labels=("operation", "result"),
        ),
        Instrument(
            name="task_execution_duration_seconds", kind="histogram",
            help="Time of a task by worker profile and phase.", labels=("worker_profile", "phase"),
        ),
        Instrument(
            name="task_completion_total", kind="counter",
            help="Tasks that ended by status and worker profile.", labels=("status", "worker_profile"),
        ),
        Instrument(name="task_retry_count", kind="histogram", help="Retries of a task."),
        Instrument(name="tasks_by_state", kind="gauge", help="Tasks in each state.", labels=("status",)),
        Instrument(
            name="dispatch_loop_cycle_duration_seconds", kind="histogram", help="Time of one turn of the dispatch loop."
        ),
        Instrument(
            name="dispatch_loop_iterations_total", kind="counter", help="Turns of the dispatch loop.",
            labels=("run_id",),
        ),
        Instrument(
            name="dispatch_tasks_dispatched_per_cycle", kind="histogram",
            help="Tasks handed out in one turn of the dispatch loop.",
        ),
        Instrument(
            name="dispatch_worker_completions_per_cycle", kind="histogram",
            help="Workers that came back in one turn of the dispatch loop.",
        ),
        Instrument(
            name="llm_requests_total", kind="counter",
            help="Model calls by result, retries included.", labels=(*_MODEL, "result"),
        ),
        Instrument(
            name="llm_request_duration_seconds", kind="histogram", help="Time of a model call.", labels=_MODEL
        ),
        Instrument(
            name="llm_tokens_total", kind="counter", help="Tokens of model calls by kind.", labels=(*_MODEL, "kind")
        ),
        Instrument(
            name="llm_cost_dollars_total", kind="counter", help="Cost of model calls in US dollars.", labels=_MODEL
        ),
        Instrument(
            name="llm_rate_limit_events_total", kind="counter",
            help="Model calls turned away by a rate limit.", labels=_MODEL,
        ),
    )
}  # fmt: skip
"""Exposed name to instrument."""
