"""Subscribers: told of everything, hurting nobody."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from runwatch.sdk import listeners
from sdk_recording import Recording


def test_every_event_arrives_in_order_off_the_emitting_thread(recording: Recording) -> None:
    seen: list[tuple[int, str]] = []
    listener = recording.emitter.subscribe(lambda event: seen.append((event["seq"], threading.current_thread().name)))
    for _ in range(100):
        recording.emitter.emit("error", {"message": "x"})
    recording.emitter.unsubscribe(listener, wait_s=30)
    recording.emitter.emit("error", {"message": "not told"})
    assert [number for number, _ in seen] == list(range(2, 102))
    assert threading.current_thread().name not in {name for _, name in seen}


def test_a_failing_subscriber_is_dropped_with_a_warning_and_the_others_go_on(recording: Recording) -> None:
    def fail(event: dict[str, Any]) -> None:
        raise ValueError("my own bug")

    seen: list[str] = []
    warned = threading.Event()

    def look(event: dict[str, Any]) -> None:
        seen.append(event["type"])
        if event["type"] == "warning":
            warned.set()

    recording.emitter.subscribe(fail)
    recording.emitter.subscribe(look)
    assert recording.emitter.emit("error", {"message": "x"})
    assert warned.wait(30)
    assert recording.emitter.emit("error", {"message": "y"})
    recording.emitter.close()
    assert seen == ["error", "warning", "error"]
    assert "my own bug" in recording.events("warning")[0]["message"]


def test_a_slow_subscriber_is_dropped_and_never_waited_for(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "MAX_BEHIND", 50)
    stuck = threading.Event()
    recording.emitter.subscribe(lambda event: stuck.wait(60))
    for _ in range(100):
        assert recording.emitter.emit("error", {"message": "x"})
    warnings = recording.events("warning")
    stuck.set()
    assert len(warnings) == 1
    assert "50 events behind" in warnings[0]["message"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_subscriber_that_leaves_is_dropped_with_a_warning(recording: Recording, error: BaseException) -> None:
    def leave(event: dict[str, Any]) -> None:
        raise error

    warned = threading.Event()
    recording.emitter.subscribe(leave)
    recording.emitter.subscribe(lambda event: warned.set() if event["type"] == "warning" else None)
    recording.emitter.emit("error", {"message": "x"})
    assert warned.wait(30)
    assert f"it raised {type(error).__name__}" in recording.events("warning")[0]["message"]


def test_a_subscriber_that_hangs_over_one_event_is_dropped_by_the_next(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, stuck = threading.Event(), threading.Event()

    def hang(event: dict[str, Any]) -> None:
        busy.set()
        stuck.wait(60)

    recording.emitter.subscribe(hang)
    recording.emitter.emit("error", {"message": "x"})
    assert busy.wait(30)
    recording.emitter.emit("error", {"message": "it is given time"})
    assert recording.events("warning") == []
    monkeypatch.setattr(listeners, "SLOWEST_S", 0.0)
    recording.emitter.emit("error", {"message": "y"})
    stuck.set()
    (warning,) = recording.events("warning")
    assert warning["message"].startswith("a subscriber was dropped: it took longer than 0 s over one event")


def test_a_subscriber_that_is_not_through_when_the_run_ends_is_told_of_and_the_others_have_everything(
    recording: Recording,
) -> None:
    busy, stuck = threading.Event(), threading.Event()
    seen: list[str] = []

    def hang(event: dict[str, Any]) -> None:
        busy.set()
        stuck.wait(60)

    hanging = [recording.emitter.subscribe(hang) for _ in range(2)]
    others = [recording.emitter.subscribe(lambda event: seen.append(event["message"])) for _ in range(2)]
    for number in range(3):
        recording.emitter.emit("error", {"message": str(number)})
    assert busy.wait(30)
    recording.emitter.unsubscribe(*others, wait_s=30)
    recording.emitter.unsubscribe(*hanging, wait_s=0.01)
    stuck.set()
    assert seen.count("2") == 2
    messages = [warning["message"] for warning in recording.events("warning")]
    assert messages == ["a subscriber was dropped: it had not taken 3 events when it was to end"] * 2


def test_a_subscriber_may_emit_and_unsubscribe_from_inside(recording: Recording) -> None:
    done = threading.Event()

    def once(event: dict[str, Any]) -> None:
        recording.emitter.unsubscribe(listener)
        recording.emitter.emit("error", {"message": "from inside"})
        done.set()

    listener = recording.emitter.subscribe(once)
    recording.emitter.emit("error", {"message": "x"})
    assert done.wait(30)
    assert [event["message"] for event in recording.events("error")] == ["x", "from inside"]
