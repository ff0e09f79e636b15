"""The stages that end the journal: close open steps, note the prices, seal.

Must not write anything but events. Each can be repeated: what stands in the journal already is not written again.
"""

from __future__ import annotations

from typing import Any

from runwatch.errors import RecordError
from runwatch.events.calls import LlmCompleted, LlmPriced
from runwatch.finalize.state import Outcome
from runwatch.fold import Fold
from runwatch.fold.metrics import Metrics
from runwatch.journal.follow import events
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.pricing import PICO_PER_USD, PriceFunction

ENDED_WELL = frozenset({"success", "completed", "resolved", "merged", "closed"})
"""Statuses that count as success. Source: README.md, "The words"."""


def close_steps(metrics: Metrics, outcome: Outcome, writer: EventWriter) -> None:
    """End the steps that nobody ended: as the run ended for the last one, as interrupted for the others."""
    open_steps = [step.step for step in metrics.steps if step.status is None]
    for step in open_steps:
        if outcome.status in ENDED_WELL:
            status = "success"
        else:
            status = "failed" if outcome.status == "failed" and step == metrics.current_step else "interrupted"
        _must(writer.emit("step.completed", step=step, status=status, ts=outcome.ended))


def note_prices(paths: RunPaths, metrics: Metrics, price: PriceFunction, writer: EventWriter) -> None:
    """Write the price of every model call that the provider did not price, so that a later fold gives the same sums."""
    priced: set[str] = set()
    calls: dict[str, LlmCompleted] = {}
    for _, event in events(paths.journal):
        if isinstance(event, LlmPriced):
            priced.add(event.ref)
        elif isinstance(event, LlmCompleted) and (ref := reference(event)) is not None:
            if event.cost_usd is None:
                calls[ref] = event
            else:
                calls.pop(ref, None)
    for ref, call in calls.items():
        if ref not in priced and (event_fields := _priced(call, metrics, price)) is not None:
            _must(writer.emit("llm.priced", ref=ref, ts=call.ts, **event_fields))


def _priced(call: LlmCompleted, metrics: Metrics, price: PriceFunction) -> dict[str, Any] | None:
    """Return cost and price list of one call; None for a call without known tokens or price."""
    if call.prompt_tokens is None and call.completion_tokens is None:
        return None
    llm = metrics.run.llm_configuration
    found = price(
        call.provider or llm.provider,
        call.model or llm.model,
        call.prompt_tokens or 0,
        call.completion_tokens or 0,
        call.cache_read_tokens or 0,
        call.cache_write_tokens or 0,
        call.ts,
    )
    if found.pico_usd is None:
        return None
    words = (found.prices or "").split(" ")
    return {
        "cost_usd": found.pico_usd / PICO_PER_USD,
        "prices": dict(zip(("library", "version", "date"), words, strict=False)),
    }


def reference(call: LlmCompleted) -> str | None:
    """Return what ``llm.priced`` names a call by: its request id, else writer and seq; None without either."""
    if call.request_id:
        return call.request_id
    return f"{call.writer}:{call.seq}" if call.writer and call.seq is not None else None


def seal(fold: Fold, outcome: Outcome, writer: EventWriter) -> None:
    """Write ``run.completed``, the last line that counts, unless the journal has one."""
    if fold.sealed:
        return
    _must(
        writer.emit(
            "run.completed",
            status=outcome.status,
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            reason=outcome.reason,
            ts=outcome.ended,
        )
    )
    writer.sync()


def _must(acknowledged: bool) -> None:
    if not acknowledged:
        raise RecordError("The journal cannot be written: free space on its disk, then finalize the run again.")
