"""A disk that answers nothing for a while: the command and its output go on, and all of it is recorded afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.recorded import PATIENCE_S, repository, run_dir, start, wait_for
from integration.small_disks import Image, image


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Image]:
    if shutil.which("fsfreeze") is None:
        pytest.skip("fsfreeze is missing: a disk that hangs cannot be made")
    with image(tmp_path) as made:
        yield made
        subprocess.run(["fsfreeze", "--unfreeze", made.path], check=False, capture_output=True)


def test_a_command_and_its_output_go_on_while_the_disk_hangs_and_nothing_is_lost(tmp_path: Path, disk: Image) -> None:
    repository(disk.path / "r")
    go, counted = tmp_path / "go", 3000
    script = (
        f"cd /; echo ready; while [ ! -e {go} ]; do sleep 0.02; done; "
        f"seq 1 {counted}; sleep 0.1; seq 1 {counted}; echo done; while [ ! -e {go}2 ]; do sleep 0.02; done; exit 5"
    )
    process = start("sh", "-c", script, cwd=disk.path / "r")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    run = run_dir(disk.path / "r")
    wait_for(lambda: (run / "metrics.json").exists(), "the recorder")
    # Output that stood still with the disk would keep this test from ever thawing it.
    thawing = threading.Timer(PATIENCE_S, subprocess.run, [["fsfreeze", "--unfreeze", disk.path]])
    thawing.start()
    frozen = subprocess.run(["fsfreeze", "--freeze", disk.path], capture_output=True, check=False)
    try:
        if frozen.returncode:
            process.kill()
            pytest.skip("fsfreeze is not permitted here: a disk that hangs cannot be made")
        go.touch()
        out = b"".join(process.stdout.readline() for _ in range(2 * counted + 1))  # without the disk: else it hangs
        assert out.endswith(b"done\n")
        assert thawing.is_alive(), "output stood still with the disk"
    finally:
        thawing.cancel()
        subprocess.run(["fsfreeze", "--unfreeze", disk.path], check=False, capture_output=True)
    Path(f"{go}2").touch()
    rest, err = process.communicate(timeout=60)
    assert (process.returncode, rest) == (5, b""), err
    assert b"does not answer: output is kept in memory meanwhile" in err
    assert (run / "logs" / "stdout.log").read_bytes() == b"ready\n" + out
    metadata = json.loads((run / "metadata.json").read_bytes())
    assert (metadata["status"], metadata["exit_code"]) == ("failed", 5)
    assert json.loads((run / "metrics.json").read_bytes())["journal"].get("dropped", 0) == 0
    assert all(stage["done"] for stage in json.loads((run / "finalize.json").read_bytes())["stages"].values())
