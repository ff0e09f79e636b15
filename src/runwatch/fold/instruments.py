"""Counters, gauges and histograms under their exposed names, by labels: a program's own and the promised ones.

No I/O, no formatting. Source: python-api.md, "Instruments that keep their Prometheus names". Those of model calls come
from the ledger, where they are counted once; what a program adds to them itself comes on top.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runwatch.events import Event
from runwatch.events.instruments import PROMISED, edges_of
from runwatch.events.measures import GitOperation, MetricObserved
from runwatch.events.work import DispatchCycle, TaskCompleted, TasksState
from runwatch.fold.facts import Facts
from runwatch.fold.metrics import InstrumentMetrics, InstrumentSeries
from runwatch.fold.model_instruments import NO_OTHERS, Measured
from runwatch.fold.series_sum import labels_of_others

_MOST_INSTRUMENTS = 200
_MOST_SERIES = 1000
"""Of one instrument: a program that puts ids into labels must not fill the memory."""

_Labels = tuple[tuple[str, str], ...]


class _Kept:
    """One instrument and its series."""

    __slots__ = ("edges", "help", "kind", "name", "series")

    def __init__(self, name: str, kind: str, text: str, edges: tuple[float, ...]) -> None:
        self.name = name
        self.kind = kind
        self.help = text
        self.edges = edges
        self.series: dict[_Labels, InstrumentSeries] = {}

    def of(self, labels: Mapping[str, str]) -> InstrumentSeries:
        """Return the series of these labels, made now if need be."""
        key = tuple(sorted(labels.items()))
        series = self.series.get(key)
        if series is None:
            if len(self.series) >= _MOST_SERIES:
                labels = labels_of_others(labels)
                key = tuple(sorted(labels.items()))
                if key in self.series:
                    return self.series[key]
            series = InstrumentSeries(labels=dict(labels))
            if self.kind == "histogram":
                series.count, series.sum, series.buckets = 0, 0.0, [0] * (len(self.edges) + 1)
            else:
                series.value = 0.0
            self.series[key] = series
        return series

    def observe(self, labels: Mapping[str, str], value: float, *, delta: bool = True) -> None:
        """Count, set or observe one value.

        A counter never falls, nor does the sum of a histogram, which readers of OpenMetrics take for a counter: what
        would make it is passed over.
        """
        if value < 0 and self.kind != "gauge":
            return
        series = self.of(labels)
        if self.kind == "histogram":
            series.count = (series.count or 0) + 1
            series.sum = (series.sum or 0.0) + value
            series.buckets[bisect_left(self.edges, value)] += 1
        else:
            series.value = (series.value or 0.0) + value if delta else value

    def metrics(self) -> InstrumentMetrics:
        """Return it as it is shown; later observations do not change that."""
        series = [
            InstrumentSeries(
                labels=held.labels, value=held.value, count=held.count, sum=held.sum, buckets=held.buckets[:]
            )
            for held in self.series.values()
        ]
        return InstrumentMetrics(name=self.name, kind=self.kind, help=self.help, edges=list(self.edges), series=series)


class Instruments:
    """All instruments of a run."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._kept: dict[str, _Kept] = {}
        self._shown: dict[str, InstrumentMetrics] = {}
        """What has not changed since it was last shown."""

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {
            MetricObserved: self._observed,
            GitOperation: self._git,
            TaskCompleted: self._task,
            TasksState: self._states,
            DispatchCycle: self._dispatch,
        }

    def metrics(self, measured: Sequence[Measured]) -> list[InstrumentMetrics]:
        """Return all instruments by name, with those of model calls as the ledger ``measured`` them."""
        shown = {name: self._show(kept) for name, kept in self._kept.items()}
        for found in measured:
            others = shown.get(found.name, NO_OTHERS)
            if found.series or others.series:
                shown[found.name] = found.with_others(others)
        return [shown[name] for name in sorted(shown)]

    def _show(self, kept: _Kept) -> InstrumentMetrics:
        shown = self._shown.get(kept.name)
        if shown is None:
            shown = self._shown[kept.name] = kept.metrics()
        return shown

    def _add(self, name: str, value: float | None, kind: str = "", help_text: str = "", **labels: str | None) -> None:
        if value is not None:
            given = {label: "" if text is None else text for label, text in labels.items()}
            self._observe(name, kind, help_text, given, value)

    def _observe(
        self, name: str, kind: str, help_text: str, labels: Mapping[str, str], value: float, *, delta: bool = True
    ) -> None:
        kept = self._kept.get(name)
        if kept is None:
            promised = PROMISED.get(name)
            if promised is None and len(self._kept) >= _MOST_INSTRUMENTS:
                return
            if promised is not None:
                kind, help_text = promised.kind, promised.help
            edges = edges_of(name) if kind == "histogram" else ()
            kept = self._kept[name] = _Kept(name, kind, help_text, edges)
        self._shown.pop(name, None)
        kept.observe(labels, value, delta=delta)

    def _observed(self, event: MetricObserved) -> None:
        delta = event.kind != "gauge" or event.delta
        self._observe(event.name, event.kind, event.help or "", event.labels, event.value, delta=delta)

    def _git(self, event: GitOperation) -> None:
        operation, result, duration = event.operation, event.result, event.duration_s
        if operation == "merge":
            self._add("git_merge_total", 1, result=result)
            self._add("git_merge_duration_seconds", duration)
            self._add("git_conflicts_per_merge", event.conflict_count)
        elif operation == "checkout":
            self._add("git_checkout_duration_seconds", duration)
        elif operation == "conflict_resolution":
            self._add("git_conflict_resolution_total", 1, result=result, method=event.method)
            self._add("git_conflict_resolution_duration_seconds", duration)
        elif operation in ("worktree_create", "worktree_remove"):
            self._add("git_worktree_operations_total", 1, operation=operation.removeprefix("worktree_"), result=result)
            if operation == "worktree_create":
                self._add("git_worktree_creation_duration_seconds", duration)

    def _task(self, event: TaskCompleted) -> None:
        self._add("task_completion_total", 1, status=event.status, worker_profile=event.worker_profile)
        self._add(
            "task_execution_duration_seconds", event.duration_s, worker_profile=event.worker_profile, phase=event.phase
        )
        self._add("task_retry_count", event.retry_count)

    def _states(self, event: TasksState) -> None:
        """Take over a statement of all states: one that is not named has no tasks."""
        kept = self._kept.get("tasks_by_state")
        named = {} if kept is None else {series.labels["status"]: 0 for series in kept.series.values()}
        for status, number in {**named, **event.states}.items():
            self._observe("tasks_by_state", "", "", {"status": status}, number, delta=False)

    def _dispatch(self, event: DispatchCycle) -> None:
        started = self._facts.started
        self._add("dispatch_loop_iterations_total", 1, run_id=started.run_id if started else "")
        self._add("dispatch_loop_cycle_duration_seconds", event.duration_s)
        self._add("dispatch_tasks_dispatched_per_cycle", event.dispatched)
        self._add("dispatch_worker_completions_per_cycle", event.completed)
