"""The one core under every recorder: an event gets its envelope and goes to the journal.

Must not raise into the user's program, wait for anything but one write, or compute a metric.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any

from runwatch.errors import RunwatchError
from runwatch.events import Event, Unreadable, build, encode_any
from runwatch.journal.append import Appender
from runwatch.journal.log_append import LogAppender
from runwatch.journal.paths import RunPaths
from runwatch.sdk.clock import WallClock
from runwatch.sdk.context import scope_var
from runwatch.sdk.durability import Syncer
from runwatch.sdk.forks import after_fork
from runwatch.sdk.listeners import Callback, Listener
from runwatch.sdk.memory import Memory
from runwatch.sdk.plain import one_line, plain
from runwatch.sdk.step_book import StepBook
from runwatch.sdk.trouble import Troubles

_STATUS_CHANGES = frozenset({"run.started", "step.completed", "issue.completed", "status.proposed"})
"""Events that are synced at once."""
_SUBSCRIBER_WAIT_S = 1.0
_clock = WallClock()
log_appender = LogAppender()
"""The open logs of this process."""
after_fork(log_appender, LogAppender.forget_all)


class Emitter:
    """Events of this process in one run; of no run, counted in memory, where it is given no directory."""

    def __init__(self, paths: RunPaths | None) -> None:
        """Open the journal. Raises RecordError."""
        self.paths = paths
        self.logs: Path | None = paths.logs if paths is not None else None
        """Where log lines go; None: nowhere."""
        self.run_id: str | None = paths.run_id if paths is not None else None
        self.max_log_bytes: int | None = None
        """A log past it goes on in another file."""
        self.steps = StepBook()
        self.memory = Memory() if paths is None else None
        self.joined = False
        """Whether another process owns the run."""
        self.run: object = None
        """The RunLogger of it, where there is one."""
        self.issues: dict[str, Any] = {}
        """What the issue trackers of this process share, by the issue's id as text."""
        self.closed = False
        self.refused = 0
        """Events that had a value which cannot be meant."""
        self._dropped_before = 0
        self._told = 0
        self._since: str | None = None
        self._listeners: tuple[Listener, ...] = ()
        self._appender = Appender(paths.journal) if paths is not None else None
        self._begin()
        after_fork(self, Emitter._after_fork)

    def _begin(self) -> None:
        """What every process has of its own."""
        self.pid = os.getpid()
        self.writer = token_hex(4)
        self._seq = count(1)
        self._lock = threading.RLock()
        self._syncer = Syncer(self._sync)
        self.troubles = Troubles(self._write_log)

    # --- emitting

    def emit(self, type_name: str, fields: Mapping[str, Any] | None = None) -> bool:
        """Write one event; True when it is acknowledged. Envelope fields in ``fields`` win over the context's."""
        try:
            event = build(type_name, fields or {})  # type: ignore[arg-type]  # it only reads the mapping
            self._seal_envelope(event)
            line = encode_any(event)
        except Exception as error:  # noqa: BLE001 - the values are the user's: __str__, keys() may raise anything
            return self._second_try(type_name, fields, error)
        return self._write(line, type_name)

    def _seal_envelope(self, event: Event | dict[str, Any]) -> None:
        """Fill in who, when and where."""
        scope = scope_var.get()
        step, issue, agent = self.steps.current, None, None
        if scope is not None and scope.owner is self:
            step, issue, agent = step if scope.step is None else scope.step, scope.issue, scope.agent
        if isinstance(event, dict):
            if not isinstance(event["type"], str):
                raise TypeError("the name of an event is text")
            _fill(event, step, issue, agent)
            event |= {"writer": self.writer, "seq": next(self._seq), "pid": self.pid}
            if event.get("ts") is None:
                event |= {"ts": _clock.text(), "mono": time.monotonic()}
            else:
                event.pop("mono", None)
            return
        if event.step is None:
            event.step = step
        if event.issue is None:
            event.issue = issue
        if event.agent is None:
            event.agent = agent
        event.writer = self.writer
        event.seq = next(self._seq)
        event.pid = self.pid
        if event.ts is None:
            event.ts = _clock.text()
            event.mono = time.monotonic()
        else:  # of another time, which the clock of this moment would contradict
            event.mono = None

    def _write(self, line: bytes, type_name: str) -> bool:
        if self._listeners:
            for listener in self._listeners:
                listener.put(line)
        appender = self._appender
        if appender is None:
            return self._write_elsewhere(line, type_name)
        if not appender.append(line):
            return self._failed(line, appender)
        if appender.unsynced >= self._syncer.due:
            self._syncer.wake(appender.unsynced)
        if type_name in _STATUS_CHANGES:
            self._syncer.hurry()
        if self._told != self.dropped:
            self._tell_degraded()
        return True

    def _write_elsewhere(self, line: bytes, type_name: str) -> bool:
        """There is no open journal: in memory, after the end, or in a child that was just forked."""
        if self.memory is not None:
            self.memory.take(line)
            return False
        if self.closed:
            self.troubles.report("after-end", f"events after the end of run {self.run_id} are not recorded.")
            return False
        return self._reopen() and self._write(line, type_name)

    def _second_try(self, type_name: object, fields: object, error: Exception) -> bool:
        """Values that JSON lacks are written as text; a value that cannot be meant is refused and told of."""
        if not isinstance(type_name, str) or not type_name:
            return self._refuse(f"emit wants the name of an event, not {type_name!r:.100}.")
        if not isinstance(fields, Mapping):
            return self._refuse(f"emit({type_name!r}) wants a mapping of fields, not {type(fields).__name__}.")
        try:
            event = build(type_name, plain(fields))
            self._seal_envelope(event)
            line = encode_any(event)
        except Unreadable as unreadable:
            return self._refuse(f"event not recorded: {unreadable}.")
        except Exception:  # noqa: BLE001 - as above; whatever it is stays out of the user's program
            return self._refuse(f"event {type_name} not recorded: {one_line(error)}.")
        return self._write(line, type_name)

    def _refuse(self, sentence: str) -> bool:
        self.refused += 1
        if self.troubles.report(f"refused {sentence}", sentence):
            self.warn(sentence, "runwatch")
        return False

    def warn(self, message: str, where: str | None = None) -> None:
        """Record a misuse: a warning event, never an exception."""
        self.emit("warning", {"message": message[:1000], "where": where})

    # --- what could not be written

    @property
    def dropped(self) -> int:
        """Events of this process that could not be written."""
        appender = self._appender
        return self._dropped_before + (appender.dropped if appender is not None else 0)

    @property
    def dropped_since(self) -> str | None:
        """RFC 3339 time of the first of them."""
        return self._since

    def _failed(self, line: bytes, appender: Appender) -> bool:
        """Take note of a dropped event, once aloud; try again where somebody closed our descriptor."""
        if self.closed:
            return self._write_elsewhere(line, "")
        if _is_lost(appender, self.paths):
            with self._lock:
                if self._appender is appender:
                    self._dropped_before += appender.dropped - 1
                    if self._reopen() and self._appender.append(line):
                        return True
        if self._since is None:
            self._since = _clock.text()
        reason = appender.last_error or "unknown error"
        self.troubles.report(
            "dropped", f"the journal cannot be written ({reason}): events are dropped and counted, the program goes on."
        )
        return False

    def _tell_degraded(self) -> None:
        """There is room again: say how many events are missing."""
        with self._lock:
            dropped = self.dropped
            if self._told != dropped:
                self._told = dropped
                self.emit("degraded", {"dropped": dropped, "since": self._since})

    def _reopen(self) -> bool:
        """Open the journal again: a forked child shares nothing with its parent but the file."""
        with self._lock:
            if self.paths is None or self.closed:
                return False
            try:
                self._appender = Appender(self.paths.journal)
            except RunwatchError as error:
                self.troubles.report("reopen", error.sentence)
                self._dropped_before += 1
                return False
            return True

    def _sync(self) -> None:
        appender = self._appender
        if appender is not None:
            appender.sync()

    # --- around it

    def subscribe(self, callback: Callback) -> Listener:
        """Tell ``callback`` of every event of this process from now on, in a thread of its own."""
        listener = Listener(callback, self._listener_dropped)
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return listener

    def unsubscribe(self, listener: Listener, wait_s: float = _SUBSCRIBER_WAIT_S) -> None:
        """Deliver what is queued, then tell it nothing more."""
        with self._lock:
            self._listeners = tuple(other for other in self._listeners if other is not listener)
        listener.close(wait_s)

    def _listener_dropped(self, listener: Listener, reason: str) -> None:
        with self._lock:
            self._listeners = tuple(other for other in self._listeners if other is not listener)
        self.warn(f"a subscriber was dropped: {reason}", "subscribe")

    def _write_log(self, line: bytes) -> None:
        if self.logs is not None:
            log_appender.append(self.logs, None, "run", line)

    def settle_accounts(self) -> None:
        """Before the end: say what could not be recorded, where there is room to say it."""
        if self.refused:
            self.warn(f"{self.refused} events had values that cannot be meant and were not recorded", "runwatch")
        if self._told != self.dropped:
            self._tell_degraded()

    def close(self) -> None:
        """Deliver, sync and close; a second call does nothing."""
        if self.closed:
            return
        for listener in self._listeners:
            self.unsubscribe(listener)
        self.closed = True
        self._syncer.stop()
        appender, self._appender = self._appender, None
        if appender is not None:
            self._dropped_before += appender.dropped
            appender.close()

    def before_fork(self) -> None:
        """Be one thread less: a fork beside threads is what newer Pythons warn of."""
        self._syncer.stop()

    def _after_fork(self) -> None:
        """In a forked child: another writer, locks that nobody holds, and no descriptor of the parent's."""
        self._appender = None
        self._dropped_before, self._told, self._since = 0, 0, None
        self._listeners = ()
        self.steps.after_fork()
        if self.memory is not None:
            self.memory.after_fork()
        self._begin()


def _fill(event: dict[str, Any], step: int | None, issue: int | str | None, agent: str | None) -> None:
    for name, value in (("step", step), ("issue", issue), ("agent", agent)):
        if event.get(name) is None:
            if value is None:
                event.pop(name, None)
            else:
                event[name] = value


def _is_lost(appender: Appender, paths: RunPaths | None) -> bool:
    """Whether the appender's descriptor is closed or another file's: a program may close all it does not know."""
    if paths is None:
        return False
    try:
        mine, there = os.fstat(appender.fileno()), os.stat(paths.journal)
    except OSError as error:
        return error.errno == 9  # EBADF
    return (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino)
