"""Alerts told to a real command and a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from runwatch.record import alerting
from runwatch.record.alerting import Messenger
from runwatch.settings import Alerts

ALERT = {"rule": "max_cost_usd", "value": 5.5, "run_id": "r"}


class _Server:
    def __init__(self, status: int) -> None:
        self.received: list[tuple[str, object]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append((self.headers["Content-Type"], json.loads(body)))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?token=abc"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[_Server]:
    """A web hook that answers with the status of the test's parameter."""
    found = _Server(getattr(request, "param", 204))
    yield found
    found.server.shutdown()
    found.server.server_close()
    found.thread.join()


def _send(settings: Alerts, times: int = 1) -> list[str]:
    failures: list[str] = []
    messenger = Messenger(settings, failures.append)
    for _ in range(times):
        messenger.send(ALERT)
    messenger.close(30)
    return failures


def test_the_command_gets_the_alert_as_json_on_its_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWATCH_RUN_DIR", "/x")
    out = tmp_path / "out"
    assert _send(Alerts(command=("sh", "-c", f"cat >> {out}; echo $RUNWATCH_RUN_DIR >> {out}")), 2) == []
    assert out.read_text() == (json.dumps(ALERT, separators=(",", ":")) + "\n\n") * 2


def test_the_web_hook_gets_the_alert_as_json(server: _Server) -> None:
    assert _send(Alerts(webhook=server.url)) == []
    assert server.received == [("application/json", ALERT)]


@pytest.mark.parametrize("server", [500], indirect=True)
def test_a_refusal_is_said_once_without_the_hooks_secret(server: _Server) -> None:
    (said,) = _send(Alerts(webhook=server.url), 3)
    assert "500" in said
    assert "abc" not in said
    assert len(server.received) == 3


def test_what_cannot_be_told_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no-such-program cannot be called" in _send(Alerts(command=("no-such-program",)), 2)[0]
    assert "false ended with 1" in _send(Alerts(command=("false",)), 2)[0]
    assert "cannot be reached" in _send(Alerts(webhook="http://127.0.0.1:1/"))[0]
    assert "neither http nor https" in _send(Alerts(webhook="file:///etc/passwd"))[0]
    assert _send(Alerts()) == []
    monkeypatch.setattr(alerting, "COMMAND_TIMEOUT_S", 0.2)
    assert "took more than 0.2 s" in _send(Alerts(command=("sh", "-c", "sleep 60 & sleep 60")))[0]


def test_one_that_hangs_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting, "_MOST_WAITING", 2)
    failures: list[str] = []
    messenger = Messenger(Alerts(command=("sleep", "30")), failures.append)
    for _ in range(200):
        messenger.send(ALERT)
    messenger.close(0.1)
    assert ["left out" in failure for failure in failures] == [True]
    monkeypatch.undo()
