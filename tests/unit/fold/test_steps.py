"""Steps."""

from __future__ import annotations

import pytest

from journals import Journal, scenario_steps
from runwatch.fold import Metrics


def test_the_steps_of_a_run_are_as_the_summary_words_them() -> None:
    first, second, third = scenario_steps().metrics().steps
    assert (first.status, first.duration_s, first.retries, first.api_calls, first.llm_requests) == (
        "success", 5.5, 0, 3, 2,
    )  # fmt: skip
    assert (first.tokens.prompt, first.tokens.completion, first.tokens.total) == (1234, 567, 1801)
    assert first.cost_usd == 0.0125
    assert second.note == "Template-based generation (no LLM calls)"
    assert (third.status, third.api_calls, third.errors, third.note) == ("interrupted", 2, 1, None)


def test_no_step_is_called_template_based_in_a_run_without_model_calls() -> None:
    journal = Journal()
    with journal.step(1):
        journal.wait(1)
    assert journal.metrics().steps[0].note is None


def test_a_failed_step_is_not_called_template_based_and_a_note_of_its_own_stays() -> None:
    journal = Journal()
    journal.llm(model="m")
    with journal.step(1, status="failed"):
        journal.wait(1)
    with journal.step(2, note="nothing to do"):
        journal.wait(1)
    assert [step.note for step in journal.metrics().steps] == [None, "nothing to do"]


def test_what_happens_outside_steps_belongs_to_none() -> None:
    journal = Journal()
    with journal.step(1):
        journal.llm(model="m", prompt_tokens=1, completion_tokens=1)
    metrics = journal.metrics()
    assert (metrics.steps[0].api_calls, metrics.run.llm_calls) == (0, 1)


def test_a_step_goes_on_until_now() -> None:
    journal = Journal()
    journal.add("step.started", step=1, name="a")
    journal.wait(2.5)
    metrics = journal.metrics()
    assert metrics.current_step == 1
    assert (metrics.steps[0].status, metrics.steps[0].duration_s, metrics.steps[0].end_time) == (None, 2.5, None)
    assert journal.fold().metrics("2026-11-21T09:00:00.000000Z").steps[0].duration_s == 0.0


@pytest.mark.parametrize(
    ("events", "retries", "duration_s"),
    [
        pytest.param(["start", "start", "end"], 1, 2.0, id="started while it goes on"),
        pytest.param(["start", "end", "start", "end"], 1, 2.0, id="started again after its end, the gap left out"),
        pytest.param(["start", "end2"], 2, 1.0, id="said at its end"),
        pytest.param(["start", "start", "end2"], 2, 2.0, id="told twice: the larger"),
        pytest.param(["start", "end2", "start", "end"], 3, 2.0, id="before and after"),
    ],
)
def test_a_step_that_is_tried_again_counts_its_retries(events: list[str], retries: int, duration_s: float) -> None:
    journal = Journal()
    for event in events:
        if event == "start":
            journal.add("step.started", after=1, step=1)
        else:
            journal.add("step.completed", after=1, step=1, retries=int(event[3:] or 0))
    step = journal.metrics().steps[0]
    assert (step.retries, step.duration_s, step.status) == (retries, duration_s, "success")


def test_the_first_end_of_a_step_stands() -> None:
    journal = Journal()
    journal.add("step.started", step=1)
    journal.add("step.completed", after=1, step=1, status="failed")
    journal.add("step.completed", after=1, step=1, status="success")
    step = journal.metrics().steps[0]
    assert (step.status, step.duration_s) == ("failed", 1.0)


def test_the_step_at_hand_is_the_one_started_last_that_goes_on() -> None:
    journal = Journal()

    def current() -> int | None:
        return journal.metrics().current_step

    journal.add("step.started", step=1)
    journal.add("step.started", step=2)
    assert current() == 2
    journal.add("step.completed", step=2)
    assert current() == 1
    journal.add("step.started", step=3)
    journal.add("step.started", step=1)
    assert current() == 1
    for step in (1, 3):
        journal.add("step.completed", step=step)
    assert current() is None


def test_a_step_whose_start_was_lost_exists_all_the_same() -> None:
    journal = Journal()
    journal.add("error", step=4, message="m")
    journal.add("step.completed", after=2, step=4)
    journal.add("step.completed", step=9, duration_s=3.0)
    steps = journal.metrics().steps
    assert [(step.step, step.status, step.duration_s) for step in steps] == [(4, "success", 2.0), (9, "success", 3.0)]


def test_a_step_without_a_number_is_the_next_and_its_end_that_of_the_one_at_hand() -> None:
    journal = Journal()
    journal.add("step.started", step=3)
    journal.foreign('{"type":"step.started","name":"four"}')
    journal.foreign('{"type":"step.completed"}')
    steps = journal.metrics().steps
    assert [(step.step, step.name, step.status) for step in steps] == [(3, None, None), (4, "four", "success")]


def test_durations_are_the_event_s_else_of_one_process_s_clock_else_of_the_times() -> None:
    def duration(**ending: object) -> float:
        journal = Journal()
        journal.add("step.started", step=1)
        journal.add("step.completed", after=5, step=1, **ending)
        return journal.metrics().steps[0].duration_s

    assert duration(duration_s=1.25, mono=1003.0) == 1.25
    assert duration(mono=1003.0) == 3.0
    assert duration(mono=1003.0, writer="w2") == 5.0
    assert duration(mono=900.0) == 0.0
    assert duration(ts="2026-11-21T09:00:00Z", writer="w2") == 0.0


def test_what_ended_and_did_not_change_is_the_same_object() -> None:
    journal = scenario_steps()
    fold = journal.fold()

    def shown() -> Metrics:
        return fold.metrics(journal.now)

    assert shown().steps[0] is shown().steps[0]


def test_planned_steps_are_said() -> None:
    run = scenario_steps().metrics().run
    assert (run.steps_planned, run.step_names) == (4, ["schema", "models", "API", "tests"])
