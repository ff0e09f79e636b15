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

from runwatch.events import Event, Unreadable, build, encode_any
from runwatch.events.calls import (
    LlmCompleted,
    LlmRetry,
    LlmStarted,
    ServiceCompleted,
    ServiceRetry,
    ServiceStarted,
    ToolCompleted,
    ToolStarted,
)
from runwatch.journal.log_append import LogAppender
from runwatch.journal.losses import LossAccount
from runwatch.journal.paths import RunPaths
from runwatch.sdk.clock import WallClock
from runwatch.sdk.context import Scope, scope_var
from runwatch.sdk.forks import after_fork
from runwatch.sdk.listeners import Callback, Listener
from runwatch.sdk.memory import Memory
from runwatch.sdk.own_secrets import OwnSecrets
from runwatch.sdk.plain import one_line, plain
from runwatch.sdk.sink import JournalSink
from runwatch.sdk.step_book import StepBook
from runwatch.sdk.trouble import Troubles

_STATUS_CHANGES = frozenset({"run.started", "step.completed", "issue.completed", "status.proposed"})
"""Events that are synced at once."""
_MAY_TELL_SECRETS = _STATUS_CHANGES - {"run.started"} | {"step.started", "error", "warning"}
"""Events before which it is looked whether the environment has changed: not so many, and errors quote passwords."""
_CALLS = (
    LlmStarted, LlmRetry, LlmCompleted, ToolStarted, ToolCompleted, ServiceStarted, ServiceRetry, ServiceCompleted,
)  # fmt: skip
_SUBSCRIBER_WAIT_S = 1.0
_MAX_MESSAGE_CHARS = 1000

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
        self.joined = False
        """Whether another process owns the run."""
        self.run: object = None
        """The RunLogger of it, where there is one."""
        self.issues: dict[str, Any] = {}
        """What the issue trackers of this process share, by the issue's id as text."""
        self.attempts: dict[str, Scope | None] = {}
        """Attempts of agents under way in this process, by call id: their place where the main thread, outside of any
        event loop, began them; None where tasks or other threads did."""
        self.steps = StepBook()
        self.memory = Memory() if paths is None else None
        self.refused = 0
        """Events that had a value which cannot be meant."""
        self._listeners: tuple[Listener, ...] = ()
        self._begin()
        self.losses = self._account()
        """What this process could not record."""
        self.sink = JournalSink(paths.journal, self._report, self.losses) if paths is not None else None
        self.own_secrets = OwnSecrets(paths)
        after_fork(self, Emitter._after_fork)

    def _begin(self) -> None:
        """What every process has of its own."""
        self.pid = os.getpid()
        self.writer = token_hex(4)
        self._seq = count(1)
        self._lock = threading.RLock()
        self.troubles = Troubles(self._write_log)

    def follow(self) -> bool:
        """Go on where the run lies now, if folders above it were renamed or moved; whether that is so."""
        if self.paths is None or self.sink is None or os.path.lexists(self.paths.journal):
            return False
        place = self.sink.where()
        if place is None or place == self.paths.journal:
            return False
        log_appender.close_run(self.paths.logs)
        self.paths.root = place.parent
        self.logs = self.paths.logs
        return True

    @property
    def closed(self) -> bool:
        """Whether the run has ended for this process."""
        return self.sink is not None and self.sink.closed

    def emit(self, type_name: str, fields: Mapping[str, Any] | None = None) -> bool:
        """Write one event; True when it is acknowledged. Envelope fields in ``fields`` win over the context's."""
        try:
            event = build(type_name, fields or {})  # type: ignore[arg-type]  # it only reads the mapping
            self._fill_envelope(event)
            line = encode_any(event)
        except Exception as error:  # noqa: BLE001 - the values are the user's: __str__, keys() may raise anything
            return self._second_try(type_name, fields, error)
        return self._write(line, type_name)

    def warn(self, message: str, where: str | None = None) -> None:
        """Record a misuse: a warning event, never an exception."""
        self.emit("warning", {"message": message[:_MAX_MESSAGE_CHARS], "where": where})

    def _fill_envelope(self, event: Event | dict[str, Any]) -> None:
        """Fill in who, when and where."""
        scope = scope_var.get()
        step, issue, agent = self.steps.current, None, None
        if scope is not None and scope.owner is self:
            scope = scope.still_open()
            step, issue, agent = step if scope.step is None else scope.step, scope.issue, scope.agent
        elif scope is None and self.attempts and isinstance(event, _CALLS):
            issue, agent = self._only_place(event)
        if isinstance(event, dict):
            self._fill_foreign(event, {"step": step, "issue": issue, "agent": agent})
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

    def _only_place(self, event: Event) -> tuple[int | str | None, str | None]:
        """Return issue and agent of a call in a thread that has no place of its own.

        They are those of the one attempt under way, while the main thread is at it: nobody else can have wanted it.
        """
        open_places = [place for place in self.attempts.copy().values() if place is None or place.still_open() is place]
        place = open_places[0] if len(open_places) == 1 else None
        if place is None or event.issue not in (None, place.issue):
            return None, None
        if threading.current_thread() is threading.main_thread():
            return None, None
        return place.issue, place.agent

    def _fill_foreign(self, event: dict[str, Any], place: dict[str, Any]) -> None:
        """Fill in the envelope of an event of a type or with a field that the tables do not know."""
        if not isinstance(event["type"], str) or not event["type"]:
            raise TypeError("the name of an event is text, and not empty")
        for name, value in place.items():
            if event.get(name) is None:
                event.pop(name, None)
                if value is not None:
                    event[name] = value
        event |= {"writer": self.writer, "seq": next(self._seq), "pid": self.pid}
        if event.get("ts") is None:
            event |= {"ts": _clock.text(), "mono": time.monotonic()}
        else:
            event.pop("mono", None)

    def _write(self, line: bytes, type_name: str) -> bool:
        sink = self.sink
        if type_name in _MAY_TELL_SECRETS or b'"error":' in line:
            self.own_secrets.look()
        if type_name == "run.started" and sink is not None:
            written = sink.begin_with(line)
        else:  # what tells of losses is none: it is told again
            written = sink is not None and sink.write(line, counted=type_name != "degraded")
        for listener in self._listeners:
            listener.put(line)
        if sink is None:
            if self.memory is not None:
                self.memory.take(line)
        elif written:
            if type_name in _STATUS_CHANGES:
                sink.hurry()
            if self.losses.since_s:
                self._tell_losses(sink)
        return written

    def _tell_losses(self, sink: JournalSink) -> None:
        """There is room again: say what is missing."""
        loss, former = sink.untold, sink.told
        if loss is None:
            return
        sink.told = loss  # first: telling it must not lead here again
        fields = {"dropped": loss.events, "since": loss.since, "log_lines": loss.log_lines}
        if not self.emit("degraded", fields):
            sink.told = former

    def _account(self) -> LossAccount:
        return LossAccount(self.paths.losses if self.paths is not None else Path(os.devnull), self.writer)

    def _second_try(self, type_name: object, fields: object, error: Exception) -> bool:
        """Values that JSON lacks are written as text; a value that cannot be meant is refused and told of."""
        if not isinstance(type_name, str) or not type_name:
            return self._refuse(f"emit wants the name of an event, not {type(type_name).__name__}.")
        if not isinstance(fields, Mapping):
            return self._refuse(f"emit({type_name!r}) wants a mapping of fields, not {type(fields).__name__}.")
        try:
            event = build(type_name, plain(fields))
            self._fill_envelope(event)
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

    def _report(self, kind: str, sentence: str) -> None:
        self.troubles.report(kind, sentence)

    def append_log(self, step: int | None, component: str, line: bytes, max_bytes: int | None = None) -> None:
        """Append a line to the log of ``component`` in ``step``; nowhere without a folder. As `LogAppender.append`."""
        if self.logs is None:
            return
        in_run = self.paths is not None
        try:
            log_appender.append(self.logs, step, component, line, max_bytes, in_run=in_run)
        except FileNotFoundError:
            if not self.follow():
                raise
            log_appender.append(self.logs, step, component, line, max_bytes, in_run=in_run)

    def _write_log(self, line: bytes) -> None:
        self.append_log(None, "run", line)

    # --- around it

    def subscribe(self, callback: Callback) -> Listener:
        """Tell ``callback`` of every event of this process from now on, in a thread of its own."""
        listener = Listener(callback, self._listener_dropped)
        if not listener.start():
            self.warn("a subscriber was dropped: no thread can be started", "subscribe")
            return listener
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return listener

    def unsubscribe(self, *listeners: Listener, wait_s: float = _SUBSCRIBER_WAIT_S) -> None:
        """Deliver what is queued, then tell them nothing more; ``wait_s`` is for all of them together."""
        deadline = time.monotonic() + wait_s
        for listener in listeners:
            self._forget(listener)
            listener.finish()
        for listener in listeners:
            listener.close(max(0.0, deadline - time.monotonic()))

    def _forget(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

    def _listener_dropped(self, listener: Listener, reason: str) -> None:
        self._forget(listener)
        self.warn(f"a subscriber was dropped: {reason}", "subscribe")

    def settle_accounts(self) -> None:
        """Before the end: say what could not be recorded, where there is room to say it."""
        if self.refused:
            several = "event" if self.refused == 1 else "events"
            self.warn(f"{self.refused} {several} had values that cannot be meant and were not recorded", "runwatch")
        if self.sink is not None:
            self._tell_losses(self.sink)

    def close(self) -> None:
        """Deliver, sync and close; a second call does nothing."""
        self.unsubscribe(*self._listeners)
        if self.sink is not None:
            self.sink.close()
        if self.logs is not None:
            log_appender.close_run(self.logs)

    def before_fork(self) -> None:
        """Called in the parent."""
        if self.sink is not None:
            self.sink.before_fork()

    def _after_fork(self) -> None:
        """In a forked child: another writer, and nothing that a thread of the parent's may have held."""
        self._listeners = ()
        self.steps.after_fork()
        self._begin()
        if self.memory is not None:
            self.memory.after_fork()
        self.losses = self._account()
        if self.sink is not None:
            self.sink.after_fork(self.losses)
