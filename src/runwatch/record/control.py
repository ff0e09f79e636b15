"""The supervisor's end of the control socket: one JSON line in, one JSON line out.

Must not act itself: it calls what it was given. Only the user who owns the run directory (mode 0700) can reach it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

CLIENT_TIMEOUT_S = 2.0
"""A client that says nothing for so long is left."""
MAX_REQUEST_BYTES = 65536


class Request(msgspec.Struct, kw_only=True):
    """What a client asks for."""

    op: str
    """step, step_end, stop, winsize or ping."""
    step: int | None = None
    """Step number; None asks for the next one."""
    name: str | None = None
    """Name of the step."""
    source: str = "sdk"
    """Who opens the step: sdk or shell."""
    signal: str = "SIGTERM"
    """What to send first."""
    by: str = "runwatch stop"
    """Who asks, for the reason of the run's end."""
    grace_s: float | None = None
    """Seconds until SIGKILL; None: as the run is configured."""
    person: bool = True
    """Whether a person asks, or a process manager: which of the configured grace times holds."""
    limit: str | None = None
    """The limit that was reached, where one asks."""
    rows: int = 0
    """Height of the terminal."""
    cols: int = 0
    """Width of the terminal."""


class Reply(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What it is told."""

    ok: bool
    """Whether it was done."""
    step: int | None = None
    """Number of the step that was opened."""
    closes: int | None = None
    """The shell's step that was open until now."""
    pid: int | None = None
    """Process id of the command."""
    error: str | None = None
    """Why not."""


_request = msgspec.json.Decoder(Request).decode  # made here, in one thread: see events/codec.py, ``looking``
Handler = Callable[[Request], Reply]


class ControlServer:
    """Listens on the run's socket; every client has a thread, so that a slow one is in nobody's way."""

    def __init__(self, path: Path, handler: Handler) -> None:
        """Bind the socket. Raises OSError."""
        self._handler = handler
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # An address holds 108 bytes; a run directory may be longer than that.
            self._socket.bind(f"/proc/self/fd/{folder}/{path.name}" if os.path.isdir("/proc/self/fd") else str(path))
        finally:
            os.close(folder)
        self._socket.listen(16)
        threading.Thread(target=self._serve, name="control", daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(client,), name="control-client", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no thread is to be had: one client after the other then
                self._answer(client)

    def _answer(self, client: socket.socket) -> None:
        with client:
            client.settimeout(CLIENT_TIMEOUT_S)
            try:
                data = b""
                while not data.endswith(b"\n") and len(data) < MAX_REQUEST_BYTES:
                    part = client.recv(4096)
                    if not part:
                        break
                    data += part
                try:
                    reply = self._handler(_request(data))
                except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
                    reply = Reply(ok=False, error=str(error))
                client.sendall(msgspec.json.encode(reply) + b"\n")
            except OSError:
                return  # the client left

    def close(self) -> None:
        """Stop listening and take the socket away."""
        self._socket.close()
        with contextlib.suppress(OSError):  # a disk that became read-only keeps it
            self._path.unlink(missing_ok=True)
