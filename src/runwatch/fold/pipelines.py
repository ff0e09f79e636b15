"""CI attempts, of each issue and of the whole run.

No I/O, no formatting. Definitions: metrics.md, "pipeline".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from runwatch.events import Event
from runwatch.events.words import pipeline_state
from runwatch.events.work import PipelineCompleted, PipelineStarted
from runwatch.fold.clock import Clock, Moment, canonical_time, elapsed, micros, micros_of, seconds
from runwatch.fold.issues import Issue, Issues
from runwatch.fold.metrics import PipelineMetrics, PipelineTotals
from runwatch.fold.outcome import percent

_FAILED = ("failed", "timeout")
_ENDED, _SUCCEEDED, _FAILURES, _QUEUED, _MICROS = range(5)


class Pipeline:
    """One attempt."""

    __slots__ = ("counted", "has_number", "issue", "ordinal", "shown", "started")

    def __init__(self, shown: PipelineMetrics, issue: Issue | None) -> None:
        self.shown = shown
        """Replaced by a new object at each change: what was handed out stays as it was."""
        self.issue = issue
        self.started: Moment | None = None
        self.counted = [0] * 5
        """What of it is in the totals."""
        self.has_number = False
        """Whether a line said which attempt it is."""
        self.ordinal = 0
        """Among all pipelines of the run."""


class Pipelines:
    """All pipelines, in order of their start. A pipeline that is told of twice is one, and the later word counts,
    since a forge may run a failed job of it again; another number of attempt makes it another one."""

    def __init__(self, clock: Clock, issues: Issues) -> None:
        self._clock = clock
        self._issues = issues
        self._all: list[Pipeline] = []
        self._by_id: dict[str, list[Pipeline]] = {}
        self._loose: list[Pipeline] = []
        """Outside of any issue."""
        self._row = [0] * 5
        self._rows: dict[str, list[int]] = {}

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {PipelineStarted: self._started, PipelineCompleted: self._completed}

    def failures(self, issue: Issue) -> int:
        """Return how many pipelines of an issue failed."""
        row = self._rows.get(issue.name)
        return row[_FAILURES] if row else 0

    def close(self, moment: Moment) -> None:
        """End what goes on as interrupted: it counts as an attempt, neither succeeded nor failed."""
        for pipeline in self._all:
            if pipeline.shown.status is None:
                duration = None if pipeline.started is None else elapsed(pipeline.started, moment)
                self._change(
                    pipeline,
                    status="interrupted",
                    end_time=moment[0],
                    duration_s=None if duration is None else seconds(duration),
                )

    def metrics(self) -> list[PipelineMetrics]:
        """Return all pipelines."""
        return [pipeline.shown for pipeline in self._all]

    def totals(self, issue: Issue | None = None) -> PipelineTotals:
        """Return the totals of an issue, or of the run."""
        row = self._row if issue is None else self._rows.get(issue.name, [0] * 5)
        if issue is not None:
            passed = first_pass(issue.pipelines)
        else:
            passed = first_pass(self._all) if len(self._issues.all) < 2 else None
        return PipelineTotals(
            attempts=row[_ENDED],
            succeeded=row[_SUCCEEDED],
            failed=row[_FAILURES],
            success_rate=percent(row[_SUCCEEDED], row[_ENDED]),
            first_attempt_pass=passed,
            queued_s=seconds(row[_QUEUED]),
            duration_s=seconds(row[_MICROS]),
        )

    def _started(self, event: PipelineStarted) -> None:
        pipeline = self._find(event)
        if pipeline is None:
            pipeline = self._add(event)
        if pipeline.started is None:
            pipeline.started = self._clock.moment(event)
        self._change(
            pipeline,
            start_time=pipeline.shown.start_time or self._clock.ts,
            **_said(event, "commit_sha", "triggered_by", "attempt"),
        )

    def _completed(self, event: PipelineCompleted) -> None:
        pipeline = self._find(event) or self._add(event)
        self._change(
            pipeline,
            status=pipeline_state(event.status) or event.status,
            start_time=_time(event.started_at) or pipeline.shown.start_time,
            end_time=_time(event.ended_at) or self._clock.ts,
            duration_s=self._duration_s(pipeline, event),
            **_said(event, "commit_sha", "triggered_by", "attempt", "queued_s", "failed_jobs", "error_type"),
        )

    def _duration_s(self, pipeline: Pipeline, event: PipelineCompleted) -> float | None:
        """The event's, else between the forge's own times, else between our two events."""
        duration = micros(event.duration_s)
        if duration is None:
            since, end = micros_of(event.started_at), micros_of(event.ended_at)
            if since is not None and end is not None:
                duration = max(0, end - since)
            elif pipeline.started is not None:
                duration = elapsed(pipeline.started, self._clock.moment(event))
        return pipeline.shown.duration_s if duration is None else seconds(duration)

    def _find(self, event: PipelineStarted | PipelineCompleted) -> Pipeline | None:
        for pipeline in reversed(self._by_id.get(str(event.pipeline_id), ())):
            name = None if pipeline.issue is None else pipeline.issue.name
            if event.issue is not None and name not in (None, str(event.issue)):
                continue
            if event.attempt is not None and pipeline.has_number and pipeline.shown.attempt != event.attempt:
                continue
            pipeline.has_number = pipeline.has_number or event.attempt is not None
            if name is None and event.issue is not None:
                self._adopt(pipeline, self._issues.of(event.issue))
            return pipeline
        return None

    def _add(self, event: PipelineStarted | PipelineCompleted) -> Pipeline:
        issue = None if event.issue is None else self._issues.of(event.issue)
        siblings = self._loose if issue is None else issue.pipelines
        shown = PipelineMetrics(
            pipeline_id=event.pipeline_id,
            issue=None if issue is None else issue.id,
            attempt=event.attempt if event.attempt is not None else len(siblings) + 1,
        )
        pipeline = Pipeline(shown, issue)
        pipeline.has_number = event.attempt is not None
        pipeline.ordinal = len(self._all)
        siblings.append(pipeline)
        self._all.append(pipeline)
        self._by_id.setdefault(str(event.pipeline_id), []).append(pipeline)
        return pipeline

    def _adopt(self, pipeline: Pipeline, issue: Issue) -> None:
        """Give a pipeline that was told of outside any issue to the issue that a later line names."""
        self._loose.remove(pipeline)
        issue.pipelines.append(pipeline)
        issue.pipelines.sort(key=lambda each: each.ordinal)
        self._count(pipeline, [0] * 5)
        pipeline.issue = issue
        self._change(pipeline, issue=issue.id)

    def _change(self, pipeline: Pipeline, **values: Any) -> None:
        pipeline.shown = shown = msgspec.structs.replace(pipeline.shown, **values)
        if pipeline.issue is not None:
            pipeline.issue.changes += 1
        has_ended = shown.status is not None
        self._count(
            pipeline,
            [
                int(has_ended),
                int(shown.status == "success"),
                int(shown.status in _FAILED),
                (micros(shown.queued_s) or 0) if has_ended else 0,
                (micros(shown.duration_s) or 0) if has_ended else 0,
            ],
        )

    def _count(self, pipeline: Pipeline, numbers: list[int]) -> None:
        rows = [self._row]
        if pipeline.issue is not None:
            rows.append(self._rows.setdefault(pipeline.issue.name, [0] * 5))
        for row in rows:
            for at, number in enumerate(numbers):
                row[at] += number - pipeline.counted[at]
        pipeline.counted = numbers


def first_pass(pipelines: list[Pipeline]) -> bool | None:
    """Return whether the first attempt succeeded; None where there is none or it goes on."""
    if not pipelines:
        return None
    first = min(pipelines, key=lambda pipeline: pipeline.shown.attempt).shown
    return None if first.status is None else first.status == "success"


def _said(event: Event, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(event, name)) not in (None, [])}


def _time(text: str | None) -> str | None:
    return None if text is None else canonical_time(text)
