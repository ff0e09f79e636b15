"""The main screen: one run, live or finished.

Must not read a file of the run: a feed does, in a thread; intents of widgets are decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import var

from runwatch.fold.metrics import Metrics
from runwatch.tui import keys, log_choice, messages
from runwatch.tui.alerts import KINDS, Alerts
from runwatch.tui.cells import clean
from runwatch.tui.following import Following, NewFeed
from runwatch.tui.look import READING
from runwatch.tui.screens.run_end import RunEnd
from runwatch.tui.state import LIVE, Life, Snapshot
from runwatch.tui.toasts import MOST
from runwatch.tui.widgets.issues_pane import IssuesPane
from runwatch.tui.widgets.key_bar import KeyBar
from runwatch.tui.widgets.log_pane import LogPane
from runwatch.tui.widgets.pane import Pane
from runwatch.tui.widgets.panel_deck import PanelDeck
from runwatch.tui.widgets.run_header import RunHeader
from runwatch.tui.widgets.steps_pane import StepsPane, StepStrip

if TYPE_CHECKING:
    from runwatch.journal.log_files import RunLogs

_LOG_ACTIONS = frozenset({"log", "component", "step", "steps", "panel"})


_ASKING = (("search",), ("time",))
"""Log actions that letters follow: typed while the end came up, they must not become commands there."""


def _class_at(breakpoints: list[tuple[int, str]], size: int) -> str:
    return max((least, name) for least, name in breakpoints if size >= least)[1]


class RunScreen(RunEnd):
    """Header, steps, issues, log, panels, keys."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (15, "-low"), (20, "-short"), (30, "-tall"), (45, "-high")]
    BINDINGS: ClassVar[list[BindingType]] = [*keys.RUN_BINDINGS]
    AUTO_FOCUS = ""

    metrics: var[Metrics] = var(Metrics)
    """The fold of the run's journal."""
    life: var[Life] = var(Life.OPENING)
    """The run's condition."""
    stalled_s: var[float | None] = var(None)
    """For how many seconds its recorder has given no sign; None while it does."""
    read_ratio: var[float] = var(1.0)
    """How much of the journal is folded, 0 to 1."""
    selected: var[int | None] = var(None)
    """The step whose logs are shown; None: outside steps."""
    log_steps: var[tuple[int | None, ...]] = var(())
    """Steps that have logs."""
    panel: var[int] = var(0)
    """Which panel is shown, from 0."""
    reading: var[bool] = var(True)
    """Whether the journal was not read to its end yet: what is not there may still come."""

    def __init__(self, run_dir: Path, new_feed: NewFeed, *, show_end: bool = False) -> None:
        """``show_end``: the run was started with the app: its end, and every alert, is news whenever it came."""
        super().__init__()
        self.run_dir = run_dir
        self.stopping = 0
        """How often a person asked for the run to be stopped."""
        width, height = get_terminal_size()
        # Guessed rightly, the first frame is laid out once and not twice.
        self.set_classes([_class_at(self.HORIZONTAL_BREAKPOINTS, width), _class_at(self.VERTICAL_BREAKPOINTS, height)])
        self._new_feed = new_feed
        self._feed: Following | None = None
        self._show_end = show_end
        self._alerts = Alerts(from_start=show_end)
        self._pinned = False
        self._component: str | None = None
        self._shown: tuple[object, ...] | None = None

    @property
    def _logs(self) -> RunLogs:
        """The logs of the run; there are none before the first snapshot."""
        assert self._feed is not None
        return self._feed.logs

    def compose(self) -> ComposeResult:
        """Seven widgets, all drawn line by line."""
        bound = RunScreen
        yield RunHeader(self.run_dir).data_bind(bound.metrics, bound.life, bound.stalled_s, bound.read_ratio)
        yield StepStrip().data_bind(bound.metrics, bound.selected)
        with Horizontal(id="body"):
            with Vertical(id="side"):
                yield StepsPane(id="steps").data_bind(bound.metrics, bound.selected, bound.log_steps, bound.reading)
                yield IssuesPane(id="issues").data_bind(bound.metrics, bound.reading)
            with Vertical(id="main"):
                yield LogPane(id="logs")
                yield PanelDeck(id="panels").data_bind(bound.metrics, bound.panel, bound.reading)
        yield KeyBar(keys.RUN_BAR, keys.RUN_BAR_ORDER)

    def on_mount(self) -> None:
        """Begin to read once the first frame is out."""
        self.call_after_refresh(self._follow_run)

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        if self._feed is not None:
            self._feed.stop()

    @work(thread=True, exit_on_error=False, group="feed")
    def _follow_run(self) -> None:
        try:
            # What the feed and the log view need is imported here: after the first frame, and off its thread.
            import_module("runwatch.tui.widgets.log_view")
            self._feed = self._new_feed(self.run_dir, self._hear)
            self._feed.run()
        except Exception as error:  # noqa: BLE001 - the top of a worker: it is told on the screen
            self.post_message(messages.FeedBroke(clean(f"reading stopped: {type(error).__name__}: {error}")))

    def _hear(self, snapshot: Snapshot) -> None:
        """Called by the feed's thread."""
        self.post_message(messages.RunRead(snapshot))

    async def on_run_read(self, message: messages.RunRead) -> None:
        """Show what the feed saw."""
        before, self.snapshot = self.snapshot, message.snapshot
        self.metrics = message.snapshot.metrics
        self.stalled_s = message.snapshot.stalled_s
        self.read_ratio = message.snapshot.read_ratio
        self.reading = self.read_ratio < 1.0
        self._tell_alerts(message.snapshot)
        life = message.snapshot.life
        self.life = Life.STOPPING if self.stopping and life in LIVE else life
        if before.life is not life:
            self.refresh_bindings()
        if before.life in LIVE and life not in LIVE:
            self.post_message(messages.RunOver())
        self.log_steps = tuple(self._logs.steps)
        await self._choose_step()
        watched = before.life in LIVE or (self._show_end and before.life is Life.OPENING)
        if watched and life in (Life.FINALIZING, Life.UNCOMMITTED, Life.UNFINISHED, Life.ENDED):
            await self.open_end()

    def _tell_alerts(self, snapshot: Snapshot) -> None:
        new = self._alerts.new(snapshot)
        for notice in new[-MOST:]:
            title, severity = KINDS[notice.kind]
            self.notify(clean(notice.message), title=title, severity=severity, timeout=15, markup=False)

    def on_feed_broke(self, message: messages.FeedBroke) -> None:
        """Say that what is shown will not change."""
        self.notify(message.reason, severity="error", timeout=30, markup=False)

    async def _choose_step(self) -> None:
        """Go with the run from step to step until a person picks one, or reads something further up."""
        if not self._pinned and self.query_one(LogPane).follows:
            self.selected = log_choice.newest_step(self.metrics, self.log_steps)
        await self._show_logs()

    async def _show_logs(self) -> None:
        """Bring the log pane in line with the step and component that were chosen."""
        components = tuple(self._logs.components(self.selected))
        component = self._component if self._component in components else None
        pane = self.query_one(LogPane)
        pane.components, pane.component = components, component
        pane.heading = log_choice.heading(self.metrics, self.selected)
        goes_on = self.life in LIVE or self.life is Life.OPENING
        pane.ended = log_choice.ended(self.metrics, self.log_steps, self.selected, live=goes_on)
        # "all" takes new components in by itself: only another choice, or the first file, is a new source.
        empty = self._nothing_logged()
        wanted = (self._logs, self.selected, component, True if components else empty)
        if pane.view is not None:
            pane.view.behind = goes_on and bool(pane.ended)
        if wanted == self._shown:
            return
        self._shown = wanted
        source = self._logs.source(self.selected, [component] if component else None) if components else None
        await pane.show(source, empty, log_choice.scope(self.metrics, self.selected, component))

    def _nothing_logged(self) -> str:
        """Return what is said where there is no line, and nothing that is not known."""
        if self.life is Life.GONE:
            return "The run's directory was deleted or moved away."
        if self.snapshot.no_logs:
            return clean(self.snapshot.no_logs)
        if self.life in LIVE:
            return "No log yet: what the command prints appears here."
        if self.reading or not self._logs.is_seen(self.selected):
            return READING
        return "No log in this run." if not self.log_steps else "No log in this step."

    async def on_step_asked(self, message: messages.StepAsked) -> None:
        """Show a step until another is asked for; the newest one is followed again."""
        self._pinned = message.step != log_choice.newest_step(self.metrics, self.log_steps)
        self.selected = message.step
        await self._show_logs()

    async def on_newest_asked(self, message: messages.NewestAsked) -> None:
        """Follow the run from step to step again."""
        await self.on_step_asked(messages.StepAsked(log_choice.newest_step(self.metrics, self.log_steps)))

    async def on_component_asked(self, message: messages.ComponentAsked) -> None:
        """Show one component, or all."""
        self._component = message.component
        await self._show_logs()

    def on_panel_asked(self, message: messages.PanelAsked) -> None:
        """Show a panel."""
        self.panel = message.index

    async def action_step(self, direction: int) -> None:
        """Show the step before or after."""
        choices = log_choice.steps(self.metrics, self.log_steps)
        if choices:
            at = choices.index(self.selected) if self.selected in choices else len(choices) - 1
            await self.on_step_asked(messages.StepAsked(choices[max(0, min(len(choices) - 1, at + direction))]))

    async def action_component(self, direction: int) -> None:
        """Show the next or previous component; all comes first."""
        choices: list[str | None] = [None, *self.query_one(LogPane).components]
        at = choices.index(self._component) if self._component in choices else 0
        await self.on_component_asked(messages.ComponentAsked(choices[(at + direction) % len(choices)]))

    async def action_log(self, action: str) -> None:
        """Do in the log view what the key would do there, wherever the focus is."""
        if self.shows_end:
            self.action_back()
        self.remove_class("-deck")
        view = await self.query_one(LogPane).opened()
        self.set_focus(view, scroll_visible=False)
        await view.run_action(action)

    def action_panel(self, index: int) -> None:
        """Show a panel; where the panels are folded away, in place of the log, and the same one again to go back."""
        before, self.panel = self.panel, index
        if self.has_class("-flat"):
            self.set_class(before != index or not self.has_class("-deck"), "-deck")
            self.query_one(PanelDeck if self.has_class("-deck") else "#log").focus()

    def action_steps(self) -> None:
        """Bring up the list of steps, also where it is folded away."""
        self.toggle_class("-steps")
        self.query_one(StepsPane if self.has_class("-steps") else "#log").focus()

    def action_fold(self) -> None:
        """Take away what was brought up over the log."""
        self.remove_class("-steps", "-deck")
        self.query_one("#log").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what makes no sense now: log keys over the summary, stopping what has ended."""
        ending = self.shows_end
        if action in _LOG_ACTIONS:
            return not ending or (action == "log" and parameters[:1] in _ASKING)
        if action == "summary":
            return not ending and self.life not in LIVE and self.life is not Life.OPENING
        if action == "fold":
            covers = (self.has_class("-narrow") and self.has_class("-steps")) or (
                self.has_class("-flat") and self.has_class("-deck")
            )
            return covers and not ending
        return ending if action == "back" else True

    def mark_stopping(self) -> None:
        """A person asked for the run to be stopped, once more."""
        self.stopping += 1
        if self.life in LIVE:
            self.life = Life.STOPPING

    def action_zoom(self) -> None:
        """Give the focused pane the whole screen, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            panes = (node for node in self.focused.ancestors_with_self if isinstance(node, Pane))
            self.maximize(next(panes, self.focused), container=False)

    def commands(self, is_true: Callable[[Binding], bool]) -> Iterable[SystemCommand]:
        """Return what the command palette offers here: what a key would do now, where what is said of it is true."""
        offered: set[str] = set()
        for active in self.active_bindings.values():
            binding = active.binding
            if binding.id and active.enabled and is_true(binding) and binding.description not in offered:
                offered.add(binding.description)
                shown = f"key {self.app.get_key_display(binding)}"
                yield SystemCommand(
                    binding.description, shown, partial(self.app.run_action, binding.action, active.node)
                )
