"""What a power cut must not take apart: what is known of secrets is on the disk before what may hold them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runwatch.journal.known_secrets import remember
from runwatch.journal.paths import RunPaths
from runwatch.record.durable import Durability


@pytest.mark.parametrize("sync", [Durability._sync_journal, Durability._sync_logs])
def test_what_is_known_of_secrets_is_synced_before_what_may_hold_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: Callable[[Durability], None]
) -> None:
    paths = RunPaths(tmp_path / "r1")
    paths.logs.mkdir(parents=True)
    paths.journal.write_text("{}\n")
    (paths.logs / "stdout.log").write_text("said\n")
    remember(paths, {"hidden-1": "A_TOKEN"})
    synced: list[str] = []
    for name in ("fdatasync", "fsync"):
        monkeypatch.setattr(os, name, lambda fd: synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{fd}"))))
    durability = Durability(paths)
    try:
        sync(durability)
        assert synced[:2] == [".secrets.json", "r1"], "the file, and its name"
        assert synced[2] in ("events.jsonl", "stdout.log")
        synced.clear()
        sync(durability)
        assert ".secrets.json" not in synced, "once is enough"
        remember(paths, {"hidden-2": "B_TOKEN"})
        synced.clear()
        sync(durability)
        assert synced[0] == ".secrets.json"
    finally:
        durability.close()
