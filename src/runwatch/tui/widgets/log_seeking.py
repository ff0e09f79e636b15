"""What a log view can be asked for besides moving: hits, errors, a time, a level, a whole record, a file of it all.

Must not read a log on the event loop, nor draw: the reader's thread and workers do the first, the canvas the second.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from runwatch.tui.widgets.letting_go import LettingGo
from runwatch.tui.widgets.log_frame import Look
from runwatch.tui.widgets.log_messages import HitFound

if TYPE_CHECKING:
    from runwatch.journal.log_hits import Pattern
    from runwatch.journal.log_record import Record
    from runwatch.journal.log_source import LogSource, Row
    from runwatch.tui.widgets.log_canvas import LogCanvas
    from runwatch.tui.widgets.log_frame import Frame
    from runwatch.tui.widgets.log_reader import LogReader
    from runwatch.tui.widgets.log_search_bar import LogSearchBar
    from runwatch.tui.widgets.log_standing import LogStanding
    from runwatch.tui.widgets.log_time_bar import LogTimeBar

LEVELS = (None, "INFO", "WARN", "ERROR")
"""What ``l`` goes through; None: all."""
_ABSENT = {"hit": "No line matches.", "error": "No line of level error.", "line": "", "time": "There is no line."}


class LogSeeking(LettingGo):
    """The half of the log view that finds; the other half moves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search the log", show=False, id="log.search"),
        Binding("n", "search_next", "Next hit", show=False, id="log.next"),
        Binding("N", "search_previous", "Previous hit", show=False, id="log.previous"),
        Binding("e", "error(1)", "Next error line", show=False, id="log.error"),
        Binding("E", "error(-1)", "Previous error line", show=False, id="log.error_back"),
        Binding("l", "level", "Level: all, info, warn, error", show=False, id="log.level"),
        Binding("T", "time", "Go to a time", show=False, id="log.time"),
        Binding("enter", "record", "The whole record", show=False, id="log.record"),
        Binding("ctrl+s", "save", "Save what is shown to a file", show=False, id="log.save"),
        Binding("escape", "clear_search", "End the search", show=False, id="log.clear_search"),
    ]

    level: str | None = None
    """The least level that is shown; None: all."""
    scope = "this log"
    """Names what is shown, where it was searched."""
    empty = ""
    """What would fill the view."""
    _canvas: LogCanvas
    _standing: LogStanding
    _reader: LogReader | None = None
    _whole: LogSource | None = None
    _source: LogSource | None = None
    _bar: LogSearchBar | None = None
    _time_bar: LogTimeBar | None = None
    _pattern: Pattern | None = None
    asks = False
    """A question was asked for and does not have the keys yet."""
    answered = False
    """The last question got its answer, and was not given up."""

    @property
    def following(self) -> bool:
        """True while the newest line stays in view."""
        return self._standing.following

    def _moved(self) -> None:
        raise NotImplementedError

    def _put_on(self, source: LogSource | None, look: Look | None = None) -> None:
        raise NotImplementedError

    # Search

    async def action_search(self) -> None:
        """Ask for what to look for."""
        if self._bar is None:
            from runwatch.tui.widgets.log_search_bar import LogSearchBar

            self._bar = LogSearchBar()
            await self._ask_in(self._bar)
        self._begin(self._bar)

    async def _ask_in(self, bar: LogSearchBar | LogTimeBar) -> None:
        self.asks = True
        await self.mount(bar)

    def _begin(self, bar: LogSearchBar | LogTimeBar) -> None:
        self.asks = self.answered = False
        if bar.is_attached:
            bar.begin()

    def action_search_next(self) -> None:
        """Go to the next hit below."""
        self._look(forward=True)

    def action_search_previous(self) -> None:
        """Go to the next hit above."""
        self._look(forward=False)

    async def action_clear_search(self) -> None:
        """End the search and take its marks away; first the question for a time, if that is open."""
        time_bar, self._time_bar = self._time_bar, None
        if time_bar is not None:
            self.focus()
            await time_bar.remove()
            return
        bar, self._bar = self._bar, None
        if bar is not None:
            self._search_for(None)
            self.focus()
            await bar.remove()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape means the search only while there is one."""
        return action != "clear_search" or self._bar is not None or self._time_bar is not None

    def on_log_search_bar_changed(self, message: LogSearchBar.Changed) -> None:
        """Count and mark while it is typed."""
        message.stop()
        self._search_for(message.pattern)

    def on_log_search_bar_entered(self, message: LogSearchBar.Entered) -> None:
        """Go to the nearest hit: above when the end is in view, else below."""
        message.stop()
        self.answered = True
        self.focus()
        self._look(forward=not self.following)

    def _search_for(self, pattern: Pattern | None) -> None:
        self._pattern = pattern
        self._canvas.look_for(pattern.shown if pattern else None)
        if self._reader is not None:
            self._reader.search(pattern)

    def _look(self, *, forward: bool) -> None:
        if self._reader is not None and self._pattern is not None:
            self._reader.look(Look(self._standing.cursor, forward))

    def _tell_hits(self, frame: Frame) -> None:
        if self._bar is not None and frame.pattern is not None and frame.pattern is self._pattern:
            self._bar.count(frame.hits, self.scope, whole=frame.searched, looking=frame.looking)

    def on_hit_found(self, message: HitFound) -> None:
        """Stand on the line that was looked for."""
        found = message.found
        if found.key is None:
            if absent := _ABSENT[found.look.what]:
                self.notify(absent, timeout=3, markup=False)
            return
        if found.wrapped:
            self.notify("The search went on from the other end.", timeout=2, markup=False)
        self._standing.see(found.key)
        if found.look.what == "hit":
            self._canvas.show_hit(found.key)
        self._moved()

    # Errors and times

    def action_error(self, direction: int) -> None:
        """Go to the next line of level error below or above."""
        if self._reader is not None:
            self._reader.look(Look(self._standing.cursor, direction > 0 and not self.following, "error"))

    async def action_time(self) -> None:
        """Ask for a time to go to."""
        if self._time_bar is None:
            from runwatch.tui.widgets.log_time_bar import LogTimeBar

            self._time_bar = LogTimeBar()
            await self._ask_in(self._time_bar)
        self._begin(self._time_bar)

    def on_log_time_bar_entered(self, message: LogTimeBar.Entered) -> None:
        """Go to the first line of that time."""
        message.stop()
        self.run_worker(partial(self._go_to_time, message.text), thread=True, group="log time", exit_on_error=False)

    def _go_to_time(self, text: str) -> None:
        from datetime import UTC, datetime

        from runwatch.errors import UsageError
        from runwatch.runs.log_wanted import wanted_time

        source, reader = self._source, self._reader
        if source is None or reader is None:
            return
        newest = next((row.time for row in source.rows(max(source.row_count - 1, 0), 1)), None)
        now = datetime.now(UTC) if newest is None else datetime.fromtimestamp(newest + 0.001, UTC)
        try:
            seconds = wanted_time(text, now)
        except UsageError as error:
            if self._time_bar is not None:
                self.app.call_from_thread(self._time_bar.refuse, error.sentence)
            return
        self.app.call_from_thread(self._leave_time_bar)
        reader.look(Look(what="time", time=seconds))

    def _leave_time_bar(self) -> None:
        if self._time_bar is not None:
            self.answered = True
            self.call_later(self.action_clear_search)

    # Levels

    def action_level(self) -> None:
        """Show the lines of the next level and those above it, standing where it stood."""
        self.level = LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)]
        cursor = None if self.following else self._standing.cursor
        if cursor is None:
            self._standing.follow()
        self._put_on(self._chosen(), Look(cursor, what="line") if cursor else None)

    def _chosen(self) -> LogSource | None:
        if self._whole is None or self.level is None:
            return self._whole
        return self._whole.from_level(self.level)

    def _nothing(self) -> str:
        return self.empty if self.level is None else f"No line of level {self.level.lower()} or above: l shows others."

    # Records and files

    def action_record(self) -> None:
        """Show the whole record at hand."""
        row = self._canvas.row_at(self._standing.row)
        if row is not None:
            self.run_worker(partial(self._open_record, row), thread=True, group="log record", exit_on_error=False)

    def _open_record(self, row: Row) -> None:
        record = self._source.record(row.key) if self._source is not None else None
        if record is not None:
            self.app.call_from_thread(self._show_record, row, record)

    def _show_record(self, row: Row, record: Record) -> None:
        from runwatch.tui.screens.record import RecordScreen

        self.app.push_screen(RecordScreen(row, record))

    def action_save(self) -> None:
        """Write what is shown, as text, to a new file where downloads go; in a browser, download it."""
        if self._source is not None:
            from runwatch.tui.widgets.log_saving import save

            save(self.app, self._source, " ".join(filter(None, (self.scope, self.level))))
