"""What a run says of its origin when it starts: the configured model, the boot of the host, what the fold needs.

Must not write an event: those who start a run do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from runwatch.events.lifecycle import RunConfigured, RunStarted
from runwatch.events.words import named
from runwatch.journal.follow import events
from runwatch.settings import Settings

_LLM = ("provider", "model", "temperature")
_EARLY = 200
"""Who configures a run does so among its first events; more are not read for it."""


def configured_llm(config: Mapping[str, Any], settings: Settings, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the model: what the program says, else the environment, else the configuration; None where none does.

    A temperature that is no number, and a word such as "unknown", are passed over. Source: metrics.md, "llm
    configuration".
    """
    found: dict[str, Any] = {}
    for name in _LLM:
        for value in (config.get(f"llm_{name}"), environ.get(f"LLM_{name.upper()}"), getattr(settings.llm, name)):
            usable = usable_llm(name, value)
            if usable is not None:
                found[name] = usable
                break
    return found or None


def llm_complaint(environ: Mapping[str, str]) -> str | None:
    """Return what is wrong with the environment's word of the model, as a sentence; None for nothing."""
    said = environ.get("LLM_TEMPERATURE", "").strip()
    if not said or usable_llm("temperature", said) is not None:
        return None
    return (
        f"LLM_TEMPERATURE is {said!r:.60}, which is no number, and is left out: set it to one such as 0.2, or unset it."
    )


def llm_left_open(journal: Path, settings: Settings, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what only the environment of a program that joins a run says of the model; None for nothing new.

    What a program said stays; what the run took from the configuration gives way to the environment.
    """
    found = {
        name: value for name in _LLM if (value := usable_llm(name, environ.get(f"LLM_{name.upper()}"))) is not None
    }
    if not found:
        return None
    for _, event in islice(events(journal), _EARLY):
        if not isinstance(event, RunStarted | RunConfigured) or event.llm is None:
            continue
        for name in _LLM:
            said = getattr(event.llm, name)
            is_default = isinstance(event, RunStarted) and said == getattr(settings.llm, name)
            if said is not None and (said == found.get(name) or not is_default):
                found.pop(name, None)
    return found or None


def usable_llm(name: str, value: Any) -> str | float | None:
    """Return a part of a model's configuration as it may stand in an event; None for none and for what is unusable."""
    if value is None:
        return None
    if name != "temperature":
        return named(str(value).strip())
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def fold_settings(settings: Settings) -> dict[str, Any]:
    """Return what any later fold of the journal needs of the configuration: weights, prices, budgets."""
    found = {
        "complexity": msgspec.to_builtins(settings.run.complexity),
        "pricing": msgspec.to_builtins(settings.pricing),
        "limits": {name: value for name, value in msgspec.to_builtins(settings.limits).items() if value},
    }
    return {name: value for name, value in found.items() if value}


def boot_id() -> str | None:
    """Return which boot of this host it is; None where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
