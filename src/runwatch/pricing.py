"""What a model call costs: the overrides of the configuration, else the bundled list of genai-prices.

Must not touch the network or load the price library before the first call that needs it; reads the clock only where
the caller names no time. Money is integers of 10⁻¹² USD (pico-USD), with Decimal and never float in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from runwatch.units import parse_time

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

PICO_PER_USD = 10**12
"""Money is counted in units of 10⁻¹² USD."""

_PICO_PER_TOKEN = 10**6
"""Turns USD per million tokens into pico-USD per token."""
_CACHE_LIMIT = 20_000
OVERRIDE_SOURCE = "[pricing]"
"""Stands as the price list of a call that an override priced."""


class Price(NamedTuple):
    """The price of one call."""

    pico_usd: int | None
    """None where nobody knows the price."""
    prices: str | None
    """``library version date`` of the price list; None without a price."""


class PriceFunction(Protocol):
    """Whatever prices a call."""

    def __call__(
        self,
        provider: str | None,
        model: str | None,
        prompt: int,
        completion: int,
        cache_read: int,
        cache_write: int,
        when: str | None,
    ) -> Price:
        """Return the price; ``prompt`` is all input, cached included; ``when`` is RFC 3339, None means now."""
        ...


_Rate = int | Decimal
"""Pico-USD per unit."""


class _Tiered(NamedTuple):
    base: _Rate
    tiers: tuple[tuple[int, _Rate], ...]
    """(more input tokens than this, rate), the highest first."""

    def at(self, input_tokens: int) -> _Rate:
        for start, rate in self.tiers:
            if input_tokens > start:
                return rate
        return self.base


class _Rates(NamedTuple):
    """Pico-USD per token of each kind; None where the list has none."""

    input: _Tiered | None
    output: _Tiered | None
    cache_read: _Tiered | None
    cache_write: _Tiered | None
    request: _Rate
    """Pico-USD per call."""

    def cost(self, prompt: int, completion: int, cache_read: int, cache_write: int) -> int | None:
        """Return pico-USD, or None where tokens of a kind without a rate were used."""
        plain = prompt
        total: _Rate = self.request
        for count, rate in ((cache_read, self.cache_read), (cache_write, self.cache_write)):
            if count and rate is not None:
                plain -= count
                total += rate.at(prompt) * count
        if plain < 0:
            return None
        for count, rate in ((plain, self.input), (completion, self.output)):
            if not count:
                continue
            if rate is None:
                return None
            total += rate.at(prompt) * count
        return total if isinstance(total, int) else int(total.to_integral_value(ROUND_HALF_EVEN))


class _Known:
    """What is known of a model at one time."""

    __slots__ = ("flat", "prices", "rates")

    def __init__(self, rates: _Rates | None, prices: str | None) -> None:
        self.rates = rates
        self.prices = prices
        """The name of the list."""
        self.flat = None if rates is None else _flat(rates)


def _flat(rates: _Rates) -> tuple[int, int, int] | None:
    """Return whole rates for input, output and call, where there are only these: most calls need no more."""
    input_, output, request = rates.input, rates.output, rates.request
    if input_ is None or output is None or input_.tiers or output.tiers:
        return None
    if isinstance(input_.base, int) and isinstance(output.base, int) and isinstance(request, int):
        return input_.base, output.base, request
    return None


_UNKNOWN = Price(None, None)


class Pricer:
    """Prices calls; answers are remembered per provider, model and day.

    ``overrides`` maps ``model`` or ``provider/model`` to USD per million tokens under ``input``, ``output``,
    ``cache_read`` and ``cache_write``; cached input without a rate of its own costs as input. Overrides win.
    A provider that the list does not know is not guessed from the model's name: its price is unknown. One that it
    knows, but not with that model (a run's own, taken for a call that named none), gives way to whose model it is.
    """

    def __init__(self, overrides: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._overrides = {name: _override_rates(values) for name, values in (overrides or {}).items()}
        self._known: dict[tuple[str | None, str, str | None], _Known] = {}
        """By provider, model and day; of models with dear and cheap hours by minute."""

    def __call__(
        self,
        provider: str | None,
        model: str | None,
        prompt: int,
        completion: int,
        cache_read: int = 0,
        cache_write: int = 0,
        when: str | None = None,
    ) -> Price:
        """Return the price of one call; ``prompt`` is all input, cached included; ``when`` None means now."""
        if model is None:
            return _UNKNOWN
        known = self._known.get((provider, model, when and when[:10])) or self._learn(provider, model, when)
        flat = known.flat
        if flat is not None and not cache_read and not cache_write:
            return Price(flat[0] * prompt + flat[1] * completion + flat[2], known.prices)
        if known.rates is None:
            return _UNKNOWN
        pico = known.rates.cost(prompt, completion, cache_read, cache_write)
        return _UNKNOWN if pico is None else Price(pico, known.prices)

    def _learn(self, provider: str | None, model: str, when: str | None) -> _Known:
        minute = (provider, model, when and when[:16])
        known = self._known.get(minute)
        if known is not None:
            return known
        known, length = self._look_up(provider, model, when)
        if len(self._known) >= _CACHE_LIMIT:
            self._known.clear()
        self._known[provider, model, when and when[:length]] = known
        return known

    def _look_up(self, provider: str | None, model: str, when: str | None) -> tuple[_Known, int]:
        """Return what is known, and how much of the time it holds for: 2026-11-21 or 2026-11-21T01:31."""
        for name in (f"{provider}/{model}", model, *_without_prefixes(model)):
            override = self._overrides.get(name)
            if override is not None:
                return _Known(override, OVERRIDE_SOURCE), 10
        found = _find(provider, model)
        if found is None:
            return _Known(None, None), 10
        moment = _moment(when)
        has_hours = any(not hasattr(limit, "start_date") for limit in _constraints(found))
        return _Known(_list_rates(found.get_prices(moment)), _edition(moment)), 16 if has_hours else 10


def estimate_llm_cost(
    model: str, prompt_tokens: int, completion_tokens: int, *, overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> float | None:
    """Return USD at today's prices, or None for an unpriced model."""
    pricer = Pricer(overrides) if overrides else _shared_pricer()
    pico = pricer(None, model, prompt_tokens, completion_tokens).pico_usd
    return None if pico is None else pico / PICO_PER_USD


@cache
def _shared_pricer() -> Pricer:
    return Pricer()


def _moment(when: str | None) -> datetime:
    try:
        return datetime.now(UTC) if when is None else parse_time(when)
    except ValueError:
        return datetime.now(UTC)


@cache
def _providers() -> list[Provider]:
    from genai_prices.data import providers  # a third of a second: only where a price is asked for

    return list(providers)


def _without_prefixes(model: str) -> Iterator[str]:
    """Yield a model's name without the first of its prefixes, the first two, and so on."""
    while "/" in model:
        model = model.partition("/")[2]
        yield model


def _find(provider: str | None, model: str) -> ModelInfo | None:
    """Return the list's model: as it is called, by its prefix, by the one provider that has it; None where unknown."""
    from genai_prices.data_snapshot import DataSnapshot, find_provider_by_id  # as above

    # A snapshot of our own: one that a program set or updated over the network would change what a run cost.
    snapshot = DataSnapshot(providers=_providers(), from_auto_update=False)

    def of(provider: str | None, model: str) -> ModelInfo | None:
        try:
            return snapshot.find_provider_model(model, None, provider, None)[1]
        except LookupError:
            return None

    maker = None
    if provider is not None:
        providers = _providers()
        # OpenTelemetry has x_ai for x-ai.
        maker = find_provider_by_id(providers, provider) or find_provider_by_id(providers, provider.replace("_", "-"))
        if maker is None and provider.lower() != "litellm":
            return None
        provider = provider if maker is None else maker.id
    found = of(provider, model)
    if found is None and maker is not None:
        found = next((known for known in maker.models if known.id.lower() == model.lower()), None)
    prefix, _, rest = model.partition("/")
    while found is None and rest:
        named = find_provider_by_id(_providers(), prefix)
        found = (None if named is None else of(named.id, rest)) or of(provider, rest)
        model = rest
        prefix, _, rest = rest.partition("/")
    return found or _only_ones().get(model.strip().lower()) or (of(None, model) if provider is not None else None)


@cache
def biller(provider: str | None, model: str | None) -> str | None:
    """Return whose price list has a call: its provider's, if that has the model, else the maker's; None if unknown.

    Of a provider that nobody knows (a gateway, a proxy) the model tells whose it is.
    """
    from genai_prices.data_snapshot import DataSnapshot, find_provider_by_id  # as above

    snapshot = DataSnapshot(providers=_providers(), from_auto_update=False)
    named = None
    if provider is not None:
        providers = _providers()
        named = find_provider_by_id(providers, provider) or find_provider_by_id(providers, provider.replace("_", "-"))
    if named is not None:
        for name in () if model is None else (model, *_without_prefixes(model)):
            try:
                return snapshot.find_provider_model(name.strip().lower(), None, named.id, None)[0].id
            except LookupError:
                pass  # a run's own provider, taken for a call that named none
    name = (model or "").strip().lower()
    while name:
        try:
            return snapshot.find_provider(name, None, None).id
        except LookupError:
            prefix, _, name = name.partition("/")
        if name and (maker := find_provider_by_id(_providers(), prefix)) is not None:
            return maker.id
    return None if named is None else named.id


@cache
def _only_ones() -> dict[str, ModelInfo]:
    """Return the models that exactly one provider has under that name."""
    found: dict[str, list[ModelInfo]] = {}
    for model in (model for provider in _providers() for model in provider.models):
        found.setdefault(model.id.lower(), []).append(model)
    return {name: models[0] for name, models in found.items() if len(models) == 1}


def _constraints(model: ModelInfo) -> Iterator[Any]:
    if isinstance(model.prices, list):
        yield from (price.constraint for price in model.prices if price.constraint is not None)


@cache
def _start_dates() -> list[str]:
    limits = (limit for provider in _providers() for model in provider.models for limit in _constraints(model))
    return sorted({limit.start_date.isoformat() for limit in limits if hasattr(limit, "start_date")})


def _edition(moment: datetime) -> str:
    """Name the list: library, version, and the newest change of any price in it that was in force then.

    The wheel carries no date of its own.
    """
    import genai_prices  # as above

    day = moment.astimezone(UTC).date().isoformat()
    dates = [date for date in _start_dates() if date <= day]
    return " ".join(["genai-prices", genai_prices.__version__, *dates[-1:]])


def _exact(usd: Any, factor: int) -> _Rate:
    rate = Decimal(str(usd)) * factor
    return int(rate) if rate == rate.to_integral_value() else rate


def _tiered(price: Any) -> _Tiered | None:
    if price is None:
        return None
    if not hasattr(price, "tiers"):
        return _Tiered(_exact(price, _PICO_PER_TOKEN), ())
    tiers = sorted(((tier.start, _exact(tier.price, _PICO_PER_TOKEN)) for tier in price.tiers), reverse=True)
    return _Tiered(_exact(price.base, _PICO_PER_TOKEN), tuple(tiers))


def _list_rates(price: Any) -> _Rates:
    request = price.requests_kcount
    return _Rates(
        _tiered(price.input_mtok),
        _tiered(price.output_mtok),
        _tiered(price.cache_read_mtok),
        _tiered(price.cache_write_mtok),
        0 if request is None else _exact(getattr(request, "base", request), PICO_PER_USD // 1000),
    )


def _override_rates(values: Mapping[str, Any]) -> _Rates:
    input_, output, read, write = (values.get(key) for key in ("input", "output", "cache_read", "cache_write"))
    return _Rates(_tiered(input_), _tiered(output), _tiered(read), _tiered(write), 0)
