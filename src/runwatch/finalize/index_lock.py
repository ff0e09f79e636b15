"""The user's index, brought to agree with a commit for a few paths, under git's own lock, held for a few milliseconds.

Must not change any other entry, and must not leave a lock behind that cannot be known as ours. The new index lies
ready in a folder of our own and is *linked* to ``index.lock``: a lock with that inode is ours, whoever finds it. A git
process that outlives a killed recorder finds its folder swept away, and leaves nothing.
**Source**: the order is the measured one of targets.md, "Archive and commit, as measured".

Where the file system has no hard links the lock is created and our folder's name written into it, and the prepared
index is renamed over the real one. Its price: whoever is killed between those two calls, some microseconds apart,
leaves an empty lock that nobody can know as ours, and that a person must remove.
"""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from secrets import token_hex

from runwatch.finalize.commit_objects import FILE
from runwatch.finalize.commit_place import NotNow, Place
from runwatch.journal.atomic import DIR_MODE, FILE_MODE
from runwatch.vcs import Repository, Running

PREFIX = "runwatch-index-"
"""How our own folders beside an index begin; the commit that they belong to comes last in the name."""
OTHERS = "others"
"""What in one lists the other indexes that change with this one, each with a NUL behind it."""
_NONE = "none"
_INDEX, _EMPTY, _SPARE, _OLD = "index", "empty", "spare", "old"
"""What lies in one: the new index; what the lock is before there is one; what the lock becomes then; and the index that
is replaced, so that the megabytes of a large one are not freed while the lock is held."""
_LATE = ".late"
"""Behind the names of those that were prepared in vain."""
_DEAF_MONITOR = ("core.fsmonitor=exit 1;",)
"""For an index that a file system monitor has a part in: without any monitor git would drop that part, and with the
user's it would ask or start it. One that cannot answer makes git look at the files itself the next time."""
_CHECKSUM_BYTES = 32
_SWEEPS = 5
"""A git process at work in a folder makes two files there at most while it is being emptied."""
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What a file system without hard links says of one."""
_MODE = struct.pack(">I", int(FILE, 8))
_MODE_BEFORE_OID = 16
"""Bytes from the mode of an index entry to its object id: mode, uid, gid, size. **Source**: gitformat-index(5)."""


class IndexLock:
    """One change of one index: begin(), finish(), take(), then install() or release(). Raises OSError, GitError too."""

    def __init__(self, repo: Repository, place: Place, index: Path) -> None:
        self._repo = repo
        self._place = place
        self._index = os.path.realpath(index)  # git follows a link here as well
        self.path = f"{self._index}.lock"
        """Git's own lock of this index."""
        self._folder: Path | None = None
        self._was: tuple[object, ...] | None = None
        self._adding: Running | None = None
        self._settings: tuple[str, ...] = ()
        self._linked = True
        self.taken = False
        """Whether the lock is ours now."""

    def held(self) -> NotNow:
        """Return the error for a lock that somebody holds."""
        return NotNow(f"{self.path} is held", "end the git command that holds it, or remove it if there is none")

    def is_held(self) -> bool:
        """Whether somebody holds the lock."""
        return os.path.lexists(self.path)

    def begin(self) -> None:
        """Start to write the new index beside the old one, from the files as they are on disk: git knows their times.

        Raises NotNow while somebody else holds the lock.
        """
        if not self.taken and self.is_held():
            raise self.held()
        self._was = self._copy(self._room(_NONE) / _INDEX)
        self._adding = self._start("update-index", "--add", "-z", "--stdin")
        self._adding.say(os.fsencode("\0".join(self._place.paths)))

    def finish(self, blobs: Mapping[str, str], commit: str) -> None:
        """Bring the new index to its end: exactly ``blobs`` (name → object id) put in, all else as it was.

        Where take() came first, the lock is filled with it.
        """
        assert self._adding is not None
        assert self._folder is not None
        adding, self._adding = self._adding, None
        adding.result()
        paths = dict(zip(self._place.names, self._place.paths, strict=True))
        wanted = {paths[name]: oid for name, oid in blobs.items()}
        if not _has_plainly(self._folder / _INDEX, wanted):
            self._insist(wanted)
        named = self._named(commit)
        os.rename(self._folder, named)
        self._folder = named
        if self.taken:
            self._fill()

    def take(self) -> None:
        """Take git's lock with what was prepared, or with nothing yet. Raises NotNow where it is held."""
        folder = self._room(_NONE)
        ready = os.path.lexists(folder / _INDEX)
        if not ready:
            os.close(os.open(folder / _EMPTY, _NEW_FILE, FILE_MODE))
        try:
            self._linked = _link(folder / (_INDEX if ready else _EMPTY), self.path)
            if not self._linked:
                _claim(folder.name, self.path)
        except FileExistsError:
            raise self.held() from None
        self.taken = True

    def renew(self) -> None:
        """Start again from the index as it is now, under the lock, once; finish() then fills the lock with it.

        Until then the lock is what came too late, which nobody puts in place: its commit is in no branch.
        """
        folder = self._room(_NONE)
        for name in (_INDEX, _OLD):
            if os.path.lexists(folder / name):
                os.rename(folder / name, folder / f"{name}{_LATE}")
        self.begin()

    def tell(self, others: Iterable[Path]) -> None:
        """Leave a list of other indexes that change with this one, for whoever finds our folder."""
        lines = b"".join(os.fsencode(other) + b"\0" for other in others)
        if lines:
            (self._room(_NONE) / OTHERS).write_bytes(lines)

    def mark(self, commit: str) -> None:
        """Leave our name and a commit's beside the index that is not touched: who is killed now is known by it."""
        self._room(commit)

    @property
    def fresh(self) -> bool:
        """Whether the index is still the one that was copied."""
        return self._was == _stamp(self._index)

    def install(self) -> None:
        """Make the prepared index the real one; the lock goes with it."""
        if self._linked:
            if not _same(self.path, self._index):  # nothing changed: renaming one file to itself leaves the lock
                os.rename(self.path, self._index)
                self.taken = False
        elif self._folder is not None:
            os.rename(self._folder / _INDEX, self._index)
        self.release()

    def release(self) -> None:
        """Give the lock back, if it is taken, and forget what was prepared."""
        if self.taken:
            os.unlink(self.path)
            self.taken = False
        if self._adding is not None:
            self._adding.result(check=False)
            self._adding = None
        if self._folder is not None:
            sweep(self._folder)
            self._folder = None

    def _room(self, commit: str) -> Path:
        """Return our folder, made where there is none."""
        if self._folder is None:
            folder = self._named(commit)
            folder.mkdir(DIR_MODE)
            self._folder = folder
        return self._folder

    def _named(self, commit: str) -> Path:
        return Path(f"{os.path.dirname(self._index)}/{PREFIX}{token_hex(4)}-{commit}")

    def _fill(self) -> None:
        """Put what was prepared into the lock that is ours, or its name."""
        assert self._folder is not None
        spare = self._folder / _SPARE
        if self._linked:
            os.link(self._folder / _INDEX, spare)
        else:
            _claim(self._folder.name, spare)
        os.rename(spare, self.path)

    def _copy(self, own: Path) -> tuple[object, ...] | None:
        """Have the index under a name of our own, with its time: entries as new as it are looked at again by git.

        A link is a copy here: git replaces an index, it never writes into one.
        """
        try:
            if _link(self._index, own):
                found = _stamp(str(own))
                os.link(own, own.with_name(_OLD))
            else:
                found = _copy_file(self._index, own)
        except FileNotFoundError:
            return None
        self._settings = _DEAF_MONITOR if _mentions(own, b"FSMN") else ()
        return found

    def _insist(self, wanted: Mapping[str, str]) -> None:
        """Make sure of the entries where a look at the file did not settle it."""
        listed = self._start("ls-files", "--stage", "-z", "--", *wanted).result()
        if _entries(listed) != {path: (FILE, oid, "0") for path, oid in wanted.items()}:
            lines = "".join(f"{FILE} {oid}\t{path}\0" for path, oid in wanted.items())
            self._start("update-index", "--add", "-z", "--index-info").result(os.fsencode(lines))

    def _start(self, *args: str) -> Running:
        assert self._folder is not None
        env = {"GIT_INDEX_FILE": str(self._folder / _INDEX), "GIT_LITERAL_PATHSPECS": "1"}
        return self._repo.start(*args, env=env, settings=self._settings)


def sweep(folder: Path) -> None:
    """Take one of our folders away, whatever a git process that lives on is doing in it. Raises OSError."""
    for _ in range(_SWEEPS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
    shutil.rmtree(folder)


def _entries(listed: str) -> dict[str, tuple[str, ...]]:
    records = (record.partition("\t") for record in listed.split("\0") if record)
    return {path: tuple(about.split(" ")) for about, _, path in records}


def _link(source: str | Path, target: str | Path) -> bool:
    """Link a file under a second name; False where the file system cannot. Raises FileExistsError, OSError."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except FileNotFoundError:
        return False


def _claim(name: str, path: str | Path) -> None:
    """Create a lock that says whose it is. Raises FileExistsError."""
    fd = os.open(path, _NEW_FILE, FILE_MODE)
    try:
        os.write(fd, os.fsencode(name))
    finally:
        os.close(fd)


def _copy_file(index: str, own: Path) -> tuple[object, ...]:
    """Copy an index with its times; return the stamp of what was copied."""
    with open(index, "rb") as source:
        found = os.fstat(source.fileno())
        data = source.read()
    with open(os.open(own, _NEW_FILE, found.st_mode & 0o777), "wb") as target:
        target.write(data)
    os.utime(own, ns=(found.st_atime_ns, found.st_mtime_ns))
    return _key(found, data[-_CHECKSUM_BYTES:])


def _mentions(path: Path, name: bytes) -> bool:
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.find(name) >= 0


def _has_plainly(index: Path, wanted: Mapping[str, str]) -> bool:
    """Whether an index file has these entries (path → object id), plain and without flags.

    A look at the bytes instead of a git process that reads it all once more. False where it cannot be told: version 4
    shortens paths, and git may have been told to pass over one of them.
    """
    with open(index, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = 0
        for path, oid in sorted((os.fsencode(path), bytes.fromhex(oid)) for path, oid in wanted.items()):
            entry = oid + struct.pack(">H", min(len(path), 0xFFF)) + path + b"\0"
            at = data.find(entry, at)
            if at < _MODE_BEFORE_OID or data[at - _MODE_BEFORE_OID : at - _MODE_BEFORE_OID + len(_MODE)] != _MODE:
                return False
    return True


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
