"""What a program passed that cannot be meant: told of once, and something harmless in its place.

Must not raise, whatever the values do. Source: python-api.md, "None ever raises into the user's program".
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from runwatch.errors import RunwatchError
from runwatch.events.words import yes_or_no
from runwatch.sdk import active
from runwatch.sdk.plain import meant, one_line, shown, text
from runwatch.sdk.usage import amount

_P = ParamSpec("_P")
_R = TypeVar("_R")
_MOST_S = 1e9
"""More than anybody waits, and less than what locks and event loops take."""


def complain(sentence: str, where: str, *, once: bool = False) -> None:
    """Tell of a misuse: a warning event, where ``once`` a single one, and once on stderr."""
    emitter = active.emitter()
    if emitter.troubles.report(f"{where} {sentence}", sentence) or not once:
        emitter.warn(sentence, where)


def truth(value: object, what: str) -> bool:
    """Return whether a value is true, text by what it says; one that cannot say counts as false."""
    said = truth_or_none(value)
    if said is None:
        complain(f"{what} {shown(value)} is neither true nor false: it counts as false.", what)
    elif (word := _word(value)) is not None:
        complain(f"{what} is the text {word!r:.60}, taken as {said}: pass True or False.", what, once=True)
    return bool(said)


def truth_or_none(value: Any) -> bool | None:
    """Return whether a value is true, text by what it says; None for one that cannot say."""
    word = _word(value)
    if word is not None:
        return yes_or_no(word)
    try:
        return bool(value.value if isinstance(value, enum.Enum) else value)
    except Exception:  # noqa: BLE001 - an array, an object of the program's
        return None


def _word(value: Any) -> str | None:
    """Return the text that stands where yes or no is wanted, that of an enumeration's member included; else None."""
    value = value if isinstance(value, enum.Enum) and isinstance(value.value, bool) else meant(value)
    return text(value) if isinstance(value, str) else None


def seconds(value: object, what: str, instead: float) -> float:
    """Return a number of seconds; what is none gives ``instead``, and what is below zero 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value <= 0:
        return 0.0
    number = amount(value)
    if number is None:
        complain(f"{what} {shown(value)} is no number of seconds: {instead:g} is taken.", what)
        return instead
    return min(number, _MOST_S)


def folder(value: object, what: str) -> Path:
    """Return the path of a folder; what is no path gives one below which nothing is, nor can be."""
    try:
        path = os.fsdecode(value)  # type: ignore[arg-type]  # whatever the program passed
        if "\0" not in path and os.fsencode(path):
            return Path(path)
    except Exception:  # noqa: BLE001 - no path, no Unicode, or an object that raises
        pass
    complain(f"{what} {shown(value)} is no folder's path.", what)
    return Path(os.devnull, "no folder")


def harmless(instead: _R) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Decorate a function that calls nothing of the program's: what raises in it is told of, and gives ``instead``."""

    def decorated(function: Callable[_P, _R]) -> Callable[_P, _R]:
        where = function.__qualname__

        @wraps(function)
        def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - whatever it is, it stays out of the program
                why = error.sentence if isinstance(error, RunwatchError) else f"{one_line(error)}."
                complain(f"{where} did nothing: {why}", where)
                return instead

        return called

    return decorated
