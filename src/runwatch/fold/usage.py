"""The tokens of one call: raw numbers of a line, merged over its repeats, normalized for counting.

No I/O, no formatting. Definitions: metrics.md, "Tokens and prices".
"""

from __future__ import annotations

from runwatch.events.calls import LlmCompleted

Raw = tuple[int | None, int | None, int | None, int | None, int | None, int | None]
"""prompt, completion, cache_read, cache_write, reasoning, total, as the line said them."""
Counts = tuple[int, int, int, int, int, int]
"""prompt, completion, cache_read, cache_write, reasoning, total, after normalization."""

NO_USAGE: Raw = (None, None, None, None, None, None)
NOTHING: Counts = (0, 0, 0, 0, 0, 0)


def raw_usage(event: LlmCompleted) -> Raw | None:
    """Return the numbers of a line, or None where it has none."""
    raw = (
        event.prompt_tokens,
        event.completion_tokens,
        event.cache_read_tokens,
        event.cache_write_tokens,
        event.reasoning_tokens,
        event.total_tokens,
    )
    return raw if raw != NO_USAGE else None


def merged(old: Raw | None, new: Raw | None) -> Raw | None:
    """Return the numbers of a call told twice: of each kind the larger.

    A placeholder or a partial count is smaller than what corrects it, and a line that says less than one before
    (a repeat of the placeholder, one field left out) takes nothing back.
    """
    if old is None or new is None:
        return old or new
    pairs = zip(old, new, strict=True)
    return tuple(b if a is None else a if b is None else max(a, b) for a, b in pairs)  # type: ignore[return-value]  # six of six


def normalized(raw: Raw | None) -> Counts:
    """Return the counts of a call.

    - Input includes what was cached. Cached tokens that exceed the input, or that a total shows to be missing from it,
      were counted beside it (as Anthropic does) and are added.
    - Output includes reasoning; reasoning counted beside it (as Gemini does) is told and added in the same way.
    - Where one half of the split is missing and a total is known, the other half is what remains.
    - Without a split a total stays a total.
    - A negative number says nothing: the other half of it would be tokens that nobody used.
    """
    if raw is None:
        return NOTHING
    prompt, completion, cache_read, cache_write, reasoning, total = raw
    is_plain = cache_read is cache_write is reasoning is None
    if is_plain and prompt is not None and completion is not None and prompt >= 0 and completion >= 0:
        return prompt, completion, 0, 0, 0, prompt + completion  # most calls, and this is asked for each
    read, write = max(cache_read or 0, 0), max(cache_write or 0, 0)
    thought = max(reasoning or 0, 0)
    prompt, completion = _counted(prompt), _counted(completion)
    if prompt is None and completion is None:
        return read + write, thought, read, write, thought, max(total or 0, read + write + thought)
    if prompt is None:
        prompt = (total or 0) - (completion or 0)
    if completion is None:
        completion = (total or 0) - prompt
    prompt, completion = max(prompt, 0), max(completion, 0)  # the total may be smaller than a half
    cached = read + write
    missing = (total or 0) - prompt - completion
    if cached > prompt or (cached and missing in (cached, cached + thought)):
        prompt += cached
    if thought > completion or (thought and missing in (thought, cached + thought)):
        completion += thought
    return prompt, completion, read, write, thought, prompt + completion


def _counted(number: int | None) -> int | None:
    return None if number is None or number < 0 else number


def has_split(raw: Raw | None) -> bool:
    """Return whether input and output are known apart, which a price needs."""
    return raw is not None and (raw[0] is not None or raw[1] is not None)
