"""What of an event can be recorded, and is probably not meant: a type one letter off, a state that nobody knows.

No I/O. Must not refuse anything: who tells of the doubt records the event all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from runwatch.events.codec import FIELDS, TYPES
from runwatch.events.words import (
    OUTCOME_SOURCES,
    PIPELINE_STATES,
    ended_badly,
    ended_well,
    is_under_way,
    pipeline_state,
)

_ALIKE = 0.85
"""How much of two names must be the same; 1 is all."""


def doubts(type_name: str, fields: Mapping[str, Any]) -> Sequence[str]:
    """Return a sentence for each thing in an event that was probably meant otherwise."""
    known = FIELDS.get(type_name)
    if known is not None and type_name not in _ABOUT and fields.keys() <= known:
        return ()  # nearly all of them, and a program's emit waits for this
    if known is None:
        near = _near_type(type_name)
        return () if near is None else [f"{type_name} is no type of event that counts: is {near} meant?"]
    found = []
    for name in fields.keys() - known if type_name != "llm.completed" else ():  # tokens have any client's names
        near = _near(str(name), known)
        if near is not None and near not in fields:
            found.append(f"{type_name}: {name} is no field that counts: is {near} meant?")
    about = _ABOUT.get(type_name)
    doubt = None if about is None else about(fields)
    return found if doubt is None else [*found, doubt]


def pipeline_doubt(pipeline_id: object, status: str) -> str:
    """Return what is told of a CI attempt that ended in a word that nobody knows."""
    known = ", ".join(PIPELINE_STATES)
    return f"pipeline {pipeline_id}: status {status!r:.40} is none of {known} and counts as none"


def issue_doubt(issue: object, status: str) -> str:
    """Return what is told of an issue that ended in a word that nobody knows."""
    good = "success, completed, resolved, merged, closed"
    return f"issue {issue} ended as {status!r:.60}, which counts as an error: {good} do not"


def source_doubt(source: str) -> str:
    """Return what is told of an outcome whose source cannot know it."""
    return f"outcome source {source!r:.60} is none of {', '.join(OUTCOME_SOURCES)}; the outcome counts"


def _pipeline(fields: Mapping[str, Any]) -> str | None:
    said = fields.get("status")
    if not isinstance(said, str) or pipeline_state(said) is not None or is_under_way(said):
        return None
    return pipeline_doubt(fields.get("pipeline_id"), said)


def _issue(fields: Mapping[str, Any]) -> str | None:
    said = fields.get("status")
    if not isinstance(said, str) or ended_well(said) or ended_badly(said):
        return None
    return issue_doubt(fields.get("issue"), said)


def _outcome(fields: Mapping[str, Any]) -> str | None:
    said = fields.get("source")
    return source_doubt(said) if isinstance(said, str) and said not in OUTCOME_SOURCES else None


_ABOUT = {"pipeline.completed": _pipeline, "issue.completed": _issue, "outcome.verified": _outcome}


@lru_cache(256)
def _near_type(name: str) -> str | None:
    return _near(name, frozenset(TYPES))


@lru_cache(256)
def _near(name: str, known: frozenset[str]) -> str | None:
    """Return the known name that another one is nearly; None where there is none: it is the user's own."""
    from difflib import get_close_matches  # only who misspells something waits for it

    return next(iter(get_close_matches(name, sorted(known), n=1, cutoff=_ALIKE)), None)
