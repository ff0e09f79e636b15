"""What a log view shows, as a text file: read page by page while it is written.

Must not write into a run: the file goes where downloads go.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from runwatch.runs.log_wanted import text_of

if TYPE_CHECKING:
    from textual.app import App

    from runwatch.journal.log_source import LogSource

_PAGE = 500


class _Lines(io.StringIO):
    """The rows there are now, as lines of text; holds a page of them at a time."""

    def __init__(self, source: LogSource) -> None:
        super().__init__()
        self._source = source
        self._at = 0
        self._count = source.row_count

    def read(self, size: int | None = -1, /) -> str:
        """Return the next page; empty at the end."""
        rows = self._source.rows(self._at, min(_PAGE, self._count - self._at)) if self._at < self._count else []
        self._at += len(rows)
        return "".join(f"{text_of(row)}\n" for row in rows)


def save(app: App[object], source: LogSource, title: str) -> None:
    """Write the lines of a source to a new file, in a thread; the app is told when it is done or why it failed.

    Logs hold secrets: nobody else may read the file. In a browser it is downloaded.
    """
    folder = _folder()
    stem = re.sub(r"[^A-Za-z0-9]+", "-", f"{app.title} {title}").strip("-").lower()
    name = f"{stem}.log"
    if not app.is_web:
        try:
            name = _new_file(folder, stem)
        except OSError as error:
            app.notify(f"{folder} takes no file: {error.strerror}.", severity="error", timeout=10, markup=False)
            return
    app.deliver_text(_Lines(source), save_directory=folder, save_filename=name, mime_type="text/plain", name="log")


def _folder() -> Path:
    from platformdirs import user_downloads_path

    downloads, here = user_downloads_path(), Path.cwd()
    if downloads.is_dir():
        return downloads
    return here if os.access(here, os.W_OK) else Path.home()


def _new_file(folder: Path, stem: str) -> str:
    number = 1
    while True:
        name = f"{stem}.log" if number == 1 else f"{stem}-{number}.log"
        try:
            os.close(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            number += 1
            continue
        return name
