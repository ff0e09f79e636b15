"""Every program that people unpack archives with gets all of it, whether it was made ahead or at the end."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runwatch.finalize import archive, archive_tar
from runwatch.finalize.ahead import Ahead
from unit.finalize.test_archive_ahead import PIECE, a_run, content, put, small, text, work

__all__ = ["small"]  # the fixture that makes pieces small, for every test here
LONG = f"logs/{'a folder ' * 12}/{'a name ' * 12}.log"
HUGE = 9 << 30
"""More than the octal digits of a tar header hold."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose archive has closed files, one that was begun while open, and what the end added."""
    made = a_run(tmp_path, steps=2)
    put(made, "logs/step_003/stdout.log", text(3, 4 * PIECE + 7), settled=False)
    maker = Ahead(made)
    maker.close_step(1)
    maker.open_step(3)
    work(maker)
    maker.close()
    put(made, LONG, b"long\n")
    put(made, "logs/grüße.log", b"utf-8\n")
    put(made, "logs/empty.log", b"")
    archive.create(made)
    assert archive.confirm(made / "run.tar.gz", made) is not None
    return made


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def call(*argv: str, cwd: Path) -> bytes:
    done = subprocess.run([need(argv[0]), *argv[1:]], cwd=cwd, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def with_7z(path: Path, cwd: Path) -> None:
    call("7z", "x", "-bd", "-y", str(path), cwd=cwd)
    call("7z", "x", "-bd", "-y", "run.tar", cwd=cwd)
    (cwd / "run.tar").unlink()


def with_python(mode: str) -> Callable[[Path, Path], None]:
    def unpack(path: Path, cwd: Path) -> None:
        with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # the mode is no literal here
            for info in tar:
                tar.extract(info, cwd, filter="data")

    return unpack


UNPACK: dict[str, Callable[[Path, Path], object]] = {
    "GNU tar": lambda path, cwd: call("tar", "-xzf", str(path), cwd=cwd),
    "bsdtar": lambda path, cwd: call("bsdtar", "-xzf", str(path), cwd=cwd),
    "busybox tar": lambda path, cwd: call("busybox", "tar", "-xzf", str(path), cwd=cwd),
    "7z": with_7z,
    "tarfile r:gz": with_python("r:gz"),
    "tarfile r|gz": with_python("r|gz"),
}
INFLATE: dict[str, tuple[str, ...]] = {
    "Ruby's GzipReader": ("ruby", "-rzlib", "-e", "Zlib::GzipReader.open(ARGV[0]) { |f| IO.copy_stream(f, $stdout) }"),
    "gzip": ("gzip", "-dc"),
    "pigz": ("pigz", "-dc"),
}


@pytest.mark.parametrize("reader", UNPACK)
def test_it_is_unpacked_in_full(run: Path, tmp_path: Path, reader: str) -> None:
    target = tmp_path / "unpacked"
    target.mkdir()
    UNPACK[reader](run / "run.tar.gz", target)
    found = content(target / "r1")
    assert found.pop("manifest.json")
    assert found == content(run)


@pytest.mark.parametrize("reader", INFLATE)
def test_it_is_inflated_in_full(run: Path, tmp_path: Path, reader: str) -> None:
    found = call(*INFLATE[reader], str(run / "run.tar.gz"), cwd=tmp_path)
    assert found == gzip.decompress((run / "run.tar.gz").read_bytes())


@pytest.mark.parametrize("program", ["gzip", "pigz"])
def test_it_passes_the_test_of_gzip_and_pigz(run: Path, tmp_path: Path, program: str) -> None:
    call(program, "-t", str(run / "run.tar.gz"), cwd=tmp_path)


@pytest.mark.parametrize("make", [archive_tar.header, archive_tar.fixed_header])
@pytest.mark.parametrize("reader", ["tar", "bsdtar", "busybox tar", "7z"])
def test_a_file_of_more_than_8_gib_has_its_length(
    tmp_path: Path, reader: str, make: Callable[[str, int, int], bytes]
) -> None:
    path = tmp_path / "big.tar"
    path.write_bytes(make("r1/big", HUGE, 1_700_000_000) + bytes(1024))
    argv = [*reader.split(), "l" if reader == "7z" else "-tvf", str(path)]
    argv[0] = need(argv[0])
    listed = subprocess.run(argv, capture_output=True, check=False).stdout  # that its content is missing is an error
    assert str(HUGE).encode() in listed
    with tarfile.open(path) as tar:
        first = tar.next()
        assert first is not None
        assert (first.name, first.size, first.mtime) == ("r1/big", HUGE, 1_700_000_000)


def test_a_header_that_is_filled_in_later_keeps_its_length() -> None:
    lengths = {len(archive_tar.fixed_header("r1/a", size, size % 9999)) for size in (0, 7, HUGE, 1 << 50)}
    assert lengths == {1536}
