"""A run's logs as text, merged by time: chosen by step, component, level, time and pattern, followed while it is live.

Must not draw or color anything. Reads the archive where the raw logs have been pruned.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from shlex import quote

from runwatch.errors import NotFound
from runwatch.journal.held import HeldDirectory
from runwatch.journal.lock import is_live
from runwatch.journal.log_files import RunLogs
from runwatch.journal.log_levels import inherits, passed_on
from runwatch.journal.log_lines import LEVELS
from runwatch.journal.log_source import LogSource, Row
from runwatch.journal.paths import RunPaths
from runwatch.runs import archived_logs
from runwatch.runs.log_wanted import Wanted as Wanted
from runwatch.runs.log_wanted import text_of
from runwatch.runs.log_wanted import wanted_level as wanted_level
from runwatch.runs.log_wanted import wanted_pattern as wanted_pattern
from runwatch.runs.log_wanted import wanted_time as wanted_time
from runwatch.visible import without_colors

PAGE = 500
"""Rows read at a time."""
FOLLOW_S = 0.1
"""How often a live run's logs are looked at."""


def lines(run_dir: Path, wanted: Wanted, *, follow: bool = False) -> Iterator[str]:
    """Yield the wanted lines in the order of their time; with ``follow`` until the run has ended. Raises NotFound."""
    with ExitStack() as stack:
        held = stack.enter_context(closing(HeldDirectory(run_dir)))
        logs = _open(run_dir, stack)
        _check(logs, wanted)
        source = _source(logs, wanted)
        _index(source)
        tail = source.tail(wanted.since)
        chooser = _Chooser(wanted)
        while True:
            live = follow and is_live(RunPaths(run_dir).lock)
            while page := tail.take(PAGE, final=not live):
                yield from chooser.choose(page)
            if not live:
                if follow and held.where() != run_dir:
                    raise NotFound(
                        f"{run_dir} was renamed meanwhile: `runwatch logs -f {quote(str(held.where()))}` follows it."
                    )
                return
            time.sleep(FOLLOW_S)
            logs.poll()
            _index(source)


def _open(run_dir: Path, stack: ExitStack) -> RunLogs:
    paths = RunPaths(run_dir)
    if not paths.logs.is_dir():
        if not paths.archive.is_file():
            raise NotFound(
                f"{paths.run_id} has neither logs nor an archive here: "
                f"`runwatch show {paths.run_id}` shows its summary."
            )
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="runwatch-logs-")))
        run_dir = archived_logs.unpack(paths, folder)
    logs = RunLogs(run_dir)
    while logs.poll():
        pass
    return logs


def _check(logs: RunLogs, wanted: Wanted) -> None:
    """Refuse a step or component that the run does not have, naming those that it has."""
    steps = logs.steps
    if wanted.step is not None and wanted.step not in steps:
        numbers = ", ".join(str(step) for step in steps if step is not None) or "none"
        raise NotFound(f"There is no step {wanted.step} with logs: there are {numbers}.")
    known = {name for step in ([wanted.step] if wanted.step is not None else steps) for name in logs.components(step)}
    for component in wanted.components:
        if component not in known:
            raise NotFound(f"There is no component {component!r}: there are {', '.join(sorted(known)) or 'none'}.")


def _source(logs: RunLogs, wanted: Wanted) -> LogSource:
    if wanted.step is not None:
        return logs.source(wanted.step, wanted.components or None)
    return logs.everything()


def _index(source: LogSource) -> None:
    while source.advance(1.0):
        pass


class _Chooser:
    """Tells wanted lines, and writes them."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._least = LEVELS.index(wanted.level) if wanted.level else None
        self._above: dict[int, tuple[str, int]] = {}

    def choose(self, rows: list[Row]) -> Iterator[str]:
        """Yield the text of the wanted ones."""
        for row in rows:
            level, passed = self._above.get(row.key.log, ("INFO", 0))
            if row.line.level is not None:
                level, passed = row.line.level, passed_on(row.line)
            elif not inherits(row.line, passed):
                level, passed = "INFO", 0
            self._above[row.key.log] = level, passed
            if self._wanted.components and row.component not in self._wanted.components:
                continue
            if self._least is not None and LEVELS.index(level) < self._least:
                continue
            if self._wanted.pattern is not None and not self._wanted.pattern.search(without_colors(row.line.text)):
                continue
            yield text_of(row)
