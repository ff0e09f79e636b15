"""What the kernel kills for lack of memory: the command, whose end is called so, or the recorder, which is replaced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from integration.control_groups import group
from integration.recorded import RUNWATCH, repository, run_dir, wait_for
from runwatch.journal.lock import Role, holders
from runwatch.record.memory import oom_kills

MIB = 1 << 20
GREEDY = "import sys; print('begun', flush=True); held = bytearray(900 << 20); print(len(held))"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="control groups are Linux's")
def test_a_command_that_the_kernel_kills_for_memory_is_crashed_and_the_reason_says_so(tmp_path: Path) -> None:
    repository(tmp_path)
    with group("command") as limited:
        limited.limit(400 * MIB)
        done = subprocess.run(
            [*RUNWATCH, "run", "--headless", "--", sys.executable, "-c", GREEDY],
            cwd=tmp_path, capture_output=True, timeout=60, check=False, preexec_fn=limited.enter,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (-9, b"begun\n"), done.stderr
    metadata = json.loads((run_dir(tmp_path) / "metadata.json").read_bytes())
    assert (metadata["status"], metadata["signal"]) == ("crashed", "SIGKILL")
    assert metadata["reason"].startswith("killed by SIGKILL: out of memory")
    assert "out of memory" in (run_dir(tmp_path) / "logs_summary.txt").read_text()
    state = json.loads((run_dir(tmp_path) / "finalize.json").read_bytes())
    assert all(stage["done"] for stage in state["stages"].values())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="control groups are Linux's")
def test_a_recorder_that_the_kernel_kills_for_memory_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"echo one; while [ ! -e {go} ]; do sleep 0.02; done; echo two; exit 5"
    with group("recorder") as limited:
        process = subprocess.Popen(
            [*RUNWATCH, "run", "--headless", "--", "sh", "-c", script],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            wait_for(lambda: list(tmp_path.glob("runs/default/*/metrics.json")), "the recorder")
            run = run_dir(tmp_path)
            recorder = holders(run / ".lock")[Role.RECORDER]
            limited.limit(2 * MIB)
            limited.take(recorder)
            with (run / "events.jsonl").open("ab") as file:  # what it has to read takes more than it may have
                file.write(b'{"type":"error","message":"' + b"x" * (40 * MIB) + b'"}\n')
            wait_for(lambda: holders(run / ".lock").get(Role.RECORDER, recorder) != recorder, "another recorder")
            go.touch()
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate()
    assert (process.returncode, out) == (5, b"one\ntwo\n")
    metadata = json.loads((run / "metadata.json").read_bytes())
    assert (metadata["status"], metadata["exit_code"]) == ("failed", 5)
    events = [json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines()]
    assert [event["reason"] for event in events if event["type"] == "recorder.replaced"] == ["killed by SIGKILL"]
    assert (run / "logs" / "stdout.log").read_bytes() == b"one\ntwo\n"
    assert not os.path.lexists(limited.path)


@pytest.mark.parametrize(
    ("own", "file", "content"),
    [
        ("0::/user.slice\n", "user.slice/memory.events", "low 0\nmax 4\noom 2\noom_kill 7\n"),
        ("0::/docker/1234\n", "memory.events", "oom 2\noom_kill 7\n"),
        ("4:memory:/x\n1:cpu:/y\n0::/z\n", "memory/x/memory.oom_control", "under_oom 0\noom_kill 7\n"),
    ],
    ids=["second version", "in a container", "first version"],
)
def test_the_kernel_s_count_is_found_in_either_version(tmp_path: Path, own: str, file: str, content: str) -> None:
    (tmp_path / "cgroup").write_text(own)
    path = tmp_path / "fs" / file
    assert oom_kills(str(tmp_path / "fs"), str(tmp_path / "cgroup")) is None
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert oom_kills(str(tmp_path / "fs"), str(tmp_path / "cgroup")) == 7
