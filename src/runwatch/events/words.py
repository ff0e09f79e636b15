"""The words in which a state is told, and what each of them means.

No clock, no path, no I/O. Source: the specification, "The words"; the documented states of GitLab, GitHub, Jenkins.
"""

from __future__ import annotations

_PIPELINE = {
    "success": ("success", "successful", "succeeded", "passed", "pass", "ok", "neutral"),
    "failed": ("failed", "failure", "fail", "error", "errored", "startup_failure", "unstable"),
    "canceled": ("canceled", "cancelled", "aborted", "stale"),
    "skipped": ("skipped",),
    "timeout": ("timeout", "timed_out", "timedout"),
}
"""Final state of a CI attempt → how forges and programs spell it."""
_STATES = {word: state for state, words in _PIPELINE.items() for word in words}


_UNDER_WAY = frozenset(
    {
        "created", "pending", "running", "queued", "in_progress", "started", "building", "waiting", "requested",
        "waiting_for_resource", "waiting_for_callback", "preparing", "scheduled", "manual", "paused", "canceling",
        "cancelling", "blocked", "on_hold",
    }
)  # fmt: skip
"""States in which a CI attempt has not ended."""


def pipeline_state(said: str) -> str | None:
    """Return success, failed, canceled, skipped or timeout, however it is spelled; None for any other word."""
    return _STATES.get(_plain(said))


def is_under_way(said: str) -> bool:
    """Return whether a word tells of a CI attempt that goes on."""
    return _plain(said) in _UNDER_WAY


def _plain(said: str) -> str:
    return said.strip().lower().replace(" ", "_").replace("-", "_")


_NO_NAMES = frozenset({"", "unknown", "none", "null", "nil", "undefined", "unset", "n/a", "-", "?"})
"""What programs write where a model or provider is not known."""


def named(word: str | None) -> str | None:
    """Return the name of a model or provider; None where the word only says that there is none."""
    return None if word is None or word.strip().lower() in _NO_NAMES else word


_WELL = frozenset({"success", "completed", "resolved", "merged", "closed"})


def ended_well(status: str | None) -> bool:
    """Return whether a status is one of success, completed, resolved, merged, closed, however it is spelled."""
    return status is not None and status.lower() in _WELL


_YES = _WELL.union(("true", "yes", "y", "t", "on", "1", "done", "fixed", "healthy", "up"), _PIPELINE["success"])
_NO = frozenset(
    {
        "false", "no", "n", "f", "off", "0", "not_ok", "unresolved", "unhealthy", "down", "rejected", "crashed",
        "interrupted", "abandoned", "blocked", "incomplete", "exception", "unsuccessful", "not_resolved", "given_up",
    }
).union(*(words for state, words in _PIPELINE.items() if state != "success"))  # fmt: skip


def yes_or_no(word: str) -> bool | None:
    """Return what a word says where yes or no is wanted, such as ``failed``; None for one that says neither."""
    said = _plain(word)
    return True if said in _YES else False if said in _NO else None


_BADLY = frozenset(
    {
        "failed", "failure", "error", "interrupted", "crashed", "timeout", "canceled", "cancelled", "skipped",
        "partial", "aborted", "abandoned", "blocked", "rejected", "unresolved", "incomplete",
        "stopped",
    }
)  # fmt: skip


def ended_badly(status: str) -> bool:
    """Return whether a status is a known word for an end that was not good; any other is probably not meant."""
    return status.lower() in _BADLY


PIPELINE_STATES = tuple(_PIPELINE)
"""In which a CI attempt ends."""
OUTCOME_SOURCES = ("git", "forge", "ci", "person")
"""Who may know the external truth about an issue."""
_LEAST_SHA = 4


def is_one_commit(one: str, other: str) -> bool:
    """Return whether two commit ids name one commit; either may be shortened, as git has it."""
    if min(len(one), len(other)) < _LEAST_SHA:
        return one == other
    return one.startswith(other) or other.startswith(one)


def repeats_end(status: str, commit: str | None, former: str, former_commit: str | None) -> bool:
    """Return whether the end of a CI attempt is one that was told before: the same state, of no other commit."""
    is_same = former_commit is None or commit is None or is_one_commit(commit, former_commit)
    return is_same and (pipeline_state(status) or status) == (pipeline_state(former) or former)
