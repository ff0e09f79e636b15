"""Which logs a run has: steps, components and their files, found by looking at folders again.

Never follows a symbolic link, never opens what is no regular file; what the lines hold is not its matter.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from weakref import WeakValueDictionary

from runwatch.journal.log_folder import LogFolder
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_source import LogSource
from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_times import LineTimes, RecordedArrivals
from runwatch.journal.merged_logs import MergedLogs, NamedLog
from runwatch.journal.output_index import OutputIndex

_STEP = re.compile(r"step_(\d{3,9})\Z")
_LOG = re.compile(r"(?P<component>[A-Za-z0-9._-]{1,100}?)(?:\.(?P<part>[1-9]\d{0,5}))?\.log\Z")
_USUAL = ("orchestrator", "adapter", "metrics", "validator", "run", "reconciliation")
_OUTPUT = ("stdout", "stderr")
_SETTLE_S = 0.1
"""A folder changed this shortly before a look may have changed again within the same tick of its clock."""
_NEWEST_STEPS = 4
_OTHERS_A_POLL = 8
_KEPT_SOURCES = 6


class _Folder:
    """What was found in one folder, and whether it may have changed since."""

    __slots__ = ("changed_ns", "files", "looked_ns", "steps")

    def __init__(self) -> None:
        self.changed_ns = -1
        self.looked_ns = 0
        self.files: dict[str, tuple[str, ...]] = {}
        self.steps: tuple[int, ...] = ()


class RunLogs:
    """The logs of one run directory. ``poll`` belongs to one thread; the rest may be called from any."""

    def __init__(self, run_dir: Path | str) -> None:
        self.run_dir = Path(run_dir)
        self._root = LogFolder(self.run_dir / "logs")
        self._output = OutputIndex(self.run_dir / "logs" / "output.idx")
        self._lock = RLock()
        self._folders: dict[int | None, _Folder] = {None: _Folder()}
        self._version = 0
        self._turn = 0
        self._logs: WeakValueDictionary[tuple[int | None, str], NamedLog] = WeakValueDictionary()
        self._numbers: dict[tuple[int | None, str], int] = {}
        self._recent: deque[MergedLogs] = deque(maxlen=_KEPT_SOURCES)

    def poll(self) -> bool:
        """Look for new steps and files; return True when ``steps`` or ``components`` answer differently now.

        Meant to be called some twenty times a second: a folder is listed only after it changed, and of many steps the
        newest are looked at every time, the others in turn.
        """
        changed = self._look(None)
        steps = self._folders[None].steps
        newest = steps[-_NEWEST_STEPS:]
        others = steps[:-_NEWEST_STEPS]
        for step in newest:
            changed |= self._look(step)
        for _ in range(min(_OTHERS_A_POLL, len(others))):
            self._turn = (self._turn + 1) % len(others)
            changed |= self._look(others[self._turn])
        self._version += changed
        return changed

    @property
    def unseen(self) -> bool:
        """Whether some steps were not looked at yet: ``poll`` does so in turn."""
        return any(step not in self._folders for step in self._folders[None].steps)

    def is_seen(self, step: int | None) -> bool:
        """Tell whether ``components`` knows what a step has."""
        return step in self._folders

    @property
    def steps(self) -> list[int | None]:
        """Steps that have a folder, in order; None first where there are logs outside steps."""
        outside: list[int | None] = [None] if self._folders[None].files else []
        return [*outside, *self._folders[None].steps]

    def components(self, step: int | None) -> list[str]:
        """Return the components that have a log in a step (None: outside steps), the usual ones first."""
        folder = self._folders.get(step)
        return list(folder.files) if folder else []

    def source(self, step: int | None, components: Sequence[str] | None = None) -> LogSource:
        """Return the lines of the named components of a step merged by time.

        None: all of the step, those that come later included. The same logs are indexed once, however many sources
        show them.
        """
        wanted = None if components is None else frozenset(components)

        def names() -> list[tuple[int | None, str]]:
            return [(step, name) for name in self.components(step) if wanted is None or name in wanted]

        source = self._merged(names)
        self._recent.append(source)
        return source

    def everything(self) -> LogSource:
        """Return the lines of all steps and of what lies outside them, merged by time."""
        return self._merged(lambda: [(step, name) for step in self.steps for name in self.components(step)])

    def _merged(self, names: Callable[[], list[tuple[int | None, str]]]) -> MergedLogs:
        version, logs = -1, list[NamedLog]()

        def find_logs() -> list[NamedLog]:
            nonlocal version, logs
            if version != self._version:
                version = self._version
                logs = [self._log(step, name) for step, name in names()]
            return logs

        return MergedLogs(find_logs, lock=self._lock, output=self._output)

    def _log(self, step: int | None, component: str) -> NamedLog:
        key = (step, component)
        with self._lock:
            log = self._logs.get(key)
            if log is None:
                stream = LogStream(self._root, self._files(step, component))
                recorded = RecordedArrivals(self._output.arrivals, stream.segments) if component in _OUTPUT else None
                number = self._numbers.setdefault(key, len(self._numbers))
                log = self._logs[key] = NamedLog(number, component, LogIndex(stream, LineTimes(recorded)))
            else:
                log.index.stream.names = self._files(step, component)
            return log

    def _files(self, step: int | None, component: str) -> tuple[str, ...]:
        folder = self._folders.get(step)
        names = folder.files.get(component) if folder else None
        names = names or (f"{component}.log",)
        return names if step is None else tuple(f"{_folder_name(step)}/{name}" for name in names)

    def _look(self, step: int | None) -> bool:
        known = self._folders.get(step)
        if known is None:
            known = self._folders[step] = _Folder()
        path = self._root.path if step is None else f"{self._root.path}/{_folder_name(step)}"
        try:
            changed_ns = os.stat(path, follow_symlinks=False).st_mtime_ns
        except OSError:
            changed_ns = 0
        settled = known.looked_ns - changed_ns > _SETTLE_S * 1e9
        if changed_ns == known.changed_ns and settled:
            return False
        known.looked_ns = time.time_ns()
        known.changed_ns = changed_ns
        files, steps = self._list("" if step is None else _folder_name(step))
        if files == known.files and steps == known.steps:
            return False
        known.files, known.steps = files, steps
        return True

    def _list(self, name: str) -> tuple[dict[str, tuple[str, ...]], tuple[int, ...]]:
        parts: dict[str, list[tuple[int, str]]] = {}
        steps = []
        for entry in self._root.scan(name):
            try:
                if not name and (found := _STEP.match(entry.name)) and entry.is_dir(follow_symlinks=False):
                    if entry.name == _folder_name(int(found[1])):
                        steps.append(int(found[1]))
                elif (found := _LOG.match(entry.name)) and entry.is_file(follow_symlinks=False):
                    parts.setdefault(found["component"], []).append((int(found["part"] or 0), entry.name))
            except OSError:
                continue  # gone between listing and looking
        ordered = sorted(parts, key=_rank)
        return {component: tuple(file for _, file in sorted(parts[component])) for component in ordered}, tuple(
            sorted(steps)
        )


def _folder_name(step: int) -> str:
    return f"step_{step:03d}"


def _rank(component: str) -> tuple[int, str]:
    if component in _OUTPUT:
        return len(_USUAL) + 1 + _OUTPUT.index(component), component
    return (_USUAL.index(component) if component in _USUAL else len(_USUAL)), component
