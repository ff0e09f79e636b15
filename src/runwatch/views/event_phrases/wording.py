"""How a log line words an event and its values, and the book that keeps one wording a type.

Must not know any event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from runwatch.events import Event, event_type
from runwatch.units import latency

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Phrase = tuple[Level, str]
Make = Callable[[Any], Phrase]

_LONGEST_CHARS = 2000  # of one value: the journal has it in full
_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+:/,#%$<>@*~[]")


class Phrasebook(dict[str, tuple[str, Make]]):
    """Wire name of a type to the component it belongs to and the function that words it."""

    def says(self, component: str, *kinds: type[Event]) -> Callable[[Make], Make]:
        """Enter the decorated function for these types."""

        def enter(make: Make) -> Make:
            for kind in kinds:
                self[event_type(kind)] = (component, make)
            return make

        return enter


def words(text: str, **values: object) -> str:
    """Return the text and its values as ``key=value``; None is left out, text that is no single word is quoted.

    The event's issue, agent and step are keys of the log line itself: who shows it shows them behind these.
    """
    return "  ".join([text, *(f"{key}={value(given)}" for key, given in values.items() if given is not None)])


def value(given: object) -> str:
    """Return one value, quoted unless it is a single plain word."""
    text = given if isinstance(given, str) else f"{given:g}" if isinstance(given, float) else str(given)
    if text and _BARE.issuperset(text):
        return text
    return '"' + short(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def short(text: str) -> str:
    """Return the text, its end cut where it is very long."""
    return text if len(text) <= _LONGEST_CHARS else text[:_LONGEST_CHARS] + "…"


def took(seconds: float | None) -> str | None:
    """Return a duration, None where there is none."""
    return None if seconds is None else latency(seconds)


def because(error: str | None) -> str:
    """Return the reason, ready to be appended; empty where there is none."""
    return f": {short(error)}" if error else ""


def backoff(seconds: float | None) -> str:
    """Return when the next attempt comes, ready to be appended; empty where nobody said."""
    return "" if seconds is None else f" in {seconds:.1f} s"


def failure(error: str | None, otherwise: str) -> str:
    """Return what failed in the words of the error, else in ours."""
    return short(error) if error else otherwise


def ended(well: bool) -> Level:
    """Return the level of an end."""
    return "INFO" if well else "ERROR"
