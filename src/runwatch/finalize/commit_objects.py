"""The objects of a run's commit: blobs, trees, the commit itself.

Must not move a ref or touch an index. Only the trees on the way to the run are read and written, so that the size of
the repository does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from runwatch.finalize.commit_identity import author_variables, identity, is_about_identity
from runwatch.finalize.commit_place import Place
from runwatch.finalize.git_said import unreadable
from runwatch.vcs import GitError, Repository, Running

FILE = "100644"
FOLDER = "040000"


class Stored(msgspec.Struct, frozen=True):
    """What lies in the object store, and in no branch yet."""

    blobs: dict[str, str]
    """Name to object id."""
    commit: str | None
    """None where the branch has the files as they are."""


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

    def __init__(self, repo: Repository, place: Place) -> None:
        self._repo, self._place = repo, place
        self._processes = ExitStack()
        self._hashing: list[Running] = []
        self._reading: Running | None = None
        self._making: Running | None = None
        self._blobs: dict[str, str] | None = None
        self._hashed: tuple[object, ...] | None = None
        """What the files were like when they were stored."""

    def __enter__(self) -> Self:
        return self

    def start(self) -> None:
        """Start those that are not there yet; they stay for further tries, which are the quicker for it."""
        files = tuple(_stamp(file) for file in self._place.files)
        if files != self._hashed:
            self._hashed, self._blobs = files, None
            self._hashing = [self._processes.enter_context(hashing) for hashing in self._start_hashing()]
        if self._reading is None:
            self._reading = self._processes.enter_context(self._repo.start("cat-file", "--batch"))
        if self._making is None:
            making = self._repo.start("mktree", "-z", "--missing", "--batch")
            self._making = self._processes.enter_context(making)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._processes.close()

    def blobs(self) -> dict[str, str]:
        """Store the files of the run as git would on `git add`, filters and line ends applied; name → object id."""
        if self._blobs is None:
            found = [oid for hashing in self._hashing for oid in hashing.result().split()]
            self._blobs = dict(zip(self._place.names, found, strict=True))
        return self._blobs

    def _start_hashing(self) -> Iterator[Running]:
        """Start what stores the files: one process, or, where paths on disk are not those of the commit, one a file."""
        if self._place.bare:
            for file, path in zip(self._place.files, self._place.paths, strict=True):
                yield self._repo.start("hash-object", "-w", f"--path={path}", "--", str(file))
            return
        hashing = self._repo.start("hash-object", "-w", "--stdin-paths")
        hashing.say("".join(f"{_quoted(path)}\n" for path in self._place.paths).encode("ascii"))
        yield hashing

    def trees(self, tip: str | None) -> list[Tree]:
        """Return the trees of a commit from the top down to the run's own; empty ones where there are none.

        ``tip`` is what the run's files are added to, None where there is nothing yet. Raises CommitError where a part
        of the path is no folder there.
        """
        folder = self._place.folder
        if tip is None:
            return [{} for _ in range(len(folder) + 1)]
        trees = [self._read(f"{tip}^{{tree}}", tip)]
        for part in folder:
            below = trees[-1].get(part)
            if below is not None and below.kind != "tree":
                raise self._place.refuse(f"{part!r} on the way to the run is no folder in the last commit", "rename it")
            trees.append({} if below is None else self._read(below.oid, tip))
        return trees

    def _read(self, name: str, tip: str) -> Tree:
        assert self._reading is not None
        self._reading.say(f"{name}\n".encode())
        line = self._reading.line()
        words = line.split()
        if len(words) != 3 or words[1] != b"tree":
            raise unreadable(self._place, tip)
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
        assert self._making is not None
        self._making.say(os.fsencode(records) + b"\0")
        return self._making.line().decode("ascii")


class Store:
    """What is stored for a run, once for each state of branch and files, over as many tries as it takes."""

    def __init__(self, repo: Repository, place: Place, *, author: str | None, sign: bool) -> None:
        self._repo, self._place, self._author, self._sign = repo, place, author, sign
        self._stored: dict[tuple[object, ...], Stored] = {}

    def on(self, tip: str | None, text: str, objects: Objects, check: Callable[[], None] | None = None) -> Stored:
        """Store trees and commit on top of ``tip``; ``check`` may raise before there is a commit. Raises GitError."""
        key = (tip, text, *(_stamp(file) for file in self._place.files))
        if key not in self._stored:
            objects.start()
            trees = objects.trees(tip)
            blobs = objects.blobs()
            commit = None
            if not (tip and holds(trees[-1], blobs)):
                tree = objects.add(trees, blobs)
                if check is not None:
                    check()
                commit = write_commit(self._repo, tree, tip, text, author=self._author, sign=self._sign)
            self._stored[key] = Stored(blobs, commit)
        return self._stored[key]


def _stamp(path: Path) -> tuple[int, int, int, int]:
    found = os.lstat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


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
    env = {} if author is None else author_variables(author)
    try:
        return repo.plumbing(*command, input=message, env=env, settings=("user.useConfigOnly=true",)).strip()
    except GitError as error:
        if not is_about_identity(error):
            raise
    return repo.plumbing(*command, input=message, env=identity(repo, os.environ, author).variables()).strip()
