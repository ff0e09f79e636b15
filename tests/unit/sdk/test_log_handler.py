"""The handler that follows the context from file to file."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runwatch.sdk import active
from runwatch.sdk.log_handler import DynamicFileHandler
from runwatch.sdk.steps import Step
from sdk_recording import Recording


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.Logger("unit")  # of no tree, so that only our handler sees its records
    logger.addHandler(DynamicFileHandler("adapter"))
    yield logger
    logger.handlers.clear()


def messages(recording: Recording, name: str) -> list[str]:
    return [line["msg"] for line in recording.log(name)]


def test_lines_go_to_the_step_at_hand_and_outside_steps_to_the_run(recording: Recording, log: logging.Logger) -> None:
    log.info("before")
    with Step(recording.emitter, None, None):
        log.info("in %s", "one")
    log.info("between")
    with Step(recording.emitter, None, 1000):
        log.info("far")
    assert messages(recording, "run.log") == ["before", "between"]
    assert messages(recording, "step_001/adapter.log") == ["in one"]
    assert messages(recording, "step_1000/adapter.log") == ["far"]


def test_a_line_says_what_the_specification_wants(recording: Recording, log: logging.Logger) -> None:
    with Step(recording.emitter, None, None):
        log.warning("hello %s", "you", extra={"request": 7})
    (line,) = recording.log("step_001/adapter.log")
    assert list(line)[:5] == ["ts", "level", "component", "logger", "msg"]
    assert (line["level"], line["component"], line["logger"], line["msg"]) == (
        "WARNING",
        "adapter",
        "unit",
        "hello you",
    )
    assert (line["step"], line["run_id"], line["request"]) == (1, recording.paths.run_id, 7)


def test_tasks_and_threads_write_to_directories_of_their_own(recording: Recording, log: logging.Logger) -> None:
    async def task(number: int) -> None:
        with Step(recording.emitter, None, number):
            for _ in range(20):
                log.info("step %d", number)
                await asyncio.sleep(0)

    async def tasks() -> None:
        await asyncio.gather(task(1), task(2))

    together = threading.Barrier(2, timeout=30)

    def thread(number: int) -> None:
        with Step(recording.emitter, None, number):
            together.wait()
            for _ in range(20):
                log.info("step %d", number)

    asyncio.run(tasks())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(thread, (3, 4)))
    for number in (1, 2, 3, 4):
        assert messages(recording, f"step_{number:03d}/adapter.log") == [f"step {number}"] * 20


def test_a_traceback_is_part_of_its_line(recording: Recording, log: logging.Logger) -> None:
    try:
        raise ValueError("bad\nvalue")
    except ValueError:
        log.exception("failed")
    (line,) = recording.log("run.log")
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: bad\nvalue")


def test_more_logs_than_may_be_open_are_all_whole(recording: Recording, log: logging.Logger) -> None:
    for turn in range(3):
        for number in range(1, 101):
            with Step(recording.emitter, None, number):
                log.info("turn %d", turn)
    for number in range(1, 101):
        assert messages(recording, f"step_{number:03d}/adapter.log") == ["turn 0", "turn 1", "turn 2"]


def test_a_link_in_the_way_is_not_followed(
    recording: Recording, log: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (recording.paths.logs / "step_001").symlink_to(outside)
    (recording.paths.logs / "step_002").mkdir()
    (recording.paths.logs / "step_002" / "adapter.log").symlink_to(outside / "file")
    for number in (1, 2):
        with Step(recording.emitter, None, number):
            log.info("secret")
    assert list(outside.iterdir()) == []
    assert recording.emitter.losses.log_lines == 2
    assert capsys.readouterr().err.count("runwatch: ") == 1


def test_a_component_that_is_no_file_name_becomes_the_usual_one(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.Logger("unit")
    logger.addHandler(DynamicFileHandler("../../x"))
    with Step(recording.emitter, None, None):
        logger.info("x")
    assert messages(recording, "step_001/orchestrator.log") == ["x"]
    assert "cannot be a file name" in capsys.readouterr().err


def test_a_bad_format_argument_is_shown_as_the_standard_library_does(
    recording: Recording, log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log.info("%d", "no number")
    log.info("goes on")
    assert messages(recording, "run.log") == ["goes on"]
    assert "--- Logging error ---" in capsys.readouterr().err


def test_text_that_is_no_unicode_and_values_without_text_are_written(recording: Recording, log: logging.Logger) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError

    log.info("odd \udcff", extra={"value": Odd()})
    (line,) = recording.log("run.log")
    assert line["msg"] == "odd \\udcff"
    assert line["value"] == "<Odd without text>"


def test_with_no_run_and_no_folder_nothing_is_written(log: logging.Logger, tmp_path: Path) -> None:
    assert active.current() is None
    log.error("nowhere")
    assert list(tmp_path.iterdir()) == []


def test_reconciliation_never_lies_in_a_step(recording: Recording) -> None:
    logger = logging.Logger("unit")
    logger.addHandler(DynamicFileHandler("reconciliation"))
    with Step(recording.emitter, None, None):
        logger.info("x")
    assert messages(recording, "reconciliation.log") == ["x"]
