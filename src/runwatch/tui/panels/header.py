"""The header line: which run, which model, its state, and what it has cost so far.

Must not compute a metric. Every number has a field of its own width, so that nothing moves when it grows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual.content import Content

from runwatch.fold.metrics import Metrics, Run
from runwatch.tui.cells import clean, right
from runwatch.tui.look import DIM, of_life
from runwatch.tui.state import Life
from runwatch.units import clock, count, count_short, cut_middle, duration_short, usd

_EXPLAINED = {
    Life.DEAD: "`runwatch recover` finalizes it",
    Life.UNFINISHED: "`runwatch finalize` completes it",
    Life.GONE: "its directory is not there any more",
    Life.STALLED: "the recorder gives no sign; the command goes on",
    Life.UNFOLDED: "the command goes on, its output is kept",
}


@dataclass(frozen=True)
class Heading:
    """What the header shows."""

    metrics: Metrics
    """Of the run."""
    life: Life
    """Its condition."""
    framework: str
    """From the directory, until the journal says it."""
    run_id: str
    """As above."""
    read_ratio: float = 1.0
    """How much of the journal is folded."""
    stalled_s: float | None = None
    """For how many seconds the recorder has given no sign; None while it does."""


_STATE = 13
"""Cells of the state: the longest ordinary one is "■ interrupted"; those that need somebody may be longer."""
_LEAST_ASIDE = 12
"""A model's name cut to less than this says nothing."""


def content(heading: Heading, width: int) -> Content:
    """Return the line in ``width`` cells; what matters less goes first."""
    narrow = width < 100
    if _warning(heading):
        return _sick(heading, width)
    aside = _aside(heading, width)
    # The model is whole where there is room between the numbers, or instead of the app's name.
    loose, tight = _Way(tight=narrow), _Way(tight=True)
    ways = [(replace(loose, whole=True), 2 if aside else 1), (loose, 4), (loose, 2), (tight, 1)]
    ways += [(replace(loose, branded=False), 2), (replace(tight, branded=False), 1)]
    for way, blanks in ways:
        if aside.cell_length + blanks <= _gap(heading, width, way):
            return _line(heading, width, aside, way)
    bare = replace(tight, branded=False)
    gap = _gap(heading, width, bare)
    if aside and not narrow and gap - 1 >= _LEAST_ASIDE:
        return _line(heading, width, _aside(heading, gap - 1), bare)
    return _line(heading, width, Content(""), loose)


@dataclass(frozen=True)
class _Way:
    """How the line is laid out."""

    tight: bool
    """With little room between the numbers."""
    branded: bool = True
    """With the app's name, where there is room."""
    whole: bool = False
    """With all words that say which errors are meant."""


def _gap(heading: Heading, width: int, way: _Way) -> int:
    """Return the cells between the run's name and its state."""
    facts = _facts(heading, narrow=way.tight, whole=way.whole)
    around = _state(heading, narrow=way.tight).cell_length + facts.cell_length + 4
    return width - around - _name(heading, width - around, branded=way.branded).cell_length


def _line(heading: Heading, width: int, aside: Content, way: _Way) -> Content:
    state, facts = _state(heading, narrow=way.tight), _facts(heading, narrow=way.tight, whole=way.whole)
    name = _name(heading, width - facts.cell_length - state.cell_length - 4, branded=way.branded)
    gap = _gap(heading, width, way)
    return Content.assemble(" ", name, _centered(aside, gap), " ", state, " ", facts, " ").truncate(width)


def _sick(heading: Heading, width: int) -> Content:
    """Return the line of a run that needs somebody: what to do about it matters more than what it has cost."""
    narrow = width < 100
    state, aside = _state(heading, narrow=narrow), _aside(heading, narrow=narrow)
    facts = _facts(heading, narrow=narrow) if width >= 130 else Content("")
    room = width - facts.cell_length - state.cell_length - 4
    name = _name(heading, room - aside.cell_length - 2)
    gap = room - name.cell_length
    middle = _centered(aside if aside.cell_length + 2 <= gap else Content(""), gap)
    return Content.assemble(" ", name, middle, " ", state, " ", facts, " ").truncate(width)


def _centered(text: Content, width: int) -> Content:
    spare = max(0, width - text.cell_length)
    before = max(spare // 2, min(spare, 1))
    return Content.assemble(" " * before, text, " " * (spare - before))


def _warning(heading: Heading, *, narrow: bool = False) -> str:
    """Return what somebody must know above all: what to do about a sick run, or what is missing in the record."""
    if heading.life is Life.UNCOMMITTED:
        code = heading.metrics.code
        verb = "commits" if code is not None and code.head else "completes"
        return f"recovered, `runwatch recover` {verb} it"
    if heading.life in _EXPLAINED:
        return _EXPLAINED[heading.life]
    journal = heading.metrics.journal
    if not (journal.dropped or journal.lost_log_lines or journal.lost_output_bytes):
        return ""
    from runwatch.views import phrases  # few runs lose anything, and the first frame would wait for it

    said = clean(phrases.degraded(journal).partition(" since ")[0])
    return said.partition(":")[0] if narrow else said  # the errors panel says the rest


def _name(heading: Heading, room: int, *, branded: bool = True) -> Content:
    framework, run_id = clean(heading.framework), clean(heading.run_id)
    brand = Content.styled("runwatch", "bold $accent")
    whole = len(framework) + len(run_id) + 3
    if branded and room >= whole + 11:
        return Content.assemble(brand, "   ", (framework, DIM), (" / ", DIM), (run_id, "bold"))
    if room >= whole:
        return Content.assemble((framework, DIM), (" / ", DIM), (run_id, "bold"))
    if room >= len(framework) + 15:
        return Content.assemble((framework, DIM), (" / ", DIM), (cut_middle(run_id, room - len(framework) - 3), "bold"))
    return Content.styled(cut_middle(run_id, max(4, room)), "bold")


def _aside(heading: Heading, room: int = 48, *, narrow: bool = False) -> Content:
    """Return what to do about a sick run, else what it waits for, how far the journal is read, or the model.

    A name or question of others is cut to ``room``.
    """
    warning = _warning(heading, narrow=narrow)
    if warning:
        return Content.styled(warning, "$rw-warning")
    if heading.life is Life.WAITING:
        question = next((each.question for each in reversed(heading.metrics.questions) if each.wait_s is None), "")
        return Content.styled(cut_middle(clean(question), min(40, room)), "$rw-waiting")
    if heading.read_ratio < 1.0:
        return Content.styled(f"reading the journal {heading.read_ratio * 100:3.0f}%", DIM)
    llm = heading.metrics.run.llm_configuration
    if not llm.model:
        return Content("")
    heat = "" if llm.temperature is None else f" · temp {llm.temperature:g}"
    if room - len(heat) < _LEAST_ASIDE:
        heat = ""
    return Content.assemble(cut_middle(clean(llm.model), room - len(heat)), (heat, DIM))


def _state(heading: Heading, *, narrow: bool) -> Content:
    run, life = heading.metrics.run, heading.life
    mark = of_life(life, run.status)
    word = clean(run.status or life.value) if life in (Life.ENDED, Life.UNCOMMITTED) else life.value
    if life is Life.STALLED and heading.stalled_s is not None:
        word = f"stalled for {duration_short(heading.stalled_s)}"
    if narrow and life is Life.WAITING:
        word = word.partition(" ")[0]
    time = "" if run.start_time is None else clock(run.duration_seconds)
    shown = Content.styled(f"{mark.glyph} {word}", f"{mark.style} bold").pad_right(max(0, _STATE - 2 - len(word)))
    return Content.assemble(shown, right(time, max(6 if narrow else 8, len(time) + 1)))


def _facts(heading: Heading, *, narrow: bool, whole: bool = False) -> Content:
    run = heading.metrics.run
    gap = " " if narrow else "   "
    return Content.assemble(
        right(_cost(run), 7 if narrow else 8),
        gap,
        right(count_short(run.tokens.total), 6),
        (" tok", DIM),
        gap,
        _errors(run, 2 if narrow else 4, "recorded error" if whole else "error"),
    )


def _cost(run: Run) -> str:
    if run.cost_usd is None:
        return "unpriced" if run.unpriced_models else "unknown" if run.unmeasured_models else "–"
    return usd(run.cost_usd)


def _errors(run: Run, width: int, called: str) -> Content:
    number = right(count(run.errors) if run.errors < 1000 else count_short(run.errors), width)
    word = f" {called}{' ' if run.errors == 1 else 's'}"
    if not run.errors:
        return Content.styled(number + word, DIM)
    return Content.assemble((number, "$rw-failed bold"), (word, "$rw-failed"))
