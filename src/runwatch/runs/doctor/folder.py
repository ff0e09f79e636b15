"""The runs folder: whether it takes runs, and whether its file system can do what a run needs, tried for real.

Must not leave anything behind. Where the folder is still to be made, the nearest one that is there is tried.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import struct
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from runwatch.finalize.condition import condition
from runwatch.journal.lock import Role, holders
from runwatch.journal.paths import RunPaths
from runwatch.runs.doctor.finding import Finding, fault, note, ok, warning
from runwatch.runs.recovery import run_folders
from runwatch.runs.standing import standing
from runwatch.settings import Settings
from runwatch.units import size

CHECK = "runs folder"
LEAST_BYTES = 16 << 20
"""With less free space even a small run does not end well."""
LITTLE_BYTES = 1 << 30
LEAST_FILES = 100
SKEW_S = 2.0
"""File times that are off by more than this make heartbeats and log times wrong."""
_OFD_SETLK = getattr(fcntl, "F_OFD_SETLK", 37)
_ANOTHER = "choose another folder with --runs-dir"


def look(root: Path) -> Iterator[Finding]:
    """Yield what was found of the runs folder ``root``, which need not be there."""
    there = next(each for each in (root, *root.parents) if os.path.lexists(each))
    if not there.is_dir():
        yield fault(CHECK, f"{there} is no folder, so {root} cannot be made", _ANOTHER)
        return
    try:
        trial = Path(tempfile.mkdtemp(prefix=".runwatch-doctor-", dir=there))
    except OSError as error:
        remedy = (
            f"free space there, or {_ANOTHER}" if error.errno == errno.ENOSPC else f"make it writable, or {_ANOTHER}"
        )
        if error.errno == errno.ENOENT:  # of a folder that is there: /proc and the like
            yield fault(CHECK, f"{there} takes no folders, so {root} cannot be made", _ANOTHER)
            return
        yield fault(CHECK, f"nothing can be written in {there} ({error.strerror})", remedy)
        return
    try:
        made = "" if there == root else ", which the first run makes"
        yield ok(CHECK, f"runs can be written in {root}{made}")
        yield from _space(there)
        yield from _file_system(trial)
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def _space(there: Path) -> Iterator[Finding]:
    found = os.statvfs(there)
    free = found.f_bavail * found.f_frsize
    if free < LEAST_BYTES:
        yield fault("disk space", f"only {size(free)} are free in {there}", "free space there")
    elif free < LITTLE_BYTES:
        yield warning("disk space", f"only {size(free)} are free in {there}, which long logs fill", "free space there")
    else:
        yield ok("disk space", f"{size(free)} are free")
    if found.f_files and found.f_favail < LEAST_FILES:
        yield fault("disk space", f"the file system of {there} has room for {found.f_favail} more files", "delete some")


def _file_system(trial: Path) -> Iterator[Finding]:
    if not _locks(trial):
        yield fault(
            "file locks",
            f"the file system of {trial.parent} has no record locks: nobody can tell a live run from a dead one",
            f"mount it with locks, or {_ANOTHER}",
        )
    else:
        yield ok("file locks", "record locks keep processes apart")
    if not _links(trial):
        yield warning(
            "hard links",
            f"the file system of {trial.parent} has no hard links: a kill amid a commit can leave git's lock behind",
            _ANOTHER,
        )
    if not _sockets(trial):
        yield warning(
            "sockets",
            f"the file system of {trial.parent} takes no sockets: `runwatch stop` and `step` cannot reach a run",
            _ANOTHER,
        )
    skew = _skew(trial)
    if abs(skew) > SKEW_S:
        where = "ahead of" if skew > 0 else "behind"
        yield warning(
            "clock",
            f"file times in {trial.parent} are {abs(skew):.0f} s {where} the clock: heartbeats mislead",
            "set the clocks of this machine and of the file server by NTP",
        )


def _locks(trial: Path) -> bool:
    """Whether a record lock keeps another holder out; tried with one that belongs to an open file."""
    first = os.open(trial / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    second = os.open(trial / "lock", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.lockf(first, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
        wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
        try:
            fcntl.fcntl(second, _OFD_SETLK, wanted)
        except OSError as error:
            return error.errno in (errno.EAGAIN, errno.EACCES, errno.EINVAL)  # the last: this system has no such locks
        return False
    except OSError:
        return False
    finally:
        os.close(second)
        os.close(first)


def _links(trial: Path) -> bool:
    try:
        os.link(trial / "lock", trial / "link")
    except OSError:
        return False
    return True


def _sockets(trial: Path) -> bool:
    folder = os.open(trial, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            short = f"/proc/self/fd/{folder}/s"  # an address holds 108 bytes
            listener.bind(short if os.path.isdir("/proc/self/fd") else str(trial / "s"))
    except OSError:
        return False
    finally:
        os.close(folder)
    return True


def _skew(trial: Path) -> float:
    """Return how many seconds the file system's clock is ahead of this machine's."""
    before = time.time()
    (trial / "now").touch()  # a full disk still has room for that
    after = time.time()
    stamp = os.stat(trial / "now").st_mtime
    return stamp - after if stamp > after else min(0.0, stamp - before)


def _stalled(live: Iterable[Path]) -> Iterator[Finding]:
    for path in live:
        now = standing(RunPaths(path))
        if now.stalled_s is not None and now.remark is not None:
            pid = holders(RunPaths(path).lock).get(Role.RECORDER) or _starting_recorder(path)
            remedy = f"kill -CONT {pid}, if somebody stopped it" if pid else None
            yield warning("live runs", f"{path.parent.name}/{path.name}: {now.remark}", remedy)


def _starting_recorder(path: Path) -> int | None:
    """Return the process that is to record a run and has not come to its lock; None where there is none."""
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "runwatch.record.recorder" in words and str(path.resolve()) in words:
            return int(process.pid)
    return None


def unfinished(root: Path, settings: Settings) -> Iterator[Finding]:
    """Yield how many runs below ``root`` nobody finalizes or commits any more, are broken, or have lost their logs."""
    folders = run_folders(root)
    conditions = [condition(RunPaths(path)) for path in folders]
    found = [each.found for each in conditions]
    yield from _stalled(path for path, what in zip(folders, found, strict=True) if what == "live")
    dead, broken = found.count("dead"), found.count("broken")
    uncommitted = 0 if settings.commit.mode == "off" else found.count("uncommitted")
    if dead:
        words = "1 run has lost its processes and is" if dead == 1 else f"{dead} runs have lost their processes and are"
        yield warning("unfinished runs", f"{words} not finalized", "runwatch recover")
    if uncommitted:
        words = "1 finalized run lacks its" if uncommitted == 1 else f"{uncommitted} finalized runs lack their"
        yield warning("unfinished runs", f"{words} commit", "runwatch recover")
    if broken:
        words = "1 run directory holds" if broken == 1 else f"{broken} run directories hold"
        yield note("unfinished runs", f"{words} no readable journal", "`runwatch recover` names them")
    lost = sum(1 for each in conditions if each.found in ("done", "uncommitted") and each.reason)
    if lost:
        words = (
            "1 run has lost its logs: its archive" if lost == 1 else f"{lost} runs have lost their logs: the archive"
        )
        yield warning(
            "lost logs", f"{words}, which alone held them, is gone or another one", "`runwatch recover` names them"
        )
    if not dead and not uncommitted:
        live = found.count("live")
        yield ok("unfinished runs", f"none ({len(found)} in all, {live} live)" if found else "none, no runs yet")
