"""One task of a runner: its model calls and external services, as events and as figures for the task itself.

Must not add anything up: a fold of the task's own events does.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from runwatch.sdk import active, call_told
from runwatch.sdk.core import Emitter
from runwatch.sdk.given import complain, harmless
from runwatch.sdk.issues import register
from runwatch.sdk.plain import one_line, shown, text
from runwatch.sdk.trouble import say
from runwatch.sdk.usage import amount

if TYPE_CHECKING:
    from runwatch.fold.metrics import Metrics

SERVICES = ("task_registry", "repo_pool", "artifact_store")
"""Services that every task's figures name, called or not."""


class ExecutionMetrics:
    """Figures of one task. Beside the fields below, ``<service>_calls`` and ``<service>_duration_seconds``."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        run = metrics.run if metrics is not None else None
        self.llm_calls: int = run.llm_calls if run else 0
        """Model calls."""
        self.llm_total_duration_seconds: float = run.llm_duration_s if run else 0.0
        """Seconds in model calls."""
        self.llm_total_tokens: int = run.tokens.total if run else 0
        """Tokens of model calls."""
        self.llm_prompt_tokens: int = run.tokens.prompt if run else 0
        """Input tokens of model calls, cached included."""
        self.llm_completion_tokens: int = run.tokens.completion if run else 0
        """Output tokens of model calls."""
        self.services: dict[str, tuple[int, float]] = dict.fromkeys(SERVICES, (0, 0.0))
        """Service to its calls and the seconds in them."""
        for service in metrics.services if metrics is not None else ():
            self.services[service.name] = (service.calls, service.durations.total_s)

    def __getattr__(self, name: str) -> Any:
        figures = self._of_services() if "services" in self.__dict__ else {}
        if name not in figures:
            raise AttributeError(f"{type(self).__name__} has no {name!r}: no such service was called")
        return figures[name]

    def __eq__(self, other: object) -> bool:
        """Return whether all figures are the same."""
        return self.to_dict() == other.to_dict() if isinstance(other, ExecutionMetrics) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"

    def to_dict(self) -> dict[str, Any]:
        """Return all figures by name."""
        figures: dict[str, Any] = {name: value for name, value in vars(self).items() if name != "services"}
        return figures | self._of_services()

    def _of_services(self) -> dict[str, float]:
        """Return the figures of services; one whose names are taken, such as ``llm``, is ``llm_service``."""
        figures: dict[str, float] = {}
        for service, (calls, duration_s) in self.services.items():
            name = service
            while (name != service and name in self.services) or _named(name, calls, duration_s).keys() & vars(self):
                name += "_service"
            figures |= _named(name, calls, duration_s)
        return figures


def _named(service: str, calls: int, duration_s: float) -> dict[str, float]:
    return {f"{service}_calls": calls, f"{service}_duration_seconds": duration_s}


class MetricsCollector:
    """Records what one task does. In a run, the task is an issue of it."""

    def __init__(self, runner_id: str, task_id: int | str, spec_name: str | None = None) -> None:
        self.runner_id, self.task_id, self.spec_name = runner_id, task_id, spec_name
        self._about = {"runner_id": text(runner_id)}
        if spec_name is not None:
            self._about["spec_name"] = text(spec_name)
        self._emitter = active.emitter()
        self._own = Emitter(None)
        self._issue = register(self._emitter, task_id)

    def record_llm_call(
        self,
        duration_seconds: float,
        tokens_used: int | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
    ) -> None:
        """Record one model call; ``tokens_used`` is kept as the total where its parts are not known."""
        fields = {
            "duration_s": duration_seconds,
            "total_tokens": tokens_used,
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
        }
        told, wrong = call_told.checked(fields)
        call_told.complain(self._emitter, wrong, "a model call", "record_llm_call")
        self._emit("llm.completed", {**told, "source": "usage"})

    def record_external_service_call(self, service: str, duration_seconds: float) -> None:
        """Record one call of an external service."""
        told, wrong = call_told.checked({"service": service, "duration_s": duration_seconds})
        call_told.complain(self._emitter, wrong, "a service call", "record_external_service_call")
        self._emit("service.completed", {**told, "success": True})

    def finalize(self, status: str = "completed") -> ExecutionMetrics:
        """End the task's issue, where nobody else has, and return the figures."""
        if not self._issue.ended:
            self._issue.end()
            said = self._issue.check_end(self._emitter, text(status))
            self._emit("issue.completed", {"status": said})
        return self._figures()

    def to_dict(self) -> dict[str, Any]:
        """Return the figures so far, and which task they are of."""
        about = {"runner_id": self.runner_id, "task_id": self.task_id, "spec_name": self.spec_name}
        return {**about, **self._figures().to_dict()}

    def _figures(self) -> ExecutionMetrics:
        memory = self._own.memory
        return ExecutionMetrics(memory.metrics() if memory is not None else None)

    def _emit(self, type_name: str, fields: Mapping[str, Any]) -> None:
        given = {name: value for name, value in fields.items() if value is not None}
        given |= {"issue": self._issue.issue, **self._about}
        self._own.emit(type_name, given)
        self._emitter.emit(type_name, given)


def _figures(metrics: Any) -> dict[str, float]:
    """Return the figures of a task that a program passed in any form; empty where it holds none."""
    to_dict = getattr(metrics, "to_dict", None)
    given = to_dict() if callable(to_dict) else metrics
    if not isinstance(given, Mapping):
        return {}
    ends = ("_calls", "_duration_seconds", "_tokens")
    said = {name: value for name, value in given.items() if isinstance(name, str) and name.endswith(ends)}
    figures = {name: value for name, value in said.items() if amount(value) is not None}
    times = {f"{name.removesuffix('_calls')}_duration_seconds": 0.0 for name in figures if name.endswith("_calls")}
    return {**times, **figures}


class MetricsReporter:
    """The console report of a task."""

    @harmless("")
    def report(
        self, metrics: ExecutionMetrics | MetricsCollector | Mapping[str, Any], file: TextIO | None = None
    ) -> str:
        """Write the report to ``file``, stdout unless given, and return it. ``metrics`` may be their ``to_dict()``."""
        from runwatch.views import execution_report

        figures = _figures(metrics)
        if not figures:
            complain(f"report wants what MetricsCollector.finalize() returns, not {shown(metrics)}.", "MetricsReporter")
            return ""
        report = execution_report.render({**ExecutionMetrics().to_dict(), **figures})
        try:
            print(report, file=sys.stdout if file is None else file)
        except (OSError, ValueError, AttributeError, TypeError) as error:  # a closed stdout is not the task's fault
            say(f"the report of a task cannot be written: {one_line(error)}.")
        return report
