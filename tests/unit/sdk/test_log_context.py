"""The logging context of programs that set it by hand."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from runwatch.sdk.log_context import LogContext
from runwatch.sdk.log_handler import DynamicFileHandler
from sdk_recording import Recording


def a_logger() -> logging.Logger:
    logger = logging.Logger("unit")
    logger.addHandler(DynamicFileHandler("adapter"))
    return logger


def test_in_a_run_setting_and_clearing_are_the_steps_events(recording: Recording) -> None:
    context = LogContext.get_instance()
    assert context is LogContext.get_instance()
    context.set_step_context(3)
    context.set_step_context(3)
    recording.emitter.emit("error", {"message": "in"})
    context.set_step_context(4)
    context.clear_step_context()
    context.clear_step_context()
    recording.emitter.emit("error", {"message": "out"})
    told = [(event["type"], event.get("step")) for event in recording.events()]
    assert told == [
        ("step.started", 3),
        ("error", 3),
        ("step.completed", 3),
        ("step.started", 4),
        ("step.completed", 4),
        ("error", None),
    ]


def test_without_a_run_it_directs_log_files_only(tmp_path: Path) -> None:
    context, log = LogContext.get_instance(), a_logger()
    context.set_run_context("my-run", "baes", tmp_path / "logs")
    log.info("before")
    context.set_step_context(2)
    log.info("during")
    context.clear_step_context()
    log.info("after")
    files = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert set(files) == {"logs/run.log", "logs/step_002/adapter.log"}
    assert [json.loads(line)["msg"] for line in files["logs/run.log"].splitlines()] == ["before", "after"]
    line = json.loads(files["logs/step_002/adapter.log"])
    assert (line["msg"], line["step"], line["run_id"]) == ("during", 2, "my-run")


def test_in_a_run_its_own_logs_stay_where_they_are(recording: Recording, tmp_path: Path) -> None:
    context = LogContext.get_instance()
    context.set_run_context(recording.paths.run_id, "unit", tmp_path / "elsewhere")
    context.set_run_context("another", "unit", tmp_path / "elsewhere")
    a_logger().info("here")
    assert recording.types() == ["warning"]
    assert not (tmp_path / "elsewhere").exists()
    assert [line["msg"] for line in recording.log("run.log")] == ["here"]


def test_threads_set_steps_of_their_own(recording: Recording) -> None:
    context, log = LogContext.get_instance(), a_logger()
    together = threading.Barrier(2, timeout=30)

    def work(number: int) -> None:
        context.set_step_context(number)
        together.wait()
        log.info("step %d", number)
        together.wait()
        context.clear_step_context()

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in (1, 2):
        assert [line["msg"] for line in recording.log(f"step_00{number}/adapter.log")] == [f"step {number}"]
    assert len(recording.events("step.completed")) == 2


def test_a_step_that_one_thread_set_can_be_cleared_by_another(recording: Recording) -> None:
    context = LogContext.get_instance()
    context.set_step_context(1)
    thread = threading.Thread(target=context.clear_step_context)
    thread.start()
    thread.join()
    assert len(recording.events("step.completed")) == 1
    context.clear_step_context()
    assert recording.types() == ["step.started", "step.completed"]


def test_the_context_manager_sets_and_clears(recording: Recording) -> None:
    context = LogContext.get_instance()
    with context.step_context(5, "five"):
        assert context.step_num == 5
    assert context.step_num is None
    assert recording.types() == ["step.started", "step.completed"]
