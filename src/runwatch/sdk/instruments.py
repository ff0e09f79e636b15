"""Instruments as users of the Prometheus client know them: each call becomes an event.

Must not keep a value: what they add up to is the fold's. Inside a ``track_…`` block, a call that states the same fact
is taken into that block's event. **Source**: python-api.md, "Instruments that keep their Prometheus names".
"""

from __future__ import annotations

import functools
import inspect
import math
import time
import types
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from runwatch.events.instruments import PROMISED
from runwatch.sdk import active
from runwatch.sdk.plain import text

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Block:
    """A ``track_…`` block; between ``_open`` and ``_close`` it is told of instrument calls of its task."""

    def __init__(self) -> None:
        self._taken: dict[str, Any] = {}
        """What instruments said of this block's own event, by its field."""

    def takes(self, name: str, labels: Mapping[str, str], value: float) -> bool:
        """Take a call into the block's own event; False when it states something else."""
        raise NotImplementedError

    def _open(self) -> None:
        self._taken = {}
        blocks.set((*blocks.get(), self))

    def _close(self) -> None:
        blocks.set(tuple(block for block in blocks.get() if block is not self))

    def _take(self, field: str, value: object) -> bool:
        """Take one field, once: a second statement of it is a fact of its own."""
        if field in self._taken:
            return False
        self._taken[field] = value
        return True

    def _add(self, field: str, value: float) -> bool:
        """Take what a counter gained: of one block it all belongs together."""
        self._taken[field] = self._taken.get(field, 0) + value
        return True


blocks: ContextVar[tuple[Block, ...]] = ContextVar("runwatch_blocks", default=())
"""The open blocks of the calling task, the innermost last."""


class Series:
    """One instrument with its labels."""

    def __init__(self, name: str, labels: Mapping[str, str]) -> None:
        self._name = name
        self._kind = PROMISED[name].kind
        self._labels = labels

    def inc(self, amount: float = 1, exemplar: object = None) -> None:
        """Add to a counter or gauge."""
        if self._kind == "counter" and not _amount(amount) >= 0:
            self._misused(f"inc({text(amount):.40}): a counter never falls")
        elif self._is("inc", "counter", "gauge"):
            self._record(amount, delta=True)

    def dec(self, amount: float = 1) -> None:
        """Take from a gauge."""
        if self._is("dec", "gauge"):
            self._record(-_amount(amount), delta=True)

    def set(self, value: float) -> None:
        """Set a gauge."""
        if self._is("set", "gauge"):
            self._record(value)

    def observe(self, amount: float, exemplar: object = None) -> None:
        """Add one observation to a histogram."""
        if self._is("observe", "histogram"):
            self._record(amount)

    def time(self) -> Timer:
        """Return a context manager and decorator that observes, or sets, how many seconds its block took."""
        return Timer(self)

    def timed(self, seconds: float) -> None:
        """Record what a timer measured."""
        if self._is("time", "histogram", "gauge"):
            self._record(seconds)

    def _record(self, value: float, *, delta: bool = False) -> None:
        number = _amount(value)
        if not math.isfinite(number):
            self._misused(f"{text(value)!r:.40} is no number")
            return
        if number < 0 and self._kind == "histogram":
            self._misused(f"observed {number:g} and left it out: nothing that it measures is below zero")
            return
        missing = [label for label in PROMISED[self._name].labels if label not in self._labels]
        if missing:
            self._misused(f"needs .labels({', '.join(missing)}=…)")
        for block in reversed(blocks.get()):
            if block.takes(self._name, self._labels, number):
                return
        fields = {"name": self._name, "kind": self._kind, "value": number, "labels": dict(self._labels)}
        if delta and self._kind == "gauge":
            fields["delta"] = True
        active.emitter().emit("metric.observed", fields)

    def _is(self, method: str, *kinds: str) -> bool:
        if self._kind in kinds:
            return True
        self._misused(f"is a {self._kind} and has no {method}()")
        return False

    def _misused(self, what: str) -> None:
        active.emitter().warn(f"{self._name}: {what}", "instrument")


class Instrument(Series):
    """One instrument; without ``labels`` it is its only series."""

    def __init__(self, name: str) -> None:
        super().__init__(name, {})

    def labels(self, *values: object, **named: object) -> Series:
        """Return the series of these labels, by position or by name."""
        names = PROMISED[self._name].labels
        labels = {**dict(zip(names, map(text, values), strict=False)), **{key: text(it) for key, it in named.items()}}
        if len(values) > len(names) or any(name not in names for name in named):
            self._misused(f"has the labels {', '.join(names) or '(none)'}")
            labels = {name: value for name, value in labels.items() if name in names}
        return Series(self._name, labels)


class Timer:
    """Measures its block, or every call of what it decorates."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._started: list[float] = []

    def __enter__(self) -> Timer:
        self._started.append(time.monotonic())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        if self._started:
            self._series.timed(round(time.monotonic() - self._started.pop(), 6))

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Measure every call of ``function``."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                with Timer(self._series):
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]  # a coroutine function, as the one it stands for

        @functools.wraps(function)
        def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with Timer(self._series):
                return function(*args, **kwargs)

        return called


def _amount(value: object) -> float:
    """Return a number; one that is none becomes not-a-number, which is told of as a misuse."""
    try:
        return float(value)  # type: ignore[arg-type]  # whatever the program passed
    except Exception:  # noqa: BLE001 - a number of the program's may raise anything
        return math.nan
