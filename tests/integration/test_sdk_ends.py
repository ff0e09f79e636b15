"""What a program does about the end of its run by itself: its summary, its archive."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

from integration.recorded import runwatch
from integration.sdk_programs import Program


def members(run: Path) -> dict[str, bytes]:
    """Return what the archive holds, by path below the run."""
    with tarfile.open(run / "run.tar.gz") as archive:
        return {
            member.name.partition("/")[2]: file.read()
            for member in archive.getmembers()
            if (file := archive.extractfile(member)) is not None
        }


ARCHIVING = """
from pathlib import Path

with runwatch.RunLogger(run_id="r") as run:
    workspace = run.path / "workspace"
    workspace.mkdir()
    (workspace / "figures.json").write_text("{}")
    (workspace / "rest.bin").write_text("rest")
    Path("mine.log").write_text("outside")
    Path("metrics.json").write_text("other metrics")
    Path("more").mkdir()
    Path("more/deep.log").write_text("deep")
    archiver = runwatch.Archiver(run.path)
    path = archiver.create_archive(metrics_file=workspace / "figures.json", logs=["mine.log", "metrics.json", "more"])
    assert path == run.path / "run.tar.gz" and archiver.verify()
    assert archiver.create_archive(logs="mine.log") == path, "the same once more"
"""


def test_what_a_program_names_is_in_the_archive_now_and_at_the_end(tmp_path: Path) -> None:
    program = Program(tmp_path, ARCHIVING)
    done = program.run()
    assert done.returncode == 0, done.stderr
    program.finalized()
    held = members(program.dir)
    assert held["workspace/figures.json"] == b"{}"
    assert "workspace/rest.bin" not in held, "nobody asked for the rest of the workspace"
    assert (held["mine.log"], held["added/metrics.json"], held["more/deep.log"]) == (
        b"outside",
        b"other metrics",
        b"deep",
    )
    assert json.loads(held["metrics.json"])["run"]["run_id"] == "r", "the run's own"
    assert not [name for name in held if "added/2" in name or name.startswith(".")]
    assert runwatch("verify", "r", cwd=tmp_path).returncode == 0


def test_a_finalized_run_keeps_its_archive_until_something_new_is_asked_for(tmp_path: Path) -> None:
    code = """
    with runwatch.RunLogger(run_id="r") as run:
        (run.path / "workspace").mkdir()
        (run.path / "workspace" / "a.txt").write_text("a")
    archiver = runwatch.Archiver(run.path)
    before = (run.path / "run.tar.gz").read_bytes()
    archiver.create_archive()
    assert (run.path / "run.tar.gz").read_bytes() == before and archiver.verify()
    archiver.create_archive(workspace_dir=run.path / "workspace")
    assert (run.path / "run.tar.gz").read_bytes() != before and archiver.verify()
    """
    program = Program(tmp_path, code)
    done = program.run()
    assert done.returncode == 0, done.stderr
    assert members(program.dir)["workspace/a.txt"] == b"a"
    digest = hashlib.sha256((program.dir / "run.tar.gz").read_bytes()).hexdigest()
    assert program.json("metadata.json")["archive"]["sha256"] == digest


def test_a_damaged_archive_and_one_that_cannot_be_made_are_said_and_nothing_is_raised(tmp_path: Path) -> None:
    code = """
    with runwatch.RunLogger(run_id="r") as run:
        pass
    archiver = runwatch.Archiver(run.path)
    data = bytearray((run.path / "run.tar.gz").read_bytes())
    data[len(data) // 2] ^= 1
    (run.path / "run.tar.gz").write_bytes(data)
    assert archiver.verify() is False
    runwatch.Archiver("nowhere").create_archive()
    assert runwatch.Archiver("nowhere").verify() is False
    runwatch.Archiver(run.path).create_archive(logs="missing.log")
    """
    done = Program(tmp_path, code).run()
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("was not made") == 2
    assert "missing.log" in done.stderr


def test_a_program_reads_and_writes_its_summary(tmp_path: Path) -> None:
    code = """
    with runwatch.RunLogger(run_id="r", framework="f") as run:
        with run.step("only step"):
            run.emit("error", {"error_type": "Oops", "message": "it broke"})
        summarizer = runwatch.LogSummarizer(run.run_id, "f", run.path)
        text = summarizer.generate_summary(api_key="sk-proj-abcdefghijklmnopqrstuvwx1234567890ABCD", tests=12)
        print(text)
        path = summarizer.write_summary(text + "token: " + os.environ["MY_TOKEN"])
        assert path == run.path / "logs_summary.txt"
        print(path.read_text().splitlines()[-1])
    print(runwatch.LogSummarizer("other", "g", "nowhere").generate_summary().splitlines()[:9])
    """
    program = Program(tmp_path, code, env={"MY_TOKEN": "aVerySecretValue123456"})
    done = program.run()
    assert done.returncode == 0, done.stderr
    assert "only step" in done.stdout
    assert "it broke" in done.stdout
    assert "tests: 12" in done.stdout
    assert "abcdefghij" not in done.stdout
    assert "aVerySecretValue" not in done.stdout
    assert "token: [redacted" in done.stdout
    assert "other" in done.stdout.splitlines()[-1]
    assert "sk-proj" not in (program.dir / "logs_summary.txt").read_text(), "the end of the run wrote its own"
