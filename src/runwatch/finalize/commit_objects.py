"""The objects of a run's commit: blobs, trees, the commit itself.

Must not move a ref or touch an index. Only the trees on the way to the run are read and written, so that the size of
the repository does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from runwatch.finalize.commit_place import Place
from runwatch.vcs import GitError, Repository

FILE = "100644"
FOLDER = "040000"
_FALLBACK = {"name": "runwatch", "email": "runwatch@localhost"}


class Entry(msgspec.Struct, frozen=True):
    """One line of a tree."""

    mode: str
    """Octal, six digits."""
    kind: str
    """blob, tree or commit."""
    oid: str
    """Object id in hex."""


Tree = dict[str, Entry]


def write_blobs(repo: Repository, place: Place) -> dict[str, str]:
    """Store the files of a run as git would on `git add`, filters and line ends applied; return name → object id."""
    lines = "".join(f"{_quoted(path)}\n" for path in place.paths)
    oids = repo.plumbing("hash-object", "-w", "--stdin-paths", input=lines).split()
    return dict(zip(place.names, oids, strict=True))


def _quoted(path: str) -> str:
    """Return a path as a line that `hash-object --stdin-paths` reads back: C-style where it must be."""
    raw = os.fsencode(path)
    if raw.isascii() and path.isprintable() and '"' not in path and "\\" not in path:
        return path
    plain = b"".join(bytes([c]) if 0x20 <= c < 0x7F and c not in b'"\\' else b"\\%03o" % c for c in raw)
    return f'"{plain.decode("ascii")}"'


def read_trees(repo: Repository, place: Place, tip: str | None) -> list[Tree]:
    """Return the trees of a commit from the top down to the run's own; empty ones where there are none.

    Raises CommitError where a part of the path is no folder there.
    """
    trees: list[Tree] = []
    oid = f"{tip}^{{tree}}" if tip else None
    for part in (*place.folder, None):
        tree = _read_tree(repo, oid) if oid else {}
        trees.append(tree)
        if part is None:
            break
        below = tree.get(part)
        if below is not None and below.kind != "tree":
            raise place.refuse(f"{part!r} on the way to the run is no folder in the last commit", "rename it")
        oid = below.oid if below else None
    return trees


def _read_tree(repo: Repository, oid: str) -> Tree:
    tree: Tree = {}
    for record in repo.plumbing("ls-tree", "-z", oid).split("\0"):
        if record:
            about, _, name = record.partition("\t")
            tree[name] = Entry(*about.split(" "))
    return tree


def holds(tree: Tree, blobs: Mapping[str, str]) -> bool:
    """Whether a run's own tree has exactly these contents under these names; what else it has does not matter."""
    return all(tree.get(name) == Entry(FILE, "blob", oid) for name, oid in blobs.items())


def write_trees(repo: Repository, place: Place, trees: list[Tree], blobs: Mapping[str, str]) -> str:
    """Store the trees with the run's files put in; return the top one's object id."""
    entries = {name: Entry(FILE, "blob", oid) for name, oid in blobs.items()}
    for tree, part in zip(reversed(trees), reversed((None, *place.folder)), strict=True):
        oid = _write_tree(repo, tree | entries)
        if part is None:
            return oid
        entries = {part: Entry(FOLDER, "tree", oid)}
    raise AssertionError("the top has no name")


def _write_tree(repo: Repository, tree: Tree) -> str:
    records = (f"{entry.mode} {entry.kind} {entry.oid}\t{name}\0" for name, entry in tree.items())
    return repo.plumbing("mktree", "-z", "--missing", input="".join(records)).strip()


def write_commit(
    repo: Repository, tree: str, parent: str | None, message: str, *, author: str | None, sign: bool
) -> str:
    """Store the commit; return its object id. Without a configured identity it is runwatch's own.

    Git would make one up from the login and the host's name, which nobody asked to publish.
    """
    command = ["commit-tree", tree, *(["-p", parent] if parent else []), "-S" if sign else "--no-gpg-sign", "-F", "-"]
    env: dict[str, str] = {}
    if author:
        name, _, mail = author.rpartition("<")
        env = {"GIT_AUTHOR_NAME": name.strip(), "GIT_AUTHOR_EMAIL": mail.strip().rstrip(">")}
    try:
        return repo.plumbing(*command, input=message, env=env, settings=("user.useConfigOnly=true",)).strip()
    except GitError as error:
        if "auto-detection is disabled" not in error.stderr and "ident" not in error.stderr:
            raise
    known = {key: repo.plumbing("config", f"user.{key}", check=False).strip() for key in _FALLBACK}
    identity = tuple(f"user.{key}={known[key] or fallback}" for key, fallback in _FALLBACK.items())
    return repo.plumbing(*command, input=message, env=env, settings=identity).strip()
