"""What events of calls of models, tools and services say in a log.

Must not write a log. Source of the components: record.md, "Logs".
"""

from __future__ import annotations

from runwatch.events import Event
from runwatch.events.calls import (
    LlmCompleted,
    LlmPriced,
    LlmRetry,
    LlmStarted,
    ServiceCompleted,
    ServiceHealth,
    ServiceRetry,
    ServiceStarted,
    ToolCompleted,
    ToolStarted,
)
from runwatch.units import usd
from runwatch.views.event_phrases.wording import Level, Phrase, Phrasebook, backoff, ended, failure, took, words

phrases = Phrasebook()
says = phrases.says


@says("adapter", LlmStarted)
def _llm_started(event: LlmStarted) -> Phrase:
    return "INFO", words(
        "request",
        model=event.model,
        provider=event.provider,
        prompt_chars=event.prompt_chars,
        max_tokens=event.max_tokens,
    )


@says("adapter", LlmRetry)
def _llm_retry(event: LlmRetry) -> Phrase:
    attempt = "" if event.attempt is None else f" {event.attempt}"
    return "WARNING", f"{failure(event.error, 'failed')}, retry{attempt}{backoff(event.backoff_s)}"


@says("adapter", LlmCompleted)
def _llm_completed(event: LlmCompleted) -> Phrase:
    text = {"success": "answer", "rate_limit": "rate limited", "timeout": "timed out"}.get(event.result, "failed")
    level: Level = "INFO" if event.result == "success" else "ERROR" if event.result == "error" else "WARNING"
    return level, words(
        text,
        model=event.model,
        provider=event.provider,
        duration=took(event.duration_s),
        attempt=event.attempt,
        response_chars=event.response_chars,
        error=event.error,
    )


def usage(event: Event) -> str | None:
    """Return the tokens and the cost of a model's answer, for the ``metrics`` log; None where none are known."""
    if not isinstance(event, LlmCompleted):
        return None
    text = words(
        "tokens",
        model=event.model,
        prompt=event.prompt_tokens,
        completion=event.completion_tokens,
        total=event.total_tokens,
        cache_read=event.cache_read_tokens,
        cache_write=event.cache_write_tokens,
        reasoning=event.reasoning_tokens,
        cost=None if event.cost_usd is None else usd(event.cost_usd),
    )
    known = (event.prompt_tokens, event.completion_tokens, event.total_tokens, event.cost_usd)
    return text if any(value is not None for value in known) else None


@says("metrics", LlmPriced)
def _llm_priced(event: LlmPriced) -> Phrase:
    prices = " ".join(value for value in event.prices.values() if value)
    return "INFO", words("priced", call=event.ref, cost=usd(event.cost_usd), prices=prices or None)


@says("adapter", ToolStarted)
def _tool_started(event: ToolStarted) -> Phrase:
    return "INFO", words("tool called", tool=event.tool)


@says("adapter", ToolCompleted)
def _tool_completed(event: ToolCompleted) -> Phrase:
    text = "tool done" if event.success else "tool failed"
    return ended(event.success), words(text, tool=event.tool, duration=took(event.duration_s), error=event.error)


@says("adapter", ServiceStarted)
def _service_started(event: ServiceStarted) -> Phrase:
    return "INFO", words("service called", service=event.service, operation=event.operation)


@says("adapter", ServiceCompleted)
def _service_completed(event: ServiceCompleted) -> Phrase:
    return ended(event.success), words(
        "service answered" if event.success else "service failed",
        service=event.service,
        operation=event.operation,
        duration=took(event.duration_s),
        bytes=event.bytes,
        error=event.error,
    )


@says("adapter", ServiceRetry)
def _service_retry(event: ServiceRetry) -> Phrase:
    attempt = "" if event.attempt is None else f" {event.attempt}"
    text = f"{failure(event.error, 'service failed')}, retry{attempt}{backoff(event.backoff_s)}"
    return "WARNING", words(text, service=event.service, operation=event.operation)


@says("validator", ServiceHealth)
def _service_health(event: ServiceHealth) -> Phrase:
    text = f"{event.service} is {'healthy' if event.healthy else 'down'}"
    return ended(event.healthy), words(text, latency=took(event.latency_s), error=event.error)
