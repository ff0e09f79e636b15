"""One thing that was looked at, and what came of it.

Must not look at anything.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from runwatch.errors import CommitError

Level = Literal["ok", "note", "warning", "fault"]
"""fault: a run would not be recorded or not be committed; warning: something of it would be lost or wrong."""

_THEN = re.compile(r"(?:, then|:) `runwatch finalize RUN` commits it later\.\Z")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one thing."""

    check: str
    """What was looked at, in a word or two."""
    level: Level
    """How bad it is."""
    sentence: str
    """What was found."""
    remedy: str | None = None
    """What to do about it, a command where there is one."""


def ok(check: str, sentence: str) -> Finding:
    """Return that all is well with something."""
    return Finding(check=check, level="ok", sentence=sentence)


def note(check: str, sentence: str, remedy: str | None = None) -> Finding:
    """Return what is good to know."""
    return Finding(check=check, level="note", sentence=sentence, remedy=remedy)


def warning(check: str, sentence: str, remedy: str | None = None) -> Finding:
    """Return what would cost something of a run."""
    return Finding(check=check, level="warning", sentence=sentence, remedy=remedy)


def fault(check: str, sentence: str, remedy: str | None = None) -> Finding:
    """Return what would keep a run from being recorded or committed."""
    return Finding(check=check, level="fault", sentence=sentence, remedy=remedy)


def refused(error: CommitError) -> Finding:
    """Return what the finalizer would say, without that it can be done later."""
    why, _, remedy = _THEN.sub("", error.sentence).partition(": ")
    return fault("commit", why, remedy or None)
