"""The ledger of losses: a line a process, rewritten in place, readable whatever is in it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from runwatch.journal import spare
from runwatch.journal.losses import LEDGER_BYTES, LINE_BYTES, LossAccount, create_ledger, forget_losses, read_losses


def test_totals_of_each_process_are_kept_in_place(tmp_path: Path) -> None:
    path = tmp_path / ".losses"
    create_ledger(path)
    first, second = LossAccount(path, "aaaaaaaa"), LossAccount(path, "bbbbbbbb")
    for _ in range(3):
        first.add(events=1)
    second.add(log_lines=2)
    second.add(output_bytes=10**13)
    found = {loss.writer: (loss.events, loss.log_lines, loss.output_bytes) for loss in read_losses(path)}
    assert found == {"aaaaaaaa": (3, 0, 0), "bbbbbbbb": (0, 2, 10**13)}
    assert path.stat().st_size == LEDGER_BYTES
    assert second.loss() in read_losses(path)
    forget_losses(path)
    first.add(events=1)
    assert not path.exists(), "nothing is made anew"
    assert first.events == 4


def test_more_processes_than_lines_are_counted_in_memory(tmp_path: Path) -> None:
    path = tmp_path / ".losses"
    create_ledger(path)
    accounts = [LossAccount(path, f"{number:08x}") for number in range(LEDGER_BYTES // LINE_BYTES + 1)]
    for account in accounts:
        account.add(events=1)
    assert len(read_losses(path)) == len(accounts)
    assert sum(account.events for account in accounts) == len(accounts)
    accounts[0].add(events=1)
    assert sorted(loss.events for loss in read_losses(path))[-2:] == [1, 2]
    forget_losses(path)
    assert read_losses(path) == []
    assert not Path(spare.name_of(path)).exists()


def test_threads_lose_no_count(tmp_path: Path) -> None:
    path = tmp_path / ".losses"
    create_ledger(path)
    account = LossAccount(path, "w")
    threads = [threading.Thread(target=lambda: [account.add(events=1) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [loss.events for loss in read_losses(path)] == [800]


def test_processes_that_lose_at_once_take_lines_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / ".losses"
    create_ledger(path)
    code = (
        "import sys; from pathlib import Path; from runwatch.journal.losses import LossAccount\n"
        "account = LossAccount(Path(sys.argv[1]), sys.argv[2]); sys.stdin.readline()\n"
        "for _ in range(100): account.add(events=1)\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path), f"w{number}"], stdin=subprocess.PIPE)
        for number in range(4)
    ]
    for child in children:
        child.communicate(b"go\n", timeout=60)
    assert sorted((loss.writer, loss.events) for loss in read_losses(path)) == [(f"w{n}", 100) for n in range(4)]


def test_a_ledger_of_somebody_else_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / ".losses"
    assert read_losses(path) == []
    path.write_bytes(b"garbage \xff\n" * 40 + b"w 1 2 3 x\n")
    assert read_losses(path) == []
    path.unlink()
    os.mkfifo(path)
    assert read_losses(path) == []
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    LossAccount(path, "w").add(events=1)
    assert read_losses(path) == []
    assert not (tmp_path / "elsewhere").exists()


def test_what_lies_in_memory_under_our_name_and_belongs_to_somebody_else_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / ".losses"
    create_ledger(path)
    for number in range(LEDGER_BYTES // LINE_BYTES):
        LossAccount(path, f"{number:08x}").add(events=1)
    planted = Path(spare.name_of(path))
    planted.symlink_to(tmp_path / "elsewhere")
    try:
        LossAccount(path, "w").add(events=1)
        assert len(read_losses(path)) == LEDGER_BYTES // LINE_BYTES
        assert not (tmp_path / "elsewhere").exists()
    finally:
        planted.unlink(missing_ok=True)
