"""What was pruned, or would be, in lines for people.

Must not find or do anything.
"""

from __future__ import annotations

from runwatch.runs.retention import Pruned, Pruning
from runwatch.units import count, size


def lines(pruning: Pruning) -> list[str]:
    """Return a line for each run and one for the whole; not yet made visible."""
    said = [_line(each, dry_run=pruning.dry_run) for each in pruning.pruned]
    said += [f"left    {each.run}  {each.why}, but {each.reason}" for each in pruning.left]
    gone = [each for each in pruning.pruned if each.done or pruning.dry_run]
    if not gone:
        return [*said, "Nothing to prune." if not said else "Nothing was pruned."]
    whats = [(what, sum(each.what == what for each in gone)) for what in ("run", "archive")]
    named = ", ".join(f"{count(number)} {what}{'' if number == 1 else 's'}" for what, number in whats if number)
    verb = "would be freed: nothing was touched" if pruning.dry_run else "freed"
    return [*said, f"{named}: {size(pruning.freed_bytes)} {verb}."]


def _line(each: Pruned, *, dry_run: bool) -> str:
    if each.problem is not None:
        return f"failed  {each.run}  {each.problem}"
    word = "would go" if dry_run else "pruned"
    what = "its archive, " if each.what == "archive" else ""
    stays = f"; {count(each.tracked)} tracked files stay" if each.tracked else ""
    return f"{word:<8}  {each.run}  {what}{size(each.size_bytes)}, {each.why}{stays}"
