"""A run's logs as text, merged by time: chosen by step, component, level, time and pattern, followed while it is live.

Must not draw or color anything. Reads the archive where the raw logs have been pruned.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from runwatch.errors import NotFound, UsageError
from runwatch.finalize import archive
from runwatch.journal.lock import is_live
from runwatch.journal.log_files import RunLogs
from runwatch.journal.log_lines import LEVELS, level_name
from runwatch.journal.log_source import LogSource, Row
from runwatch.journal.paths import RunPaths
from runwatch.units import parse_time

PAGE = 500
"""Rows read at a time."""
FOLLOW_S = 0.1
"""How often a live run's logs are looked at."""
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)\Z")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\Z")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted; all of them by default."""

    step: int | None = None
    """Only this step."""
    components: tuple[str, ...] = ()
    """Only these."""
    level: str | None = None
    """This level and those above it; a line without one has that of the line above."""
    since: float | None = None
    """Seconds since the epoch."""
    pattern: re.Pattern[str] | None = None
    """Searched in the whole line."""


def wanted_level(name: str) -> str:
    """Return one of LEVELS. Raises UsageError."""
    level = level_name(name)
    if level is None:
        raise UsageError(f"There is no level {name!r}: it is one of {', '.join(LEVELS)}.")
    return level


def wanted_pattern(text: str) -> re.Pattern[str]:
    """Return a compiled pattern. Raises UsageError."""
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"{text!r} is no regular expression ({error}): escape what is meant literally.") from None


def wanted_time(text: str, now: datetime) -> float:
    """Return the seconds since the epoch of a time, a time of day (UTC, the last one) or an age such as ``10m``."""
    if match := _AGO.match(text):
        return now.timestamp() - float(match[1]) * _UNITS_S[match[2]]
    if match := _CLOCK.match(text):
        seconds = float(match[3] or 0)
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        moment = day + timedelta(hours=int(match[1]), minutes=int(match[2]), seconds=seconds)
        return (moment if moment <= now else moment - timedelta(days=1)).timestamp()
    try:
        return parse_time(text).timestamp()
    except ValueError:
        raise UsageError(f"{text!r} is no time: write 2026-10-20T14:23:45Z, 14:23:45 or 10m.") from None


def lines(run_dir: Path, wanted: Wanted, *, follow: bool = False) -> Iterator[str]:
    """Yield the wanted lines in the order of their time; with ``follow`` until the run has ended. Raises NotFound."""
    with ExitStack() as stack:
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
        archive.extract(paths.archive, folder, ["logs"])
        run_dir = folder / paths.run_id
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
        self._above: dict[str, str | None] = {}

    def choose(self, rows: list[Row]) -> Iterator[str]:
        """Yield the text of the wanted ones."""
        for row in rows:
            level = row.line.level or self._above.get(row.component)
            self._above[row.component] = level
            if self._wanted.components and row.component not in self._wanted.components:
                continue
            if self._least is not None and (level is None or LEVELS.index(level) < self._least):
                continue
            if self._wanted.pattern is not None and not self._wanted.pattern.search(row.line.text):
                continue
            yield _text(row)


def _text(row: Row) -> str:
    moment = datetime.fromtimestamp(row.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if row.time else "-" * 24
    fields = "".join(f"  {key}={value}" for key, value in row.line.fields)
    return f"{moment} {row.line.level or '-':5} {row.component:12} {row.line.message}{fields}"
