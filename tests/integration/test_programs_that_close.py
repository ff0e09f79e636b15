"""Programs that close descriptors, and take their numbers over: the run is recorded, their files are theirs."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from integration.recorded import PATIENCE_S, RUNWATCH, repository, runwatch
from integration.sdk_programs import Program


def test_a_program_that_closes_all_it_does_not_know_has_its_run_in_the_run_and_its_files_to_itself(
    tmp_path: Path,
) -> None:
    program = Program(
        repository(tmp_path),
        """
        import json
        with runwatch.RunLogger(framework="f") as run:
            log = runwatch.get_logger("app")
            log.info("log before")
            assert run.emit("warning", {"message": "first"})
            os.closerange(3, 1000)
            mine = [open(f"user{number}", "wb") for number in range(20)]
            assert run.emit("warning", {"message": "second"})
            log.info("log after")
            with run.step("work"):
                log.info("log in the step")
            while not (run.path / "metrics.json").exists():
                time.sleep(0.01)  # the guardian, which has started the recorder, has seen its pipe closed by now
            began = time.monotonic()
        took = time.monotonic() - began
        for number, file in enumerate(mine):
            file.write(str(number).encode())
            file.close()  # nobody has closed it
        print(json.dumps(took))
        """,
    )
    done = program.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert [(tmp_path / f"user{number}").read_text() for number in range(20)] == [str(each) for each in range(20)]
    assert json.loads(done.stdout) < 25, "nobody else has the lock that it waits for"
    assert program.finalized()["status"] == "completed"
    assert [event["message"] for event in program.events("warning")] == ["first", "second"]
    assert program.events("degraded") == []
    logged = "".join(path.read_text() for path in sorted(program.dir.glob("logs/**/*.log")))
    assert all(logged.count(f'"{words}"') == 1 for words in ("log before", "log after", "log in the step"))


def test_a_program_that_reads_its_own_lock_in_its_first_moments_is_not_taken_for_dead(tmp_path: Path) -> None:
    program = Program(
        repository(tmp_path),
        f"""
        import subprocess
        with runwatch.RunLogger(framework="f") as run:
            (run.path / ".lock").read_bytes()
            subprocess.run({[*RUNWATCH, "recover"]}, check=True, capture_output=True)
            assert run.emit("warning", {{"message": "alive"}})
        """,
    )
    done = program.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert program.finalized()["status"] == "completed"
    assert [event["message"] for event in program.events("warning")] == ["alive"]


def test_a_program_that_dropped_its_own_lock_can_be_stopped(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        """
        with runwatch.RunLogger(framework="f") as run:
            (run.path / ".lock").read_bytes()
            print("ready", flush=True)
            time.sleep(600)
        """,
    )
    process = program.start()
    assert runwatch("stop", cwd=tmp_path).returncode == 0
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGTERM
    assert program.finalized()["status"] == "interrupted"


def test_a_program_started_without_its_three_streams_keeps_the_journal_out_of_their_numbers(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        """
        for number in (0, 1, 2):
            os.close(number)
        with runwatch.RunLogger() as run:
            runwatch.get_logger("app").info("said")
            with run.step("work"):
                taken = [number for number in (0, 1, 2) if os.path.exists(f"/proc/self/fd/{number}")]
        assert run.path is not None
        open("taken", "w").write(repr(taken))
        """,
    )
    assert program.run().returncode == 0
    assert (tmp_path / "taken").read_text() == "[]"
    assert program.finalized()["status"] == "completed"
