"""Model calls, as events: one started and one completed for each request.

Must not count or price them.
"""

from __future__ import annotations

import time
import types
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from runwatch.events.words import named
from runwatch.sdk import active, call_told, deadlines
from runwatch.sdk.core import Emitter
from runwatch.sdk.instruments import Block, Instrument
from runwatch.sdk.plain import one_line, text

_RESULTS = {
    "success": "success",
    "ok": "success",
    "rate_limit": "rate_limit",
    "rate_limited": "rate_limit",
    "timeout": "timeout",
    "error": "error",
    "failed": "error",
    "failure": "error",
}
"""What programs call a result → what the event calls it."""
_TOO_MANY_REQUESTS = 429
_TOKENS = {"prompt": "prompt_tokens", "completion": "completion_tokens"}
"""Kind of the tokens that an instrument counts → field of the event."""


class TrackedRequest(Block):
    """One request as a context manager; yields a mapping to fill."""

    def __init__(self, model: str | None, provider: str | None) -> None:
        super().__init__()
        about = {"model": model, "provider": provider}
        self._about = {name: None if value is None else named(text(value)) for name, value in about.items()}
        self._emitter: Emitter | None = None
        self._call_id = ""
        self._started = 0.0
        self._said: dict[str, Any] = {}
        self._rate_limited = False
        self._limits: tuple[deadlines.Limit, ...] = ()

    def __enter__(self) -> dict[str, Any]:
        self._emitter, self._call_id = active.emitter(), token_hex(6)
        self._said, self._rate_limited = {}, False
        self._open()
        self._limits = deadlines.around()
        self._started = time.monotonic()
        self._emitter.emit("llm.started", {**self._about, "call_id": self._call_id})
        return self._said

    def takes(self, name: str, labels: Mapping[str, str], value: float) -> bool:
        """Take what states this request's own result, tokens, cost or duration, each once."""
        if any(labels.get(key) not in (None, about) for key, about in self._about.items() if about is not None):
            return False  # of another model
        if name == "llm_requests_total" and value == 1:
            return self._take("result", labels.get("result", "success"))
        if name == "llm_request_duration_seconds":
            return self._take("duration_s", value)
        if name == "llm_tokens_total" and labels.get("kind") in _TOKENS:
            return self._add(_TOKENS[labels["kind"]], value)
        if name == "llm_cost_dollars_total":
            return self._add("cost_usd", value)
        if name == "llm_rate_limit_events_total" and value == 1 and not self._rate_limited:
            self._rate_limited = True
            return True
        return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        emitter = self._emitter or active.emitter()
        duration_s = round(time.monotonic() - self._started, 6)
        self._close()
        fields: dict[str, Any] = {**self._about, "source": "sdk", "call_id": self._call_id, "duration_s": duration_s}
        taken, wrong = call_told.checked(self._taken)
        said, wrong_too = call_told.fields_of(self._said)
        call_told.complain(emitter, wrong | wrong_too, "a model call", "track_request")
        fields |= taken | said
        if error is not None:
            fields["error"] = one_line(error)
        failed = None if error is None else result_of(error)
        if deadlines.has_cut_short(error, self._limits):
            failed = "timeout"
        self._limits = ()
        used = fields.get("prompt_tokens") or fields.get("completion_tokens")
        fields["result"] = self._result(emitter, failed, answered=bool(used))
        emitter.emit("llm.completed", fields)
        if self._rate_limited and fields["result"] != "rate_limit":
            # The request got through in the end: turned away in between is a fact of its own.
            labels = {name: text(value) for name, value in self._about.items() if value is not None}
            observed = {"name": "llm_rate_limit_events_total", "kind": "counter", "value": 1, "labels": labels}
            emitter.emit("metric.observed", observed)

    def _result(self, emitter: Emitter, failed: str | None, *, answered: bool) -> str:
        """Return the result: what was said of it, what else is known; ``failed`` is what the exception comes to."""
        said = self._said.get("result", self._taken.get("result"))
        if said is None and self._rate_limited and not answered:
            return "rate_limit"
        if said is None:
            return failed or "success"
        result = _RESULTS.get(text(said).lower())
        if result is None:
            emitter.warn(f"a model call's result is {text(said)!r:.40}: it counts as an error", "track_request")
            return "error"
        return result if failed is None or result != "success" else failed


def result_of(error: BaseException) -> str:
    """Tell a rate limit and a time-out from other errors, whichever client raised it.

    A group of exceptions is what all of them are.
    """
    if isinstance(error, BaseExceptionGroup):
        results = {result_of(each) for each in error.exceptions}
        return results.pop() if len(results) == 1 else "error"
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    names = " ".join(base.__name__.lower() for base in type(error).__mro__)
    if status == _TOO_MANY_REQUESTS or "ratelimit" in names or "resourceexhausted" in names:
        return "rate_limit"
    if isinstance(error, TimeoutError) or "timeout" in names or "deadlineexceeded" in names:
        return "timeout"
    return "error"


class LlmMetrics:
    """Model calls of whatever run is active."""

    def __init__(self) -> None:
        self.requests = Instrument("llm_requests_total")
        """Counter by model, provider and result."""
        self.request_duration = Instrument("llm_request_duration_seconds")
        """Histogram by model and provider, seconds."""
        self.tokens = Instrument("llm_tokens_total")
        """Counter by model, provider and kind (prompt, completion)."""
        self.cost = Instrument("llm_cost_dollars_total")
        """Counter by model and provider, USD."""
        self.rate_limit_events = Instrument("llm_rate_limit_events_total")
        """Counter by model and provider."""

    def track_request(self, model: str | None = None, provider: str | None = None) -> TrackedRequest:
        """Return a context manager around one request, which yields a mapping to fill.

        Its keys: ``prompt_tokens`` (all input, cached included), ``completion_tokens``, ``cost`` (USD), ``result``
        (success, rate_limit, timeout, error), any other field of ``llm.completed``, and what clients call tokens and
        cost (``record_token_usage``). A value that cannot be meant is left out with a warning.
        """
        return TrackedRequest(model, provider)


llm_metrics = LlmMetrics()
"""Model calls of whatever run is active."""
