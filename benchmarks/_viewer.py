"""The apps that viewing.py measures: `_viewer.py empty` and `_viewer.py PATH`, a log or a run directory.

Not a benchmark itself: the scripts beside it use it.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widget import Widget


class Empty(App[None]):
    """What any Textual app costs: one widget, which tells the last key."""

    class Told(Widget):
        """Says a word."""

        word = "ready"

        def render(self) -> str:
            """Return the word."""
            return f"empty-app-{self.word}"

    def compose(self) -> ComposeResult:
        """One widget."""
        yield self.Told()

    def on_key(self) -> None:
        """Say that a key was pressed."""
        told = self.query_one(self.Told)
        told.word = "pressed"
        told.refresh()


def viewer(path: Path) -> App[None]:
    """Return an app that shows one log, or all logs of a run, in our log view."""
    from runwatch.journal.log_files import RunLogs
    from runwatch.journal.log_folder import LogFolder
    from runwatch.journal.log_index import LogIndex
    from runwatch.journal.log_source import LogSource
    from runwatch.journal.log_stream import LogStream
    from runwatch.journal.log_times import LineTimes
    from runwatch.journal.merged_logs import MergedLogs, NamedLog
    from runwatch.tui import theme
    from runwatch.tui.feed import TURN_S
    from runwatch.tui.widgets import log_view

    class Viewer(App[None]):
        CSS_PATH = [Path(log_view.__file__).with_name("log_view.tcss")]
        AUTO_FOCUS = "LogView"

        def get_theme_variable_defaults(self) -> dict[str, str]:
            return theme.stand_ins(self.current_theme)

        def compose(self) -> ComposeResult:
            yield log_view.LogView()

        def on_mount(self) -> None:
            self.query_one(log_view.LogView).show(self.source())

        @staticmethod
        def look_for_logs(logs: RunLogs) -> None:
            """As the app's feed does, off the event loop."""
            while True:
                time.sleep(TURN_S)
                logs.poll()

        def source(self) -> LogSource:
            if path.is_dir():
                logs = RunLogs(path)
                logs.poll()
                threading.Thread(target=self.look_for_logs, args=(logs,), daemon=True).start()
                return logs.everything()
            stream = LogStream(LogFolder(path.parent), [path.name])
            log = [NamedLog(0, path.stem, LogIndex(stream, LineTimes(None)))]
            return MergedLogs(lambda: log)

    return Viewer()


if __name__ == "__main__":
    (Empty() if sys.argv[1] == "empty" else viewer(Path(sys.argv[1]))).run()
