"""The reserve: its space takes the final status where the disk takes nothing more."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runwatch.journal import reserve
from runwatch.journal.create import create_run
from runwatch.journal.paths import RunPaths


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    return create_run(tmp_path, "f", now=datetime.now(UTC))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_or_quota_takes_a_file_into_the_reserve(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    # A quota is what this machine's kernel does not offer; a really full disk is in the integration tests.
    assert reserve.set_aside(paths)
    assert os.stat(paths.reserve).st_blocks * 512 >= reserve.SIZES[0]

    def full(path: Path, data: bytes) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(reserve, "write_atomic", full)
    reserve.write_surely(paths.finalize_state, b"{}\n")
    assert paths.finalize_state.read_bytes() == b"{}\n"
    assert not paths.reserve.exists()
    with pytest.raises(OSError, match=os.strerror(number)):
        reserve.write_surely(paths.metadata, b"no reserve is left")
    assert not paths.metadata.exists()


def test_another_failure_leaves_the_reserve_alone(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reserve.set_aside(paths)

    def broken(path: Path, data: bytes) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(reserve, "write_atomic", broken)
    with pytest.raises(OSError, match="Input/output"):
        reserve.write_surely(paths.finalize_state, b"{}\n")
    assert paths.reserve.stat().st_size == reserve.SIZES[0]
    reserve.release(paths)
    assert not paths.reserve.exists()


def test_a_second_time_nothing_is_set_aside(paths: RunPaths) -> None:
    assert reserve.set_aside(paths)
    paths.losses.write_bytes(b"kept")
    assert not reserve.set_aside(paths)
    assert paths.losses.read_bytes() == b"kept"
