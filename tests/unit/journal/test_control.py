"""The client of the control socket, against real sockets."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runwatch.journal.control import request


def serve(path: Path, answer: Callable[[bytes], bytes | None]) -> socket.socket:
    """Listen on ``path`` and answer one client; None means silence until the test ends."""
    server = socket.socket(socket.AF_UNIX)
    folder = os.open(path.parent, os.O_RDONLY)
    server.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)
    server.listen(1)

    def accept() -> None:
        try:
            client, _ = server.accept()
        except OSError:  # the test was through before anybody was accepted
            return
        reply = answer(client.recv(65536))
        if reply is None:
            client.recv(1)
        else:
            client.sendall(reply)
        client.close()

    threading.Thread(target=accept, daemon=True).start()
    return server


def test_one_line_goes_out_and_one_comes_back(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def answer(line: bytes) -> bytes:
        seen.append(line)
        return b'{"ok":true,"step":3}\n'

    with serve(tmp_path / "control.sock", answer):
        assert request(tmp_path / "control.sock", {"op": "step", "step": None}, timeout_s=5) == {"ok": True, "step": 3}
    assert json.loads(seen[0]) == {"op": "step", "step": None}
    assert seen[0].endswith(b"\n")


def test_a_run_directory_longer_than_a_socket_address_works(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    deep.mkdir(parents=True)
    with serve(deep / "control.sock", lambda line: b'{"ok":true}\n'):
        assert request(deep / "control.sock", {"op": "ping"}, timeout_s=5) == {"ok": True}


def test_a_silent_supervisor_costs_no_more_than_the_limit(tmp_path: Path) -> None:
    with serve(tmp_path / "control.sock", lambda line: None):
        start = time.monotonic()
        assert request(tmp_path / "control.sock", {"op": "step"}, timeout_s=0.05) is None
        assert 0.04 < time.monotonic() - start < 2


@pytest.mark.parametrize("reply", [b"", b"garbage\n", b"[1]\n", b'{"ok":true'])
def test_a_strange_reply_is_none(tmp_path: Path, reply: bytes) -> None:
    with serve(tmp_path / "control.sock", lambda line: reply):
        assert request(tmp_path / "control.sock", {"op": "ping"}, timeout_s=5) is None


def test_nobody_there_is_none_at_once(tmp_path: Path) -> None:
    assert request(tmp_path / "control.sock", {"op": "ping"}, timeout_s=5) is None
    assert request(tmp_path / "missing" / "control.sock", {"op": "ping"}, timeout_s=5) is None
    server = serve(tmp_path / "control.sock", lambda line: b"")
    server.close()
    (tmp_path / "control.sock").unlink(missing_ok=True)
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "control.sock")) if len(str(tmp_path)) < 80 else None
    left.close()
    assert request(tmp_path / "control.sock", {"op": "ping"}, timeout_s=5) is None


def test_a_listener_that_is_late_gets_the_request_all_the_same(tmp_path: Path) -> None:
    """The asker goes on without an answer, and the supervisor still opens the step when it comes to it."""
    heard: list[bytes] = []
    woken = threading.Event()

    def late(data: bytes) -> None:
        heard.append(data)
        woken.set()

    server = serve(tmp_path / "s", late)
    assert request(tmp_path / "s", {"op": "step"}, timeout_s=0.0) is None
    assert woken.wait(30)
    assert [json.loads(data) for data in heard] == [{"op": "step"}]
    server.close()
