"""What the environment may say to runwatch's git commands, and what it must not.

Must not change the environment of this process. A hook, an alias or `git rebase --exec` leaves variables behind
that would turn every command to another repository or another index.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from runwatch.vcs.layout import Found, common_dir, find_repository, head_of

KEPT = re.compile(
    r"GIT_(?:(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL)"
    r"|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)"
    r"|EXEC_PATH|SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|ASKPASS|PROXY_\w+)\Z"
)
"""Variables that say who the user is, where the configuration lies and how git reaches its parts."""

FIXED = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_EDITOR": ":",
    "GIT_PAGER": "cat",
}
"""Set for every command: no lock, no question, no network for a look, no editor, no pager."""

NO_HOOKS = ("core.hooksPath=/dev/null",)
"""Configuration of every command but those that are there to run the user's hooks."""

OVERRIDES = (
    "core.fsmonitor=false",
    "core.safecrlf=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
    "color.ui=false",
)
"""Configuration of every command: no monitor of the user's, no refusal over line ends, nothing in the background."""


OBJECTS = frozenset({"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"})
"""Variables that say where objects lie: without them the user's git and runwatch's would not find each other's."""


def stripped(environ: Mapping[str, str], git_dir: Path | None = None) -> list[str]:
    """Return the names of the variables that runwatch's git commands in a repository must not see, sorted."""
    kept = FIXED.keys() | (OBJECTS if git_dir is not None and is_meant(environ, git_dir) else frozenset())
    return sorted(name for name in environ if name.startswith("GIT_") and not KEPT.match(name) and name not in kept)


def is_meant(environ: Mapping[str, str], git_dir: Path) -> bool:
    """Whether git's variables are about a repository: not where a hook of another one left them, or a push."""
    named = environ.get("GIT_DIR")
    return "GIT_QUARANTINE_PATH" not in environ and (not named or os.path.realpath(named) == str(git_dir))


def objects_dir(environ: Mapping[str, str], git_dir: Path) -> Path:
    """Return the folder that new objects of a repository go to."""
    said = environ.get("GIT_OBJECT_DIRECTORY") if is_meant(environ, git_dir) else None
    return Path(os.path.realpath(said)) if said else common_dir(git_dir) / "objects"


def other_common_dir(environ: Mapping[str, str], git_dir: Path) -> str | None:
    """Return the folder from which the user's git takes the branches instead of a repository's own; None: its own."""
    said = environ.get("GIT_COMMON_DIR") if is_meant(environ, git_dir) else None
    return said if said and os.path.realpath(said) != str(common_dir(git_dir)) else None


class GitVariables(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which repository, index and work tree the user's environment names, as absolute paths."""

    dir: str | None = None
    """GIT_DIR."""
    index: str | None = None
    """GIT_INDEX_FILE."""
    tree: str | None = None
    """GIT_WORK_TREE."""

    def repository(self, path: Path) -> Found | None:
        """Return the repository of ``path``: the nearest above it, else the one named here; see find_repository."""
        return find_repository(path, self.dir, self.tree)

    def work_tree(self, path: Path) -> Found | None:
        """Return the same where it has a work tree, None for a bare repository."""
        found = self.repository(path)
        return found if found is not None and not found.bare else None


def git_variables(environ: Mapping[str, str], cwd: Path, top: Path | None) -> GitVariables:
    """Return what an environment names, as seen from ``cwd`` in the work tree ``top``; git takes an index from its top.

    What is no Unicode cannot be noted in a journal, and is left out.
    """
    tree = cwd / environ["GIT_WORK_TREE"] if environ.get("GIT_WORK_TREE") else top
    found = {"GIT_DIR": cwd, "GIT_INDEX_FILE": cwd if tree is None else tree, "GIT_WORK_TREE": cwd}
    paths = {name: os.path.abspath(above / environ[name]) for name, above in found.items() if environ.get(name)}
    plain = {name: path for name, path in paths.items() if path.isprintable()}
    return GitVariables(plain.get("GIT_DIR"), plain.get("GIT_INDEX_FILE"), plain.get("GIT_WORK_TREE"))


def git_at_start(environ: Mapping[str, str], cwd: Path) -> dict[str, str | None] | None:
    """Return what a run notes of the repository that it starts in, None outside of any; a bare one is one too."""
    found = git_variables(environ, cwd, None).repository(cwd)
    if found is None:
        return None
    head = head_of(found.git_dir)
    said = git_variables(environ, cwd, None if found.bare else found.top)
    noted = {"branch": head.branch, "head": head.sha, "dir": said.dir, "index": said.index, "tree": said.tree}
    return {name: value for name, value in noted.items() if value is not None or name in ("branch", "head")}
