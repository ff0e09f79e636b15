"""Waiting for a person."""

from __future__ import annotations

import pytest

from runwatch.sdk.hitl import Question
from sdk_recording import Recording


def test_a_question_and_its_answer_are_a_pair(recording: Recording) -> None:
    with Question(recording.emitter, "Go on?") as question:
        question.answer("yes")
    asked, answered = recording.events()
    assert (asked["type"], asked["question"]) == ("hitl.requested", "Go on?")
    assert (answered["type"], answered["answer"], answered["call_id"]) == ("hitl.answered", "yes", asked["call_id"])
    assert answered["wait_s"] >= 0


def test_a_wait_that_ends_without_an_answer_ends_all_the_same(recording: Recording) -> None:
    with pytest.raises(KeyboardInterrupt), Question(recording.emitter, "Go on?"):
        raise KeyboardInterrupt
    assert "answer" not in recording.events("hitl.answered")[0]
