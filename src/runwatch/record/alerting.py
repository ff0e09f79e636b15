"""Telling others of alerts: the configured command and web hook.

Must not keep the recorder waiting, and must not end with an error of theirs: both run in one thread, with time limits.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from runwatch.settings import Alerts

COMMAND_TIMEOUT_S = 30.0
HOOK_TIMEOUT_S = 10.0
_MOST_WAITING = 100
_HTTP_OK = range(200, 300)


class Messenger:
    """Hands alerts on, one after the other."""

    def __init__(self, settings: Alerts, failed: Callable[[str], None]) -> None:
        """``failed`` is told in one sentence, the first time each way fails; it is called in the messenger's thread."""
        self._settings = settings
        self._failed = failed
        self._told: set[str] = set()
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None

    def send(self, alert: dict[str, Any]) -> None:
        """Hand one alert on, soon. Never blocks, never raises."""
        if not (self._settings.command or self._settings.webhook):
            return
        try:
            self._waiting.put_nowait(msgspec.json.encode(alert, enc_hook=str) + b"\n")
        except queue.Full:
            self._fail("queue", f"more than {_MOST_WAITING} alerts wait to be told: further ones are left out")
            return
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="alerts", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                self._fail("thread", f"alerts cannot be told: {error}")
                return
            self._thread = thread

    def close(self, wait_s: float) -> None:
        """Have what waits told, for at most ``wait_s`` seconds."""
        if self._thread is not None:
            with contextlib.suppress(queue.Full):
                self._waiting.put_nowait(None)
            self._thread.join(wait_s)

    def _run(self) -> None:
        while (alert := self._waiting.get()) is not None:
            if self._settings.command:
                self._call(alert)
            if self._settings.webhook:
                self._post(self._settings.webhook, alert)

    def _call(self, alert: bytes) -> None:
        name = self._settings.command[0]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RUNWATCH_")}
        try:
            with subprocess.Popen(
                self._settings.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            ) as process:
                try:
                    process.communicate(alert, COMMAND_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(process.pid, signal.SIGKILL)
                    self._fail("command", f"[alerts] command {name} took more than {COMMAND_TIMEOUT_S:g} s: killed")
                    return
        except OSError as error:
            self._fail("command", f"[alerts] command {name} cannot be called: {error.strerror}")
            return
        if process.returncode != 0:
            self._fail("command", f"[alerts] command {name} ended with {process.returncode}")

    def _post(self, url: str, alert: bytes) -> None:
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen  # slow to import, and rarely needed

        where = url.split("?")[0].rpartition("@")[2]  # a hook's query or user part is often its secret
        try:
            request = Request(url, data=alert, headers={"Content-Type": "application/json", "User-Agent": "runwatch"})
            if request.type not in ("http", "https"):
                self._fail("hook", f"[alerts] webhook {where} is neither http nor https")
                return
            with urlopen(request, timeout=HOOK_TIMEOUT_S) as answer:
                if answer.status not in _HTTP_OK:
                    self._fail("hook", f"[alerts] webhook answered {answer.status}")
        except HTTPError as error:
            self._fail("hook", f"[alerts] webhook answered {error.code}")
        except (OSError, ValueError) as error:
            self._fail("hook", f"[alerts] webhook cannot be reached: {getattr(error, 'reason', error)}")

    def _fail(self, way: str, sentence: str) -> None:
        if way not in self._told:
            self._told.add(way)
            self._failed(sentence)
