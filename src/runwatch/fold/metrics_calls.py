"""Shapes of what models, tools and services did.

No I/O, no formatting, no arithmetic. Definitions: metrics.md. A percentage of nothing is None, never 0 or 100.
"""

from __future__ import annotations

import msgspec


class Tokens(msgspec.Struct, kw_only=True):
    """Token counts, after normalization."""

    prompt: int = 0
    """All input, cached included."""
    completion: int = 0
    """All output, reasoning included."""
    cache_read: int = 0
    """Part of the input read from a cache."""
    cache_write: int = 0
    """Part of the input written to a cache."""
    reasoning: int = 0
    """Part of the output that nobody sees."""
    total: int = 0
    """prompt + completion, plus totals whose split nobody knows."""


class Durations(msgspec.Struct, kw_only=True):
    """Durations of one kind of call, in seconds; percentiles within 1 %."""

    total_s: float = 0.0
    """Sum."""
    mean_s: float | None = None
    """Arithmetic mean."""
    p50_s: float | None = None
    """Median."""
    p95_s: float | None = None
    """95th percentile."""
    max_s: float | None = None
    """Longest."""


class Llm(msgspec.Struct, kw_only=True):
    """The model of the run: explicit, from the environment, from the configuration, or the first one seen."""

    provider: str | None = None
    """Who serves it."""
    model: str | None = None
    """Its name at the provider."""
    temperature: float | None = None
    """Sampling temperature."""


class CallMetrics(msgspec.Struct, kw_only=True):
    """Calls of one tool or one service."""

    name: str
    """Tool or service."""
    calls: int = 0
    """Calls that ended."""
    successes: int = 0
    """Calls that did what they were for."""
    failures: int = 0
    """Calls that did not, interrupted ones included."""
    retries: int = 0
    """Repeated attempts."""
    durations: Durations = msgspec.field(default_factory=Durations)
    """Of calls that ended."""
    open: int = 0
    """Calls under way now."""


class ModelMetrics(msgspec.Struct, kw_only=True):
    """Calls of one model at one provider."""

    provider: str
    """Who serves it."""
    model: str
    """Its name."""
    calls: int = 0
    """Calls that ended, retries included."""
    requests: int = 0
    """Requests, retries of one counted once."""
    retries: int = 0
    """Repeated attempts."""
    rate_limits: int = 0
    """Calls turned away by a rate limit."""
    timeouts: int = 0
    """Calls that ran out of time."""
    failures: int = 0
    """Calls that did not succeed, rate limits, time-outs and interrupted ones included."""
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    """Of its calls."""
    cost_usd: float | None = None
    """None when it has no known price."""
    priced: bool = True
    """False when any call of it has no known price, or succeeded with a usage that nobody knows."""
    calls_without_price: int = 0
    """Calls whose usage is known and whose price is not."""
    calls_without_split: int = 0
    """Calls without a cost because nobody tells how many tokens went in and how many came out."""
    calls_without_tokens: int = 0
    """Calls that succeeded and of which nobody tells any tokens."""
    prices: str | None = None
    """Library, version and date of the price list; None where the provider said the cost."""
    durations: Durations = msgspec.field(default_factory=Durations)
    """Of its calls."""


class HealthMetrics(msgspec.Struct, kw_only=True):
    """The last health check of one service."""

    service: str
    """Its name."""
    healthy: bool
    """What the check said."""
    latency_s: float | None = None
    """Seconds the check took."""
    error: str | None = None
    """Why it is down."""
    time: str | None = None
    """RFC 3339 of the check."""
    checks: int = 0
    """Checks made."""
    failures: int = 0
    """Checks that found it down."""
