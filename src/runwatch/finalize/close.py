"""The stages that end the journal: close open steps, note the prices, seal.

Must not write anything but events. Each can be repeated: what stands in the journal already is not written again.
"""

from __future__ import annotations

from runwatch.errors import RecordError
from runwatch.finalize.state import Outcome
from runwatch.fold import Fold
from runwatch.fold.metrics import Metrics
from runwatch.fold.outcome import ended_well
from runwatch.journal.writer import EventWriter, now_text


def close_steps(metrics: Metrics, outcome: Outcome, writer: EventWriter) -> None:
    """End the steps that nobody ended: as the run ended for the last one, as interrupted for the others."""
    open_steps = [step.step for step in metrics.steps if step.status is None]
    for step in open_steps:
        if ended_well(outcome.status):
            status = "success"
        else:
            status = "failed" if outcome.status == "failed" and step == metrics.current_step else "interrupted"
        _must(writer.emit("step.completed", step=step, status=status, ts=outcome.ended))


def note_prices(fold: Fold, writer: EventWriter) -> None:
    """Write the prices that the fold used and no line holds yet, so that a later fold gives the same sums."""
    for price in fold.unrecorded_prices():
        _must(writer.emit("llm.priced", ref=price.ref, cost_usd=price.cost_usd, prices=price.prices, ts=now_text()))


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
