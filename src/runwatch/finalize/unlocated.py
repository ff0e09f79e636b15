"""Sentences for the tracked files, without where this machine keeps the run and what it is called.

Must not read a journal. Source: finalizer.md, "The commit": host name and working directory are published only where
`[commit] publish` names them.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from runwatch.vcs import Found

_ENDS = r"(?![\w-]|\.\w)"
"""What a name must not go on with, lest another one only begins like it."""


class Unlocated:
    """Takes this place out of sentences about one run."""

    def __init__(
        self, run_dir: Path, found: Found | None, environ: Mapping[str, str], publish: Collection[str], cwd: str | None
    ) -> None:
        """``found`` is the repository of the run, ``cwd`` where its command was started, ``publish`` what may stay."""
        self._folders: dict[str, str] = {}
        if "cwd" not in publish:
            for top in _tops(run_dir, found):
                self._folders.setdefault(top, "")
            for folder in (cwd, _here()):
                if folder:
                    self._folders.setdefault(folder, "./")
            for home in {environ.get("HOME", ""), os.path.expanduser("~")}:
                self._folders.setdefault(home, "~/")
        self._host = None if "host" in publish else platform.node()

    def __call__(self, text: str) -> str:
        """Return a sentence whose paths begin at the top of the repository, else at the runs folder's."""
        for folder, instead in self._folders.items():
            plain = folder.rstrip("/")
            if plain.startswith("/"):
                text = re.sub(rf"(?<![\w.~-]){re.escape(plain)}/+(?=[^\s/])", instead, text)
                text = re.sub(rf"(?<![\w.~-]){re.escape(plain)}{_ENDS}/*", instead.rstrip("/") or ".", text)
        if self._host and self._host != "localhost":
            text = re.sub(rf"(?<![\w.-]){re.escape(self._host)}(?:\.[\w-]+)*(?![\w-])", "this machine", text)
        return text


def _tops(run_dir: Path, found: Found | None) -> list[str]:
    """Return what paths are to begin at: the work tree's top, else what holds the runs folder; as git and as we say it.

    Behind a link the two differ.
    """
    root, spelled = Path(os.path.realpath(run_dir)), Path(os.path.abspath(run_dir))
    top = found.top if found is not None and not found.bare and root.is_relative_to(found.top) else root.parents[2]
    below = root.relative_to(top).parts
    tops = [str(top)]
    if spelled.parts[-len(below) :] == below:
        tops.append(str(spelled.parents[len(below) - 1]))
    return tops


def _here() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None
