"""What was found of a run whose owner is gone, and done about it, in a line or two for people.

Must not find or do anything.
"""

from __future__ import annotations

from runwatch.finalize.recovery import Recovered

_WORDS = {"finalized": "finalized", "committed": "committed", "failed": "failed", "done": "lost"}
_SHA_CHARS = 12


def lines(result: Recovered) -> list[str]:
    """Return the run's line, and one for each of its processes that is alive; not yet made visible."""
    word = _WORDS.get(result.done) or _WORDS.get(result.found, result.found)
    parts = [_ended(result)]
    if result.commit and result.done != "nothing":
        where = f" on {result.branch}" if result.branch else ""
        parts.append(f"commit {result.commit[:_SHA_CHARS]}{where}")
    elif result.uncommitted and result.done == "finalized":
        parts.append(f"no commit: {result.uncommitted}")
    parts += [problem for problem in result.problems if not _is_told(problem, parts)]
    said = [f"{word:<10} {result.run}  {'; '.join(part.rstrip('.') for part in parts if part)}".rstrip()]
    said += [f"{'':<10} process {each.pid} goes on: {each.command}" for each in result.left_running]
    return said


def _ended(result: Recovered) -> str:
    if result.done in ("nothing", "failed"):
        return result.reason if result.reason and not result.problems else ""
    return f"{result.status}: {result.reason}" if result.status and result.reason else result.status or ""


def _is_told(problem: str, parts: list[str]) -> bool:
    return any(problem.partition(": ")[2] in part for part in parts)
