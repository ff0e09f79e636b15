"""Version control: what git says of a work tree, and git commands on it.

Must not decide what is committed. GitPython is imported by `repository` alone, when a Repository is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwatch.vcs.environment import GitVariables, git_at_start, git_variables
from runwatch.vcs.layout import (
    Found,
    Head,
    change_key,
    common_dir,
    find_repository,
    find_work_tree,
    git_dir,
    head_of,
    head_ref,
    is_bare,
    is_git_dir,
    read_head,
    read_ref,
)

if TYPE_CHECKING:
    from runwatch.vcs.branch import UNBORN, Snapshot, no_base
    from runwatch.vcs.changes import ChangedFile
    from runwatch.vcs.repository import NO_GIT, Repository, is_ignored, is_tracked
    from runwatch.vcs.running import GitError, Running

_LATER = {
    "NO_GIT": "repository",
    "UNBORN": "branch",
    "Snapshot": "branch",
    "ChangedFile": "changes",
    "Repository": "repository",
    "is_ignored": "repository",
    "is_tracked": "repository",
    "GitError": "running",
    "Running": "running",
    "no_base": "branch",
}
"""Name → its module, for what runs git: who only looks for the work tree does not wait for it."""

__all__ = [
    "NO_GIT",
    "UNBORN",
    "ChangedFile",
    "Found",
    "GitError",
    "GitVariables",
    "Head",
    "Repository",
    "Running",
    "Snapshot",
    "change_key",
    "common_dir",
    "find_repository",
    "find_work_tree",
    "git_at_start",
    "git_dir",
    "git_variables",
    "head_of",
    "head_ref",
    "is_bare",
    "is_git_dir",
    "is_ignored",
    "is_tracked",
    "no_base",
    "read_head",
    "read_ref",
]


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    return found
