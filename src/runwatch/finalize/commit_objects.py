"""The objects of a run's commit: blobs, trees, the commit itself.

Must not move a ref or touch an index. Only the trees on the way to the run are read and written, so that the size of
the repository does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Self

import msgspec

from runwatch.finalize.commit_place import Place
from runwatch.vcs import GitError, Repository
from runwatch.vcs.repository import failure

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
    if tip is None:
        return [{} for _ in range(len(place.folder) + 1)]
    with _Conversation(repo, "cat-file", "--batch") as git:
        trees = [_parsed(*git.ask_object(f"{tip}^{{tree}}"))]
        for part in place.folder:
            below = trees[-1].get(part)
            if below is not None and below.kind != "tree":
                raise place.refuse(f"{part!r} on the way to the run is no folder in the last commit", "rename it")
            trees.append(_parsed(*git.ask_object(below.oid)) if below else {})
    return trees


def _parsed(oid: str, raw: bytes) -> Tree:
    """Return the lines of a tree object. **Source**: git's Documentation, "Git Objects", "Tree Objects"."""
    tree: Tree = {}
    width = len(oid) // 2
    at = 0
    while at < len(raw):
        end = raw.index(b"\0", at)
        mode, _, name = raw[at:end].partition(b" ")
        at = end + 1 + width
        kind = {b"40000": "tree", b"160000": "commit"}.get(mode, "blob")
        tree[os.fsdecode(name)] = Entry(mode.decode("ascii").zfill(6), kind, raw[end + 1 : at].hex())
    return tree


class _Conversation:
    """A git process that answers one question after the other. Use it in a ``with`` statement. Raises GitError."""

    def __init__(self, repo: Repository, *command: str) -> None:
        self._repo = repo
        self._command = command[0]
        self._process = repo.spawn(*command)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.communicate()

    def ask(self, question: bytes) -> bytes:
        """Return the line that answers, without its line feed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(question)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended early: it says why
        answer: bytes = self._process.stdout.readline()
        if not answer:
            _, err = self._process.communicate()
            raise failure(self._repo.work_tree, self._command, self._process.returncode, err)
        return answer.rstrip(b"\n")

    def ask_object(self, name: str) -> tuple[str, bytes]:
        """Return object id and content of a tree, asked of ``cat-file --batch``."""
        words = self.ask(f"{name}\n".encode()).split()
        if len(words) != 3 or words[1] != b"tree":
            raise GitError(f"git cat-file in {self._repo.work_tree} found no tree {name}.")
        assert self._process.stdout is not None
        content = self._process.stdout.read(int(words[2]) + 1)
        return words[0].decode("ascii"), content[:-1]


def holds(tree: Tree, blobs: Mapping[str, str]) -> bool:
    """Whether a run's own tree has exactly these contents under these names; what else it has does not matter."""
    return all(tree.get(name) == Entry(FILE, "blob", oid) for name, oid in blobs.items())


def write_trees(repo: Repository, place: Place, trees: list[Tree], blobs: Mapping[str, str]) -> str:
    """Store the trees with the run's files put in; return the top one's object id."""
    entries = {name: Entry(FILE, "blob", oid) for name, oid in blobs.items()}
    with _Conversation(repo, "mktree", "-z", "--missing", "--batch") as git:
        for tree, part in zip(reversed(trees[1:]), reversed(place.folder), strict=True):
            entries = {part: Entry(FOLDER, "tree", _made(git, tree | entries))}
        return _made(git, trees[0] | entries)


def _made(git: _Conversation, tree: Tree) -> str:
    records = "".join(f"{entry.mode} {entry.kind} {entry.oid}\t{name}\0" for name, entry in tree.items())
    return git.ask(os.fsencode(records) + b"\0").decode("ascii")


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
