"""Appending to logs: few open, never through a link, going on in the next file."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from runwatch.errors import BadName
from runwatch.journal.log_append import LogAppender, place
from runwatch.journal.paths import RunPaths


@pytest.mark.parametrize("component", ["adapter", "stdout", "stderr", "reconciliation", "orchestrator"])
@pytest.mark.parametrize("step", [None, 1, 1234])
def test_the_rule_of_places_is_that_of_the_run_paths(tmp_path: Path, step: int | None, component: str) -> None:
    folder, stem = place(step, component)
    paths = RunPaths(tmp_path)
    assert paths.logs / (folder or "") / f"{stem}.log" == paths.component_log(step, component)


def test_a_component_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadName):
        LogAppender().append(tmp_path / "logs", 1, "../x", b"x\n")
    assert not (tmp_path / "logs").exists()


def test_folders_and_files_are_private(tmp_path: Path) -> None:
    LogAppender().append(tmp_path / "logs", 1, "a", b"x\n")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("logs", "logs/step_001")]
    assert modes == [0o700, 0o700]
    assert stat.S_IMODE((tmp_path / "logs/step_001/a.log").stat().st_mode) == 0o600


def test_no_more_files_are_open_than_allowed(tmp_path: Path) -> None:
    appender = LogAppender(max_open=4)
    before = len(os.listdir("/proc/self/fd"))
    for turn in range(2):
        for step in range(1, 30):
            appender.append(tmp_path, step, "a", b"%d\n" % turn)
    assert len(os.listdir("/proc/self/fd")) == before + 4
    assert all((tmp_path / f"step_{step:03d}/a.log").read_bytes() == b"0\n1\n" for step in range(1, 30))
    appender.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_full_file_goes_on_in_the_next_one_and_a_new_process_finds_it(tmp_path: Path) -> None:
    for _ in range(2):
        appender = LogAppender()
        for _ in range(3):
            appender.append(tmp_path, 1, "a", b"12345678\n", max_bytes=10)
        appender.close()
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "step_001").iterdir()}
    assert sizes == {"a.log": 18, "a.1.log": 18, "a.2.log": 18}


def test_a_log_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    appender = LogAppender()
    appender.append(tmp_path, 1, "a", b"one\n")
    (tmp_path / "step_001/a.log").unlink()
    appender.append(tmp_path, 1, "a", b"two\n")
    assert (tmp_path / "step_001/a.log").read_bytes() == b"two\n"


def test_a_link_below_the_log_folder_is_refused_and_the_folder_itself_may_be_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "logs").symlink_to(tmp_path / "real")
    appender = LogAppender()
    appender.append(tmp_path / "logs", 1, "a", b"x\n")
    assert (tmp_path / "real/step_001/a.log").read_bytes() == b"x\n"
    (tmp_path / "real/step_002").symlink_to(tmp_path)
    with pytest.raises(OSError, match="step_002"):
        appender.append(tmp_path / "logs", 2, "a", b"x\n")


def test_a_pipe_in_the_place_of_a_log_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "step_001").mkdir()
    os.mkfifo(tmp_path / "step_001/a.log")
    with pytest.raises(OSError):
        LogAppender().append(tmp_path, 1, "a", b"x\n")


def test_threads_write_whole_lines_while_files_come_and_go(tmp_path: Path) -> None:
    appender = LogAppender(max_open=2)

    def work(name: int) -> None:
        for number in range(300):
            appender.append(tmp_path, number % 7 + 1, "a", b"%d-%d\n" % (name, number))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [line for path in tmp_path.rglob("*.log") for line in path.read_bytes().splitlines()]
    assert sorted(lines) == sorted(b"%d-%d" % (name, number) for name in range(6) for number in range(300))


def test_a_descriptor_that_the_program_has_taken_over_is_left_alone_and_the_log_opened_again(tmp_path: Path) -> None:
    logs = LogAppender()
    logs.append(tmp_path, None, "run", b"one\n")
    number = next(iter(logs._files.values())).fd
    with open(tmp_path / "users", "wb") as mine:
        os.dup2(mine.fileno(), number)
        logs.append(tmp_path, None, "run", b"two\n")
        os.close(next(iter(logs._files.values())).fd)
        logs.append(tmp_path, None, "run", b"three\n")
        logs.close()
        os.write(number, b"theirs")
        os.close(number)
    assert (tmp_path / "run.log").read_bytes() == b"one\ntwo\nthree\n"
    assert (tmp_path / "users").read_bytes() == b"theirs"
