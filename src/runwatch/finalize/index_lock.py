"""The user's index, brought to agree with a commit for a few paths, under git's own lock, held for a few milliseconds.

Must not change any other entry, and must not leave a lock behind that cannot be known as ours. The new index lies
ready under a name of our own and is *linked* to ``index.lock``: a lock with that inode is ours, whoever finds it.
**Source**: the order is the measured one of targets.md, "Archive and commit, as measured".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from runwatch.finalize.commit_objects import FILE
from runwatch.finalize.commit_place import NotNow, Place
from runwatch.journal.atomic import FILE_MODE
from runwatch.vcs import Repository

PREFIX = "runwatch-index-"
"""How our own files in a work tree's git folder begin; the commit that they belong to comes last in the name."""
_NONE = "none"
_DEAF_MONITOR = ("core.fsmonitor=exit 1;",)
"""For an index that a file system monitor has a part in: without any monitor git would drop that part, and with the
user's it would ask or start it. One that cannot answer makes git look at the files itself the next time."""
_CHECKSUM_BYTES = 32
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class IndexLock:
    """One change of one index: prepare(), take(), then install() or release(). Raises OSError too."""

    def __init__(self, repo: Repository, place: Place) -> None:
        self._repo = repo
        self._place = place
        self._index = os.path.realpath(place.git_dir / "index")  # git follows a link here as well
        self.path = f"{self._index}.lock"
        """Git's own lock of this index."""
        self._files: list[Path] = []
        self._was: tuple[object, ...] | None = None
        self._settings: tuple[str, ...] = ()
        self.taken = False
        """Whether the lock is ours now."""

    def held(self) -> NotNow:
        """Return the error for a lock that somebody holds."""
        return NotNow(f"{self.path} is held", "end the git command that holds it, or remove it if there is none")

    def is_held(self) -> bool:
        """Whether somebody holds the lock."""
        return os.path.lexists(self.path)

    def prepare(self, blobs: Mapping[str, str], commit: str) -> None:
        """Write the new index beside the old one: ``blobs`` (name → object id) put in, all else as it is now.

        Raises NotNow while somebody else holds the lock. Where take() came first, the lock is filled with it.
        """
        if not self.taken and self.is_held():
            raise self.held()
        own = self._new_name(commit)
        self._was = self._copy(own)
        self._put_in(own, blobs)
        if self.taken:
            spare = self._new_name(commit)
            os.link(own, spare)
            os.rename(spare, self.path)

    def take(self) -> None:
        """Take git's lock with what was prepared last, or with nothing yet. Raises NotNow where it is held."""
        if not self._files:
            os.close(os.open(self._new_name(_NONE), _NEW_FILE, FILE_MODE))
        try:
            os.link(self._files[-1], self.path)
        except FileExistsError:
            raise self.held() from None
        self.taken = True

    def _new_name(self, commit: str) -> Path:
        self._files.append(self._place.git_dir / f"{PREFIX}{token_hex(4)}-{commit}")
        return self._files[-1]

    @property
    def fresh(self) -> bool:
        """Whether the index is still the one that was copied."""
        return self._was == _stamp(self._index)

    def install(self) -> None:
        """Make the prepared index the real one; the lock goes with it."""
        os.rename(self.path, self._index)
        self.taken = False
        self.release()

    def release(self) -> None:
        """Give the lock back, if it is taken, and forget what was prepared."""
        if self.taken:
            os.unlink(self.path)
            self.taken = False
        while self._files:
            self._files.pop().unlink(missing_ok=True)

    def _copy(self, own: Path) -> tuple[object, ...] | None:
        """Copy the index with its time: entries as new as it are looked at again by git, and stay so."""
        try:
            source = os.open(self._index, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            found = os.fstat(source)
            with open(source, "rb", closefd=False) as file:
                data = file.read()
        finally:
            os.close(source)
        target = os.open(own, _NEW_FILE, found.st_mode & 0o777)
        with open(target, "wb") as file:
            file.write(data)
        os.utime(own, ns=(found.st_atime_ns, found.st_mtime_ns))
        self._settings = _DEAF_MONITOR if b"FSMN" in data else ()
        return _key(found, data[-_CHECKSUM_BYTES:])

    def _put_in(self, own: Path, blobs: Mapping[str, str]) -> None:
        """Add the files as they are on disk, so that git knows their times; make sure that they are ``blobs``."""
        env = {"GIT_INDEX_FILE": str(own), "GIT_LITERAL_PATHSPECS": "1"}
        paths = dict(zip(self._place.names, self._place.paths, strict=True))
        wanted = {paths[name]: oid for name, oid in blobs.items()}

        def run(*args: str, input: str | None = None) -> str:
            return self._repo.plumbing(*args, input=input, env=env, settings=self._settings)

        run("update-index", "--add", "-z", "--stdin", input="\0".join(wanted))
        listed = run("ls-files", "--stage", "-z", "--", *wanted)
        if _entries(listed) != {path: (FILE, oid, "0") for path, oid in wanted.items()}:
            lines = "".join(f"{FILE} {oid}\t{path}\0" for path, oid in wanted.items())
            run("update-index", "--add", "-z", "--index-info", input=lines)


def _entries(listed: str) -> dict[str, tuple[str, ...]]:
    records = (record.partition("\t") for record in listed.split("\0") if record)
    return {path: tuple(about.split(" ")) for about, _, path in records}


def _stamp(index: str) -> tuple[object, ...] | None:
    try:
        fd = os.open(index, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        found = os.fstat(fd)
        return _key(found, os.pread(fd, _CHECKSUM_BYTES, max(0, found.st_size - _CHECKSUM_BYTES)))
    finally:
        os.close(fd)


def _key(found: os.stat_result, checksum: bytes) -> tuple[object, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, checksum
