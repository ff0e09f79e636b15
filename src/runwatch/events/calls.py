"""Events of calls to models, tools and services.

No clock, no path, no I/O. Source of the fields: record.md, "The journal"; metrics.md, "Tokens and prices".
"""

from __future__ import annotations

from typing import Literal

from runwatch.events.bounds import Measure, Seconds, Size, Whole
from runwatch.events.envelope import Event

LlmResult = Literal["success", "rate_limit", "timeout", "error"]


class LlmStarted(Event, tag="llm.started"):
    """A model request was sent."""

    provider: str | None = None
    """The run's where absent."""
    model: str | None = None
    """The run's where absent."""
    max_tokens: Whole | None = None
    """Limit asked for, in tokens."""
    prompt_chars: Whole | None = None
    """Length of the prompt, in characters."""


class LlmRetry(Event, tag="llm.retry"):
    """A model request will be sent again."""

    attempt: Whole | None = None
    """Number of the attempt that failed, from 1."""
    backoff_s: Seconds | None = None
    """Seconds until the next attempt."""
    error: str | None = None
    """Why."""


class LlmCompleted(Event, tag="llm.completed"):
    """A model request ended. Tokens are counts; ``prompt_tokens`` is all input, cached included."""

    provider: str | None = None
    """The run's where absent."""
    model: str | None = None
    """The run's where absent."""
    prompt_tokens: Whole | None = None
    """All input, cached included."""
    completion_tokens: Whole | None = None
    """All output, reasoning included."""
    total_tokens: Whole | None = None
    """Kept as a total where no split is known."""
    cache_read_tokens: Whole | None = None
    """Part of the input that was read from a cache."""
    cache_write_tokens: Whole | None = None
    """Part of the input that was written to a cache."""
    reasoning_tokens: Whole | None = None
    """Part of the output that nobody sees."""
    request_id: str | None = None
    """The provider's id of the call; a repeated one counts once."""
    duration_s: Seconds | None = None
    """Seconds from request to answer."""
    result: LlmResult = "success"
    """How it ended."""
    attempt: Whole | None = None
    """Number of this attempt, from 1; above 1 it is a retry of the same request."""
    cost_usd: Measure | None = None
    """What the provider says it cost; wins over any price list."""
    max_tokens: Whole | None = None
    """Limit asked for, in tokens."""
    response_chars: Whole | None = None
    """Length of the answer, in characters."""
    error: str | None = None
    """Why it failed."""
    source: str | None = None
    """Who saw the call: ``sdk`` (where absent), ``usage``, ``otlp.span``, ``otlp.metric``; the fold counts it once."""
    counter: str | None = None
    """Name of the running totals that tokens and cost are, such as a session; only what they grew by counts."""


class LlmPriced(Event, tag="llm.priced"):
    """The price that the finalizer used for one call, so that a later fold gives the same numbers."""

    ref: str
    """``writer:seq`` of the call, or its request id."""
    cost_usd: Measure | None = None
    """None where the model has no known price."""
    prices: dict[str, str] = {}
    """``library``, ``version`` and ``date`` of the price list."""


class ToolStarted(Event, tag="tool.started"):
    """A tool was called."""

    tool: str
    """Its name."""


class ToolCompleted(Event, tag="tool.completed"):
    """A tool call ended."""

    tool: str
    """Its name."""
    success: bool = True
    """Whether it did what it was called for."""
    duration_s: Seconds | None = None
    """Seconds."""
    error: str | None = None
    """Why it failed."""


class ServiceStarted(Event, tag="service.started"):
    """An external service was called."""

    service: str
    """Its name."""
    operation: str | None = None
    """What it was asked for."""


class ServiceCompleted(Event, tag="service.completed"):
    """A service call ended."""

    service: str
    """Its name."""
    operation: str | None = None
    """What it was asked for."""
    success: bool = True
    """Whether it answered as hoped."""
    duration_s: Seconds | None = None
    """Seconds."""
    bytes: Size | None = None
    """Size of the answer."""
    error: str | None = None
    """Why it failed."""


class ServiceRetry(Event, tag="service.retry"):
    """A service call will be made again."""

    service: str | None = None
    """Its name."""
    operation: str | None = None
    """What it was asked for."""
    attempt: Whole | None = None
    """Number of the attempt that failed, from 1."""
    backoff_s: Seconds | None = None
    """Seconds until the next attempt."""
    error: str | None = None
    """Why."""


class ServiceHealth(Event, tag="service.health"):
    """A health check of a service."""

    service: str
    """Its name."""
    healthy: bool
    """What the check said."""
    latency_s: Seconds | None = None
    """Seconds the check took."""
    error: str | None = None
    """Why it is down."""
