"""What a model call would cost."""

from __future__ import annotations

from typing import Any

import pytest

from runwatch.sdk.costs import estimate_llm_cost
from sdk_recording import Recording


def test_a_cost_is_usd_and_that_of_an_unknown_model_none() -> None:
    assert estimate_llm_cost("gpt-4o", 1000, 500) == estimate_llm_cost("gpt-4o", 1000.0, 500)  # type: ignore[arg-type]  # a whole number
    assert (estimate_llm_cost("gpt-4o", 1000, 500) or 0) > 0
    assert estimate_llm_cost("no-such-model", 1, 1) is None


def test_what_cannot_be_meant_costs_none_and_is_told_once(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong: list[tuple[Any, Any, Any]] = [
        ("gpt-4o", None, 1), ("gpt-4o", "5", 1), (None, 1, 1), (["gpt-4o"], 1, 1), ("gpt-4o", -1000, 1),
        ("gpt-4o", float("nan"), 1), ("gpt-4o", 1, float("inf")), ("gpt-4o", 0.5, 1), ("gpt-4o", 10**400, 1),
    ]  # fmt: skip
    assert [estimate_llm_cost(*given) for given in wrong] == [None] * len(wrong)
    assert capsys.readouterr().err.count("estimate_llm_cost") == 1
    assert recording.emitter.troubles.counts["estimate_llm_cost"] == len(wrong)
