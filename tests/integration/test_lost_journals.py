"""A command that empties, replaces or deletes its run's journal: what is lost is said, the rest of the run is there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from integration.recorded import RUNWATCH, git, repository, runwatch, start, wait_for

SAID = "the journal was emptied, replaced or deleted while the run went on"
DEEDS = {
    "emptied": ': > "$J"',
    "replaced by another": 'echo "{}" > "$J.new"; mv "$J.new" "$J"',
    "deleted": 'rm "$J"',
    "a pipe": 'rm "$J"; mkfifo "$J"',
    "a folder": 'rm "$J"; mkdir "$J"',
    "a link": 'rm "$J"; ln -s /etc/hostname "$J"',
}


def test_a_journal_that_is_lost_under_a_live_run_is_told_and_its_first_event_written_again(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    runwatch_ = " ".join(RUNWATCH)
    running = {}
    for number, deed in enumerate(DEEDS.values()):
        script = (
            f'J="$RUNWATCH_RUN_DIR/events.jsonl"; {runwatch_} emit warning message=before; echo said; read line; '
            f"{deed}; echo done; read line; exit 3"
        )
        running[f"r{number}"] = start("sh", "-c", script, cwd=repo, options=("--run-id", f"r{number}"), stdin=-1)
    for run_id, process in running.items():
        run = repo / "runs/default" / run_id
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"said\n"
        wait_for(lambda run=run: b"before" in _all(run / "logs"), "the recorder to read it")
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"done\n"
    for process in running.values():
        process.communicate(b"\n", timeout=60)
        assert process.returncode == 3
    for run_id, how in zip(running, DEEDS, strict=True):
        run = repo / "runs/default" / run_id
        events = [json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines() if line != b"{}"]
        assert [event["command"][0] for event in events if event["type"] == "run.started"] == ["sh"], how
        warnings = [event["message"] for event in events if event["type"] == "warning"]
        assert [SAID in message for message in warnings] == [True], (how, warnings)
        assert events[-1]["type"] == "run.completed", how
        metadata = json.loads((run / "metadata.json").read_bytes())
        assert (metadata["status"], metadata["exit_code"], metadata["reason"]) == ("failed", 3, "exit code 3"), how
        summary = " ".join((run / "logs_summary.txt").read_text().split())
        assert SAID in summary, how
        assert "Repeat: runwatch run --framework default -- sh -c" in summary, how
        assert (run / "run.tar.gz").is_file(), how
    assert git("status", "--porcelain", cwd=repo) == ""
    assert len(git("log", "--format=%s", cwd=repo).splitlines()) == 1 + len(DEEDS)


def test_a_journal_that_was_copied_and_put_back_has_lost_nothing(tmp_path: Path) -> None:
    script = 'J="$RUNWATCH_RUN_DIR/events.jsonl"; echo said; read line; cp "$J" "$J.new"; mv "$J.new" "$J"; echo x'
    process = start("sh", "-c", script, cwd=tmp_path, stdin=-1)
    assert process.stdout is not None
    assert process.stdout.readline() == b"said\n"
    wait_for(lambda: list(tmp_path.glob("runs/*/*/metrics.json")), "the recorder")
    process.communicate(b"\n", timeout=60)
    (journal,) = tmp_path.glob("runs/*/*/events.jsonl")
    events = [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert [event["type"] for event in events].count("run.started") == 1
    assert not [event for event in events if event["type"] == "warning" and SAID in event["message"]]
    assert events[-1]["status"] == "completed"


@pytest.mark.parametrize(("deed", "said"), [("pipe", "is no regular file"), ("nothing", "was deleted")])
def test_a_finished_run_without_its_journal_is_named_for_what_it_is(deed: str, said: str, tmp_path: Path) -> None:
    assert runwatch("run", "--run-id", "r", "--", "true", cwd=tmp_path).returncode == 0
    journal = tmp_path / "runs/default/r/events.jsonl"
    journal.unlink()
    if deed == "pipe":
        os.mkfifo(journal)
    done = runwatch("finalize", "r", cwd=tmp_path)
    assert done.returncode == 1
    assert f"{journal} {said}" in done.stderr.decode()
    if deed == "nothing":
        assert "`runwatch extract r events.jsonl --to FOLDER` gets it back" in done.stderr.decode()
        assert runwatch("extract", "r", "events.jsonl", "--to", "there", cwd=tmp_path).returncode == 0
        next((tmp_path / "there").rglob("events.jsonl")).rename(journal)
        assert runwatch("finalize", "r", cwd=tmp_path).stdout.startswith(b"runwatch: result   completed")


def _all(logs: Path) -> bytes:
    return b"".join(path.read_bytes() for path in logs.glob("**/*.log"))
