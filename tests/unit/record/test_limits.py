"""How much room for processes the control groups leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.record.limits import _room_of_groups


def made(root: Path, groups: dict[str, tuple[str, str]]) -> str:
    """Lay groups out as the kernel does: folder to pids.max and pids.current."""
    for name, (most, now) in groups.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pids.max").write_text(f"{most}\n")
        (folder / "pids.current").write_text(f"{now}\n")
    return str(root)


@pytest.mark.parametrize(
    ("own", "groups", "room"),
    [
        ("0::/a/b\n", {"a/b": ("max", "3"), "a": ("20", "12")}, 8),
        ("0::/a/b\n", {"a/b": ("5", "3"), "a": ("20", "12")}, 2),
        ("0::/a/b\n", {"a/b": ("max", "3")}, None),
        ("0::/../../named/on/the/host\n", {"": ("9", "4")}, 5),
        ("7:cpu:/x\n8:pids:/jobs\n", {"pids/jobs": ("6", "5"), "cpu/x": ("1", "1")}, 1),
        ("", {"": ("9", "4")}, None),
    ],
)
def test_the_narrowest_group_on_the_way_up_counts(
    tmp_path: Path, own: str, groups: dict[str, tuple[str, str]], room: int | None
) -> None:
    (tmp_path / "own").write_text(own)
    assert _room_of_groups(made(tmp_path / "groups", groups), str(tmp_path / "own")) == room
