"""Small file systems that really run full or become read-only, for the tests of what a run does then."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

MIB = 1 << 20


class Disk:
    """A mounted file system, and a ballast file that takes all of its room."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ballast = path / "ballast"

    def fill(self) -> None:
        """Take every byte."""
        fill(self.ballast)

    def free(self) -> None:
        """Give the room back."""
        self.ballast.unlink(missing_ok=True)


def fill(ballast: Path) -> None:
    """Write a file until the disk takes not one byte more."""
    fd = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (1 << 16, 4096, 1):
            with suppress(OSError):
                while os.write(fd, bytes(size)) == size:
                    pass
    finally:
        os.close(fd)


def _unmounted(path: Path) -> None:
    """Unmount what is there, and take away what memory keeps for its runs in case it comes back."""
    subprocess.run(["umount", "-l", path], check=False, capture_output=True)
    for link in Path("/dev/shm").glob(f"runwatch-{os.geteuid()}-*.of"):
        with suppress(OSError):
            if f":{path}/" in os.readlink(link):
                link.with_suffix("").unlink(missing_ok=True)
                link.unlink()


@contextmanager
def tmpfs(path: Path, options: str) -> Iterator[Disk]:
    """Mount a file system in memory, such as ``size=1m``."""
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mount is not permitted here: a small file system cannot be made")
    try:
        yield Disk(path)
    finally:
        _unmounted(path)


class Image:
    """An ext4 file system in a file, which can fail as a broken disk does: read-only from one moment to the next."""

    def __init__(self, image: Path, path: Path) -> None:
        self._image, self.path = image, path

    def mount(self) -> None:
        """Mount it, repaired."""
        done = subprocess.run(
            ["mount", "-o", "loop,errors=remount-ro", self._image, self.path], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("mount of a loop device is not permitted here: a disk that fails cannot be made")

    def fail(self) -> None:
        """Have the kernel take it for broken: every write fails from now on, also through open descriptors."""
        subprocess.run(["sync", "-f", self.path], check=True)
        device = next(
            line.split()[0] for line in Path("/proc/mounts").read_text().splitlines() if str(self.path) in line
        )
        Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("1")

    def repair(self) -> None:
        """Unmount it, check it, mount it again."""
        subprocess.run(["umount", self.path], check=True)
        subprocess.run(["fsck.ext4", "-py", self._image], capture_output=True, check=False)
        self.mount()


@contextmanager
def image(folder: Path) -> Iterator[Image]:
    """Make and mount an ext4 file system of 8 MiB."""
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("mkfs.ext4 is missing: a disk that fails cannot be made")
    file, path = folder / "image", folder / "disk"
    path.mkdir()
    file.write_bytes(b"")
    os.truncate(file, 8 * MIB)
    subprocess.run(["mkfs.ext4", "-q", file], check=True)
    disk = Image(file, path)
    disk.mount()
    try:
        yield disk
    finally:
        _unmounted(path)


@contextmanager
def quota(folder: Path, size: str = "8M") -> Iterator[Disk]:
    """Make a file system that copies on write, in a part of it with a quota, which then refuses even to rewrite."""
    for program in ("mkfs.btrfs", "btrfs"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} (Debian package btrfs-progs) is missing: a quota cannot be set")
    file, path = folder / "btrfs", folder / "quota"
    path.mkdir()
    file.write_bytes(b"")
    os.truncate(file, 128 * MIB)
    subprocess.run(["mkfs.btrfs", "-q", "-M", file], check=True, capture_output=True)
    done = subprocess.run(["mount", "-o", "loop", file, path], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mount of a loop device with btrfs is not permitted here: a quota cannot be set")
    try:
        for words in (("quota", "enable", path), ("subvolume", "create", path / "part")):
            subprocess.run(["btrfs", *words], check=True, capture_output=True)
        subprocess.run(["btrfs", "qgroup", "limit", size, path / "part"], check=True, capture_output=True)
        yield Disk(path / "part")
    finally:
        _unmounted(path)
