"""What a model call would cost, with the prices of the configuration.

Must not record anything.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from runwatch.errors import RunwatchError
from runwatch.sdk.trouble import say

if TYPE_CHECKING:
    from runwatch.pricing import Pricer


def estimate_llm_cost(model: str, prompt_tokens: int, completion_tokens: int) -> float | None:
    """Return USD at today's prices, or None for an unpriced model. ``[pricing]`` of the configuration wins."""
    from runwatch.pricing import PICO_PER_USD

    pico = _pricer()(None, model, prompt_tokens, completion_tokens).pico_usd
    return None if pico is None else pico / PICO_PER_USD


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
