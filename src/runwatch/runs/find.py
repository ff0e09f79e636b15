"""Which run a person means: a path, a run id, a unique prefix of one, ``@1``, or nothing for the newest.

Must not write anything.
"""

from __future__ import annotations

import re
from os.path import exists  # unlike pathlib it takes any text for a path
from pathlib import Path

from runwatch.errors import NotFound, UsageError
from runwatch.runs.listing import listed, run_directories

_AT = re.compile(r"@(\d+)\Z")


def resolve(reference: str | None, root: Path) -> Path:
    """Return the directory of the run that ``reference`` names. Raises NotFound, or UsageError where several fit."""
    if reference is None:
        reference = "@1"
    if match := _AT.match(reference):
        return _by_age(int(match[1]), root)
    as_path = Path(reference)
    is_run = ("/" in reference and exists(as_path / "metadata.json")) or exists(as_path / "events.jsonl")
    if is_run:
        return as_path
    wanted = reference.split("/")
    matches = []
    for path in run_directories(root):
        name = (path.parent.name, path.name)
        if wanted == [path.name] or wanted == [*name]:
            return path
        if path.name.startswith(wanted[-1]) and (len(wanted) == 1 or wanted[:-1] == [path.parent.name]):
            matches.append(path)
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(sorted(path.name for path in matches)[:4])
        raise UsageError(f"{reference!r} fits {len(matches)} runs ({names} …): give more of the run id.")
    raise NotFound(f"No run {reference!r} below {root}: `runwatch ls` lists them.")


def _by_age(number: int, root: Path) -> Path:
    found = [listed(path) for path in run_directories(root)]
    found.sort(key=lambda each: each.row.start_time or "", reverse=True)
    if not found:
        raise NotFound(f"No runs below {root}: `runwatch run -- CMD` records one.")
    if not 1 <= number <= len(found):
        raise NotFound(f"No run @{number}: there are {len(found)} below {root}.")
    return found[number - 1].path
