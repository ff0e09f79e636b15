"""Liveness: a lock that the kernel drops when its holder dies, and that no forked child keeps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from runwatch.journal.lock import Role, RunLock, heartbeat_age_s, holders, is_live, reserve

HOLDER = """
import sys, os
from pathlib import Path
from runwatch.journal.lock import Role, RunLock
assert RunLock.of(Path(sys.argv[1])).acquire(Role.OWNER)
if sys.argv[2] == "fork" and os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
print("held", flush=True)
sys.stdin.read()
"""


def _holder(path: Path, how: str = "plain") -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def _end(child: subprocess.Popen[str]) -> None:
    for stream in (child.stdin, child.stdout):
        assert stream is not None
        stream.close()
    child.wait()


def test_a_holder_is_seen_with_its_pid_and_gone_when_killed(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    assert not is_live(path)
    child = _holder(path)
    assert holders(path) == {Role.OWNER: child.pid}
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert holders(path) == {}
    assert not is_live(path)
    _end(child)


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    child = _holder(path, "fork")
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not is_live(path)
    _end(child)


def test_a_role_is_taken_once_and_waited_for(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    child = _holder(path)
    lock = RunLock.of(path)
    assert not lock.acquire(Role.OWNER)
    assert lock.acquire(Role.RECORDER)
    child.kill()
    child.wait()
    assert lock.acquire(Role.OWNER, wait_s=5)
    assert holders(path) == {Role.OWNER: os.getpid(), Role.RECORDER: os.getpid()}
    lock.release(Role.RECORDER)
    assert Role.RECORDER not in holders(path)
    lock.close()
    _end(child)


def test_probing_does_not_drop_the_locks_of_this_process(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    lock = RunLock.of(path)
    lock.acquire(Role.OWNER)
    assert is_live(path)
    probe = "import sys, pathlib, runwatch.journal.lock as lock; print(lock.is_live(pathlib.Path(sys.argv[1])))"
    seen = subprocess.run([sys.executable, "-c", probe, str(path)], capture_output=True, text=True, check=True)
    assert seen.stdout == "True\n"
    lock.close()


def test_the_heartbeat_is_the_age_of_the_lock_file(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    assert heartbeat_age_s(path) is None
    lock = RunLock.of(path)
    os.utime(path, (0, 0))
    age = heartbeat_age_s(path)
    assert age is not None
    assert age > 1e9
    lock.beat()
    age = heartbeat_age_s(path)
    assert age is not None
    assert age < 1e6
    lock.close()


ADOPTER = """
import sys
from pathlib import Path
from runwatch.journal.lock import Role, RunLock
lock = RunLock.adopt(Path(sys.argv[1]), int(sys.argv[2]))
print("here", flush=True)
sys.stdin.readline()
assert lock.acquire(Role.OWNER)
lock.started()
print("owned", flush=True)
sys.stdin.read()
"""


def test_a_run_is_live_from_its_making_until_its_owner_dies_without_a_gap(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    fd = reserve(path)
    assert set(holders(path)) == {Role.STARTER}
    child = subprocess.Popen(
        [sys.executable, "-c", ADOPTER, str(path), str(fd)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[fd],
    )  # fmt: skip
    os.close(fd)
    assert child.stdin is not None
    assert child.stdout is not None
    assert is_live(path), "the starter is gone, the one it started holds the run"
    assert child.stdout.readline() == "here\n"
    assert set(holders(path)) == {Role.STARTER}
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.stdout.readline() == "owned\n"
    assert holders(path) == {Role.OWNER: child.pid}
    child.kill()
    child.wait()
    assert not is_live(path)
    _end(child)


def test_who_writes_files_or_finalizes_does_not_make_a_run_live(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    lock = RunLock.of(path)
    assert lock.acquire(Role.WRITER)
    assert lock.acquire(Role.FINALIZER)
    assert not is_live(path)
    lock.close()


def test_a_descriptor_that_the_program_closed_is_opened_again_and_not_closed_a_second_time(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    lock = RunLock.of(path)
    assert lock.acquire(Role.OWNER)
    number = lock._fd
    with open(tmp_path / "users", "wb") as mine:
        os.dup2(mine.fileno(), number)
        assert not lock.acquire(Role.FINALIZER, wait_s=60), "at once: nobody else has it"
        assert holders(path) == {}
        lock.release(Role.OWNER)
        newer = RunLock.of(path)
        assert newer.acquire(Role.FINALIZER)
        lock.close()
        assert not newer.is_open
        os.write(number, b"theirs")
        os.close(number)
    assert (tmp_path / "users").read_bytes() == b"theirs"


def test_what_a_guardian_was_given_says_that_the_run_lives_whatever_the_program_does_to_its_lock(
    tmp_path: Path,
) -> None:
    path = tmp_path / ".lock"
    fd = reserve(path, inheritable=False)
    guardian = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[fd])
    os.close(fd)
    assert RunLock.of(path).acquire(Role.OWNER)
    RunLock.of(path).close()  # as any close of the file does, it drops every record lock of this process
    assert holders(path).keys() == {Role.STARTER}
    assert is_live(path)
    assert guardian.stdin is not None
    guardian.stdin.close()
    guardian.wait()
    assert not is_live(path)
