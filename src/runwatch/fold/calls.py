"""Calls of tools and external services.

No I/O, no formatting. Definitions: metrics.md, "tool / service" and "step".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runwatch.events import Event
from runwatch.events.calls import ServiceCompleted, ServiceRetry, ServiceStarted, ToolCompleted, ToolStarted
from runwatch.fold.agents import Agents
from runwatch.fold.clock import Clock, Moment, elapsed, micros
from runwatch.fold.identity import Attempts, OpenCalls, place_of
from runwatch.fold.metrics import CallMetrics
from runwatch.fold.percentiles import Histogram
from runwatch.fold.settings import FoldSettings
from runwatch.fold.steps import Steps


class _Callee:
    """One tool or service."""

    __slots__ = ("calls", "durations", "failures", "name", "open", "retries")

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.failures = 0
        self.retries = 0
        self.open = 0
        self.durations = Histogram()

    def end(self, duration: int | None, *, success: bool) -> None:
        """Count one call that ended."""
        self.calls += 1
        if not success:
            self.failures += 1
        if duration is not None:
            self.durations.add(duration)

    def metrics(self) -> CallMetrics:
        """Return it as it is shown."""
        return CallMetrics(
            name=self.name,
            calls=self.calls,
            successes=self.calls - self.failures,
            failures=self.failures,
            retries=self.retries,
            durations=self.durations.durations(),
            open=self.open,
        )


_Open = tuple[_Callee, Moment, int | None]
"""Who was called, when, and in which step."""


class Calls:
    """All tools and services, in order of their first call."""

    def __init__(self, clock: Clock, steps: Steps, agents: Agents, settings: FoldSettings) -> None:
        self._clock = clock
        self._steps = steps
        self._agents = agents
        self._tools: dict[str, _Callee] = {}
        self._services: dict[str, _Callee] = {}
        self._open_tools: OpenCalls[_Open] = OpenCalls(settings.remembered_open)
        self._open_services: OpenCalls[_Open] = OpenCalls(settings.remembered_open)
        self._tool_attempts = Attempts(settings.remembered_ends)
        self._service_attempts = Attempts(settings.remembered_ends)

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {
            ToolStarted: self._tool_started,
            ToolCompleted: self._tool_completed,
            ServiceStarted: self._service_started,
            ServiceRetry: self._service_retry,
            ServiceCompleted: self._service_completed,
        }

    def close(self, moment: Moment) -> None:
        """End what goes on as interrupted, which counts as a failure."""
        for callee, started, _ in self._open_tools.drain():
            callee.open = 0
            callee.end(elapsed(started, moment), success=False)
        for callee, started, step in self._open_services.drain():
            callee.open = 0
            callee.end(elapsed(started, moment), success=False)
            self._steps.count_service_call(step)

    def tools(self) -> list[CallMetrics]:
        """Return the tools."""
        return [tool.metrics() for tool in self._tools.values()]

    def services(self) -> list[CallMetrics]:
        """Return the services."""
        return [service.metrics() for service in self._services.values()]

    def _tool_started(self, event: ToolStarted) -> None:
        callee = self._tools.get(event.tool) or _add(self._tools, event.tool)
        self._start(self._open_tools, self._tool_attempts, event, callee)

    def _tool_completed(self, event: ToolCompleted) -> None:
        callee = self._tools.get(event.tool) or _add(self._tools, event.tool)
        key = None if event.call_id is not None else (event.tool, place_of(event))
        duration = self._end(self._open_tools, event, key, event.duration_s)
        verdict, _ = self._tool_attempts.ended(event.call_id, key, success=event.success)
        if verdict == "repeat":
            return
        if verdict == "retry":
            callee.retries += 1
        callee.end(duration, success=event.success)
        if event.agent is not None:
            self._agents.count_tool_call(event.issue, event.agent)

    def _service_started(self, event: ServiceStarted) -> None:
        callee = self._services.get(event.service) or _add(self._services, event.service)
        self._start(self._open_services, self._service_attempts, event, callee)

    def _service_retry(self, event: ServiceRetry) -> None:
        started = self._open_services.by_id.get(event.call_id) if event.call_id is not None else None
        name = event.service or (started[0].name if started is not None else "unknown")
        callee = self._services.get(name) or _add(self._services, name)
        callee.retries += 1
        if not self._service_attempts.announced(event.call_id, (name, place_of(event))):
            self._steps.count_service_call(event.step)

    def _service_completed(self, event: ServiceCompleted) -> None:
        callee = self._services.get(event.service) or _add(self._services, event.service)
        key = None if event.call_id is not None else (event.service, place_of(event))
        duration = self._end(self._open_services, event, key, event.duration_s)
        verdict, announced = self._service_attempts.ended(event.call_id, key, success=event.success)
        if verdict == "repeat":
            return
        if verdict == "retry" and not announced:
            callee.retries += 1
        callee.end(duration, success=event.success)
        self._steps.count_service_call(event.step)

    def _start(self, calls: OpenCalls[_Open], attempts: Attempts, event: Event, callee: _Callee) -> None:
        callee.open += 1
        call_id = event.call_id
        key = None if call_id is not None else (callee.name, place_of(event))
        forgotten = calls.start(call_id, key, (callee, (self._clock.ts, event.mono, event.writer), event.step))
        if forgotten is not None:
            forgotten[0].open -= 1
        attempts.started(call_id)

    def _end(self, calls: OpenCalls[_Open], event: Event, key: Any, duration_s: float | None) -> int | None:
        started = calls.end(event.call_id, key)
        if started is not None:
            started[0].open -= 1
        if duration_s is not None:
            return micros(duration_s)
        return None if started is None else elapsed(started[1], self._clock.moment(event))


def _add(callees: dict[str, _Callee], name: str) -> _Callee:
    callee = callees[name] = _Callee(name)
    return callee
