"""What is known of a run's secrets grows while it goes on, and what was published before is published anew without."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from journals import Journal
from runwatch.finalize.confidential import MOST_VALUES, Confidential
from runwatch.finalize.publish import Publisher, document_of
from runwatch.finalize.recount import recounted
from runwatch.journal.known_secrets import remember, remembered, tell_own
from runwatch.journal.paths import RunPaths
from runwatch.sdk.summarizer import LogSummarizer
from runwatch.settings import load

LATER = "found" + "later"


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    """A run that started in a folder of its own."""
    paths = RunPaths(tmp_path / "runs" / "x" / "r1")
    paths.root.mkdir(parents=True)
    return paths


def begun(paths: RunPaths, cwd: Path, *command: str) -> Journal:
    cwd.mkdir(exist_ok=True)
    journal = Journal()
    journal.run_started(run_id="r1", framework="x", cwd=str(cwd), command=list(command))
    for at in range(3):
        journal.add("issue.started", issue=at, title=f"sent {LATER}")
        journal.add("agent.started", issue=at, agent=LATER, attempt=1)
    paths.journal.write_bytes(b"".join(journal.lines))
    return journal


def test_what_becomes_known_later_is_taken_out_of_what_was_published_before(paths: RunPaths, tmp_path: Path) -> None:
    journal = begun(paths, tmp_path / "here")
    publisher = Publisher(paths, load(tmp_path, {}), {})
    metrics = journal.metrics()
    publisher.live(metrics)
    report = paths.issue_file(0, "report")
    assert LATER in report.read_text()
    tell_own(paths, {"A_TOKEN": LATER})  # another process
    publisher.live(metrics)
    assert LATER not in report.read_text() + paths.metrics.read_text()
    assert "[redacted:env:A_TOKEN]" in paths.metrics.read_text()
    publisher.close()


def test_what_processes_and_files_hold_is_known_to_who_finalizes_elsewhere(paths: RunPaths, tmp_path: Path) -> None:
    here = tmp_path / "here"
    begun(paths, here, "sh", "run.sh")
    (here / "run.sh").write_text("export SCRIPT_TOKEN=of-the-script-1\n")
    (here / ".env").write_text("FILE_TOKEN=of-the-file-1\n")
    first = Confidential(paths, {"OWN_TOKEN": "of-the-recorder-1"})
    first.note_own()
    first.look_around()
    first.meet([("PROCESS_TOKEN", "of-a-process-1"), ("GREETING", "of-a-process-2"), ("B_TOKEN", "short")])
    text = "of-the-script-1 of-the-file-1 of-the-recorder-1 of-a-process-1 of-a-process-2 short"
    marks = " ".join(f"[redacted:env:{name}_TOKEN]" for name in ("SCRIPT", "FILE", "OWN", "PROCESS"))
    assert first.redactor.text(text) == f"{marks} of-a-process-2 short"
    for name in (".env", "run.sh"):
        (here / name).unlink()
    assert Confidential(paths, {}).redactor.text(text) == f"{marks} of-a-process-2 short"


def test_the_command_line_tells_whoever_counts_a_run_anew(paths: RunPaths, tmp_path: Path) -> None:
    begun(paths, tmp_path / "here", "tool", "--db-pass", LATER)
    assert [issue.title for issue in recounted(paths).issues] == ["sent [redacted:flag]"] * 3
    assert remembered(paths) == (), "who only looks writes nothing"


def test_a_summary_that_is_made_for_the_screen_alone_holds_none_either(paths: RunPaths, tmp_path: Path) -> None:
    journal = begun(paths, tmp_path / "here", "tool", "--db-pass", LATER)
    journal.run_completed(after=3, status="failed", exit_code=1)
    paths.journal.write_bytes(b"".join(journal.lines))
    paths.logs.mkdir()
    (paths.logs / "stderr.log").write_text(f"refused {LATER}\n")
    assert "refused [redacted:flag]" in document_of(paths.root, "markdown")
    assert "said: [redacted:flag]" in LogSummarizer("r1", "x", paths.root).generate_summary(said=LATER)


def test_a_command_that_makes_up_secrets_without_end_costs_a_bounded_search(paths: RunPaths) -> None:
    secrets = Confidential(paths, {})
    secrets.meet((f"N{number}_TOKEN", f"made-up-{number:06}") for number in range(MOST_VALUES + 50))
    assert len(secrets.redactor.values) == MOST_VALUES


def test_a_password_that_is_called_like_its_project_leaves_the_project_its_name(
    paths: RunPaths, tmp_path: Path
) -> None:
    here = tmp_path / "myproject"
    begun(paths, here, "run")
    (here / ".env").write_text("DB_PASSWORD=MyProject\nADMIN_PASSWORD=of-myproject-1\n")
    secrets = Confidential(paths, {})
    secrets.look_around()
    assert secrets.redactor.text("MyProject, of-myproject-1") == "MyProject, [redacted:env:ADMIN_PASSWORD]"


def test_a_disk_that_takes_no_digests_keeps_nothing_from_being_known(paths: RunPaths) -> None:
    paths.secrets.mkdir()
    secrets = Confidential(paths, {})
    secrets.meet([("A_TOKEN", LATER + "-1")])
    assert secrets.redactor.text(LATER + "-1") == "[redacted:env:A_TOKEN]"


def test_nothing_is_looked_up_twice(paths: RunPaths) -> None:
    secrets = Confidential(paths, {})
    for _ in range(3):
        secrets.meet([("A_TOKEN", "a-secret-1")])
        secrets.refresh(["tool", "--db-pass", "S3cretXyz12"])
    assert secrets.learned == 3, "the process's, the command line's, and the digests of the first, which it left itself"
    remember(paths, {"of another process": "B_TOKEN"})
    secrets.refresh(None)
    secrets.refresh(None)
    assert secrets.learned == 4
    assert os.stat(paths.secrets).st_size < 2000


def test_what_a_full_disk_did_not_take_is_told_when_there_is_room(paths: RunPaths) -> None:
    paths.secrets.mkdir()
    secrets = Confidential(paths, {})
    secrets.meet([("A_TOKEN", "a-secret-1")])
    secrets.refresh()
    paths.secrets.rmdir()
    secrets.refresh()
    assert Confidential(paths, {}).redactor.text("a-secret-1") == "[redacted:env:A_TOKEN]"


def test_what_a_process_holds_that_the_run_left_behind_is_known_to_who_finalizes_it(paths: RunPaths) -> None:
    here = {"RUNWATCH_RUN_DIR": str(paths.root.resolve()), "LEFT_PASSWORD": LATER, "PATH": os.environ["PATH"]}
    pipe = subprocess.PIPE
    with subprocess.Popen(["sh", "-c", "echo; read line"], env=here, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        secrets = Confidential(paths, {})
        secrets.look_at_processes()
        process.communicate()
    assert secrets.redactor.text(f"with {LATER}") == "with [redacted:env:LEFT_PASSWORD]"
