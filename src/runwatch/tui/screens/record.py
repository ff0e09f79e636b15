"""One log record in full, over the screen it was opened from.

Must not read a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from runwatch.journal.log_record import Record
from runwatch.journal.log_source import Row
from runwatch.tui.cells import Line, clean
from runwatch.tui.look import DIM
from runwatch.tui.panels import record as panel
from runwatch.tui.widgets.lines_view import LinesView
from runwatch.tui.widgets.log_row import day_and_time
from runwatch.tui.widgets.pane import Edge


class _RecordView(LinesView):
    def __init__(self, row: Row, record: Record) -> None:
        super().__init__()
        self._row = row
        self._record = record

    def build(self, width: int, height: int) -> Sequence[Line]:
        """Return the record's rows."""
        return panel.lines(self._record.raw, self._record.size_bytes, self._row.line.level, width)

    def top(self, room: int) -> Edge:
        """Who wrote it and when."""
        told = [self._row.component, self._row.line.level or ""]
        told.append("" if self._row.time is None else f"{day_and_time(self._row.time)} UTC")
        title = Content.styled(clean(" · ".join(each for each in told if each)), "bold")
        return Edge(title, Content.styled("y copies · esc closes", DIM))


class RecordScreen(ModalScreen[None]):
    """Shows a record."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", priority=True, id="record.close"),
        Binding("y", "copy", "Copy the record", id="record.copy"),
    ]

    def __init__(self, row: Row, record: Record) -> None:
        super().__init__()
        self._row = row
        self._record = record

    def compose(self) -> ComposeResult:
        """The framed rows."""
        yield _RecordView(self._row, self._record)

    def action_copy(self) -> None:
        """Copy the record as it stands in the log."""
        self.app.copy_to_clipboard(panel.text_of(self._record.raw))
        self.notify("Record copied.", timeout=2)
