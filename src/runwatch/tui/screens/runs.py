"""All runs of a runs folder as a list, live ones first; opens any.

Must not fold a journal: rows come from the tracked files, read in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import var
from textual.screen import Screen

from runwatch.runs.listing import Listed, runs
from runwatch.tui.cells import Column, Line, Piece, clean, heading, row
from runwatch.tui.look import DIM, WARNING, Mark, of_status
from runwatch.tui.messages import RunAsked
from runwatch.tui.widgets.key_bar import KeyBar
from runwatch.tui.widgets.lines_view import LinesView
from runwatch.tui.widgets.pane import Edge
from runwatch.units import count, count_short, date_and_time, duration_short, usd
from runwatch.views.facts import RunRow

_COLUMNS = (
    Column("", 1, "left"),
    Column("run", 22, "left", flexible=True),
    Column("state", 11, "left", keep=8),
    Column("started", 19, "left", keep=7),
    Column("time", 6, keep=8),
    Column("steps", 5, keep=4),
    Column("model", 16, "left", keep=3),
    Column("tokens", 7, keep=5),
    Column("cost", 9, keep=6),
    Column("errors", 6, keep=6),
)
_LIVE = Mark("●", "$rw-running")


class RunsPane(LinesView):
    """The list."""

    HAS_CURSOR = True
    MARGIN = 0
    """As wide as the titles over it."""
    EMPTY: ClassVar[tuple[str, str]] = ("No runs yet", "`runwatch run -- CMD` records one")

    found: var[tuple[Listed, ...]] = var(())
    """Live first, then the newest."""

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return one row a run."""
        return [row(_COLUMNS, _pieces(run.row), width) for run in self.found]

    def top(self, room: int) -> Edge:
        """The column titles stand in the frame."""
        return Edge(Content.styled("Runs", "bold"), Content.styled(count(len(self.found)) if self.found else "", DIM))

    def watch_found(self) -> None:
        """Show the new list."""
        self.rebuild()


def _pieces(run: RunRow) -> Sequence[Piece]:
    mark = _LIVE if run.live else WARNING if run.status == "unfinished" else of_status(run.status)
    none: Piece = ("–", DIM)
    return (
        (mark.glyph, mark.style),
        clean(f"{run.framework}/{run.run_id}"),
        ("running" if run.live else clean(run.status or "unknown"), mark.style),
        (date_and_time(clean(run.start_time)).removesuffix(" UTC"), DIM) if run.start_time else none,
        none if run.duration_seconds is None else duration_short(run.duration_seconds),
        f"{run.steps_done or 0}/{run.steps_total}" if run.steps_total else none,
        clean(run.model) if run.model else none,
        count_short(run.tokens) if run.tokens else none,
        usd(run.cost_usd) if run.cost_usd is not None else none,
        (count(run.errors), "$rw-failed") if run.errors else none,
    )


class _Titles(LinesView, can_focus=False):
    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return the column titles over the list."""
        return [heading(_COLUMNS, width)]


class RunsScreen(Screen[None]):
    """The list with its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,r", "back", "Back", id="runs.back"),
        Binding("enter", "open", "Open", id="runs.open"),
        Binding("q", "app.leave", "Quit", id="app.quit"),
    ]

    def __init__(self, runs_root: Path) -> None:
        super().__init__()
        self._root = runs_root

    def compose(self) -> ComposeResult:
        """Titles, list, keys."""
        yield _Titles(id="titles")
        yield RunsPane(id="runs")
        yield KeyBar(((("runs.open", "list.choose"), "open"), (("runs.back",), "back"), (("app.quit",), "quit")))

    def on_mount(self) -> None:
        """Read the runs in a thread, now and every few seconds."""
        self._read()
        self.set_interval(3.0, self._read)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _read(self) -> None:
        found = tuple(runs(self._root))
        self.app.call_from_thread(self._show, found)

    def _show(self, found: tuple[Listed, ...]) -> None:
        self.query_one(RunsPane).found = found

    def on_lines_view_chosen(self, message: LinesView.Chosen) -> None:
        """Open the chosen run."""
        found = self.query_one(RunsPane).found
        if message.index < len(found):
            self.post_message(RunAsked(found[message.index].path))

    def action_back(self) -> None:
        """Back to the run."""
        self.dismiss()
