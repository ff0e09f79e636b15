"""What a program asked to have in the archive of its run, kept in the run until the archive is made.

Must not archive anything. Source: python-api.md, "Ends".
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from runwatch.journal.atomic import write_json
from runwatch.journal.beneath import read_regular

NAME = ".archive.json"
"""Name of the file in the run directory."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What it asked for."""

    workspace: bool = False
    """The run's ``workspace`` folder."""
    include: tuple[str, ...] = ()
    """Files and folders below the run that are archived in any case."""


def asked(root: Path) -> Asked:
    """Return what was asked for a run; nothing where nobody asked, or the file cannot be read."""
    try:
        return msgspec.json.decode(read_regular(root / NAME), type=Asked)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Asked()


def ask(root: Path, *, workspace: bool, include: tuple[str, ...]) -> bool:
    """Add to what was asked for; return whether that changed anything. Raises OSError."""
    former = asked(root)
    now = Asked(
        workspace=former.workspace or workspace, include=tuple(dict.fromkeys((*former.include, *include)))
    )  # in the order in which they were asked for
    if now == former:
        return False
    write_json(root / NAME, now)
    return True
