"""Control groups with a limit of memory, for the tests of what a run does when the kernel kills for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from integration.recorded import wait_for

ROOT = Path("/sys/fs/cgroup")


class Group:
    """A control group of either kind."""

    def __init__(self, path: Path, limit: str) -> None:
        self.path, self._limit = path, limit

    def limit(self, size: int) -> None:
        """Let the group have so many bytes, and no swap in their place."""
        (self.path / self._limit).write_text(str(size))
        for name in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
            with suppress(OSError):
                (self.path / name).write_text(str(size) if "memsw" in name else "0")

    def take(self, pid: int) -> None:
        """Put a process in."""
        (self.path / "cgroup.procs").write_text(str(pid))

    @property
    def enter(self) -> Callable[[], None]:
        """What a child calls before its exec."""
        procs = str(self.path / "cgroup.procs")

        def act() -> None:
            fd = os.open(procs, os.O_WRONLY)
            os.write(fd, b"0")
            os.close(fd)

        return act


@contextmanager
def group(name: str) -> Iterator[Group]:
    """Make an empty group, and take it away when all that was in it is gone."""
    first = ROOT / "memory" if (ROOT / "memory").is_dir() else ROOT
    limit = "memory.limit_in_bytes" if first != ROOT else "memory.max"
    path = first / f"runwatch-test-{os.getpid()}-{name}"
    try:
        path.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here ({error.strerror}): it takes root and a writable {ROOT}")
    try:
        if not (path / limit).exists():
            pytest.skip(f"the memory controller is not on for {first}: no limit can be set")
        yield Group(path, limit)
    finally:
        wait_for(lambda: not (path / "cgroup.procs").read_text(), "the end of all that ran in the group")
        wait_for(lambda: not path.exists() or not _failed(path), "the kernel to give the group up")


def _failed(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
