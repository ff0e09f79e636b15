"""What sentences in tracked files say of the machine they were made on: nothing."""

from __future__ import annotations

import platform
from collections.abc import Collection
from pathlib import Path

import pytest

from runwatch.finalize.unlocated import Unlocated
from runwatch.vcs import Found


def _unlocated(top: Path, *, publish: Collection[str] = (), cwd: str = "/srv/launch") -> Unlocated:
    found = Found(top=top, git_dir=top / ".git")
    return Unlocated(top / "runs/f/r1", found, {"HOME": "/home/me"}, publish, cwd)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{top}/runs/f/r1/run.tar.gz: Is a directory", "runs/f/r1/run.tar.gz: Is a directory"),
        ("the disk of '{top}/runs/f/r1' is full", "the disk of 'runs/f/r1' is full"),
        ("nothing in {top}. {top}/ {top}: no", "nothing in .. . .: no"),
        ("{top}-old/a {top}.old/a {top}s", "{top}-old/a {top}.old/a {top}s"),
        ("/srv/launch/sub/x of file:///home/me//y, /home/me", "./sub/x of file://~/y, ~"),
        ("/etc/hosts, /srv/launches, /opt/srv/launch", "/etc/hosts, /srv/launches, /opt/srv/launch"),
    ],
)
def test_paths_begin_at_the_repository(tmp_path: Path, said: str, told: str) -> None:
    assert _unlocated(tmp_path)(said.format(top=tmp_path)) == told.format(top=tmp_path)


def test_the_host_has_no_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platform, "node", lambda: "box-7")
    tell = _unlocated(tmp_path)
    assert (
        tell("root@box-7.local on box-7, box-70 and xbox-7") == "root@this machine on this machine, box-70 and xbox-7"
    )


def test_what_is_to_be_published_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platform, "node", lambda: "box-7")
    said = f"{tmp_path}/a on box-7"
    assert _unlocated(tmp_path, publish=("host", "cwd"))(said) == said
    assert _unlocated(tmp_path, publish=("cwd",))(said) == f"{tmp_path}/a on this machine"
    assert _unlocated(tmp_path, publish=("host",))(said) == "a on box-7"


def test_a_repository_behind_a_link_is_known_by_both_its_names(tmp_path: Path) -> None:
    (tmp_path / "real/runs/f/r1").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    found = Found(top=tmp_path / "real", git_dir=tmp_path / "real/.git")
    tell = Unlocated(tmp_path / "link/runs/f/r1", found, {}, (), None)
    assert tell(f"{tmp_path}/link/a and {tmp_path}/real/b") == "a and b"


def test_a_run_in_no_repository_is_told_from_what_holds_its_runs_folder(tmp_path: Path) -> None:
    tell = Unlocated(tmp_path / "runs/f/r1", None, {}, (), None)
    assert tell(f"{tmp_path}/runs/f/r1/csv: Not a directory") == "runs/f/r1/csv: Not a directory"
