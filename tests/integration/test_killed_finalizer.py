"""The finalizer killed at any instant, any number of times: then it ends as if nothing had been."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fault_subject import Subject, template

SWEEP = Path(__file__).parents[1] / "faulting" / "sweep.py"


def test_a_finalizer_killed_anywhere_is_made_good_by_the_next(tmp_path: Path) -> None:
    subject = Subject(tmp_path / "subject", template(tmp_path / "like"), alone=True)
    try:
        subject.lead_into("step")
        subject.kill_all()
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        acknowledged = subject.side / "acknowledged"
        done = subprocess.run(
            [sys.executable, SWEEP, subject.repository, scratch, acknowledged, "16", "1"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        total = int(done.stdout.split(" instants")[0].split()[-1])
        assert total > 100
        assert "FAULT" not in done.stdout
    finally:
        subject.clean_up()


def test_two_finalizers_at_once_make_one_end(tmp_path: Path) -> None:
    subject = Subject(tmp_path / "subject", template(tmp_path / "like"), alone=True)
    try:
        subject.lead_into("step")
        subject.kill_all()
        command = [sys.executable, "-m", "runwatch.cli.main", "finalize", subject.run.name]
        several = [subprocess.Popen(command, cwd=subject.repository, stdout=subprocess.DEVNULL) for _ in range(3)]
        assert [process.wait(120) for process in several] == [0, 0, 0]
        assert subject.faults(statuses=("crashed",), exact=True, again=True) == []
    finally:
        subject.clean_up()
