"""The emitter: envelope, acknowledgement, values that cannot be meant."""

from __future__ import annotations

import os
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runwatch.events import decode
from runwatch.sdk.context import Scope, enter
from runwatch.sdk.core import Emitter
from runwatch.sdk.run import RunLogger
from sdk_recording import Recording


def test_an_event_carries_who_when_and_where(recording: Recording) -> None:
    enter(Scope(recording.emitter, 3, 123, "coding"))
    assert recording.emitter.emit("tool.completed", {"tool": "grep", "duration_s": 0.5}) is True
    (event,) = recording.events()
    assert event["type"] == "tool.completed"
    assert (event["step"], event["issue"], event["agent"]) == (3, 123, "coding")
    assert (event["writer"], event["pid"]) == (recording.emitter.writer, os.getpid())
    assert event["seq"] == 2, "run.started was the first"
    assert event["ts"].endswith("Z")
    assert len(event["ts"]) == len("2026-11-21T01:31:55.123456Z")
    assert isinstance(event["mono"], float)


def test_the_type_is_the_first_key_whatever_the_event(recording: Recording) -> None:
    recording.emitter.emit("tool.completed", {"tool": "a"})
    recording.emitter.emit("tool.completed", {"tool": "a", "more": 1})
    recording.emitter.emit("something.else", {"a": 1})
    for line in recording.paths.journal.read_bytes().splitlines():
        assert line.startswith(b'{"type":"')
        decode(line)


def test_fields_win_over_the_context_but_not_over_the_writer(recording: Recording) -> None:
    enter(Scope(recording.emitter, 3))
    recording.emitter.emit("error", {"message": "x", "step": 7, "writer": "forged", "seq": 99, "pid": 1})
    (event,) = recording.events()
    assert event["step"] == 7
    assert (event["writer"], event["seq"], event["pid"]) == (recording.emitter.writer, 2, os.getpid())


def test_an_event_of_another_time_has_no_monotonic_clock(recording: Recording) -> None:
    for fields in ({"tool": "a"}, {"tool": "a", "foreign": 1}):
        recording.emitter.emit("tool.completed", {**fields, "ts": "2020-01-01T00:00:00.000000Z", "mono": 5.0})
    for event in recording.events():
        assert event["ts"].startswith("2020")
        assert "mono" not in event


def test_unknown_types_and_fields_are_kept(recording: Recording) -> None:
    assert recording.emitter.emit("kitchen.sink", {"a": {"b": [1, 2]}, "step": None})
    assert recording.emitter.emit("tool.completed", {"tool": "t", "color": "red"})
    first, second = recording.events()
    assert first["a"] == {"b": [1, 2]}
    assert "step" not in first
    assert second["color"] == "red"


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("1.5"), "1.5"),
        (Path("/a"), "/a"),
        ({1}, [1]),
        (float("nan"), None),
        ("\udcff", "\\udcff"),
        (Unprintable(), "<Unprintable without text>"),
        (2**80, 2**80),
        ({(1, 2): "x"}, {"(1, 2)": "x"}),
    ],
)
def test_values_that_json_lacks_become_text_and_are_acknowledged(
    recording: Recording, value: object, shown: object
) -> None:
    assert recording.emitter.emit("any.thing", {"value": value})
    assert recording.events()[0].get("value") == shown


def test_a_structure_that_holds_itself_hurts_nobody(recording: Recording) -> None:
    recording.emitter.emit("any.thing", {"value": CYCLE})
    assert recording.emitter.emit("any.thing", {"value": 1})


@pytest.mark.parametrize(
    ("type_name", "fields"),
    [
        ("tool.completed", {"tool": "t", "duration_s": "soon"}),
        ("tool.completed", {"tool": "t", "duration_s": 1e308}),
        ("coverage.measured", {"percent": float("nan")}),
        ("coverage.measured", {"percent": 500}),
        ("llm.completed", {"prompt_tokens": 10**30}),
        ("tool.completed", {}),
        (3, {}),
        ("", {}),
        ("x", [1]),
    ],
)
def test_what_cannot_be_meant_is_refused_told_once_and_counted(
    recording: Recording, capsys: pytest.CaptureFixture[str], type_name: Any, fields: Any
) -> None:
    for _ in range(3):
        assert recording.emitter.emit(type_name, fields) is False
    assert recording.types() == ["warning"]
    assert capsys.readouterr().err.count("runwatch: ") == 1
    assert len(recording.log("run.log")) == 1
    assert recording.emitter.refused == 3


def test_eight_threads_lose_nothing_and_number_their_events(recording: Recording) -> None:
    def work(name: int) -> None:
        for number in range(500):
            assert recording.emitter.emit("tool.completed", {"tool": "t", "call_id": f"{name}-{number}"})

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = recording.events()
    assert len({event["call_id"] for event in events}) == 4000
    assert len({event["seq"] for event in events}) == 4000


def test_without_a_run_events_are_counted_and_not_acknowledged() -> None:
    emitter = Emitter(None)
    assert emitter.emit("tool.completed", {"tool": "grep", "duration_s": 1.0}) is False
    assert emitter.memory is not None
    metrics = emitter.memory.metrics()
    assert metrics is not None
    assert [(tool.name, tool.calls) for tool in metrics.tools] == [("grep", 1)]


def test_after_the_end_nothing_is_acknowledged(recording: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    recording.emitter.close()
    before = recording.paths.journal.read_bytes()
    assert not recording.emitter.emit("error", {"message": "late"})
    assert not recording.emitter.emit("error", {"message": "later"})
    assert recording.paths.journal.read_bytes() == before
    assert capsys.readouterr().err.count("after the end") == 1


def test_a_forked_child_is_another_writer(recording: Recording) -> None:
    recording.emitter.emit("error", {"message": "parent"})
    child = os.fork()
    if not child:
        recording.emitter.emit("error", {"message": "child"})
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    recording.emitter.emit("error", {"message": "parent again"})
    first, second, third = recording.events()
    assert first["writer"] == third["writer"] != second["writer"]
    assert (second["pid"], second["seq"], second["message"]) == (child, 1, "child")


def test_a_child_that_closes_all_descriptors_writes_to_the_journal_and_nowhere_else(
    recording: Recording, tmp_path: Path
) -> None:
    mine = tmp_path / "users-file"
    child = os.fork()
    if not child:
        os.closerange(3, 256)
        files = [os.open(mine, os.O_RDWR | os.O_CREAT) for _ in range(40)]
        acknowledged = recording.emitter.emit("error", {"message": "child"})
        os._exit(0 if acknowledged and os.fstat(files[0]).st_size == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [event["message"] for event in recording.events()] == ["child"]


def test_what_is_probably_not_meant_is_recorded_and_told_of_once(recording: Recording) -> None:
    run = RunLogger.around(recording.emitter)
    for _ in range(2):
        assert run.emit("pipeline.completed", {"pipeline_id": 7, "status": "frobnicate"})
        assert run.emit("agent.compleated", {"agent": "a"})
        assert run.emit("deploy.done", {"where": "here"})
    assert [warning["message"] for warning in recording.events("warning")] == [
        "pipeline 7: status 'frobnicate' is none of success, failed, canceled, skipped, timeout and counts as none",
        "agent.compleated is no type of event that counts: is agent.completed meant?",
    ]
    assert len(recording.events("pipeline.completed", "agent.compleated", "deploy.done")) == 6
