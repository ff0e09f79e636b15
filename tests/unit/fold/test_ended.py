"""The attempts of a long run: every one of them, as it is now, however late it was corrected."""

from __future__ import annotations

import tracemalloc

from journals import Journal
from runwatch.fold import Fold
from runwatch.fold.blocks import SIZE
from runwatch.fold.ended import AttemptRows, EndedAttempts

NOW = "2026-11-21T12:00:00.000000Z"
MANY = 6 * SIZE


def feed(fold: Fold, journal: Journal) -> AttemptRows:
    for line in journal.lines:
        fold.feed_line(line)
    journal.lines.clear()
    rows = fold.metrics(NOW).attempts
    assert isinstance(rows, AttemptRows)
    return rows


def test_late_news_correct_old_attempts_of_a_long_run_and_say_so() -> None:
    fold, journal = Fold(), Journal()
    for number in range(MANY):
        about = {"issue": 1, "agent": "early" if number == SIZE + 7 else "many"}
        journal.add("agent.started", **about)
        journal.add("llm.completed", **about, request_id=f"r{number}", total_tokens=10, model="m")
        journal.add("agent.completed", after=1, **about, success=True)
    rows = feed(fold, journal)
    assert len(rows) == MANY
    assert [row.total_tokens for row in rows] == [10] * MANY
    assert (rows[SIZE + 7].agent, rows[-1].attempt, rows[2 * SIZE].attempt) == ("early", MANY - 1, 2 * SIZE)
    assert feed(fold, journal).corrections == rows.corrections

    journal.add("outcome.verified", issue=1, agent="early", success=False, source="ci")
    journal.add("debug.started", issue=1, agent="early", cycle=1)
    journal.add("debug.attempt", issue=1, cycle=1)
    journal.add("llm.completed", issue=1, agent="many", request_id=f"r{3 * SIZE}", total_tokens=44, model="m")
    corrected = feed(fold, journal)
    assert corrected.corrections > rows.corrections
    assert (corrected[SIZE + 7].success, corrected[SIZE + 7].retries) == (False, 1)
    assert sum(row.total_tokens for row in corrected) == 10 * MANY + 34
    assert corrected[3 * SIZE].total_tokens == 44
    assert [row.agent for row in corrected[:2]] == ["many", "many"]
    assert corrected == list(corrected) != list(corrected)[1:]


def test_another_source_that_saw_more_takes_its_attempts_tokens_over() -> None:
    fold, journal = Fold(), Journal()
    for number in range(MANY):
        journal.add("agent.started", issue=1, agent="a")
        journal.add("llm.completed", issue=1, agent="a", total_tokens=10, model="m")
        if number < 3:
            journal.add("llm.completed", issue=1, agent="a", total_tokens=99_999, model="m", source="otlp.span")
        journal.add("agent.completed", after=1, issue=1, agent="a", success=True)
    rows = feed(fold, journal)
    assert [row.total_tokens for row in rows] == [99_999] * 3 + [0] * (MANY - 3)
    assert sum(row.total_tokens for row in rows) == fold.metrics(NOW).run.tokens.total


def test_an_attempt_takes_less_than_a_hundred_and_fifty_bytes() -> None:
    fold, journal = Fold(), Journal()
    held = []
    tracemalloc.start()
    for part in range(3):
        for number in range(8 * SIZE):
            about = {"issue": 1, "agent": "a"}
            journal.add("agent.started", after=0.01, **about)
            journal.add("llm.completed", after=0.013, **about, request_id=f"{part}-{number}", total_tokens=10)
            journal.add("agent.completed", after=1.1, **about, success=bool(number % 3), error=f"check {number % 7}")
        feed(fold, journal)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert (held[2] - held[1]) / (8 * SIZE) < 150, "its call, which is remembered, included"


def test_few_attempts_are_a_plain_list() -> None:
    assert EndedAttempts().rows() == []
