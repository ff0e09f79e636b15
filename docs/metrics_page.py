"""Makes docs/metrics.md: every metric with its name, unit, definition, source events, and where it shows.

Run it with `make metrics`. Nothing on the page is written by hand: names and definitions are those of the fields of
`fold/metrics*.py`; sources and places are found out by folding the sample journal and changing one value at a time.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec

sys.path.insert(0, str(Path(__file__).parent))

import metrics_sample

from runwatch.fold import Fold
from runwatch.fold import metrics as shapes
from runwatch.fold.metrics import Metrics
from runwatch.tui.panels import header, steps
from runwatch.tui.panels.deck import PANELS
from runwatch.tui.panels.issues import lines as issue_lines
from runwatch.tui.state import Life
from runwatch.views import (
    commit_text,
    csv_rows,
    issue_report,
    metadata_json,
    metrics_json,
    prometheus,
    summary_markdown,
    summary_text,
)

PAGE = Path(__file__).parent / "metrics.md"
WIDTH, HEIGHT = 160, 40
"""Cells of the app: wide enough for every column."""
EVERY = "every event"
_ALL_OF = 40
"""What so many types of event change is changed by every one."""

Spot = tuple[type[msgspec.Struct], str]
"""A field of a shape."""
Found = dict[Spot, set[str]]
At = tuple[str | int, ...]
"""Where in the metrics a value is: names of fields, numbers of list entries."""
Leaves = dict[At, tuple[Spot, Any]]

HEAD = """\
# Metrics

Every metric, made by `make metrics` from the code: do not edit this page. The definitions of what is not plain are in
the text of each field. All of them are in `metrics.json` under these names; the other places where one shows stand in
the last column. `app:` is the terminal app, `/metrics` what `runwatch serve` shows to Prometheus, `csv:` one of the
tables. A percentage of nothing is null, never 0 or 100; so is whatever nobody measured.

**Source** names the events that change a metric when they are folded; what is still open at the end is closed by
`run.completed`. A field that holds a further shape names it as its unit.
"""


def page() -> str:
    """Return the page."""
    sources, shown = _sources(), _places()
    parts = [HEAD]
    for kind, where in _kinds().items():
        parts.append(
            f"\n## {kind.__name__}\n\n{_text(inspect.getdoc(kind) or '')} In `metrics.json`: {_listed(where)}.\n"
        )
        parts.append("\n| name | unit | definition | source | also shows in |\n| --- | --- | --- | --- | --- |\n")
        for field in msgspec.structs.fields(kind):
            spot = (kind, field.name)
            cells = (
                f"`{field.name}`",
                _unit(kind, field),
                _text(_docs(kind)[field.name]),
                _listed_or_there(field, sources.get(spot, set())),
                _listed_or_there(field, shown.get(spot, set())),
            )
            parts.append(f"| {' | '.join(cells)} |\n")
    return "".join(parts)


def _listed(where: list[str]) -> str:
    return ", ".join(f"`{path}`" if path else "the whole file" for path in where)


def _text(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _listed_or_there(field: msgspec.structs.FieldInfo, names: set[str]) -> str:
    if next(_structs(field.type), None) is not None:
        return "there"
    return EVERY if len(names) >= _ALL_OF else ", ".join(sorted(names)) or "–"


# --- what there is


def _kinds() -> dict[type[msgspec.Struct], list[str]]:
    """Return every shape with the places in metrics.json that have it."""
    found: dict[type[msgspec.Struct], list[str]] = defaultdict(list)

    def visit(kind: type[msgspec.Struct], path: str) -> None:
        found[kind].append(path)
        for field in msgspec.structs.fields(kind):
            for inner in _structs(field.type):
                many = "[]" if "list" in str(field.type) or "Sequence" in str(field.type) else ""
                visit(inner, f"{path}.{field.name}{many}".lstrip("."))

    visit(Metrics, "")
    return found


def _structs(annotation: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation
    for part in get_args(annotation):
        yield from _structs(part)


@cache
def _docs(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return the line under each field."""
    (body,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    docs: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            docs[field.target.id] = str(ast.literal_eval(text.value))  # type: ignore[attr-defined]  # as just tested
    return docs


_SUFFIXES = {
    "_s": "s", "_seconds": "s", "_bytes": "bytes", "_usd": "USD", "_percent": "%", "_rate": "%", "_coverage": "%",
    "_time": "RFC 3339", "_change": "points",
}  # fmt: skip
_ALONE = {"time": "RFC 3339", "dropped_since": "RFC 3339", "offset": "bytes", "steps_by_status": "steps",
          "cost_by_issue": "USD", "cost_by_agent": "USD", "cost_by_step": "USD", "max_tokens": "tokens"}  # fmt: skip


def _unit(kind: type[msgspec.Struct], field: msgspec.structs.FieldInfo) -> str:
    """Return the unit, told from the name, else from the type."""
    counted = _docs(kind)[field.name]
    if counted in ("Files.", "Lines.", "Tests.", "Commits."):
        return counted[:-1].lower()
    inner = next(_structs(field.type), None)
    if inner is not None:
        return f"[{inner.__name__}](#{inner.__name__.lower()})"
    if field.name in _ALONE:
        return _ALONE[field.name]
    for suffix, unit in _SUFFIXES.items():
        if field.name.endswith(suffix):
            return unit
    if kind is shapes.Tokens or field.name in ("tokens", "total_tokens"):
        return "tokens"
    types = {*get_args(field.type), field.type}
    if bool in types:
        return "yes or no"
    if {int, str} <= types:
        return "number or text"
    if str in types or list[str] in types:
        return "text"
    return "number"


# --- where it comes from


def _sources() -> Found:
    """Fold the sample journal event by event, and note which type changed what."""
    fold, found = Fold(), defaultdict(set)
    before = _leaves(fold.metrics(metrics_sample.NOW))
    for number, (label, line) in enumerate(metrics_sample.lines(), 1):
        fold.feed_line(line, number * 100)
        after = _leaves(fold.metrics(metrics_sample.NOW))
        for path, (spot, value) in after.items():
            # What merely appears with its default came with the shape around it, and says nothing of itself.
            former = before[path][1] if path in before else _default(spot)
            if value != former:
                found[spot].add(label)
        before = after
    return found


@cache
def _is_shape(kind: type[msgspec.Struct], name: str) -> bool:
    return any(True for field in msgspec.structs.fields(kind) if field.name == name for _ in _structs(field.type))


@cache
def _default(spot: Spot) -> Any:
    field = next(field for field in msgspec.structs.fields(spot[0]) if field.name == spot[1])
    return field.default if field.default is not msgspec.NODEFAULT else None


def _leaves(value: Any, path: At = ()) -> Leaves:
    """Return path to field and value, of all fields that hold no further shape."""
    found: Leaves = {}
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            held = getattr(value, name)
            below = _leaves(held, (*path, name))
            if below:
                found |= below
            elif held is None and _is_shape(type(value), name):
                continue  # a part that is not there
            elif not isinstance(held, list) or held:
                found[(*path, name)] = ((type(value), name), held)
    elif isinstance(value, list) and value and isinstance(value[0], msgspec.Struct):
        for number, item in enumerate(value):
            found |= _leaves(item, (*path, number))
    return found


# --- where it shows


def _places() -> Found:
    """Change one value of the folded sample at a time, and note which outputs are others then."""
    fold, found = Fold(), defaultdict(set)
    for number, (_, line) in enumerate(metrics_sample.lines(), 1):
        fold.feed_line(line, number * 100)
    metrics = fold.metrics(metrics_sample.NOW)
    outputs = _outputs()
    before = {name: _shown(render, metrics) for name, render in outputs.items()}
    for path, (spot, value) in _samples(_leaves(metrics)):
        holder: Any = metrics
        for key in path[:-1]:
            holder = holder[key] if isinstance(key, int) else getattr(holder, key)
        for other in _others(value):
            setattr(holder, spot[1], other)
            found[spot] |= {name for name, render in outputs.items() if _shown(render, metrics) != before[name]}
        setattr(holder, spot[1], value)
    assert all("metrics.json" in places for places in found.values())
    return {spot: places - {"metrics.json"} for spot, places in found.items()}


def _samples(leaves: Leaves) -> Iterator[tuple[At, tuple[Spot, Any]]]:
    """Yield two values for each place in metrics.json: changing all of them would take minutes."""
    taken: dict[tuple[str, ...], int] = defaultdict(int)
    for path, (spot, value) in sorted(leaves.items(), key=lambda item: item[1][1] is None):
        place = tuple(key for key in path if isinstance(key, str))
        if taken[place] < (2 if value is not None else 1):
            taken[place] += 1
            yield path, (spot, value)


def _shown(render: Callable[[Metrics], object], metrics: Metrics) -> str:
    try:
        return repr(render(metrics))
    except (ValueError, KeyError, TypeError) as error:  # a value that cannot be is one that is looked at
        return repr(error)


def _others(value: Any) -> Iterator[Any]:
    """Yield other values that could stand there."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value * 3 + 7919
    elif isinstance(value, str) and value[:4].isdigit() and value.endswith("Z"):
        yield "2025-01-05T09:00:00.000000Z"
    elif isinstance(value, str):
        yield from ({"success": "failed", "failed": "success"}.get(value, f"{value}x"), None)
    elif isinstance(value, dict):
        yield {key: next(_others(held)) for key, held in value.items()} or {"": 1.0}
    elif isinstance(value, list):
        yield [next(_others(held)) for held in value]
    elif value is None:
        yield from (7919.0, True, "failed")


def _outputs() -> dict[str, Callable[[Metrics], object]]:
    def table(name: str) -> Callable[[Metrics], object]:
        return lambda metrics: csv_rows.tables(metrics)[name]

    def panel(number: int) -> Callable[[Metrics], object]:
        return lambda metrics: [str(line) for line in PANELS[number].lines(metrics, WIDTH, HEIGHT)]

    return {
        "metrics.json": metrics_json.render,
        "metadata.json": metadata_json.render,
        "commit.txt": commit_text.render,
        "logs_summary.txt": summary_text.render,
        "summary.md": summary_markdown.render,
        "issue report": lambda metrics: [issue_report.render(issue) for issue in metrics.issues],
        "/metrics": _exposed,
        "app: header": lambda metrics: str(header.content(_heading(metrics), WIDTH)),
        "app: steps": lambda metrics: [str(line) for line in steps.lines(steps.entries(metrics, outside=False), WIDTH)],
        "app: issues": lambda metrics: [str(line) for line in issue_lines(metrics, WIDTH)],
        **{f"csv: {name}": table(name) for name in csv_rows.COLUMNS},
        **{f"app: {panel_of.name}": panel(number) for number, panel_of in enumerate(PANELS)},
    }


def _heading(metrics: Metrics) -> header.Heading:
    return header.Heading(metrics, Life.ENDED, metrics.run.framework, metrics.run.run_id)


def _exposed(metrics: Metrics) -> object:
    exposed = prometheus.Exposed(metrics, live=True)
    return [*prometheus.Collector([exposed], prometheus.Summed(prometheus.added([metrics.instruments]))).collect()]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
