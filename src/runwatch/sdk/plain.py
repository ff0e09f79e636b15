"""Any value of the user's program as something JSON can hold.

Must never raise: it is what remains when the ordinary encoding has failed.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

_MAX_DEPTH = 16
"""Deeper is shown as text: a structure that holds itself has no end."""


def plain(value: Any, depth: int = 0) -> Any:
    """Return ``value`` with mappings, sequences, text and numbers kept, everything else as text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return text(value)
    if depth < _MAX_DEPTH:
        try:
            if isinstance(value, Mapping):
                return {text(key): plain(item, depth + 1) for key, item in value.items()}
            if isinstance(value, (list, tuple, set, frozenset)):
                return [plain(item, depth + 1) for item in value]
        except Exception:  # noqa: BLE001 - a container of the user's may raise anything when walked
            return text(value)
    return text(value)


def text(value: Any) -> str:
    """Return ``str(value)`` as valid Unicode, a member of an enumeration as ``meant``.

    What has no text is named by its class.
    """
    try:
        return str(meant(value)).encode("utf-8", "backslashreplace").decode()
    except Exception:  # noqa: BLE001 - __str__ of the user's may raise anything
        return f"<{type(value).__name__} without text>"


def meant(value: Any) -> Any:
    """Return what a program means by a member of an enumeration, however that writes itself; any other value as it is.

    It is the member's value where that is text, else its name.
    """
    if not isinstance(value, enum.Enum):
        return value
    return value.value if isinstance(value.value, str) else value.name or value


def shown(value: Any, most: int = 40) -> str:
    """Return ``repr(value)`` for a sentence, cut; what has none is named by its class."""
    try:
        return text(repr(value))[:most]
    except Exception:  # noqa: BLE001 - __repr__ of the user's may raise anything
        return f"<{type(value).__name__} without text>"


def kind_of(value: Any) -> str:
    """Return the name of an error's kind: text as it is, an exception or its class by the name of the class."""
    if isinstance(value, type):
        return value.__name__
    return type(value).__name__ if isinstance(value, BaseException) else text(value)


def one_line(error: BaseException, limit: int = 500) -> str:
    """Return an exception as ``Type: message`` on one line, cut at ``limit`` characters."""
    message = " ".join(text(error).split())
    name = type(error).__name__
    return (f"{name}: {message}" if message else name)[:limit]
