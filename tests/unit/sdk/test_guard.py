"""Starting a process that is nobody's child, and telling it the end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from runwatch.sdk.guard import Guardian, _start

LISTENER = "import sys, os; line = sys.stdin.readline(); open(sys.argv[1], 'w').write(line)"


def listener(tmp_path: Path) -> Guardian:
    theirs, ours = os.pipe()
    pid = _start([sys.executable, "-c", LISTENER, str(tmp_path / "heard")], theirs)
    os.close(theirs)
    return Guardian(pid, ours)


def test_it_hears_the_goodbye_and_its_end_is_noticed(tmp_path: Path) -> None:
    guardian = listener(tmp_path)
    assert not guardian.wait(0)
    assert guardian.say_goodbye({"op": "end", "status": "completed", "reason": None})
    assert guardian.wait(30)
    assert json.loads((tmp_path / "heard").read_text()) == {"op": "end", "status": "completed", "reason": None}
    assert not guardian.say_goodbye({"op": "end"}), "nobody hears it any more"
    guardian.close()


def test_it_is_no_child_and_in_a_session_of_its_own(tmp_path: Path) -> None:
    guardian = listener(tmp_path)
    status = (Path("/proc") / str(guardian.pid) / "stat").read_text().rpartition(")")[2].split()
    assert int(status[1]) != os.getpid()
    assert int(status[3]) != os.getsid(0)
    guardian.close()
    assert Guardian(guardian.pid, os.open("/dev/null", os.O_RDONLY)).wait(30), "its pipe is closed, so it left"


def test_a_descriptor_that_the_program_has_taken_over_is_not_written_to(tmp_path: Path) -> None:
    guardian = listener(tmp_path)
    number = guardian._goodbye_fd
    with open(tmp_path / "users-file", "wb") as mine:
        os.dup2(mine.fileno(), number)
    os.dup2(os.open("/dev/null", os.O_RDONLY), guardian._pid_fd or -1)
    mine = guardian._pid_fd or -1
    assert not guardian.wait(0)
    assert guardian.say_goodbye({"op": "end"}), "told through the pipe's other end"
    assert guardian.wait(30)
    guardian.close()
    assert (tmp_path / "heard").read_text() == '{"op":"end"}\n'
    assert os.fstat(number).st_size == 0, "neither written to nor closed"
    os.close(number)
    os.close(mine)


def test_a_program_that_does_not_exist_is_noticed_as_gone(tmp_path: Path) -> None:
    theirs, ours = os.pipe()
    guardian = Guardian(_start([str(tmp_path / "missing")], theirs), ours)
    os.close(theirs)
    assert guardian.wait(30)
    assert not guardian.say_goodbye({"op": "end"})
    guardian.close()
