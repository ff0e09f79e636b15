"""What model clients say of a call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from runwatch.sdk.usage import call_as_told, usage_fields


def thing(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**fields)


@pytest.mark.parametrize(
    ("usage", "fields"),
    [
        ({"input_tokens": 3, "output_tokens": 4}, {"prompt_tokens": 3, "completion_tokens": 4}),
        (
            thing(prompt_tokens=3, completion_tokens=4, total_tokens=7, cost=0.5),
            {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "cost_usd": 0.5},
        ),
        ({"total_tokens": 9, "estimated_cost": 0}, {"total_tokens": 9, "cost_usd": 0.0}),
        (  # OpenAI: cached tokens are part of the input
            thing(
                prompt_tokens=100,
                completion_tokens=50,
                prompt_tokens_details=thing(cached_tokens=60),
                completion_tokens_details=thing(reasoning_tokens=20),
            ),
            {"prompt_tokens": 100, "completion_tokens": 50, "cache_read_tokens": 60, "reasoning_tokens": 20},
        ),
        (  # LangChain: an answer of any provider; all of it is part of the input
            thing(
                id="run-1",
                usage_metadata={
                    "input_tokens": 100, "output_tokens": 50, "total_tokens": 150,
                    "input_token_details": {"cache_read": 60, "cache_creation": 7},
                    "output_token_details": {"reasoning": 20},
                },
            ),
            {
                "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150, "cache_read_tokens": 60,
                "cache_write_tokens": 7, "reasoning_tokens": 20, "request_id": "run-1",
            },
        ),
        (  # Anthropic: beside it
            thing(input_tokens=10, output_tokens=5, cache_read_input_tokens=80, cache_creation_input_tokens=7),
            {"prompt_tokens": 97, "completion_tokens": 5, "cache_read_tokens": 80, "cache_write_tokens": 7},
        ),
        (  # LiteLLM: Anthropic's names, and all of it inside, as the total says
            {
                "prompt_tokens": 1300, "completion_tokens": 50, "total_tokens": 1350, "cache_read_input_tokens": 1000,
                "cache_creation_input_tokens": 200, "prompt_tokens_details": {"cached_tokens": 1000},
            },
            {
                "prompt_tokens": 1300, "completion_tokens": 50, "total_tokens": 1350, "cache_read_tokens": 1000,
                "cache_write_tokens": 200,
            },
        ),
        (  # the same without a total: the details say it
            {
                "prompt_tokens": 1300, "completion_tokens": 50, "cache_read_input_tokens": 1000,
                "prompt_tokens_details": {"cached_tokens": 1000},
            },
            {"prompt_tokens": 1300, "completion_tokens": 50, "cache_read_tokens": 1000},
        ),
        (  # a total that only Anthropic's own way explains
            {"input_tokens": 10, "output_tokens": 5, "total_tokens": 95, "cache_read_input_tokens": 80},
            {"prompt_tokens": 90, "completion_tokens": 5, "total_tokens": 95, "cache_read_tokens": 80},
        ),
        (  # a wrapper's total of the two: what was cached cannot be inside the smaller input
            {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "cache_read_input_tokens": 80},
            {"prompt_tokens": 90, "completion_tokens": 5, "total_tokens": 15, "cache_read_tokens": 80},
        ),
        (  # Gemini through a client that counts thoughts inside, and results of tools beside
            {
                "prompt_token_count": 8, "candidates_token_count": 5, "thoughts_token_count": 3,
                "tool_use_prompt_token_count": 4, "total_token_count": 17,
            },
            {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "reasoning_tokens": 3},
        ),
        (
            thing(prompt_token_count=8, candidates_token_count=2, total_token_count=13, thoughts_token_count=3),
            {"prompt_tokens": 8, "completion_tokens": 5, "total_tokens": 13, "reasoning_tokens": 3},
        ),
        ({"input_tokens": 1, "model": "m", "provider": "p", "request_id": "r"}, {
            "prompt_tokens": 1, "model": "m", "provider": "p", "request_id": "r",
        }),
        ({"input_tokens": 1200.0, "output_tokens": 1200.5}, {"prompt_tokens": 1200}),
        ({"input_tokens": True, "output_tokens": -1, "cost": float("nan")}, {}),
        ({"input_tokens": 1, "model": "unknown", "provider": "none"}, {"prompt_tokens": 1}),
        ({"model": "m"}, {}),
        (None, {}),
        ("text", {}),
    ],
)  # fmt: skip
def test_the_numbers_are_found_under_every_clients_names(usage: Any, fields: dict[str, Any]) -> None:
    assert usage_fields(usage) == fields


def test_a_property_that_raises_counts_as_absent() -> None:
    class Client:
        input_tokens = 3

        @property
        def output_tokens(self) -> int:
            raise ConnectionError

    assert usage_fields(Client()) == {"prompt_tokens": 3}


def test_what_is_below_zero_in_an_event_of_a_call_is_left_out_and_complained_of() -> None:
    told = {"model": "gpt-4o", "prompt_tokens": -5, "completion_tokens": 6, "cost_usd": "-0.5", "max_tokens": -1}
    fields, wrong = call_as_told(told)
    assert fields == {"model": "gpt-4o", "completion_tokens": 6, "max_tokens": -1}
    assert wrong == {"prompt_tokens": "'-5', no whole number", "cost_usd": "'-0.5', no amount in USD"}
