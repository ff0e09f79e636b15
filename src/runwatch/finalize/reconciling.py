"""Recorded tokens and cost held against a provider's usage export, by model and day, and what is noted of it.

Must not change what was recorded: a difference is told, not mended. Source: metrics.md, python-api.md, "Ends".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from runwatch.errors import UsageError
from runwatch.finalize import post, usage_noted, usage_scope
from runwatch.finalize.state import load_state
from runwatch.finalize.usage_scope import Outside, Scope
from runwatch.fold import Fold, FoldSettings
from runwatch.fold.by_day import ALL_CALLS, usage_by_day
from runwatch.fold.contest import family
from runwatch.journal.beneath import open_beneath
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import now_text
from runwatch.pricing import Pricer
from runwatch.settings import Settings
from runwatch.sources import usage_export
from runwatch.sources.usage_export import UsageExport
from runwatch.views import reconciliation

WHAT = "usage"
"""What the check as a whole is called; that of some of the run's providers, or of one model on one day, adds names."""
_MOST_EVENTS = 50
"""Differences that are noted one by one; the log has all."""
_CENT = Decimal("0.000001")

Verdict = Literal["agrees", "verified", "differs", "failed"]


class Sums(msgspec.Struct, kw_only=True):
    """Tokens and cost of one side; None: that side does not say."""

    prompt: int | None = None
    completion: int | None = None
    cost_usd: float | None = None


class Row(msgspec.Struct, kw_only=True):
    """One model on one day."""

    day: str | None
    """YYYY-MM-DD, UTC; None where the export has no days."""
    model: str | None
    """None where the export has no models."""
    recorded: Sums
    exported: Sums
    agrees: bool


class Reconciliation(msgspec.Struct, kw_only=True):
    """What one check found."""

    run: str
    """``framework/run_id``."""
    source: str
    """The export's file name."""
    verdict: Verdict
    """verified: enough checks in a row agreed; failed: nothing could be compared, ``problems`` says why."""
    checks: int
    """Checks in a row that agreed, this one included."""
    needed: int
    """So many make it verified."""
    tolerance_pct: float
    rows: list[Row]
    """By day, then model."""
    recorded: Sums
    """Of all rows."""
    exported: Sums
    left_out: int = 0
    """Rows of the export from other days than the run's."""
    outside: list[Outside] = []
    """What was recorded of providers that the export does not name; it is compared with nothing."""
    providers: list[str] = []
    """Whose calls were compared, where others are outside."""
    unused: list[str] = []
    """Columns that were not looked at."""
    commit: str | None = None
    """Object id of the commit that holds the tracked files now."""
    problems: list[str] = []
    """Stages that failed, each with its reason."""
    digest: str = ""
    """SHA-256 of the export, hexadecimal."""
    is_repeat: bool = False
    """Whether this very export was checked before, with the same result: no further check, and not noted again."""

    @property
    def what(self) -> str:
        """What was checked: checks of one provider's calls say nothing of another's."""
        return f"{WHAT} of {', '.join(self.providers)}" if self.outside else WHAT

    @property
    def agrees(self) -> bool:
        """Whether nothing differs by more than the tolerance."""
        return self.verdict in ("agrees", "verified")

    @property
    def verified(self) -> bool:
        """Whether enough checks in a row agreed."""
        return self.verdict == "verified"

    @property
    def differences(self) -> list[Row]:
        """The rows that differ."""
        return [row for row in self.rows if not row.agrees]


def reconcile(run_dir: Path, source: Path, settings: Settings, only: Mapping[str, str] | None = None) -> Reconciliation:
    """Hold a finalized run against an export, note and publish what came of it. ``only``: column to value of its rows.

    What the very same export said before is not noted again, and no commit comes of it: reconciliation.log has it.
    Raises UsageError for an export that cannot be meant, RunBusy, RecordError.
    """
    paths = RunPaths(run_dir)
    post.check_ended(paths)
    export = usage_export.read(source, only)
    found = compare(paths, export, source.name, settings)
    what = found.what
    rows = [_event(f"{what} {_named(row)}", row.recorded, row.exported, "differs", found) for row in found.differences]
    facts = [*rows[:_MOST_EVENTS], _event(what, found.recorded, found.exported, found.verdict, found)]
    _log(paths, found)
    if usage_noted.is_known(usage_noted.checks(paths), facts, export, is_repeat=found.is_repeat):
        found.is_repeat = True
        state = load_state(paths.finalize_state)
    else:
        state = post.publish(paths.root, settings, (("verification.checked", fields) for fields in facts))
    found.commit = state.commit.sha if state.commit is not None else None
    found.problems = [f"{name}: {stage.error}" for name, stage in state.stages.items() if not stage.done]
    return found


def compare(paths: RunPaths, export: UsageExport, source: str, settings: Settings) -> Reconciliation:
    """Return how a run's record and an export compare; nothing is written. Raises UsageError."""
    fold = post.feed(Fold(Pricer(settings.pricing), FoldSettings(remembered_calls=ALL_CALLS)), paths)
    run = fold.metrics(now_text()).run
    by_day = usage_by_day(fold)
    days = {row.day for row in by_day if row.day} | {at[:10] for at in (run.start_time, run.end_time) if at}
    has_days, has_models = _says(export, "day"), _says(export, "model")
    first, last = (min(days), max(days)) if days else ("", "9999")
    rows = [row for row in export.rows if row.day is None or first <= row.day <= last]
    if not rows:
        raise UsageError(f"{source} has no row of {first} to {last}, when {paths.run_id} ran: export those days.")

    scope = Scope(export.rows, by_day)
    held, beyond = [row for row in by_day if scope.holds(row)], [row for row in by_day if not scope.holds(row)]

    def key(day: str | None, model: str | None) -> tuple[str, str]:
        return (day or "") if has_days else "", _plain(model) if has_models else ""

    exported = _summed((key(row.day, row.model), row.prompt, row.completion, row.cost_usd) for row in rows)
    recorded = _summed(
        (
            key(row.day, row.model),
            row.prompt,
            row.completion,
            None if row.cost_usd is None else Decimal(repr(row.cost_usd)),
        )
        for row in held
    )
    told = {name for name in ("prompt", "completion", "cost_usd") for row in rows if getattr(row, name) is not None}
    limit = settings.reconcile.tolerance_pct
    table = []
    for at in sorted({*exported, *recorded}):
        ours, theirs = _only(recorded.get(at), told), _only(exported.get(at), told)
        agrees = all(_agree(getattr(ours, name), getattr(theirs, name), limit) for name in told)
        table.append(Row(day=at[0] or None, model=at[1] or None, recorded=ours, exported=theirs, agrees=agrees))
    agree = all(row.agrees for row in table)
    outside, names = usage_scope.outside(beyond), sorted(scope.providers)
    if agree and beyond and not held:
        whose = ", ".join(each.provider for each in outside)
        raise UsageError(f"{source} is of {', '.join(names)}, and {paths.run_id} used {whose}: export its usage.")
    needed = settings.reconcile.agreeing_checks
    found = Reconciliation(
        run=f"{paths.framework}/{paths.run_id}",
        source=source,
        verdict="agrees" if agree else "differs",
        checks=0,
        needed=needed,
        tolerance_pct=limit,
        rows=table,
        recorded=_total([row.recorded for row in table], told),
        exported=_total([row.exported for row in table], told),
        left_out=len(export.rows) - len(rows),
        outside=outside,
        providers=names if outside else [],
        unused=list(export.unused),
        digest=export.digest,
    )
    if agree:
        before, found.is_repeat = usage_noted.streak(usage_noted.checks(paths), export, found.what)
        found.checks = before + (not found.is_repeat)
        found.verdict = "verified" if found.checks >= needed else "agrees"
    return found


def _says(export: UsageExport, name: str) -> bool:
    """Return whether every row says its day or model: else all are compared without."""
    return bool(export.rows) and all(getattr(row, name) for row in export.rows)


def _plain(model: str | None) -> str:
    """Return a model's name without its provider and the date of its release, which one side may leave out."""
    return family(model or "unknown") or ""


_Line = tuple[tuple[str, str], int | None, int | None, Decimal | None]


def _summed(lines: Iterable[_Line]) -> dict[tuple[str, str], Sums]:
    found: dict[tuple[str, str], list[Any]] = {}
    for key, *numbers in lines:
        row = found.setdefault(key, [None, None, None])
        for at, number in enumerate(numbers):
            if number is not None:
                row[at] = number if row[at] is None else row[at] + number
    return {
        key: Sums(prompt=prompt, completion=completion, cost_usd=None if cost is None else float(cost))
        for key, (prompt, completion, cost) in found.items()
    }


def _only(sums: Sums | None, told: set[str]) -> Sums:
    """Return one side with what the export tells at all."""
    if sums is None:
        return Sums()
    return Sums(**{name: getattr(sums, name) for name in told})


def _agree(ours: float | None, theirs: float | None, tolerance_pct: float) -> bool:
    """Return whether two numbers differ by no more than the tolerance; what one side does not have counts as 0."""
    one, other = Decimal(repr(ours or 0)), Decimal(repr(theirs or 0))
    return abs(one - other) <= max(one, other) * Decimal(repr(tolerance_pct)) / 100 + _CENT


def _total(rows: list[Sums], told: set[str]) -> Sums:
    def total(name: str, add: Callable[[list[Any]], Any]) -> Any:
        numbers = [value for row in rows if (value := getattr(row, name)) is not None]
        return add(numbers) if name in told and numbers else None

    return Sums(
        prompt=total("prompt", sum),
        completion=total("completion", sum),
        cost_usd=total("cost_usd", lambda costs: float(sum(Decimal(repr(cost)) for cost in costs))),
    )


def _event(what: str, ours: Sums, theirs: Sums, verdict: str, found: Reconciliation) -> dict[str, Any]:
    words = reconciliation.in_words
    return {
        "what": what, "expected": words(ours), "observed": words(theirs), "verdict": verdict, "source": found.source,
        "digest": found.digest, **({"checks": found.checks} if what == found.what else {}),
    }  # fmt: skip


def _named(row: Row) -> str:
    return " ".join(part for part in (row.model, row.day) if part) or "in all"


def _log(paths: RunPaths, found: Reconciliation) -> None:
    """Append the check to reconciliation.log; not where the logs lie in the archive alone. Raises OSError."""
    if not paths.logs.is_dir():
        return
    text = "".join(f"{line}\n" for line in reconciliation.log_lines(found, now_text()))
    fd = open_beneath(paths.root, "logs/reconciliation.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
