"""Which logs there are to choose from, which come by themselves, and what they are called.

No widget and no file.
"""

from __future__ import annotations

from collections.abc import Sequence

from runwatch.fold.metrics import Metrics


def newest_step(metrics: Metrics, log_steps: Sequence[int | None]) -> int | None:
    """Return the step at hand, else the last one; None where there is none."""
    if metrics.current_step is not None:
        return metrics.current_step
    numbers = [step.step for step in metrics.steps] or [step for step in log_steps if step is not None]
    return max(numbers, default=None)


def steps(metrics: Metrics, log_steps: Sequence[int | None]) -> list[int | None]:
    """Return every step that can be shown, in order; None, first, for what was logged outside steps."""
    numbers = sorted({step.step for step in metrics.steps} | {step for step in log_steps if step is not None})
    return [*([None] if None in log_steps else []), *numbers]


def ended(metrics: Metrics, log_steps: Sequence[int | None], step: int | None, *, live: bool) -> str:
    """Return what no line comes to the logs of a step for; empty where the next one is awaited."""
    if not live:
        return "run ended"
    if step == newest_step(metrics, log_steps):
        return ""
    known = next((each for each in metrics.steps if each.step == step), None)
    return "step ended" if known is not None and known.status is not None else "not the newest step"


def heading(metrics: Metrics, step: int | None) -> str:
    """Return what the log pane is called: ``step 003 · generate API``."""
    if step is None:
        return "outside steps" if metrics.steps else "whole run" if metrics.whole else "logs"
    name = next((each.name for each in metrics.steps if each.step == step), None)
    return f"step {step:03d}" + (f" · {name}" if name else "")


def scope(metrics: Metrics, step: int | None, component: str | None) -> str:
    """Return what is shown, where it is searched or saved: ``adapter of step 003``, ``all of the run``."""
    outside = "the logs outside steps" if metrics.steps else "the run"
    return f"{component or 'all'} of {outside if step is None else f'step {step:03d}'}"
