"""What model clients say of a call's tokens and cost, as the fields of an event.

Must not price or add up anything. **Source**: metrics.md, "Tokens and prices"; the usage objects of the OpenAI,
Anthropic, Gemini, Bedrock and DeepSeek clients, LangChain's usage metadata, the GenAI conventions of OpenTelemetry,
Codex's token counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from runwatch.events.words import named
from runwatch.sdk.plain import meant, text

_NAMES: dict[str, tuple[str, ...]] = {
    "prompt_tokens": (
        "prompt_tokens", "input_tokens", "prompt_token_count", "promptTokenCount", "inputTokens",
        "gen_ai.usage.input_tokens",
    ),
    "completion_tokens": (
        "completion_tokens", "output_tokens", "candidates_token_count", "candidatesTokenCount", "outputTokens",
        "gen_ai.usage.output_tokens",
    ),
    "total_tokens": ("total_tokens", "total_token_count", "totalTokenCount", "totalTokens"),
    "cache_read_tokens": (
        "cache_read_tokens", "cache_read_input_tokens", "cacheReadInputTokens", "cached_content_token_count",
        "cachedContentTokenCount", "cached_input_tokens", "prompt_cache_hit_tokens",
        "gen_ai.usage.cache_read.input_tokens",
    ),
    "cache_write_tokens": (
        "cache_write_tokens", "cache_creation_input_tokens", "cacheWriteInputTokens",
        "gen_ai.usage.cache_creation.input_tokens",
    ),
    "reasoning_tokens": (
        "reasoning_tokens", "thoughts_token_count", "thoughtsTokenCount", "reasoning_output_tokens",
        "gen_ai.usage.reasoning.output_tokens",
    ),
}  # fmt: skip
"""Field → what it is called, the first that is there counts."""
_NESTED = {
    "cache_read_tokens": (
        ("prompt_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cached_tokens"),
        ("input_token_details", "cache_read"),
    ),
    "cache_write_tokens": (("input_token_details", "cache_creation"),),
    "reasoning_tokens": (
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
        ("output_token_details", "reasoning"),
    ),
}
"""Field → where OpenAI's clients and, in the singular, LangChain hold it, all within the whole."""
_BESIDE = {
    "cache": ("prompt_tokens", (
        "cache_read_input_tokens", "cache_creation_input_tokens", "cacheReadInputTokens", "cacheWriteInputTokens",
    )),
    "tools": ("prompt_tokens", ("tool_use_prompt_token_count", "toolUsePromptTokenCount")),
    "thoughts": ("completion_tokens", ("thoughts_token_count", "thoughtsTokenCount")),
}  # fmt: skip
"""What Anthropic and Bedrock (cache) and Gemini (results of tools, thoughts) count beside a field, not inside."""
NO_NAME = "none of the names that tokens have"
_Part = tuple[str, str, int]
"""What it is, its field, and the tokens that may be missing from that."""
_MOST = 10**12
"""Tokens beyond are not meant: ``events/bounds.py``."""
_COSTS = ("cost_usd", "estimated_cost", "cost")
_WORDS = {
    "model": ("model", "gen_ai.response.model"),
    "provider": ("provider", "gen_ai.provider.name", "gen_ai.system"),
    "request_id": ("request_id", "gen_ai.response.id"),
}
_ANSWERS = {"model": ("modelVersion", "model_version"), "request_id": ("id", "responseId", "response_id")}
"""Words of a whole answer: its id is that of the request."""
_INSIDE = ("usage", "usage_metadata", "usageMetadata")
"""Where a whole answer holds its usage."""
_SESSION = "total_token_usage"
"""Codex's: the running total of a session; beside it the last call's, which is told again at every rate limit."""
_OURS = frozenset({*_NAMES, "cost_usd", "max_tokens"})
_THEIRS = (
    frozenset({name for names in _NAMES.values() for name in names}).union(
        (outer for places in _NESTED.values() for outer, _ in places), _COSTS, _INSIDE, (_SESSION,)
    )
    - _OURS
)
"""Names of an event's own, and other names under which clients tell the same."""


def usage_fields(usage: Any) -> dict[str, Any]:
    """Return tokens, cost, model, provider and request id of a usage mapping or object; only what it says.

    A whole answer is taken for its usage, its id and its model. Running totals, marked ``cumulative`` or told as those
    of a session, are named as a ``counter``, so that only what they grew by counts.
    """
    fields = _numbers(usage)
    if fields:
        _add_words(fields, usage, _WORDS)
        if _get(usage, "cumulative") is True:
            fields["counter"] = "usage"
        return fields
    session = _numbers(_get(usage, _SESSION))
    if session:
        _add_words(session, usage, _WORDS)
        return {**session, "counter": "session"}
    inside = next((found for name in _INSIDE if (found := _get(usage, name)) is not None), None)
    fields = _numbers(inside)
    if fields:
        _add_words(fields, inside, _WORDS)
        _add_words(fields, usage, _WORDS)
        _add_words(fields, usage, _ANSWERS)
    return fields


def call_as_told(fields: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, str]]:
    """Return the fields of an ``llm.completed`` as they were told and, where they name tokens or cost as a client does,
    also under our names; and what is wrong with them, by name. What is below zero is left out."""
    told = complaints(fields)
    below = {name for name in told if name in _OURS and _is_below_zero(_get(fields, name))}
    wrong = {name: why for name, why in told.items() if name not in _OURS or name in below}
    if below:
        fields = {name: value for name, value in fields.items() if name not in below}
    used = usage_fields(fields) if any(name in _THEIRS for name in fields) else {}
    strange = [name for name in map(text, fields) if "token" in name and name not in _OURS and name not in _THEIRS]
    if strange and not wrong and not any(name in used or name in fields for name in _NAMES):
        wrong[", ".join(strange)] = NO_NAME
    return {**fields, **used}, wrong


def complaints(usage: Any) -> dict[str, str]:
    """Return the names under which a usage says something that is no number of tokens or no cost, and what."""
    wrong: dict[str, str] = {}
    tokens = [name for names in _NAMES.values() for name in names]
    for source in (usage, *(_get(usage, name) for name in _INSIDE)):
        for name in (*tokens, *_COSTS):
            value = _get(source, name)
            if value is None or callable(value):
                continue
            if name in _COSTS and amount(value) is None:
                wrong[name] = f"{text(value)!r:.60}, no amount in USD"
            elif name not in _COSTS and whole(value) is None:
                wrong[name] = f"{text(value)!r:.60}, no whole number"
    return wrong


def _numbers(usage: Any) -> dict[str, Any]:
    """Return tokens and cost."""
    fields: dict[str, Any] = {}
    for field, names in _NAMES.items():
        value = next((found for name in names if (found := whole(_get(usage, name))) is not None), None)
        for outer, inner in _NESTED.get(field, ()):
            if value is None:
                value = whole(_get(_get(usage, outer), inner))
        if value is not None:
            fields[field] = value
    parts = [
        (what, field, tokens)
        for what, (field, names) in _BESIDE.items()
        if field in fields and (tokens := sum(whole(_get(usage, name)) or 0 for name in names))
    ]
    for _, field, tokens in _really_beside(usage, fields, parts):
        fields[field] += tokens
    cost = next((said for name in _COSTS if (said := amount(_get(usage, name))) is not None), None)
    if cost is not None:
        fields["cost_usd"] = cost
    return fields


def _really_beside(usage: Any, fields: dict[str, Any], parts: list[_Part]) -> list[_Part]:
    """Return which of the parts are not inside their field: as the total of the usage says, else as the names do.

    LiteLLM tells Anthropic's names beside OpenAI's, and has all of it inside the whole.
    """
    prompt, completion, total = (fields.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    if prompt is not None and completion is not None and total is not None:
        for size in (len(parts), *range(len(parts))):
            for some in combinations(parts, size):
                inside = [part for part in parts if part not in some]
                fits = all(tokens <= fields[field] for _, field, tokens in inside)
                if fits and prompt + completion + sum(tokens for *_, tokens in some) == total:
                    return list(some)
    has_cached_inside = any(whole(_get(_get(usage, outer), inner)) for outer, inner in _NESTED["cache_read_tokens"])
    return [part for part in parts if part[0] != "cache" or not has_cached_inside]


def _add_words(fields: dict[str, Any], source: Any, words: Mapping[str, tuple[str, ...]]) -> None:
    for field, names in words.items():
        words_said = (meant(_get(source, name)) for name in names)
        word = next((word for word in words_said if isinstance(word, str) and named(word)), None)
        if word is not None:
            fields.setdefault(field, text(word))


def _get(source: Any, name: str) -> Any:
    if source is None:
        return None
    try:
        return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    except Exception:  # noqa: BLE001 - a property of a client's object may raise anything
        return None


def _is_below_zero(value: Any) -> bool:
    try:
        return float(value) < 0
    except Exception:  # noqa: BLE001 - what is no number is refused with its own words
        return False


def whole(value: Any) -> int | None:
    """Return a number of things that were counted; 1200.0 is one, 1200.5 is none."""
    number = amount(value)
    return None if number is None or not number.is_integer() or number > _MOST else int(number)


def amount(value: Any) -> float | None:
    """Return a number from 0; None for what is none, however it is written."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except Exception:  # noqa: BLE001 - a number of the program's may raise anything
        return None
    return number if math.isfinite(number) and number >= 0 else None
