"""The frame around the log view: which step, the tabs of its components, and how the view stands.

Must not read a log: it says what was asked for, and shows the source it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.reactive import var

from runwatch.tui.cells import clean
from runwatch.tui.look import DIM, READING
from runwatch.tui.messages import ComponentAsked
from runwatch.tui.widgets.log_messages import FollowChanged, Stats
from runwatch.tui.widgets.pane import Edge, Pane, tabs
from runwatch.units import count, cut_middle

if TYPE_CHECKING:
    from textual.widget import AwaitMount

    from runwatch.journal.log_source import LogSource
    from runwatch.tui.widgets.log_view import LogView

_LONGEST_TITLE = 34
_PATIENCE_S = 0.2


class LogPane(Pane):
    """The log view in its frame."""

    heading: var[str] = var("logs")
    """What is shown: ``step 003 · generate API``."""
    components: var[tuple[str, ...]] = var(())
    """Those that have a log in this step."""
    component: var[str | None] = var(None)
    """The one that is shown; None: all."""
    ended: var[str] = var("")
    """Why no line is awaited here: ``step ended``; empty where the next one is."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._stats: Stats | None = None
        self._waits = False
        self._opening: AwaitMount | None = None
        self.view: LogView | None = None
        """The log view; None until something was shown."""

    @property
    def follows(self) -> bool:
        """Whether the newest line is in sight, or nothing at all yet."""
        return self.view is None or self.view.following

    async def show(self, source: LogSource | None, empty: str, scope: str) -> None:
        """Show another source; ``empty`` says what would fill it, ``scope`` what it is called where it is searched.

        The view and all that it needs come with the first call: the first frame does not wait for them.
        """
        self._stats = None
        view = await self.opened()
        view.show(source, empty=empty, scope=scope)
        self.reframe()

    async def opened(self) -> LogView:
        """Return the log view, which comes when it is needed first: to show something, or for a key that means it."""
        if self.view is None:
            from runwatch.tui.widgets.log_view import LogView

            self.view = LogView(empty=READING, id="log")
            self._opening = self.mount(self.view)
            await self._opening
            if self.screen.focused is None:
                self.screen.set_focus(self.view)
        elif self._opening is not None and not self.view.is_mounted:
            await self._opening
        return self.view

    def render(self) -> Content:
        """Everything but the view stands in the edges; while it is long in coming, nothing is known yet."""
        return Content.styled(READING, f"{DIM} bold") if self._waits and not self.view else Content("")

    def on_mount(self) -> None:
        """The first frame does not wait for words that may be gone at once."""
        self.set_timer(_PATIENCE_S, self._say_reading)

    def _say_reading(self) -> None:
        self._waits = True
        self.refresh()

    def top(self, room: int) -> Edge:
        """Step and tabs."""
        title = Content.styled(cut_middle(clean(self.heading), min(_LONGEST_TITLE, room // 2)), "bold")
        if not self.components:
            return Edge(title)
        names = ["all", *(clean(name) for name in self.components)]
        active = self.components.index(self.component) + 1 if self.component in self.components else 0
        rule = Content.styled(" ── ", "$accent" if self.is_active else "$rw-rule")
        return Edge(tabs(names, active, room, Content.assemble(title, rule)))

    def bottom(self, room: int) -> Edge:
        """Whether the view follows, and how many lines there are."""
        stats = self._stats
        if stats is None:
            return Edge()
        if self.ended:
            state = Content.styled(self.ended, DIM)
        elif stats.following:
            state = Content.styled("● following", "$rw-running")
        else:
            news = f" · {count(stats.new)} new" if stats.new else ""
            state = Content.assemble(("■ paused", "$rw-warning"), (news, "$rw-warning"))
        lines = f" · {'' if stats.exact else '≈ '}{count(stats.lines)} line{'' if stats.lines == 1 else 's'}"
        if stats.level is not None:  # every line that was found so far has the level; there may be more
            found = f"{count(stats.lines)}{'' if stats.exact else '+'}"
            level = Content.styled(f"{stats.level.lower()}{'' if stats.level == 'ERROR' else ' and up'}", "$rw-warning")
            lines = f" · {found} of {count(stats.of)} line{'' if stats.of == 1 else 's'}"
            state = Content.assemble(state, (" · ", DIM), level)
        # The header's errors are those that the run recorded: these are lines of the log.
        errors = (f"{count(stats.errors)} of level ERROR", "$rw-failed" if stats.errors else DIM)
        return Edge(Content(""), Content.assemble(state, (lines + " · ", DIM), errors))

    def on_stats(self, message: Stats) -> None:
        """The view counted."""
        message.stop()
        self._stats = message
        self.reframe()

    def on_follow_changed(self, message: FollowChanged) -> None:
        """The view ceased to follow, or began again."""
        if self._stats is not None:
            self._stats.following = message.following
            self.reframe()

    def watch_heading(self) -> None:
        """Another step."""
        self.reframe()

    def watch_components(self) -> None:
        """A component began to log."""
        self.reframe()

    def watch_ended(self) -> None:
        """No line is awaited any more, or again."""
        self.reframe()

    def watch_component(self) -> None:
        """Another component."""
        self.reframe()

    def on_click(self, event: events.Click) -> None:
        """A click on a tab asks for its component."""
        tab = event.style.meta.get("tab")
        if tab is not None:
            self.post_message(ComponentAsked(None if tab == 0 else self.components[tab - 1]))
