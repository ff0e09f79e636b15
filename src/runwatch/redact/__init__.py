"""Secrets taken out of text before it is published: known shapes, values of the environment, patterns of the user's.

Must not read files but its own rules, and must not decide what is published. What a secret looks like is data:
`rules.toml`. Who only compares digests does not load the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runwatch.redact.rules import Rule, rule_books, rules

if TYPE_CHECKING:
    from runwatch.redact.digests import Digests
    from runwatch.redact.environment import secret_values
    from runwatch.redact.redactor import Redactor

__all__ = ["Digests", "Redactor", "Rule", "rule_books", "rules", "secret_values"]

_HOMES = {"Digests": "digests", "Redactor": "redactor", "secret_values": "environment"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
