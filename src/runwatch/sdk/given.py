"""What a program passed that cannot be meant: told of once, and something harmless in its place.

Must not raise, whatever the values do. Source: python-api.md, "None ever raises into the user's program".
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from runwatch.errors import RunwatchError
from runwatch.sdk import active
from runwatch.sdk.plain import one_line, shown
from runwatch.sdk.usage import amount

_P = ParamSpec("_P")
_R = TypeVar("_R")
_MOST_S = 1e9
"""More than anybody waits, and less than what locks and event loops take."""


def complain(sentence: str, where: str) -> None:
    """Tell of a misuse: a warning event, and once on stderr."""
    emitter = active.emitter()
    emitter.troubles.report(f"{where} {sentence}", sentence)
    emitter.warn(sentence, where)


def truth(value: object, what: str) -> bool:
    """Return whether a value is true; one that cannot say counts as false."""
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 - an array, an object of the program's
        complain(f"{what} {shown(value)} is neither true nor false: it counts as false.", what)
        return False


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
