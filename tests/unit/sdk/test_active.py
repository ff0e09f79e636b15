"""Which run the calling code records into."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runwatch.journal.create import create_run
from runwatch.journal.lock import Role, RunLock
from runwatch.sdk import active, opening
from runwatch.sdk.context import Scope, enter
from runwatch.sdk.steps import Step
from sdk_recording import Recording


def test_without_a_run_it_is_memory() -> None:
    assert active.current() is None
    assert active.emitter() is active.memory()


def test_the_newest_run_is_the_processes_and_a_block_knows_its_own(recording: Recording, tmp_path: Path) -> None:
    wish = opening.Wish(framework="unit", run_id="newer", project_id=None, runs_dir=tmp_path / "runs", config={})
    newer = opening.start(wish)
    active.opened(newer.emitter)
    try:
        assert active.current() is newer.emitter
        with Step(recording.emitter, None, None):
            assert active.current() is recording.emitter
            seen: list[object] = []
            thread = threading.Thread(target=lambda: seen.append(active.current()))
            thread.start()
            thread.join()
            assert seen == [newer.emitter], "a thread that is in no block is in the newest run"
        assert active.find("newer") is newer.emitter
        assert active.find(recording.paths.run_id) is recording.emitter
        assert active.find("nothing") is None
        enter(Scope(newer.emitter, 1))
        newer.emitter.close()
        active.ended(newer.emitter)
        assert active.current() is recording.emitter, "a run that has ended is nobody's"
    finally:
        newer.emitter.close()
        assert newer.lock is not None
        newer.lock.close()


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """The directory of a run that nobody has locked yet."""
    paths = create_run(tmp_path / "runs", "f", now=datetime.now(UTC))
    paths.journal.write_bytes(b"")
    return paths.root


def test_a_directory_that_is_no_live_run_is_told_once_and_not_joined(
    live: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNWATCH_RUN_DIR", str(live))
    assert active.joined() is None
    assert active.joined() is None
    assert capsys.readouterr().err.count("no live run") == 1


def test_a_live_run_is_joined_in_the_step_that_its_journal_says(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (live / "events.jsonl").write_text('{"type":"run.started"}\n{"type":"step.started","step":4}\n')
    lock = RunLock.of(live / ".lock")
    assert lock.acquire(Role.OWNER)
    monkeypatch.setenv("RUNWATCH_RUN_DIR", str(live))
    emitter = active.joined()
    assert emitter is not None
    assert active.joined() is emitter is active.current()
    assert (emitter.joined, emitter.steps.current) == (True, 4)
    with Step(emitter, "next", None) as step:
        assert step.number == 5, "with no supervisor to ask, after the journal's last"
    monkeypatch.setenv("RUNWATCH_DISABLE", "1")
    assert active.current() is None
    emitter.close()
    lock.close()


def test_the_environment_pins_a_step(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (live / "events.jsonl").write_text('{"type":"step.started","step":4}\n')
    lock = RunLock.of(live / ".lock")
    assert lock.acquire(Role.OWNER)
    monkeypatch.setenv("RUNWATCH_RUN_DIR", str(live))
    monkeypatch.setenv("RUNWATCH_STEP", "2")
    emitter = active.joined()
    assert emitter is not None
    assert emitter.steps.current == 2
    emitter.close()
    lock.close()


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("", {"provider": "deepseek", "model": "own"}),
        (',"llm":{"model":"own"}', {"provider": "deepseek"}),
        (',"llm":{"model":"of-the-file"}', {"provider": "deepseek", "model": "own"}),
        (',"llm":{"model":"other"}}\n{"type":"run.configured","llm":{"provider":"said"}', None),
    ],
)
def test_a_model_that_only_a_joining_program_s_environment_names_is_the_run_s(
    live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, found: object
) -> None:
    (live / "events.jsonl").write_text(f'{{"type":"run.started","framework":"f","run_id":"r"{told}}}\n')
    (tmp_path / "runwatch.toml").write_text('[llm]\nmodel = "of-the-file"\n')
    monkeypatch.chdir(tmp_path)
    for name, value in (("PROVIDER", "deepseek"), ("MODEL", " own "), ("TEMPERATURE", "  ")):
        monkeypatch.setenv(f"LLM_{name}", value)
    lock = RunLock.of(live / ".lock")
    assert lock.acquire(Role.OWNER)
    monkeypatch.setenv("RUNWATCH_RUN_DIR", str(live))
    emitter = active.joined()
    assert emitter is not None
    configured = Recording(emitter).events("run.configured")
    lock.close()
    emitter.close()
    assert [event["llm"] for event in configured if event.get("pid")] == ([] if found is None else [found])
