"""Where configuration files lie: the project's, found from a folder upwards, and the user's.

Must not parse them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

FILE_NAME = "runwatch.toml"


def user_file(environ: Mapping[str, str]) -> Path:
    """Return the user's own file, which need not exist.

    **Source**: XDG Base Directory Specification; Apple's File System Programming Guide. Written out because the
    library for it takes longer to import than all of the rest of `load`.
    """
    home = Path(environ.get("HOME") or os.path.expanduser("~"))
    configured = environ.get("XDG_CONFIG_HOME", "")
    if Path(configured).is_absolute():
        return Path(configured) / "runwatch" / FILE_NAME
    folder = home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".config"
    return folder / "runwatch" / FILE_NAME


def project_file(start: Path) -> Path | None:
    """Return the nearest `runwatch.toml`, or `pyproject.toml` that has our table, up to the top of the git work tree.

    Outside a work tree only `start` itself is looked at: a file in someone's home is not a project.
    """
    for folder in _folders(start.absolute()):
        for path, marker in ((folder / FILE_NAME, b""), (folder / "pyproject.toml", b"[tool.runwatch")):
            # A pyproject.toml without our table is no business of ours, however broken it may be.
            if os.path.isfile(path) and (not marker or marker in _content(path)):
                return path
    return None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


# os.path, here and in `load`: unlike pathlib it takes a folder that may not be entered, such as the HOME of another
# user in a container, for one that has no such file.
def _folders(start: Path) -> Iterator[Path]:
    upwards = [start, *start.parents]
    for depth, folder in enumerate(upwards):
        if os.path.exists(folder / ".git"):
            yield from upwards[: depth + 1]
            return
    yield start
