"""Model calls, as events: one started and one completed for each request.

Must not count or price them.
"""

from __future__ import annotations

import time
import types
from secrets import token_hex
from typing import Any

from runwatch.sdk import active
from runwatch.sdk.core import Emitter
from runwatch.sdk.plain import one_line

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
_PASSED_ON = frozenset(
    {
        "provider", "model", "prompt_tokens", "completion_tokens", "total_tokens", "cache_read_tokens",
        "cache_write_tokens", "reasoning_tokens", "request_id", "attempt", "max_tokens", "response_chars", "error",
    }
)  # fmt: skip
"""Keys of the mapping that are fields of the event."""
_TOO_MANY_REQUESTS = 429


class TrackedRequest:
    """One request as a context manager; yields a mapping to fill."""

    def __init__(self, model: str | None, provider: str | None) -> None:
        self._about = {"model": model, "provider": provider}
        self._emitter: Emitter | None = None
        self._call_id = ""
        self._started = 0.0
        self._said: dict[str, Any] = {}

    def __enter__(self) -> dict[str, Any]:
        self._emitter, self._call_id = active.emitter(), token_hex(6)
        self._said = {}
        self._started = time.monotonic()
        self._emitter.emit("llm.started", {**self._about, "call_id": self._call_id})
        return self._said

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        emitter = self._emitter or active.emitter()
        duration_s = round(time.monotonic() - self._started, 6)
        fields: dict[str, Any] = {**self._about, "source": "sdk", "call_id": self._call_id, "duration_s": duration_s}
        fields |= {name: value for name, value in self._said.items() if name in _PASSED_ON and value is not None}
        cost = self._said.get("cost_usd", self._said.get("cost"))
        if cost is not None:
            fields["cost_usd"] = cost
        if error is not None:
            fields["error"] = one_line(error)
        fields["result"] = self._result(emitter, error)
        emitter.emit("llm.completed", fields)

    def _result(self, emitter: Emitter, error: BaseException | None) -> str:
        said = self._said.get("result")
        if said is None:
            return "success" if error is None else result_of(error)
        result = _RESULTS.get(str(said).lower())
        if result is None:
            emitter.warn(f"a model call's result is {said!r:.40}: it counts as an error", "track_request")
            return "error"
        return result if error is None or result != "success" else result_of(error)


def result_of(error: BaseException) -> str:
    """Tell a rate limit and a time-out from other errors, whichever client raised it."""
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    names = " ".join(base.__name__.lower() for base in type(error).__mro__)
    if status == _TOO_MANY_REQUESTS or "ratelimit" in names or "resourceexhausted" in names:
        return "rate_limit"
    if isinstance(error, TimeoutError) or "timeout" in names or "deadlineexceeded" in names:
        return "timeout"
    return "error"


class LlmMetrics:
    """Model calls of whatever run is active."""

    def track_request(self, model: str | None = None, provider: str | None = None) -> TrackedRequest:
        """Return a context manager around one request, which yields a mapping to fill.

        Its keys: ``prompt_tokens`` (all input, cached included), ``completion_tokens``, ``cost`` (USD), ``result``
        (success, rate_limit, timeout, error), and any other field of ``llm.completed``.
        """
        return TrackedRequest(model, provider)


llm_metrics = LlmMetrics()
"""Model calls of whatever run is active."""
