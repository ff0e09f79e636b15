"""The stand-in: recorded as one, the same every time, with the troubles of a real provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo_parts import MemoryRun, memory_run
from runwatch.demo import model
from runwatch.demo.model import MODEL, PROVIDER, StandIn, count_tokens
from runwatch.demo.pace import Pace

ROLES = {"coding": "You are the coding agent.", "review": "You are the review agent."}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    with memory_run(monkeypatch) as run:
        yield run


def stand_in(run: MemoryRun) -> StandIn:
    return StandIn(run.run, Pace(0), ROLES)


def calls(run: MemoryRun) -> list[dict[str, Any]]:
    return run.events("llm.started", "llm.completed", "llm.retry")


def test_a_request_is_recorded_as_the_stand_ins_with_the_tokens_of_its_text(run: MemoryRun) -> None:
    answer = stand_in(run).ask("coding", "Why?", "def f(): ...", "Because of f.")
    assert answer == "Because of f."
    started, completed = calls(run)
    assert (started["provider"], started["model"]) == (PROVIDER, MODEL) == ("stand-in", "scripted-stand-in-1")
    assert completed["completion_tokens"] == count_tokens("Because of f.")
    assert completed["prompt_tokens"] == count_tokens("You are the coding agent.\n\ndef f(): ...\n\nWhy?")


def test_a_conversation_is_sent_again_with_the_next_question_and_found_in_the_cache(run: MemoryRun) -> None:
    asked, material = stand_in(run), "word " * 400
    for _ in range(2):
        asked.ask("coding", "Why?", material, "Because.")
    asked.ask("review", "Why?", material, "Because.")
    first, second, other = (event for event in calls(run) if event["type"] == "llm.completed")
    assert second["prompt_tokens"] > first["prompt_tokens"]
    assert 400 <= second["cache_read_tokens"] < second["prompt_tokens"]
    assert not first.get("cache_read_tokens")
    assert not other.get("cache_read_tokens"), "another role has another conversation"


@pytest.mark.parametrize(("trouble", "result"), [(model.RateLimitError, "rate_limit"), (TimeoutError, "timeout")])
def test_a_request_in_trouble_is_retried_once_and_both_attempts_are_recorded(
    run: MemoryRun, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception], result: str
) -> None:
    monkeypatch.setattr(model, "TROUBLE", {1: trouble})
    assert stand_in(run).ask("coding", "Why?", "", "Because.") == "Because."
    _, failed, retry, _, succeeded = calls(run)
    assert (failed["result"], failed["attempt"]) == (result, 1)
    assert "prompt_tokens" not in failed, "a refused request costs nothing"
    assert (retry["type"], retry["attempt"], retry["backoff_s"]) == ("llm.retry", 1, 0.0)
    assert succeeded["attempt"] == 2
    assert succeeded.get("result", "success") == "success"


def test_tokens_are_pieces_of_words_and_signs() -> None:
    assert count_tokens("round_cents(value)") == 5
    assert count_tokens("") == 0
