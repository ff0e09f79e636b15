"""Steps: numbers, status, context, in tasks and threads."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from runwatch.sdk.steps import Step, close_step
from sdk_recording import Recording


def step(recording: Recording, name: str | None = None, number: int | None = None) -> Step:
    return Step(recording.emitter, name, number)


def test_steps_are_numbered_from_one_and_a_number_moves_the_count(recording: Recording) -> None:
    for number in (None, None, 7, None):
        with step(recording, "x", number):
            pass
    assert [event["step"] for event in recording.events("step.started")] == [1, 2, 7, 8]
    assert [event["step"] for event in recording.events("step.completed")] == [1, 2, 7, 8]


def test_a_step_says_how_it_went(recording: Recording) -> None:
    with step(recording, "retried") as tried:
        tried.retry()
        tried.retry()
        tried.note("third time lucky")
    with step(recording, "left out") as skipped:
        skipped.skip("nothing to do")
    first, second = recording.events("step.completed")
    assert (first["retries"], first["note"]) == (2, "third time lucky")
    assert first["duration_s"] >= 0
    assert (second["status"], second["note"]) == ("skipped", "nothing to do")


class Cancelled(BaseException):
    pass


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("bad"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (asyncio.CancelledError(), "interrupted"),
        (SystemExit(3), "failed"),
        (SystemExit(0), None),
        (Cancelled(), "failed"),
    ],
)
def test_an_exception_is_the_steps_status_and_goes_on(
    recording: Recording, error: BaseException, status: str | None
) -> None:
    with pytest.raises(type(error)), step(recording, "x"):
        raise error
    (done,) = recording.events("step.completed")
    assert done.get("status") == status


def test_an_exception_through_two_steps_is_one_error(recording: Recording) -> None:
    with pytest.raises(ValueError, match="bad"), step(recording, "outer"), step(recording, "inner"):
        raise ValueError("bad")
    (error,) = recording.events("error")
    assert (error["error_type"], error["message"], error["step"]) == ("ValueError", "bad", 2)
    assert "test_steps.py:" in error["where"]


def test_a_bad_number_is_a_warning_and_the_next_one_is_taken(recording: Recording) -> None:
    for number in (0, -1, True, "3", 1.5):
        with step(recording, "x", number):  # type: ignore[arg-type]  # that is the point
            pass
    assert len(recording.events("warning")) == 5
    assert [event["step"] for event in recording.events("step.started")] == [1, 2, 3, 4, 5]


def test_ending_a_step_that_nobody_opened_is_a_warning(recording: Recording) -> None:
    close_step(recording.emitter, 5, "success")
    assert recording.types() == ["warning"]


def test_events_between_steps_belong_to_none(recording: Recording) -> None:
    with step(recording):
        recording.emitter.emit("error", {"message": "in"})
    recording.emitter.emit("error", {"message": "out"})
    assert [event.get("step") for event in recording.events("error")] == [1, None]


def test_after_an_inner_step_the_outer_one_goes_on(recording: Recording) -> None:
    with step(recording):
        with step(recording):
            recording.emitter.emit("error", {"message": "inner"})
        recording.emitter.emit("error", {"message": "outer"})
    assert [event["step"] for event in recording.events("error")] == [2, 1]


def test_two_tasks_are_in_steps_of_their_own(recording: Recording) -> None:
    async def work(name: str, mine: asyncio.Event, other: asyncio.Event) -> None:
        with step(recording, name):
            mine.set()
            await other.wait()
            for _ in range(3):
                recording.emitter.emit("error", {"message": name})
                await asyncio.sleep(0)

    async def both() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        await asyncio.gather(work("a", first, second), work("b", second, first))

    asyncio.run(both())
    _assert_each_in_its_own(recording, {"a", "b"})


def test_two_threads_are_in_steps_of_their_own(recording: Recording) -> None:
    together = threading.Barrier(2, timeout=30)

    def work(name: str) -> None:
        with step(recording, name):
            together.wait()
            for _ in range(3):
                recording.emitter.emit("error", {"message": name})
            together.wait()

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _assert_each_in_its_own(recording, {"a", "b"})


def _assert_each_in_its_own(recording: Recording, names: set[str]) -> None:
    numbers = {event["name"]: event["step"] for event in recording.events("step.started")}
    assert set(numbers) == names
    assert len(set(numbers.values())) == len(names)
    errors: list[dict[str, Any]] = recording.events("error")
    assert len(errors) == 3 * len(names)
    assert all(event["step"] == numbers[event["message"]] for event in errors)


def test_a_thread_without_a_step_is_in_the_process_wide_one(recording: Recording) -> None:
    with step(recording), step(recording):
        thread = threading.Thread(target=lambda: recording.emitter.emit("error", {"message": "x"}))
        thread.start()
        thread.join()
    assert [event["step"] for event in recording.events("error")] == [2]


def test_entering_a_step_twice_is_a_warning(recording: Recording) -> None:
    one = step(recording)
    with one:
        pass
    with one:
        pass
    assert len(recording.events("warning")) == 1
