"""A sparse checkout that leaves the runs folder out: git deletes it then, with the runs that go on in it.

Must not start a process: this runs before the recorded command starts. Git deletes a folder outside its cone whenever
the cone is set or applied anew, where it tracks files in it and all others in it are ignored, as ours are.
Source: git-sparse-checkout(1), "INTERNALS — CONE PATTERN SET"; git's builtin/sparse-checkout.c,
clean_tracked_sparse_directories.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from runwatch.vcs.layout import common_dir, find_repository

_SECTION = re.compile(r"\s*\[\s*([^\]]*?)\s*\]")
_TRUE = frozenset({"", "true", "yes", "on", "1"})


def outside_cone(folder: Path) -> str | None:
    """Return the path of a folder from the top of its work tree, where a cone leaves it out; else None.

    The folder need not be there. A sparse checkout without a cone deletes no folders, and gives None.
    """
    there = next((each for each in (folder, *folder.parents) if os.path.isdir(each)), folder)
    found = find_repository(there)
    if found is None or found.bare:
        return None
    try:
        lines = (found.git_dir / "info" / "sparse-checkout").read_text("utf-8", "surrogateescape").splitlines()
        parts = Path(os.path.realpath(folder)).relative_to(found.top).parts
    except (OSError, ValueError):
        return None
    if not parts or not all(_is_on(found.git_dir, key) for key in ("sparsecheckout", "sparsecheckoutcone")):
        return None
    return None if _holds(lines, parts) else "/".join(parts)


def outside_cone_warning(folder: Path) -> str | None:
    """Return in one sentence that a checkout's cone leaves the runs folder out, with the remedy; else None."""
    name = outside_cone(folder)
    if name is None:
        return None
    return (
        f"the sparse checkout leaves {name}/ out, and its next change deletes all runs: "
        f"`git sparse-checkout add {name}` keeps them"
    )


def _holds(lines: list[str], parts: tuple[str, ...]) -> bool:
    """Whether a cone's patterns hold a folder: it or one above it is named, and not for its own files alone."""
    named = {line for line in lines if line and not line.startswith("#")}
    if "/*" in named and "!/*/" not in named:
        return True
    above = ["".join(f"/{_escaped(part)}" for part in parts[:count]) for count in range(1, len(parts) + 1)]
    return any(f"{path}/" in named and f"!{path}/*/" not in named for path in above)


def _escaped(part: str) -> str:
    return re.sub(r"([\\*?\[])", r"\\\1", part)


def _is_on(git_dir: Path, key: str) -> bool:
    """Whether a key of ``[core]`` is true for this work tree, whose own file has the last word."""
    said = False
    for path in (common_dir(git_dir) / "config", git_dir / "config.worktree"):
        section = ""
        try:
            lines = path.read_text("utf-8", "surrogateescape").splitlines()
        except OSError:
            continue
        for line in lines:
            head = _SECTION.match(line)
            if head is not None:
                section, line = head[1].lower(), line[head.end() :]
            name, _, value = re.split(r"[#;]", line, maxsplit=1)[0].partition("=")
            if section == "core" and name.strip().lower() == key:
                said = value.strip().strip('"').lower() in _TRUE
    return said
