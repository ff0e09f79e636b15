"""The objects of a run's commit: blobs, trees, the commit itself.

Must not move a ref or touch an index. Only the trees on the way to the run are read and written, so that the size of
the repository does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import msgspec

from runwatch.finalize.commit_place import Place
from runwatch.vcs import GitError, Repository, Running

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


class Objects:
    """The git processes that read and write objects, started side by side. Use it in a ``with`` statement.

    Raises GitError.
    """

    def __init__(self, repo: Repository, place: Place, tip: str | None) -> None:
        """``tip`` is the commit that the run's files are added to, None where there is none yet."""
        self._repo, self._place, self._tip = repo, place, tip
        self._processes = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as started:
            self._hashing = [started.enter_context(hashing) for hashing in self._start_hashing()]
            if self._tip:
                self._reading = started.enter_context(self._repo.start("cat-file", "--batch"))
                self._reading.say(f"{self._tip}^{{tree}}\n".encode())
            self._making = started.enter_context(self._repo.start("mktree", "-z", "--missing", "--batch"))
            self._processes = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._processes.close()

    def blobs(self) -> dict[str, str]:
        """Store the files of the run as git would on `git add`, filters and line ends applied; name → object id."""
        found = [oid for hashing in self._hashing for oid in hashing.result().split()]
        return dict(zip(self._place.names, found, strict=True))

    def _start_hashing(self) -> Iterator[Running]:
        """Start what stores the files: one process, or, where paths on disk are not those of the commit, one a file."""
        if self._place.bare:
            for file, path in zip(self._place.files, self._place.paths, strict=True):
                yield self._repo.start("hash-object", "-w", f"--path={path}", "--", str(file))
            return
        hashing = self._repo.start("hash-object", "-w", "--stdin-paths")
        hashing.say("".join(f"{_quoted(path)}\n" for path in self._place.paths).encode("ascii"))
        yield hashing

    def trees(self) -> list[Tree]:
        """Return the trees of the tip from the top down to the run's own; empty ones where there are none.

        Raises CommitError where a part of the path is no folder there.
        """
        folder = self._place.folder
        if self._tip is None:
            return [{} for _ in range(len(folder) + 1)]
        trees = [self._answered()]
        for part in folder:
            below = trees[-1].get(part)
            if below is not None and below.kind != "tree":
                raise self._place.refuse(f"{part!r} on the way to the run is no folder in the last commit", "rename it")
            if below is not None:
                self._reading.say(f"{below.oid}\n".encode())
            trees.append({} if below is None else self._answered())
        return trees

    def _answered(self) -> Tree:
        """Return the tree that ``cat-file`` was asked for."""
        line = self._reading.line()
        words = line.split()
        if len(words) != 3 or words[1] != b"tree":
            raise GitError(f"git cat-file in {self._place.work_tree} found no tree: {os.fsdecode(line)}.")
        content = self._reading.take(int(words[2]) + 1)
        return _parsed(words[0].decode("ascii"), content[:-1])

    def add(self, trees: list[Tree], blobs: Mapping[str, str]) -> str:
        """Store the trees with the run's files put in; return the top one's object id."""
        entries = {name: Entry(FILE, "blob", oid) for name, oid in blobs.items()}
        for tree, part in zip(reversed(trees[1:]), reversed(self._place.folder), strict=True):
            entries = {part: Entry(FOLDER, "tree", self._made(tree | entries))}
        return self._made(trees[0] | entries)

    def _made(self, tree: Tree) -> str:
        records = "".join(f"{entry.mode} {entry.kind} {entry.oid}\t{name}\0" for name, entry in tree.items())
        self._making.say(os.fsencode(records) + b"\0")
        return self._making.line().decode("ascii")


def _quoted(path: str) -> str:
    """Return a path as a line that `hash-object --stdin-paths` reads back: C-style where it must be."""
    raw = os.fsencode(path)
    if raw.isascii() and path.isprintable() and '"' not in path and "\\" not in path:
        return path
    plain = b"".join(bytes([c]) if 0x20 <= c < 0x7F and c not in b'"\\' else b"\\%03o" % c for c in raw)
    return f'"{plain.decode("ascii")}"'


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


def holds(tree: Tree, blobs: Mapping[str, str]) -> bool:
    """Whether a run's own tree has exactly these contents under these names; what else it has does not matter."""
    return all(tree.get(name) == Entry(FILE, "blob", oid) for name, oid in blobs.items())


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
