"""A check of the usage as text: a table for people, lines for the log.

Must not compare. Names come from outside, and every line that comes out is safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from runwatch.units import count, pad
from runwatch.views.layout import one_line, plural

_HEADER = ("day", "model", "", "input", "output", "cost")


class Side(Protocol):
    """Tokens and cost of one side."""

    @property
    def prompt(self) -> int | None: ...
    @property
    def completion(self) -> int | None: ...
    @property
    def cost_usd(self) -> float | None: ...


class Line(Protocol):
    """One model on one day."""

    @property
    def day(self) -> str | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def recorded(self) -> Side: ...
    @property
    def exported(self) -> Side: ...
    @property
    def agrees(self) -> bool: ...


class Other(Protocol):
    """What was recorded of a provider that the export does not name."""

    @property
    def provider(self) -> str: ...
    @property
    def models(self) -> int: ...
    @property
    def tokens(self) -> int: ...


class Check(Protocol):
    """What one check found."""

    run: str
    source: str
    checks: int
    needed: int
    tolerance_pct: float
    left_out: int
    unused: list[str]
    is_repeat: bool

    @property
    def agrees(self) -> bool: ...
    @property
    def verified(self) -> bool: ...
    @property
    def outside(self) -> Sequence[Other]: ...
    @property
    def recorded(self) -> Side: ...
    @property
    def exported(self) -> Side: ...
    @property
    def differences(self) -> Sequence[Line]: ...


def in_words(side: Side) -> str:
    """Return one side in a phrase."""
    parts = [
        None if side.prompt is None else f"{count(side.prompt)} in",
        None if side.completion is None else f"{count(side.completion)} out",
        None if side.cost_usd is None else _usd(side.cost_usd),
    ]
    return ", ".join(part for part in parts if part) or "nothing"


def lines(check: Check) -> list[str]:
    """Return what a person is shown: the verdict, the differences as a table, what was not looked at."""
    shown = [_verdict(check)]
    if check.differences:
        rows = [_HEADER]
        for row in check.differences:
            rows.append((row.day or "all days", one_line(row.model or "all models"), "recorded", *_cells(row.recorded)))
            rows.append(("", "", "exported", *_cells(row.exported)))
        widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADER))]
        shown += ["  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    shown += [f"{beyond[0].upper()}{beyond[1:]}." for beyond in _beyond(check)]
    if check.is_repeat:
        before = "agreed" if check.agrees else "differed"
        shown.append(f"This very export {before} before: only one that is made later counts as a further check.")
    if check.left_out:
        rows_of = "row" if check.left_out == 1 else "rows"
        shown.append(f"Left out: {count(check.left_out)} {rows_of} of other days than the run's.")
    if check.unused:
        shown.append(f"Not looked at: {', '.join(map(one_line, check.unused))}.")
    return shown


def log_lines(check: Check, at: str) -> list[str]:
    """Return the lines of reconciliation.log."""
    shown = [f"{at} {'INFO' if check.agrees else 'WARNING'} {_verdict(check)}"]
    for row in check.differences:
        name = f"{one_line(row.model or 'all models')} on {row.day or 'all days'}"
        shown.append(f"{at} WARNING {name}: recorded {in_words(row.recorded)}; exported {in_words(row.exported)}")
    return [*shown, *(f"{at} INFO {beyond}" for beyond in _beyond(check))]


def _beyond(check: Check) -> list[str]:
    return [
        f"not in this export: {one_line(each.provider)}, {plural(each.models, 'model')}, {plural(each.tokens, 'token')}"
        for each in check.outside
    ]


def _verdict(check: Check) -> str:
    if check.verified:
        said = f"verified, {check.checks} checks in a row agreed"
    elif check.agrees:
        said = f"agrees, check {check.checks} of {check.needed}"
    else:
        number = len(check.differences)
        said = f"differs in {number} {'row' if number == 1 else 'rows'} by more than {check.tolerance_pct:g} %"
    sides = f"recorded {in_words(check.recorded)}; exported {in_words(check.exported)}"
    return f"{one_line(check.run)} and {one_line(check.source)}: {said}. In all {sides}."


def _cells(side: Side) -> tuple[str, str, str]:
    tokens = (side.prompt, side.completion)
    prompt, completion = ("–" if number is None else count(number) for number in tokens)
    return prompt, completion, "–" if side.cost_usd is None else _usd(side.cost_usd)


def _usd(amount: float) -> str:
    """Return money to a hundredth of a cent, which is where providers and price lists part."""
    return f"${amount:,.4f}"
