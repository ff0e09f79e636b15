"""CI attempts, of each issue and of the whole run.

No I/O, no formatting. Definitions: metrics.md, "pipeline".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from runwatch.events import Event
from runwatch.events.words import is_under_way, pipeline_state, repeats_end
from runwatch.events.work import PipelineCompleted, PipelineStarted
from runwatch.fold.clock import Clock, Moment, canonical_time, elapsed, is_later, micros, micros_of, seconds
from runwatch.fold.issues import Issue, Issues
from runwatch.fold.metrics import PipelineMetrics, PipelineTotals
from runwatch.fold.numbering import Numbering
from runwatch.fold.outcome import percent

_FAILED = ("failed", "timeout")
_NEVER_ENDED = "interrupted"
_ENDED, _SUCCEEDED, _FAILURES, _QUEUED, _MICROS, _RATED, _HAS_QUEUED, _HAS_RUN = _SUMS = range(8)


class Pipeline:
    """One attempt."""

    __slots__ = ("counted", "end", "has_told_end", "has_told_time", "issue", "number", "ordinal", "shown", "started")

    def __init__(self, shown: PipelineMetrics, issue: Issue | None) -> None:
        self.shown = shown
        """Replaced by a new object at each change: what was handed out stays as it was."""
        self.issue = issue
        self.started: Moment | None = None
        self.counted = [0] * len(_SUMS)
        """What of it is in the totals."""
        self.number: int | None = None
        """Which attempt it is, as a line said it."""
        self.end: Moment | None = None
        """When its end was told; None while it goes on, also where nobody waited for it any longer."""
        self.has_told_time = self.has_told_end = False
        """Whether a line told how long it ran, and when it ended: what we see arrive never takes the place of that."""
        self.ordinal = 0
        """Among all pipelines of the run."""


class Pipelines:
    """All attempts, in order of their start. What is told under an id goes to its attempt that has not ended, or to
    one that ended just so; another state, another commit or another number of attempt makes it another attempt."""

    def __init__(self, clock: Clock, issues: Issues) -> None:
        self._clock = clock
        self._issues = issues
        self._all: list[Pipeline] = []
        self._by_id: dict[str, list[Pipeline]] = {}
        self._loose: list[Pipeline] = []
        """Outside of any issue."""
        self._row = [0] * len(_SUMS)
        self._rows: dict[str, list[int]] = {}
        self._numbers: dict[str | None, Numbering] = {}
        """Of each issue, and of those outside of any."""

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {PipelineStarted: self._started, PipelineCompleted: self._completed}

    def failures(self, issue: Issue) -> int:
        """Return how many pipelines of an issue failed."""
        row = self._rows.get(issue.name)
        return row[_FAILURES] if row else 0

    def close(self, moment: Moment) -> None:
        """End what goes on as interrupted: an attempt that neither succeeded nor failed, in no percentage."""
        for pipeline in self._all:
            if pipeline.shown.status is None:
                duration = None if pipeline.started is None else elapsed(pipeline.started, moment)
                self._change(
                    pipeline,
                    status=_NEVER_ENDED,
                    end_time=moment[0],
                    duration_s=None if duration is None else seconds(duration),
                )

    def metrics(self) -> list[PipelineMetrics]:
        """Return all pipelines."""
        return [pipeline.shown for pipeline in self._all]

    def totals(self, issue: Issue | None = None) -> PipelineTotals:
        """Return the totals of an issue, or of the run."""
        row = self._row if issue is None else self._rows.get(issue.name, [0] * len(_SUMS))
        if issue is not None:
            passed = first_pass(issue.pipelines)
        else:
            passed = first_pass(self._all) if len(self._issues.all) < 2 else None
        return PipelineTotals(
            attempts=row[_ENDED],
            succeeded=row[_SUCCEEDED],
            failed=row[_FAILURES],
            success_rate=percent(row[_SUCCEEDED], row[_RATED]),
            first_attempt_pass=passed,
            queued_s=seconds(row[_QUEUED]) if row[_HAS_QUEUED] else None,
            duration_s=seconds(row[_MICROS]) if row[_HAS_RUN] else None,
        )

    def _started(self, event: PipelineStarted | PipelineCompleted) -> None:
        pipeline = self._find(event) or self._add(event)
        if pipeline.started is None:
            pipeline.started = self._clock.moment(event)
        self._change(
            pipeline,
            start_time=canonical_time(event.started_at or "") or pipeline.shown.start_time or self._clock.ts,
            **_said(event, "commit_sha", "triggered_by", "queued_s"),
        )

    def _completed(self, event: PipelineCompleted) -> None:
        if is_under_way(event.status):
            self._started(event)
            return
        pipeline = self._find(event) or self._add(event)
        values = _said(event, "commit_sha", "triggered_by", "queued_s")
        status = pipeline_state(event.status) or event.status
        if status != pipeline.shown.status:  # why it was in the state before explains this one no more
            values |= {"failed_jobs": [], "error_type": None}
        values |= _said(event, "failed_jobs", "error_type")
        if event.started_at is not None and (start := canonical_time(event.started_at)) is not None:
            values["start_time"] = start
        self._change(pipeline, status=status, **values, **self._times(pipeline, event))
        if pipeline.end is None and not event.goes_on:
            pipeline.end = self._clock.moment(event)

    def _times(self, pipeline: Pipeline, event: PipelineCompleted) -> dict[str, Any]:
        """What is told of its end and of how long it ran, else what we saw arrive when its end was told first."""
        values: dict[str, Any] = {}
        since, end = micros_of(event.started_at), micros_of(event.ended_at)
        duration = micros(event.duration_s)
        if duration is None and since is not None and end is not None:
            duration = max(0, end - since)
        if end is not None:
            values["end_time"] = canonical_time(event.ended_at or "")
        elif pipeline.end is None and not pipeline.has_told_end:
            values["end_time"] = self._clock.ts
        if duration is not None:
            values["duration_s"] = seconds(duration)
        elif pipeline.end is None and not pipeline.has_told_time and pipeline.started is not None:
            seen = elapsed(pipeline.started, self._clock.moment(event))
            values |= {} if seen is None else {"duration_s": seconds(seen)}
        pipeline.has_told_end = pipeline.has_told_end or end is not None
        pipeline.has_told_time = pipeline.has_told_time or duration is not None
        return values

    def _find(self, event: PipelineStarted | PipelineCompleted) -> Pipeline | None:
        is_last = True
        for pipeline in reversed(self._by_id.get(str(event.pipeline_id), ())):
            name = None if pipeline.issue is None else pipeline.issue.name
            if event.issue is not None and name not in (None, str(event.issue)):
                continue
            if None not in (event.attempt, pipeline.number) and pipeline.number != event.attempt:
                continue
            if pipeline.end is not None and not (is_last and self._is_said_of(pipeline, event, pipeline.end)):
                is_last = False
                continue
            if name is None and event.issue is not None:
                self._adopt(pipeline, self._issues.of(event.issue))
            if pipeline.number is None and event.attempt is not None:
                pipeline.number = event.attempt
                numbers = self._numbers[None if pipeline.issue is None else pipeline.issue.name]
                self._change(pipeline, attempt=numbers.swap(pipeline.shown.attempt, event.attempt))
            return pipeline
        return None

    def _is_said_of(self, pipeline: Pipeline, event: PipelineStarted | PipelineCompleted, end: Moment) -> bool:
        """Return whether a line belongs to an attempt that has ended: its end once more, or its start written late."""
        if isinstance(event, PipelineStarted) or is_under_way(event.status):
            return pipeline.started is None and not is_later(self._clock.moment(event), end)
        shown = pipeline.shown
        return repeats_end(event.status, event.commit_sha, shown.status or "", shown.commit_sha)

    def _add(self, event: PipelineStarted | PipelineCompleted) -> Pipeline:
        issue = None if event.issue is None else self._issues.of(event.issue)
        numbers = self._numbers.setdefault(None if issue is None else issue.name, Numbering())
        shown = PipelineMetrics(
            pipeline_id=event.pipeline_id,
            issue=None if issue is None else issue.id,
            attempt=numbers.take(event.attempt),
        )
        pipeline = Pipeline(shown, issue)
        pipeline.number = event.attempt
        pipeline.ordinal = len(self._all)
        (self._loose if issue is None else issue.pipelines).append(pipeline)
        self._all.append(pipeline)
        self._by_id.setdefault(str(event.pipeline_id), []).append(pipeline)
        return pipeline

    def _adopt(self, pipeline: Pipeline, issue: Issue) -> None:
        """Give a pipeline that was told of outside any issue to the issue that a later line names."""
        self._loose.remove(pipeline)
        issue.pipelines.append(pipeline)
        issue.pipelines.sort(key=lambda each: each.ordinal)
        self._count(pipeline, [0] * len(_SUMS))
        pipeline.issue = issue
        numbers = self._numbers.setdefault(issue.name, Numbering())
        self._change(pipeline, issue=issue.id, attempt=numbers.take(pipeline.number))

    def _change(self, pipeline: Pipeline, **values: Any) -> None:
        pipeline.shown = shown = msgspec.structs.replace(pipeline.shown, **values)
        if pipeline.issue is not None:
            pipeline.issue.changes += 1
        has_ended, queued, ran = shown.status is not None, micros(shown.queued_s), micros(shown.duration_s)
        self._count(
            pipeline,
            [
                int(has_ended),
                int(shown.status == "success"),
                int(shown.status in _FAILED),
                (queued or 0) if has_ended else 0,
                (ran or 0) if has_ended else 0,
                int(pipeline_state(shown.status or "") is not None),
                int(has_ended and queued is not None),
                int(has_ended and ran is not None),
            ],
        )

    def _count(self, pipeline: Pipeline, numbers: list[int]) -> None:
        rows = [self._row]
        if pipeline.issue is not None:
            rows.append(self._rows.setdefault(pipeline.issue.name, [0] * len(_SUMS)))
        for row in rows:
            for at, number in enumerate(numbers):
                row[at] += number - pipeline.counted[at]
        pipeline.counted = numbers


def first_pass(pipelines: list[Pipeline]) -> bool | None:
    """Return whether the first attempt succeeded; None where there is none, it goes on, never ended or said nothing."""
    if not pipelines:
        return None
    first = min(pipelines, key=lambda pipeline: pipeline.shown.attempt).shown
    return None if pipeline_state(first.status or "") is None else first.status == "success"


def _said(event: Event, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(event, name)) not in (None, [])}
