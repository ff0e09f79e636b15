"""The git panel: the branch against its base, coverage, tests.

Must not compute a metric and must not read a repository.
"""

from __future__ import annotations

from textual.content import Content

from runwatch.fold.metrics import Changes, CodeMetrics, Metrics, TestMetrics
from runwatch.tui import charts
from runwatch.tui.cells import Line, Piece, blank, clean, left, line
from runwatch.tui.look import DIM
from runwatch.tui.panels.phrases import counted, quantity, spaced
from runwatch.units import count, latency, percent

_LABEL = 10
_BAR = 40


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return one row a subject."""
    rows: list[Line] = []
    if metrics.code is not None:
        rows += _code(metrics.code, width)
    if metrics.tests is not None:
        rows += _tests(metrics.tests, width)
    return rows


def _labeled(label: str, *pieces: Piece, whole: str | None = None) -> Line:
    return line((left(label, _LABEL), DIM), *pieces, whole=whole)


def _code(code: CodeMetrics, width: int) -> list[Line]:
    seen = code.changes
    rows = [] if seen is None else _branch(code, seen, width)
    if code.coverage_percent is not None:
        rows.append(_coverage(code.coverage_percent, code.coverage_change, width))
    return rows


def _branch(code: CodeMetrics, seen: Changes, width: int) -> list[Line]:
    branch = clean(code.branch) if code.branch else "detached head"
    state: Piece = ("modified work tree", "$rw-warning") if seen.dirty else ("tracked files clean", DIM)
    commits = [Content.assemble((f"{name} ", DIM), clean(sha)[:9]) for name, sha in _ids(code)]
    plus, minus = charts.split([seen.lines_added, seen.lines_deleted], min(_BAR, max(10, width - 36)))
    kinds = [
        quantity(count(number), kind)
        for number, kind in (
            (seen.files_created, "created"),
            (seen.files_modified, "modified"),
            (seen.files_deleted, "deleted"),
            (seen.files_renamed, "renamed"),
        )
    ]
    return [
        _labeled("branch", spaced([branch, *commits, state]), whole=branch),
        _labeled("commits", count(seen.commits), (" since the base", DIM)),
        _labeled("files", spaced([left(count(seen.files), 6), *kinds])),
        _labeled(
            "lines",
            (left(f"+{count(seen.lines_added)}", 8), "$rw-done"),
            (left(f"−{count(seen.lines_deleted)}", 8), "$rw-failed"),
            ("━" * plus, "$rw-done"),
            ("━" * minus, "$rw-failed"),
        ),
    ]


def _ids(code: CodeMetrics) -> list[tuple[str, str]]:
    return [(name, sha) for name, sha in (("head", code.head), ("base", code.base)) if sha]


def _coverage(value: float, change: float | None, width: int) -> Line:
    moved: Piece = ""
    if change:
        moved = (f"{change:+.1f}".replace("-", "−"), "$rw-done" if change > 0 else "$rw-failed")
    done, rest = charts.progress(value / 100, min(_BAR, max(10, width - 36)))
    return _labeled(
        "coverage",
        left(percent(value), 8),
        Content.assemble(moved).pad_right(8 - len(moved[0]) if moved else 8),
        (done, "$rw-done"),
        (rest, "$rw-rule"),
    )


def _tests(tests: TestMetrics, width: int) -> list[Line]:
    bad = tests.failed + tests.errors
    good, wrong = charts.split([tests.passed, bad], min(_BAR, max(10, width - 36)))
    told: list[Piece] = [
        quantity(count(tests.passed), "passed"),
        (f"{count(tests.failed)} failed", "$rw-failed") if tests.failed else quantity("0", "failed"),
        quantity(count(tests.skipped), "skipped"),
    ]
    if tests.errors:
        told.append((f"{count(tests.errors)} error{'' if tests.errors == 1 else 's'}", "$rw-failed"))
    if tests.duration_s is not None:
        told.append(quantity(latency(tests.duration_s), "for the last run"))
    told.append(counted(tests.runs, "run"))
    return [
        blank(),
        _labeled(
            "tests",
            left(f"{count(tests.passed)}/{count(tests.passed + bad)}", 16),
            ("━" * good, "$rw-done"),
            ("━" * wrong, "$rw-failed"),
        ),
        _labeled("", spaced(told)),
    ]
