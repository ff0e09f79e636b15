"""What a model call costs."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import genai_prices
import pytest
from genai_prices.data import providers

from runwatch.pricing import PICO_PER_USD, Price, Pricer, estimate_llm_cost

WHEN = "2026-11-01T12:00:00.000000Z"


KINDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


@pytest.mark.parametrize("tokens", [(1_001, 503, 0, 0), (300_007, 1_003, 200_001, 40_009), (900_001, 7, 3, 0)])
def test_every_model_of_the_list_costs_what_the_library_says(tokens: tuple[int, int, int, int]) -> None:
    pricer = Pricer()
    moment = datetime(2026, 11, 1, 12, tzinfo=UTC)
    compared = 0
    usage = genai_prices.Usage(**dict(zip(KINDS, tokens, strict=True)))
    for maker, known in ((each, known) for each in providers for known in each.models):
        provider, model = maker.id, known.id
        ours = pricer(provider, model, *tokens, WHEN).pico_usd
        try:
            theirs = genai_prices.calc_price(usage, model, provider_id=provider, genai_request_timestamp=moment)
        except LookupError:  # the library finds it under longer names only
            theirs = known.calc_price(usage, maker, genai_request_timestamp=moment, auto_update_timestamp=None)
        if ours is None:  # the library takes what has no rate for free
            assert None in (theirs.model_price.input_mtok, theirs.model_price.output_mtok)
            continue
        assert abs(Decimal(ours) - theirs.total_price * PICO_PER_USD) <= Decimal("0.5"), (provider, model)
        compared += 1
    assert compared > 1000


def test_the_time_of_the_call_chooses_the_price() -> None:
    pricer = Pricer()
    day, night = (pricer("deepseek", "deepseek-chat", 10**6, 0, when=f"2025-03-01T{t}:00:00Z") for t in ("12", "18"))
    assert (day.pico_usd, night.pico_usd) == (270_000_000_000, 135_000_000_000)
    assert pricer("deepseek", "deepseek-chat", 10**6, 0, when="2025-03-01T12:30:00Z") == day


def test_version_and_date_stand_beside_the_price() -> None:
    library, version, date = str(Pricer()("openai", "gpt-4o", 1, 1, when=WHEN).prices).split()
    assert (library, version) == ("genai-prices", genai_prices.__version__)
    assert "2025-01-01" < date <= WHEN[:10]


def test_nobody_guesses_a_price() -> None:
    pricer = Pricer()
    unknown = Price(None, None)
    assert pricer("openai", "no-such-model", 1, 1, when=WHEN) == unknown
    assert pricer("no-such-provider", "gpt-4o", 1, 1, when=WHEN) == unknown
    assert pricer("openai", None, 1, 1, when=WHEN) == unknown
    assert pricer(None, "gpt-4o", 10**6, 0, when=WHEN).pico_usd == 2_500_000_000_000


@pytest.mark.parametrize(
    ("provider", "model", "same_as"),
    [
        (None, "anthropic/claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        (None, "gemini/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("google", "models/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        (None, "models/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        (None, "openrouter/openai/gpt-4o", ("openrouter", "openai/gpt-4o")),
        ("openai", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("openai", "claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("openai", "anthropic/claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        (None, "llama-3.1-8b-instant", ("groq", "llama-3.1-8b-instant")),
        ("x_ai", "grok-4", ("x-ai", "grok-4")),
    ],
)
def test_a_model_has_the_price_of_whoever_its_prefix_names_or_alone_has_it(
    provider: str | None, model: str, same_as: tuple[str, str]
) -> None:
    price = Pricer()(provider, model, 10**6, 10**6, when=WHEN)
    assert price.pico_usd is not None
    assert price == Pricer()(*same_as, 10**6, 10**6, when=WHEN)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("mine", "openai/gpt-4o"),
        ("mine", "claude-sonnet-4-5"),
        (None, "mine/no-such-model"),
        ("openai", "a/b/c"),
        (None, "/"),
    ],
)
def test_nor_does_a_prefix_make_anybody_guess(provider: str | None, model: str) -> None:
    assert Pricer()(provider, model, 1, 1, when=WHEN) == Price(None, None)


def test_an_override_holds_whatever_passes_the_model_on() -> None:
    pricer = Pricer({"gpt-4o": {"input": 1.0}, "openai/gpt-4o": {"input": 2.0}})
    assert pricer(None, "openrouter/openai/gpt-4o", 1, 0).pico_usd == 2_000_000
    assert pricer("azure", "azure/gpt-4o", 1, 0).pico_usd == 1_000_000


def test_overrides_win_and_the_longer_name_first() -> None:
    pricer = Pricer(
        {
            "gpt-4o": {"input": 1.0, "output": 2.0},
            "mine/gpt-4o": {"input": 0.1, "output": "0.0000003", "cache_read": 0.05, "cache_write": 3},
        }
    )
    assert pricer("openai", "gpt-4o", 100, 10, 50, 0) == Price(120_000_000, "[pricing]")
    assert pricer("mine", "gpt-4o", 100, 0, 50, 10).pico_usd == 40 * 100_000 + 50 * 50_000 + 10 * 3_000_000
    assert pricer("mine", "gpt-4o", 0, 10).pico_usd == 3  # 10 tokens at 0.3 pico-dollars


def test_cached_tokens_beyond_the_input_have_no_price() -> None:
    assert Pricer({"m": {"input": 1, "output": 1, "cache_read": 1}})(None, "m", 5, 1, 9) == Price(None, None)


def test_tokens_of_a_kind_that_has_no_rate_make_the_call_unpriced() -> None:
    pricer = Pricer({"m": {"input": 1}})
    assert pricer(None, "m", 5, 0).pico_usd == 5_000_000
    assert pricer(None, "m", 5, 1) == Price(None, None)


def test_an_estimate_is_in_dollars_or_none() -> None:
    assert estimate_llm_cost("m", 1000, 500, overrides={"m": {"input": 2, "output": 4}}) == 0.004
    assert estimate_llm_cost("gpt-4o", 1_000_000, 0) is not None
    assert estimate_llm_cost("anthropic/claude-sonnet-4-5", 1000, 100) == 0.0045
    assert estimate_llm_cost("no-such-model", 1, 1) is None


def test_no_price_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> Any:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refused)
    assert Pricer()("openai", "gpt-4o", 1, 1).pico_usd is not None


def test_the_price_library_is_loaded_at_the_first_call_that_needs_it() -> None:
    code = (
        "import sys; from runwatch.pricing import Pricer; p = Pricer({'m': {'input': 1, 'output': 1}});"
        "p('x', 'm', 1, 1); assert 'genai_prices' not in sys.modules;"
        "p('openai', 'gpt-4o', 1, 1); assert 'genai_prices' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
