"""What model clients say of a call's tokens and cost, as the fields of an event.

Must not price anything. **Source**: metrics.md, "Tokens and prices"; the usage objects of the OpenAI, Anthropic and
Gemini clients.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_NAMES: dict[str, tuple[str, ...]] = {
    "prompt_tokens": ("prompt_tokens", "input_tokens", "prompt_token_count"),
    "completion_tokens": ("completion_tokens", "output_tokens", "candidates_token_count"),
    "total_tokens": ("total_tokens", "total_token_count"),
    "cache_read_tokens": ("cache_read_tokens", "cache_read_input_tokens", "cached_content_token_count"),
    "cache_write_tokens": ("cache_write_tokens", "cache_creation_input_tokens"),
    "reasoning_tokens": ("reasoning_tokens", "thoughts_token_count"),
}
"""Field → what it is called, the first that is there counts."""
_NESTED = {
    "cache_read_tokens": (("prompt_tokens_details", "cached_tokens"), ("input_tokens_details", "cached_tokens")),
    "reasoning_tokens": (
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
    ),
}
_BESIDE = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Anthropic's: counted beside the input, not inside."""
_COSTS = ("cost_usd", "estimated_cost", "cost")
_TEXTS = ("model", "provider", "request_id")


def usage_fields(usage: Any) -> dict[str, Any]:
    """Return tokens, cost, model, provider and request id of a usage mapping or object; only what it says."""
    fields: dict[str, Any] = {}
    for field, names in _NAMES.items():
        value = next((whole for name in names if (whole := _whole(_get(usage, name))) is not None), None)
        for outer, inner in _NESTED.get(field, ()):
            if value is None:
                value = _whole(_get(_get(usage, outer), inner))
        if value is not None:
            fields[field] = value
    beside = sum(_whole(_get(usage, name)) or 0 for name in _BESIDE)
    if beside and "prompt_tokens" in fields:
        fields["prompt_tokens"] += beside
    cost = next((amount for name in _COSTS if (amount := _amount(_get(usage, name))) is not None), None)
    if cost is not None:
        fields["cost_usd"] = cost
    if not fields:
        return {}
    for field in _TEXTS:
        word = _get(usage, field)
        if isinstance(word, str):
            fields[field] = word
    return fields


def _get(source: Any, name: str) -> Any:
    if source is None:
        return None
    try:
        return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    except Exception:  # noqa: BLE001 - a property of a client's object may raise anything
        return None


def _whole(value: Any) -> int | None:
    number = _amount(value)
    return None if number is None else int(number)


def _amount(value: Any) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
