"""The stages that end the journal: name the run, close open steps, note the prices, tell what was lost, seal.

Must not write anything but events. Each can be repeated: what stands in the journal already is not written again.
"""

from __future__ import annotations

import msgspec

from runwatch.errors import RecordError
from runwatch.events.lifecycle import SCHEMA
from runwatch.finalize.state import Outcome
from runwatch.finalize.withholding import SENTENCE, WHERE
from runwatch.fold import Fold, losses
from runwatch.fold.metrics import Metrics
from runwatch.fold.outcome import ended_well
from runwatch.journal.append import close_to_writers
from runwatch.journal.losses import Loss, read_losses
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter, now_text


def name_run(metrics: Metrics, outcome: Outcome, paths: RunPaths, writer: EventWriter) -> None:
    """Write the start that a program killed in its first moments could not, so that every file names the run."""
    if not metrics.run.run_id:
        began = metrics.run.start_time or outcome.ended
        _must(
            writer.emit("run.started", schema=SCHEMA, framework=paths.framework, run_id=paths.run_id, ts=began), writer
        )


def close_steps(metrics: Metrics, outcome: Outcome, writer: EventWriter) -> None:
    """End the steps that nobody ended: as the run ended for the last one, as interrupted for the others."""
    open_steps = [step.step for step in metrics.steps if step.status is None]
    for step in open_steps:
        if ended_well(outcome.status):
            status = "success"
        else:
            status = "failed" if outcome.status == "failed" and step == metrics.current_step else "interrupted"
        _must(writer.emit("step.completed", step=step, status=status, ts=outcome.ended), writer)


def note_prices(fold: Fold, writer: EventWriter) -> None:
    """Write the prices that the fold used and no line holds yet, so that a later fold gives the same sums."""
    for price in fold.unrecorded_prices():
        _must(
            writer.emit("llm.priced", ref=price.ref, cost_usd=price.cost_usd, prices=price.prices, ts=now_text()),
            writer,
        )


def tell_slow_patterns(numbers: list[int], metrics: Metrics, writer: EventWriter) -> None:
    """Write that patterns of the user's were given up on some texts; ``numbers``: which ones, from 1."""
    if numbers:
        which = f"pattern {numbers[0]}" if len(numbers) == 1 else f"patterns {', '.join(map(str, numbers))}"
        message = f"{which} of [redact] took too long on texts, now withheld: repeat nothing that repeats itself"
        _warn_once(message, metrics, writer)


def tell_lost_secrets(metrics: Metrics, writer: EventWriter) -> None:
    """Write that texts are withheld, since nobody can tell the secrets in them any more."""
    _warn_once(SENTENCE, metrics, writer)


def _warn_once(message: str, metrics: Metrics, writer: EventWriter) -> None:
    if all(notice.message != f"{WHERE}: {message}" for notice in metrics.notices):
        writer.emit("warning", message=message, where=WHERE)


def shut(paths: RunPaths) -> None:
    """Have no event acknowledged from now on; where the file's mode cannot be set, the seal must do alone."""
    try:
        close_to_writers(paths.journal)
    except OSError:
        pass  # another user's run, or a read-only disk, which takes no event anyway


def tell_losses(fold: Fold, paths: RunPaths, writer: EventWriter) -> None:
    """Write what the ledger knows of losses and the journal does not."""
    for loss in untold(fold, paths):
        _must(writer.tell_loss(loss), writer)


def untold(fold: Fold, paths: RunPaths) -> list[Loss]:
    """Return the losses in the ledger that the journal does not tell of."""
    return [loss for loss in read_losses(paths.losses) if losses.untold(fold.losses, loss.event())]


def as_ended(fold: Fold, metrics: Metrics, outcome: Outcome, paths: RunPaths) -> Metrics:
    """Return the metrics with what only the seal would tell, where a full disk did not take it."""
    if fold.sealed:
        return metrics
    run = msgspec.structs.replace(
        metrics.run,
        status=outcome.status,
        reason=outcome.reason,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        end_time=outcome.ended,
    )
    unsealed = msgspec.structs.replace(metrics, run=run)
    return losses.overlaid(unsealed, fold.losses, (loss.event() for loss in read_losses(paths.losses)))


def with_limit(metrics: Metrics, outcome: Outcome) -> Outcome:
    """Return the outcome with the limit for which the run was stopped, where its reason does not name one.

    A program that records itself only knows the signal that it got.
    """
    rule = next((notice.rule for notice in metrics.notices if notice.kind == "limit.reached"), None)
    if rule is None or (outcome.reason or "").startswith("limit "):
        return outcome
    how = f", {outcome.reason}" if outcome.reason else ""
    return msgspec.structs.replace(outcome, reason=f"limit {rule} reached{how}")


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
        ),
        writer,
    )
    writer.sync()


def _must(acknowledged: bool, writer: EventWriter) -> None:
    if not acknowledged:
        raise RecordError(
            "The journal cannot be written: free space on its disk, then finalize the run again."
        ) from writer.failure
