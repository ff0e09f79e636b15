"""What a model call would cost, with the prices of the configuration.

Must not record anything.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from runwatch.errors import RunwatchError
from runwatch.sdk import active
from runwatch.sdk.plain import one_line, text
from runwatch.sdk.trouble import say

if TYPE_CHECKING:
    from runwatch.pricing import Pricer


def estimate_llm_cost(model: str, prompt_tokens: int, completion_tokens: int) -> float | None:
    """Return USD at today's prices, or None for an unpriced model. ``[pricing]`` of the configuration wins.

    What is no model's name or no number of tokens costs None too, which is told of once.
    """
    name, prompt, completion = _name(model), _tokens(prompt_tokens), _tokens(completion_tokens)
    why = ""
    if name is not None and prompt is not None and completion is not None:
        from runwatch.pricing import PICO_PER_USD

        try:
            pico = _pricer()(None, name, prompt, completion).pico_usd
            return None if pico is None else pico / PICO_PER_USD
        except Exception as error:  # noqa: BLE001 - what the price list chokes on must not stop the program
            why = f": {one_line(error)}"
    given = ", ".join(f"{text(value)!r:.60}" for value in (model, prompt_tokens, completion_tokens))
    sentence = f"estimate_llm_cost({given}) wants a model's name and two numbers of tokens and gives None{why}."
    active.emitter().troubles.report("estimate_llm_cost", sentence)
    return None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _tokens(value: object) -> int | None:
    """Return a number of tokens; None for what is none."""
    if isinstance(value, bool | str | bytes):
        return None
    try:
        number = int(value)  # type: ignore[call-overload]  # whatever the program passed
        return number if number == value and number >= 0 else None
    except Exception:  # noqa: BLE001 - a number of the program's may raise anything
        return None


@cache
def _pricer() -> Pricer:
    """Return the prices of this process, the configuration's read once."""
    from runwatch.pricing import Pricer
    from runwatch.settings import load

    try:
        return Pricer(load(Path.cwd(), os.environ).pricing)
    except (RunwatchError, OSError) as error:
        say(f"{error} The prices of the configuration are left out.")
        return Pricer()
