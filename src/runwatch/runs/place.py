"""What ``runwatch init`` writes in a place: ignore rules that let git track the summaries and nothing else.

Must not touch a run. Source: record.md, "The run directory".
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from runwatch.journal.atomic import write_atomic
from runwatch.journal.paths import TRACKED

HEADING = "# runwatch: of a run, git tracks these five files"
RULES = (
    "!/runs/",
    "/runs/*",
    "!/runs/*/",
    "/runs/*/*",
    "!/runs/*/*/",
    "/runs/*/*/*",
    *(f"!/runs/*/*/{name}" for name in TRACKED),
)
_FORMER = re.compile(r"/?runs(/|/\*{1,2})?\s*\Z")
"""A line that would keep all of ``runs/`` from git."""


class Written(NamedTuple):
    """What became of one file."""

    path: Path
    """The file."""
    what: str
    """What was done, for people."""


def write_ignore_rules(root: Path) -> Written:
    """Put the rules into ``root/.gitignore``, in place of a former ``runs/`` line, and name that. Raises OSError."""
    path = root.resolve() / ".gitignore"
    text = path.read_text("utf-8", "surrogateescape") if path.exists() else ""
    lines = text.splitlines()
    if all(rule in lines for rule in RULES):
        return Written(path, "has the rules already")
    former = [line for line in lines if _FORMER.match(line)]
    kept = [line for line in lines if line not in former and line not in RULES and line != HEADING]
    while kept and not kept[-1].strip():
        kept.pop()
    block = [HEADING, *RULES]
    new = "\n".join([*kept, "", *block] if kept else block) + "\n"
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    write_atomic(path, new.encode("utf-8", "surrogateescape"), mode=mode)
    _lift_ignore_all(root / "runs" / ".gitignore")
    return Written(path, f"{former[0]!r} replaced by the rules" if former else "rules added")


def _lift_ignore_all(path: Path) -> None:
    """Take away the ``*`` that the first run wrote where nobody had called init; a user's own rules stay."""
    try:
        if path.read_text() == "*\n":
            path.unlink()
    except OSError:
        pass
