"""What a run says of its origin when it starts: the configured model, the boot of the host, what the fold needs.

Must not write an event: those who start a run do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from runwatch.settings import Settings


def configured_llm(config: Mapping[str, Any], settings: Settings, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the model: what the program says, else the environment, else the configuration; None where none does.

    A temperature that is no number is passed over. Source: metrics.md, "llm configuration".
    """
    found: dict[str, Any] = {}
    for name in ("provider", "model", "temperature"):
        for value in (config.get(f"llm_{name}"), environ.get(f"LLM_{name.upper()}"), getattr(settings.llm, name)):
            usable = usable_llm(name, value)
            if usable is not None:
                found[name] = usable
                break
    return found or None


def usable_llm(name: str, value: Any) -> str | float | None:
    """Return a part of a model's configuration as it may stand in an event; None for none and for what is unusable."""
    if value is None or value == "":
        return None
    if name != "temperature":
        return str(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


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
