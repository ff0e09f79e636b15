"""What a program tells of a call in numbers and words, as the fields of its event.

Must not emit a call. A value that cannot be meant is left out and complained of: the rest of the call counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runwatch.events.doubts import doubts
from runwatch.events.words import named
from runwatch.sdk.core import Emitter
from runwatch.sdk.plain import text
from runwatch.sdk.usage import NO_NAME, amount, call_as_told, complaints, usage_fields, whole

_TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens",
           "reasoning_tokens")  # fmt: skip
_WHOLE = frozenset({*_TOKENS, "attempt", "max_tokens", "response_chars"})
_AMOUNTS = {"cost_usd": "no amount in USD", "duration_s": "no number of seconds"}
_NAMES = ("provider", "model")
_WORDS = (*_NAMES, "request_id", "error")
Wrong = dict[str, str]
"""Name of what was left out → what is wrong with it."""


def fields_of(said: Mapping[str, Any]) -> tuple[dict[str, Any], Wrong]:
    """Return what the mapping of a model call says, tokens and cost under any client's names; and what is wrong."""
    fields, wrong = checked({name: said.get(name) for name in (*_WORDS, "attempt", "max_tokens", "response_chars")})
    used = usage_fields(said)
    wrong |= complaints(said)
    names = [text(name) for name in said if "token" in text(name) and name != "max_tokens"]
    if names and not wrong and not any(name in used for name in _TOKENS):
        wrong[", ".join(names)] = NO_NAME
    return {**used, **fields}, wrong


def checked(given: Mapping[str, Any]) -> tuple[dict[str, Any], Wrong]:
    """Return those of an event's fields that can be meant, and what is wrong with the others."""
    fields: dict[str, Any] = {}
    wrong: Wrong = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in _WHOLE:
            fields[name] = whole(value)
            if fields[name] is None:
                wrong[name] = f"{text(value)!r:.60}, no whole number"
        elif name in _AMOUNTS:
            fields[name] = amount(value)
            if fields[name] is None:
                wrong[name] = f"{text(value)!r:.60}, {_AMOUNTS[name]}"
        elif name in _NAMES:
            fields[name] = named(text(value))
        else:
            fields[name] = text(value)
    return {name: value for name, value in fields.items() if value is not None}, wrong


def as_event(emitter: Emitter, type_name: object, fields: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the fields of an event, those of a model call as we call them; what is wrong with it is complained of."""
    try:
        if not isinstance(type_name, str) or not isinstance(fields, (dict, Mapping)):  # a dict is known at once
            return fields
        if type_name != "llm.completed":
            for doubt in doubts(type_name, fields):
                if emitter.troubles.report(f"emit {doubt}", f"{doubt}."):
                    emitter.warn(doubt, "emit")
            return fields
        fields, wrong = call_as_told(fields)
    except Exception:  # noqa: BLE001 - what the program gave may raise anything: the emitter tells of it
        return fields
    complain(emitter, wrong, "a model call", "emit")
    return fields


def complain(emitter: Emitter, wrong: Wrong, what: str, where: str) -> None:
    """Tell of each name once in a process, in a warning and on stderr; the others are only counted."""
    for name, why in wrong.items():
        sentence = f"{what}: {name} is {why}, and is left out; the rest of it counts."
        if emitter.troubles.report(f"{where} {name}", sentence):
            emitter.warn(sentence, where)
