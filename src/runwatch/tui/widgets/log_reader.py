"""The thread that owns a log source while it is shown: it reads, indexes and searches, and hands over whole frames.

Must not touch a widget: it calls ``post``, and whoever gets a frame takes the newest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic

from runwatch.journal.log_hits import Errors, Pattern
from runwatch.journal.log_search import LogSearch
from runwatch.journal.log_source import LogSource
from runwatch.tui.widgets.log_frame import Found, Frame, Look, Want

POLL_S = 0.06
"""How often files are looked at while little happens: half of it is what a quiet line waits on average."""
_REST_S = 0.09
"""The same once nothing has happened for ``_TIRED_S``."""
_TIRED_S = 5.0
FRAME_S = 0.1
"""From the beginning of one frame's work to that of the next, unless a person asked for one."""
_BUDGET_S = 0.004
_LOOK_S = 0.02
_BREATH_S = 0.002
_FIRST_FRAME_S = 0.5
_TROUBLE_S = 1.0


@dataclass
class _Orders:
    """What the view asked for since the reader looked last."""

    source: LogSource | None = None
    want: Want = field(default_factory=lambda: Want(0))
    pattern: Pattern | None = None
    look: Look | None = None


class LogReader(threading.Thread):
    """Reads until ``close``. Every public method may be called from the event loop and returns at once."""

    def __init__(
        self, post: Callable[[Frame], None], found: Callable[[Found], None], said: Callable[[str], None]
    ) -> None:
        super().__init__(name="log reader", daemon=True)
        self._post = post
        self._found = found
        self._said = said
        self._orders = _Orders()
        self._changed = threading.Condition()
        self._urgent = False
        self._closed = False
        self._source: LogSource | None = None
        self._search: LogSearch | None = None
        self._pattern: Pattern | None = None
        self._looking: tuple[Look, LogSearch, bool] | None = None
        self._shown: tuple[object, ...] = ()
        self._framed_at = 0.0
        self._resting_since: float | None = None
        self._drawn = threading.Event()

    def show(self, source: LogSource | None, want: Want, look: Look | None = None) -> None:
        """Read another source from now on, and look for a line in it."""
        self._order(source=source, want=want, look=look)

    def want(self, want: Want) -> None:
        """Show other rows."""
        self._order(want=want)

    def search(self, pattern: Pattern | None) -> None:
        """Count and mark other hits; None: none."""
        self._order(pattern=pattern, look=None)

    def look(self, look: Look) -> None:
        """Look for a line."""
        self._order(look=look)

    @property
    def has_drawn(self) -> bool:
        """Whether a frame was drawn."""
        return self._drawn.is_set()

    def drawn(self) -> None:
        """Say that a frame was drawn: until the first one is, nothing else is done that could hold it up."""
        self._drawn.set()

    def close(self) -> None:
        """End the thread, without waiting for it."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _order(self, **changes: object) -> None:
        with self._changed:
            self._orders = replace(self._orders, **changes)  # type: ignore[arg-type]  # the callers above name the fields
            self._urgent = True
            self._changed.notify()

    def run(self) -> None:
        """Read, hand over, rest; a source that fails is said and tried again."""
        pause = 0.0
        while True:
            with self._changed:
                if not self._urgent and not self._closed:
                    self._changed.wait(pause)
                if self._closed:
                    return
                orders, urgent, self._urgent = self._orders, self._urgent, False
                if orders.look is not None:
                    self._orders = replace(orders, look=None)
            try:
                pause = self._turn(orders, urgent=urgent)
            except Exception as error:  # noqa: BLE001 - around a source: what it does must not end the view
                self._said(f"Reading the log failed: {type(error).__name__}: {error}")
                pause = _TROUBLE_S

    def _turn(self, orders: _Orders, *, urgent: bool) -> float:
        """Do what is due; return how long to rest."""
        source = orders.source
        if source is None or not orders.want.height:
            self._source = source
            return 60.0
        if source is not self._source or orders.pattern is not self._pattern:
            self._source, self._pattern = source, orders.pattern
            self._search = source.search(orders.pattern) if orders.pattern else None
            self._looking = None
        if self._resting_since is not None and not urgent and not source.stirred():
            return POLL_S if monotonic() - self._resting_since < _TIRED_S else _REST_S
        self._resting_since = None
        began = monotonic()
        looking = self._looking is not None
        busy = source.advance(0.0 if urgent or looking else _BUDGET_S)
        for notice in source.notices():
            self._said(notice)
        if orders.look:
            self._begin_to_look(source, orders.look)
        if self._looking is not None:  # somebody waits for it: counting can wait
            busy |= self._go_on_looking(source, *self._looking)
        elif self._search:
            busy |= self._search.advance(_BUDGET_S)
        return self._show(source, orders.want, began, urgent=urgent, busy=busy)

    def _show(self, source: LogSource, want: Want, began: float, *, urgent: bool, busy: bool) -> float:
        search = self._search
        counted = (search.hits, search.complete) if search else None
        state = (source, source.generation, source.errors, want, self._pattern, counted, self._looking is not None)
        if state != self._shown:
            wait = self._framed_at + FRAME_S - began
            if wait > 0 and not urgent:
                return _BREATH_S if busy else wait
            self._post(self._frame(source, want))
            if not self._drawn.is_set():
                self._drawn.wait(_FIRST_FRAME_S)
            self._framed_at = began
            self._shown = state
            return _BREATH_S if busy else max(began + FRAME_S - monotonic(), _BREATH_S)
        if not busy:
            self._resting_since = monotonic()
        return _BREATH_S if busy else POLL_S

    def _frame(self, source: LogSource, want: Want) -> Frame:
        height = want.height
        count = source.row_count
        if want.end:
            top = max(count - height, 0)
            first = max(top - 1, 0)
            rows = source.rows(first, height + 1)
            if source.row_count != count:  # an estimate became a number
                count = source.row_count
                top = max(count - height, 0)
                first = max(count - len(rows), 0)
        else:
            base = source.row_of(want.anchor) if want.anchor else 0
            top = max(min((base or 0) + want.top, count - (1 if want.wrapped else height)), 0)
            first = max(top - height, 0)
            rows = source.rows(first, 3 * height)
        search = self._search
        return Frame(
            source=source,
            want=want,
            rows=rows,
            first=first,
            top=top,
            cursor=source.row_of(want.cursor) if want.cursor and not want.end else None,
            row_count=source.row_count,
            line_count=source.line_count,
            exact=source.exact,
            errors=source.errors,
            components=source.components,
            pattern=self._pattern,
            hits=search.hits if search else 0,
            searched=search.complete if search else True,
            looking=self._looking is not None,
        )

    def _begin_to_look(self, source: LogSource, look: Look) -> None:
        if look.what in ("line", "time"):
            row = (
                source.row_at_time(look.time) if look.what == "time" else source.row_of(look.key) if look.key else None
            )
            rows = source.rows(min(row, source.row_count - 1), 1) if row is not None and source.row_count else []
            self._found(Found(look, rows[0].key if rows else None))
            return
        search = source.search(Errors()) if look.what == "error" else self._search
        if search is None:
            return
        row = source.row_of(look.key) if look.key else None
        if row is None:
            row = -1 if look.forward else source.row_count
        search.look(row, forward=look.forward)
        self._looking = (look, search, False)

    def _go_on_looking(self, source: LogSource, look: Look, search: LogSearch, wrapped: bool) -> bool:
        done, row = search.found(_LOOK_S)
        if not done:
            return True
        if row is None and not wrapped:
            search.look(-1 if look.forward else source.row_count, forward=look.forward)
            self._looking = (look, search, True)
            return True
        self._looking = None
        rows = source.rows(row, 1) if row is not None else []
        self._found(Found(look, rows[0].key if rows else None, wrapped))
        return False
