"""The files that differ between a commit and the work tree, from one git command.

Must not choose the commit and must not write the user's index: `git diff` does, even with optional locks off, so it is
`git diff-index` here, and what only looks changed (new time, same content) is left out as `git diff` would.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from runwatch.vcs.repository import Repository

Status: TypeAlias = Literal["created", "modified", "deleted", "renamed", "untracked"]

_STATUSES: dict[str, Status] = {"A": "created", "C": "created", "D": "deleted", "R": "renamed"}
"""Letters of `git diff --raw`; the others (content, type, mode, unmerged) are modifications."""
_NO_SUBMODULE_WALK = "--ignore-submodules=dirty"
"""A submodule counts when it is at another commit; what is edited inside is its own matter."""


class ChangedFile(msgspec.Struct, frozen=True):
    """One file of the diff."""

    path: str
    """From the top of the work tree; bytes that are no UTF-8 as surrogates; a new folder ends in a slash."""
    status: Status
    """What happened to it."""
    added: int | None
    """Lines; None for a binary or an untracked file."""
    deleted: int | None
    """Lines; None for a binary or an untracked file."""
    old_path: str | None = None
    """Where it was before a renaming."""


def pathspecs(exclude: tuple[str, ...]) -> list[str]:
    """Return the arguments that leave out some folders of the top of the work tree."""
    return ["--", ".", *(f":(top,exclude,literal){folder}" for folder in exclude)]


def diff(repo: Repository, commit: str, exclude: tuple[str, ...]) -> list[ChangedFile]:
    """Return what differs between a commit or tree and the tracked files of the work tree, by path. Raises GitError."""
    options = ("--raw", "--numstat", "-z", "-M", "--no-ext-diff", "--no-textconv", _NO_SUBMODULE_WALK)
    return parse(repo.plumbing("diff-index", *options, commit, *pathspecs(exclude)))


def between(repo: Repository, old: str, new: str, exclude: tuple[str, ...]) -> list[ChangedFile]:
    """Return what differs between two commits or trees, by path; the work tree is not looked at. Raises GitError."""
    options = ("-r", "--raw", "--numstat", "-z", "-M", "--no-ext-diff", "--no-textconv", _NO_SUBMODULE_WALK)
    return parse(repo.plumbing("diff-tree", *options, old, new, *pathspecs(exclude)))


def is_dirty(repo: Repository, exclude: tuple[str, ...]) -> bool:
    """Whether tracked files differ from HEAD, in the index or in the work tree. Raises GitError."""
    options = ("--porcelain", "-z", "--untracked-files=no", "--no-renames", _NO_SUBMODULE_WALK)
    return bool(repo.plumbing("status", *options, *pathspecs(exclude)))


def untracked(repo: Repository, exclude: tuple[str, ...]) -> list[ChangedFile]:
    """Return the files that git would offer to add, by path; a folder of them is one entry. Raises GitError."""
    options = ("--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z")
    names = repo.plumbing("ls-files", *options, *pathspecs(exclude)).split("\0")
    return [ChangedFile(name, "untracked", None, None) for name in sorted(names) if name]


def changed_files(
    repo: Repository, base: str | None, exclude: tuple[str, ...], start_head: str | None
) -> list[ChangedFile]:
    """Return the files behind branch.measure(), by path, then the untracked ones. Raises GitError."""
    from runwatch.vcs.branch import against  # it imports this module

    return diff(repo, against(repo, repo.head(), base, start_head).tree, exclude) + untracked(repo, exclude)


def parse(output: str) -> list[ChangedFile]:
    """Return the files of the output of `git diff-index --raw --numstat -z -M`, by path.

    **Source**: git-diff-index(1), "Raw output format" and "Other diff formats" (``--numstat`` with ``-z``).
    """
    tokens = iter(output.split("\0"))
    raw: dict[str, tuple[str, str | None, bool]] = {}
    lines: dict[str, tuple[int | None, int | None]] = {}
    for token in tokens:
        if token.startswith(":"):
            _read_raw(token, tokens, raw)
        elif token:
            added, deleted, path = token.split("\t", 2)
            if not path:  # a renaming: both names follow
                next(tokens)
                path = next(tokens)
            lines[path] = (_number(added), _number(deleted))
    return [
        ChangedFile(path, _STATUSES.get(letter, "modified"), *lines.get(path, (0, 0)), old_path)
        for path, (letter, old_path, only_stat) in sorted(raw.items())
        if path in lines or not only_stat
    ]


def _read_raw(token: str, tokens: Iterator[str], raw: dict[str, tuple[str, str | None, bool]]) -> None:
    old_mode, new_mode, _, new_id, status = token[1:].split(" ")
    letter = status[0]
    path = next(tokens)
    old_path = None
    if letter in "RC":
        old_path, path = path, next(tokens)
    if letter == "U" and path in raw:  # an unmerged file may have a second line that says how it differs
        return
    only_stat = letter == "M" and old_mode == new_mode and not new_id.strip("0")
    raw[path] = (letter, old_path if letter == "R" else None, only_stat)


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)
