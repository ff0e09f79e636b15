"""The end of a run: its result, the finalizer's stages as they happen, archive and commit.

Must not run a stage.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from runwatch.tui import charts
from runwatch.tui.cells import Line, Piece, blank, clean, left, line
from runwatch.tui.look import DIM, DONE, FAILED, PENDING, RUNNING, WARNING, Mark, of_life
from runwatch.tui.panels.phrases import counted, quantity, spaced
from runwatch.tui.state import STAGES, Ending, Life, Snapshot
from runwatch.units import duration_long, size, usd

WORDS = {
    "close": "close open steps",
    "price": "price model calls",
    "seal": "seal the journal",
    "status": "final status",
    "fold": "final fold",
    "reports": "reports and CSV",
    "summary": "summary",
    "archive": "archive",
    "verify": "verify archive",
    "summary_final": "summary with hash",
    "commit": "commit",
    "done": "done",
}
"""What each stage is called for people."""

_CELL = 22


def lines(snapshot: Snapshot, width: int, *, brief: bool = False) -> list[Line]:
    """Return the result, the bar, the stages, and what they left; ``brief`` leaves bar and stages out."""
    rows = [_result(snapshot), *_reason(snapshot, width)]
    if not brief:
        rows += [blank(), _bar(snapshot.ending, width), blank(), *_stages(snapshot, width)]
    rows += _failures(snapshot, width)
    left_behind = _left(snapshot.ending, width)
    if left_behind:
        rows += [*([] if brief else [blank()]), *left_behind]
    return rows


def height_of(snapshot: Snapshot, width: int, *, brief: bool = False) -> int:
    """Return how many rows that takes once archive and commit are there, so that nothing moves then."""
    if brief:
        return len(lines(snapshot, width, brief=True))
    grid = -(-len(STAGES) // max(1, width // _CELL))
    left_behind = max(2, len(_left(snapshot.ending, width)))
    return 4 + len(_reason(snapshot, width)) + grid + len(_failures(snapshot, width)) + 1 + left_behind


def _result(snapshot: Snapshot) -> Line:
    run, outcome = snapshot.metrics.run, snapshot.ending.outcome
    status = outcome.status if outcome else run.status or snapshot.life.value
    mark = of_life(snapshot.life if snapshot.life is Life.DEAD else Life.ENDED, status)
    code = outcome.exit_code if outcome else run.exit_code
    signal = outcome.signal if outcome else run.signal
    told: list[Piece] = [(f"{mark.glyph} {clean(status)}", f"{mark.style} bold")]
    if signal:
        told.append(quantity(clean(signal), "ended it"))
    elif code is not None:
        told.append(Content.assemble(("exit code ", DIM), str(code)))
    told.append(duration_long(run.duration_seconds))
    if run.llm_calls:
        told += [usd(run.cost_usd), counted(run.tokens.total, "token")]
    told.append(counted(run.errors, "error"))
    return Line(spaced(told, "   "))


def _reason(snapshot: Snapshot, width: int) -> list[Line]:
    outcome = snapshot.ending.outcome
    reason = outcome.reason if outcome else snapshot.metrics.run.reason
    if not reason or reason.startswith("exit code "):
        return []
    return _wrapped([(clean(reason), DIM)], width, indent=2, lead="  ")


def _bar(ending: Ending, width: int) -> Line:
    ratio = 1.0 if ending.complete else ending.finished / len(STAGES)
    failed = any(stage.error and not stage.done for stage in ending.stages.values())
    done, rest = charts.progress(ratio, max(8, width - 6))
    return line((done, "$rw-warning" if failed else "$rw-done"), (rest, "$rw-rule"), (f"{ratio * 100:5.0f}%", DIM))


def _stages(snapshot: Snapshot, width: int) -> list[Line]:
    """Return the stages in columns, read downwards."""
    columns = max(1, width // _CELL)
    rows = -(-len(STAGES) // columns)
    cells = [_stage(name, snapshot) for name in STAGES]
    return [Line(Content("").join(cells[row::rows])) for row in range(rows)]


def _stage(name: str, snapshot: Snapshot) -> Content:
    mark = _mark(name, snapshot)
    style = DIM if mark in (PENDING, DONE) else ""
    return Content.assemble((mark.glyph, mark.style), " ", (left(WORDS[name], _CELL - 2), style))


def _mark(name: str, snapshot: Snapshot) -> Mark:
    ending = snapshot.ending
    stage = ending.stages.get(name)
    if stage is not None:
        return DONE if stage.done else FAILED if stage.error else PENDING
    at_hand = next((other for other in STAGES if other not in ending.stages), None)
    return RUNNING if name == at_hand and snapshot.life is Life.FINALIZING else PENDING


def _failures(snapshot: Snapshot, width: int) -> list[Line]:
    rows: list[Line] = []
    if snapshot.life in (Life.DEAD, Life.UNCOMMITTED, Life.UNFINISHED):
        run_id = clean(snapshot.metrics.run.run_id)
        remedy = f"runwatch finalize {run_id}" if snapshot.life is Life.UNFINISHED else "runwatch recover"
        done = "recovered, but for its commit:" if snapshot.life is Life.UNCOMMITTED else ""
        told: list[Piece] = [done or "nobody is at work on this run any more:", (remedy, "bold")]
        rows += _wrapped(told, width, indent=2, lead=(f"{WARNING.glyph} ", WARNING.style))
    for name, stage in snapshot.ending.stages.items():
        if stage.error and not stage.done:
            told = [f"{WORDS.get(name, clean(name))}: {clean(stage.error)}"]
            told += [(clean(stage.remedy), "bold")] if stage.remedy else []
            rows += _wrapped(told, width, indent=2, lead=(f"{FAILED.glyph} ", FAILED.style))
    return rows


def _wrapped(pieces: Sequence[Piece], width: int, *, indent: int, lead: Piece = "") -> list[Line]:
    """Return pieces on as many rows as they take: what does not fit beside the others begins the next one."""
    rows = [Content.assemble(lead)]
    room = max(1, width - indent)
    for piece in pieces:
        content = Content.assemble(piece)
        if rows[-1].cell_length > indent and rows[-1].cell_length + 3 + content.cell_length <= width:
            rows[-1] = Content.assemble(rows[-1], "   ", content)
            continue
        first, *more = content.wrap(room)
        if rows[-1].cell_length > indent:
            rows.append(Content(" " * indent))
        rows[-1] = Content.assemble(rows[-1], first)
        rows += [Content.assemble(" " * indent, each) for each in more]
    return [Line(row) for row in rows]


def _left(ending: Ending, width: int) -> list[Line]:
    """Return what the finalizer left: archive and commit, each on rows of its own and whole."""
    rows: list[Line] = []
    if ending.archive is not None:
        archive: list[Piece] = [
            clean(ending.archive.file),
            size(ending.archive.size_bytes),
            counted(ending.archive.members, "member"),
            Content.assemble(("sha256 ", DIM), clean(ending.archive.sha256)[:12]),
        ]
        rows += _wrapped(archive, width, indent=9, lead=("archive  ", DIM))
    if ending.commit is not None:
        branch = f" on {clean(ending.commit.branch)}" if ending.commit.branch else ""
        commit = Content.assemble(clean(ending.commit.sha)[:9], (branch, DIM))
        rows += _wrapped([commit], width, indent=9, lead=("commit   ", DIM))
    return rows


def summary_lines(text: str, width: int) -> list[Line]:
    """Return the text of the summary, its rules and headings told apart, in the middle of a wide pane."""
    margin = " " * max(0, (width - 80) // 2)
    rows = []
    raw = text.splitlines()
    for index, each in enumerate(raw):
        shown = clean(each)
        ruled = index + 1 < len(raw) and raw[index + 1].startswith("====")
        rows.append(line(margin, (shown, _tone(shown, ruled=ruled)), whole=shown if len(shown) > width else None))
    return rows


def _tone(shown: str, *, ruled: bool) -> str:
    if shown.startswith("===="):
        return "$rw-rule"
    if ruled and shown:
        return "bold $accent"
    if shown.startswith("Step "):
        return "$rw-failed" if ": FAILED" in shown or ": INTERRUPTED" in shown else ""
    return DIM if shown.startswith("  ") else ""
