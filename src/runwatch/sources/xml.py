"""XML of other programs, read piece by piece.

Must not resolve anything outside the file; what expands without end is refused by expat itself (since 2.4.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, iterparse


def elements(path: Path) -> Iterator[tuple[str, Element]]:
    """Yield ("start" or "end", element) in order of the file, up to where it is well formed. Raises OSError."""
    with path.open("rb") as file:
        try:
            yield from iterparse(file, ("start", "end"))
        except ParseError:
            return


def whole(text: str | None) -> int | None:
    """Return a count; None where the text is none."""
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def seconds(text: str | None) -> float | None:
    """Return a duration in seconds, with or without thousands separators; None where the text is none."""
    try:
        found = None if text is None else float(text.replace(",", ""))
    except ValueError:
        return None
    return found if found is not None and 0 <= found < float("inf") else None
