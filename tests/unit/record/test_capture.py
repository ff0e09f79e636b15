"""Copying output: byte for byte through, byte for byte into the logs, cut exactly at the markers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from runwatch.journal.losses import LossAccount
from runwatch.journal.paths import RunPaths
from runwatch.record import spawn
from runwatch.record.capture import Capture
from runwatch.sources.markers import Marker, MarkerScanner


def _losses(folder: Path) -> LossAccount:
    return LossAccount(folder / ".losses", "supervisor")


class Recorded:
    """A child's output, copied by a Capture into ``paths`` and into two files that stand for our own streams."""

    def __init__(self, folder: Path, script: str, *, max_bytes: int | None = None, pattern: str | None = None) -> None:
        self.paths = RunPaths(folder / "run")
        self.paths.root.mkdir()
        self.steps = 0
        channels = spawn.open_channels("pipe", True)
        self.out, self.err = folder / "out", folder / "err"
        for channel, path in zip(channels, (self.out, self.err), strict=True):
            channel.pass_fd = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.capture = Capture(self.paths, channels, MarkerScanner(pattern), self._marker, max_bytes, _losses(folder))
        launch = spawn.Launch(argv=[sys.executable, "-u", "-c", script], env=dict(os.environb))
        self.pid = spawn.start(launch, channels, set())
        self.capture.start()
        self.channels = channels

    def _marker(self, marker: Marker) -> int | None:
        if marker.kind == "open":
            self.steps += 1
            return self.steps
        return None

    def wait(self) -> Recorded:
        os.waitpid(self.pid, 0)
        assert self.capture.finish(30) == []
        for channel in self.channels:
            assert channel.pass_fd is not None
            os.close(channel.pass_fd)
        return self

    def log(self, name: str) -> bytes:
        return (self.paths.logs / name).read_bytes()


def test_bytes_pass_through_and_into_the_logs_unchanged(tmp_path: Path) -> None:
    script = "import os; os.write(1, bytes(range(256)) * 4000); os.write(2, b'no line feed \\xff\\x00')"
    run = Recorded(tmp_path, script).wait()
    assert run.out.read_bytes() == run.log("stdout.log") == bytes(range(256)) * 4000
    assert run.err.read_bytes() == run.log("stderr.log") == b"no line feed \xff\x00"


def test_a_log_that_the_command_deletes_is_begun_anew_and_what_it_held_is_told_of(tmp_path: Path) -> None:
    logs = tmp_path / "run" / "logs"
    script = f"""if True:
        import os, shutil, time
        log = {str(logs / "stdout.log")!r}
        def say(text):
            os.write(1, text)
            while not os.path.exists(log) or text not in open(log, "rb").read(): time.sleep(0.005)
        say(b"one\\n"); os.unlink(log)
        say(b"second\\n"); shutil.rmtree({str(logs)!r})
        say(b"last\\n"); say(b"of all\\n"); os.unlink(log)
    """
    run = Recorded(tmp_path, script).wait()
    assert run.out.read_bytes() == b"one\nsecond\nlast\nof all\n"
    assert not (logs / "stdout.log").exists()
    assert run.capture.losses.output_bytes == len(run.out.read_bytes())


def test_output_is_cut_exactly_at_the_marker_lines_wherever_the_writes_fall(tmp_path: Path) -> None:
    text = b"before\n::group::one\nin one\n::endgroup::\nbetween\n::group::two\nin two\n::group::three\nlast"
    for size in (1, 3, 7, 20, 500):
        folder = tmp_path / str(size)
        folder.mkdir()
        script = f"import os\nt={text!r}\nfor i in range(0, len(t), {size}): os.write(1, t[i:i+{size}])"
        run = Recorded(folder, script).wait()
        assert run.out.read_bytes() == text
        assert run.log("stdout.log") == b"before\nbetween\n"
        assert run.log("step_001/stdout.log") == b"::group::one\nin one\n::endgroup::\n"
        assert run.log("step_002/stdout.log") == b"::group::two\nin two\n"
        assert run.log("step_003/stdout.log") == b"::group::three\nlast"


def test_a_cut_files_what_was_written_before_it_under_the_step_before(tmp_path: Path) -> None:
    script = "import os; os.write(1, b'old\\n' * 5000); os.write(2, b'x'); os.read(0, 1); os.write(1, b'new\\n')"
    read_fd, write_fd = os.pipe()
    saved = os.dup(0)
    os.dup2(read_fd, 0)
    try:
        run = Recorded(tmp_path, script)
    finally:
        os.dup2(saved, 0)
    while not run.err.stat().st_size:
        pass
    run.capture.cut(5)
    os.write(write_fd, b"g")
    run.wait()
    assert run.log("stdout.log") == b"old\n" * 5000
    assert run.log("step_005/stdout.log") == b"new\n"
    for fd in (saved, read_fd, write_fd):
        os.close(fd)


def test_a_log_past_its_limit_goes_on_in_the_next_file(tmp_path: Path) -> None:
    run = Recorded(
        tmp_path, "import os\nfor i in range(30): os.write(1, b'%07d\\n' % i * 12500)", max_bytes=300_000
    ).wait()
    parts = sorted(run.paths.logs.glob("stdout*.log"), key=lambda path: (len(path.name), path.name))
    assert [part.name for part in parts][:3] == ["stdout.log", "stdout.1.log", "stdout.2.log"]
    assert b"".join(part.read_bytes() for part in parts) == run.out.read_bytes()
    assert all(part.stat().st_size <= 300_000 and part.read_bytes().endswith(b"\n") for part in parts)
    indexed = {tuple(line.split(" ")[1:]) for line in run.paths.output_index.read_text().splitlines()}
    assert {(part.name, "0") for part in parts} <= indexed, "each is in the index of arrival times from its first byte"


def test_only_a_line_that_is_longer_than_a_whole_log_may_be_is_cut_in_two(tmp_path: Path) -> None:
    program = "import os; os.write(1, b'short\\n' * 800 + b'x' * 9000 + b'\\n' + b'last\\n')"
    run = Recorded(tmp_path, program, max_bytes=5000).wait()
    parts = [run.log("stdout.log"), *(run.log(f"stdout.{number}.log") for number in (1, 2))]
    assert parts == [b"short\n" * 800, b"x" * 5000, b"x" * 4000 + b"\nlast\n"]


def test_a_limit_that_would_make_a_file_of_each_line_counts_as_four_kib(tmp_path: Path) -> None:
    run = Recorded(tmp_path, "import os; os.write(1, b'line\\n' * 1000)", max_bytes=1).wait()
    assert len(run.log("stdout.log")) == 4095
    assert sorted(path.name for path in run.paths.logs.glob("stdout*.log")) == ["stdout.1.log", "stdout.log"]


def test_the_arrival_index_names_every_log_from_its_first_byte(tmp_path: Path) -> None:
    run = Recorded(tmp_path, "print('a')\nprint('::group::x')\nprint('b')").wait()
    records = [line.split(" ") for line in run.paths.output_index.read_text().splitlines()]
    assert {(name, offset) for _, name, offset in records} >= {("stdout.log", "0"), ("step_001/stdout.log", "0")}


def test_when_nobody_reads_any_more_the_command_gets_sigpipe_as_without_us(tmp_path: Path) -> None:
    channels = spawn.open_channels("pipe", True)
    read_fd, write_fd = os.pipe()
    channels[0].pass_fd = write_fd
    os.close(read_fd)
    (tmp_path / "run").mkdir()
    capture = Capture(
        RunPaths(tmp_path / "run"), channels, MarkerScanner(), lambda marker: None, None, _losses(tmp_path)
    )
    pid = spawn.start(spawn.Launch(argv=["yes"], env=dict(os.environb)), channels, set())
    capture.start()
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == 13
    capture.finish(30)
    os.close(write_fd)


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["no-such-command"], 127, "command not found"),
        (["./no/such/path"], 127, "command not found"),
        (["/"], 126, "is a directory"),
        (["/etc/passwd"], 126, "cannot be executed"),
    ],
)
def test_a_command_that_cannot_start_gets_the_code_of_a_shell(argv: list[str], code: int, words: str) -> None:
    channels = spawn.open_channels("pipe", False)
    with pytest.raises(spawn.CannotStart, match=words) as error:
        spawn.start(spawn.Launch(argv=argv, env=dict(os.environb)), channels, set())
    assert error.value.exit_code == code
    for channel in channels:
        os.close(channel.read_fd)


def test_a_script_without_an_interpreter_line_runs_as_in_a_shell(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("exit 7\n")
    script.chmod(0o755)
    channels = spawn.open_channels("pipe", False)
    pid = spawn.start(spawn.Launch(argv=[str(script)], env=dict(os.environb)), channels, set())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    for channel in channels:
        os.close(channel.read_fd)


def test_a_pseudo_terminal_leaves_the_bytes_as_they_were(tmp_path: Path) -> None:
    channels = spawn.open_channels("pty", False, (33, 99))
    (tmp_path / "run").mkdir()
    capture = Capture(
        RunPaths(tmp_path / "run"), channels, MarkerScanner(), lambda marker: None, None, _losses(tmp_path)
    )
    script = "import os; print(os.isatty(1), os.get_terminal_size(1)); os.write(1, b'a\\r\\nb\\n\\x04')"
    launch = spawn.Launch(argv=[sys.executable, "-c", script], env=dict(os.environb), own_session=True, null_stdin=True)
    pid = spawn.start(launch, channels, set())
    capture.start()
    os.waitpid(pid, 0)
    assert capture.finish(30) == []
    text = (tmp_path / "run/logs/stdout.log").read_bytes()
    assert text == b"True os.terminal_size(columns=99, lines=33)\na\r\nb\n\x04"
