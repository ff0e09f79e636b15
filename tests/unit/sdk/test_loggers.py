"""Loggers of the standard library, on the console and in the run's files."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from runwatch.sdk import loggers
from runwatch.sdk.loggers import get_logger, get_runner_logger, setup_logging
from runwatch.sdk.steps import Step
from sdk_recording import Recording


@pytest.fixture(autouse=True)
def _fresh_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test a root without pytest's own handlers, and loggers that no other test has seen."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    root.setLevel(logging.WARNING)
    known = set(logging.Logger.manager.loggerDict)
    monkeypatch.setattr(loggers, "_loggers", {})
    monkeypatch.setattr(loggers, "_components", {})
    monkeypatch.setattr(loggers, "_level", loggers._OurLevel(logging.INFO))
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in set(logging.Logger.manager.loggerDict) - known:
        del logging.Logger.manager.loggerDict[name]


def test_info_goes_to_the_file_and_stays_off_the_console(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    console = logging.StreamHandler()
    logging.getLogger().addHandler(console)
    log = get_logger("app", "adapter")
    with Step(recording.emitter, None, None):
        log.debug("detail")
        log.info("quiet")
        log.warning("loud")
    assert [line["msg"] for line in recording.log("step_001/adapter.log")] == ["quiet", "loud"]
    assert capsys.readouterr().err == "loud\n"


def test_with_no_run_it_is_an_ordinary_logger(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().handlers.clear()  # pytest's own would be the console
    ours, ordinary = get_logger("mine"), logging.getLogger("theirs")
    for log in (ours, ordinary):
        log.info("quiet")
        log.warning("loud")
    assert capsys.readouterr().err == "loud\nloud\n"
    logging.basicConfig(format="%(name)s %(message)s", level=logging.INFO)
    for log in (ours, ordinary):
        log.debug("detail")
        log.info("told")
    assert capsys.readouterr().err == "mine told\ntheirs told\n"


def test_a_level_that_the_program_sets_counts_everywhere(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger().addHandler(logging.StreamHandler())
    log = get_logger("app")
    log.setLevel(logging.DEBUG)
    log.debug("detail")
    assert [line["msg"] for line in recording.log("run.log")] == ["detail"]
    assert capsys.readouterr().err == "detail\n"
    get_logger("strict").setLevel(logging.ERROR)
    get_logger("strict").warning("not this")
    assert len(recording.log("run.log")) == 1


def test_a_logger_below_another_one_writes_each_line_once(recording: Recording) -> None:
    parent, child = get_logger("app"), get_logger("app.part", "adapter")
    with Step(recording.emitter, None, None):
        child.info("once")
        child.warning("once more")
        parent.info("mine")
    assert [line["msg"] for line in recording.log("step_001/adapter.log")] == ["once", "once more"]
    assert [line["msg"] for line in recording.log("step_001/orchestrator.log")] == ["mine"]


def test_the_same_logger_is_given_again_and_another_component_gets_its_own(recording: Recording) -> None:
    assert get_logger("app") is get_logger("app") is logging.getLogger("app")
    assert len(get_logger("app").handlers) == 1
    with Step(recording.emitter, None, None):
        get_logger("app", "metrics").warning("numbers")
        get_logger("app").warning("words")
    assert [line["msg"] for line in recording.log("step_001/metrics.log")] == ["numbers"]
    assert [line["msg"] for line in recording.log("step_001/orchestrator.log")] == ["words"]


def test_structured_console_lines_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging("DEBUG")
    setup_logging("DEBUG")
    logging.getLogger("any.library").debug("hello", extra={"n": 1})
    get_logger("mine").debug("me too")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["msg"], first["logger"], first["level"], first["n"]) == ("hello", "any.library", "DEBUG", 1)
    assert second["msg"] == "me too"


def test_plain_console_lines_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging("INFO", structured=False)
    get_logger("mine", "adapter").info("hello", extra={"n": 1})
    time, level, component, message, extra = capsys.readouterr().err.split()
    assert len(time) == len("14:26:01.120")
    assert (level, component, message, extra) == ("INFO", "adapter", "hello", "n=1")


def test_a_level_that_is_none_is_told_and_info_taken(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging("LOUD")
    assert "'LOUD' is no log level" in capsys.readouterr().err
    assert logging.getLogger().level == logging.INFO


def test_a_bound_logger_says_whom_its_lines_are_about(recording: Recording) -> None:
    log = get_runner_logger("r1", "t2", "spec")
    log.info("task_started", repo="x", name="taken")
    log.bind(attempt=2).info("again %d", 1)
    first, second = recording.log("run.log")
    assert (first["msg"], first["runner_id"], first["task_id"], first["spec_name"]) == (
        "task_started",
        "r1",
        "t2",
        "spec",
    )
    assert (first["repo"], first["name_"]) == ("x", "taken")
    assert (second["msg"], second["attempt"]) == ("again 1", 2)
