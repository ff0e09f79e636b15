"""The client's end of the control socket: one JSON line out, one JSON line in.

Must never raise for a supervisor that is dead, slow or strange, and never wait longer than it was told.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

import msgspec

STEP_WAIT_S = 0.05
"""How long a step may wait for the supervisor's word. Source: record.md, "Logs"."""
SEND_WAIT_S = 1.0
"""How long it may take to hand a request over, which no process on the other side has to wake up for."""
MAX_REPLY_BYTES = 65536


def request(path: Path, message: dict[str, Any], *, timeout_s: float = STEP_WAIT_S) -> dict[str, Any] | None:
    """Send one request to the socket at ``path`` and return the reply.

    None when nobody listens, or no whole reply came within ``timeout_s`` seconds. Who listens gets the request in any
    case, and acts on it when it comes to it: sending waits for nobody, so that it has a time limit of its own.
    """
    try:
        data = msgspec.json.encode(message, enc_hook=str) + b"\n"
        reply = msgspec.json.decode(_exchange(path, data, timeout_s))
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return None
    return reply if isinstance(reply, dict) else None


def _exchange(path: Path, data: bytes, timeout_s: float) -> bytes:
    """Connect, send, and read up to the line feed. Raises OSError, TimeoutError included."""
    import socket  # costs milliseconds, and a run that is alone never needs it

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SEND_WAIT_S)
        _connect(connection, path)
        connection.sendall(data)
        deadline = time.monotonic() + timeout_s
        reply = b""
        while not reply.endswith(b"\n") and len(reply) < MAX_REPLY_BYTES:
            connection.settimeout(_left(deadline))
            part = connection.recv(4096)
            if not part:
                break
            reply += part
        return reply


def _connect(connection: Any, path: Path) -> None:
    """Connect to a socket file; an address holds 108 bytes, and a run directory may be longer than that."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not stat.S_ISSOCK(os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError("is no socket")  # a link may lead to somebody else's
        short = f"/proc/self/fd/{folder}/{path.name}"
        connection.connect(short if os.path.isdir("/proc/self/fd") else str(path))
    finally:
        os.close(folder)


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises TimeoutError when it has passed: a time-out of 0 would mean something else."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
