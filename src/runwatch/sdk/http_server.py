"""A small HTTP server: GET and HEAD of a few paths, each client in a thread of its own, all of them bounded.

Must not know what it serves. Clients that are slow, leave or say nothing hurt nobody, nor do two hundred at once.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from runwatch.errors import UsageError

READ_TIMEOUT_S = 5.0
"""How long one read from a client may take."""
HEAD_TIMEOUT_S = 5.0
"""How long a client may take until its request is in, however it drips."""
CLIENT_TIMEOUT_S = 30.0
"""How long one client may take in all: an answer that nobody reads."""
MOST_CLIENTS = 64
"""Clients that are served at a time; the next ones take the place of who has not asked yet, or wait."""
SILENT_S = 0.5
"""So long at least a client may say nothing before another one gets its place."""
QUEUE_S = 1.0
"""How long the next client waits for a place; then it is told to come back."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[str, Mapping[str, str]], Answer | None]
"""Called with the path and the request's headers (names in lower case); None: there is nothing there."""


def json_answer(status: int, value: object) -> Answer:
    """Return an answer in JSON."""
    return Answer(status, (json.dumps(value, indent=2, default=str) + "\n").encode())


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that is bound to ``host``."""
    return host in LOOPBACK or host.startswith("127.")


class HttpServer:
    """Serves one route on one address until it is closed."""

    def __init__(self, host: str, port: int, route: Route, *, token: str | None = None) -> None:
        """Bind. Raises UsageError for an address that cannot be had."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._server = _Server((host, port), family, route, token)
        except (OSError, OverflowError, TypeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"Nothing can listen on {host}:{port} ({reason}): choose another port with --port (0: any) or host."
            ) from error
        self.host, self.port = host, int(self._server.server_address[1])
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is reached, without a path."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.5,), name="http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve nobody any more."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()


@dataclass(slots=True)
class _Client:
    since: float
    """Monotonic time at which it came."""
    has_asked: bool = False
    """Whether its request is in."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], family: socket.AddressFamily, route: Route, token: str | None) -> None:
        self.address_family = family
        self.route, self.token = route, token
        self._clients: dict[socket.socket, _Client] = {}
        self._changed = threading.Condition()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service who we are."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a client in a thread, unless there are too many already."""
        if not self._admit(request):
            with contextlib.suppress(OSError):
                request.settimeout(0.2)
                request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread is to be had
            self.shutdown_request(request)

    def _admit(self, request: socket.socket) -> bool:
        """Give a client a place, that of the most silent one where all are taken; return whether there was one."""
        until = time.monotonic() + QUEUE_S
        with self._changed:
            while len(self._clients) >= MOST_CLIENTS:
                now = time.monotonic()
                silent, client = min(self._clients.items(), key=lambda pair: (pair[1].has_asked, pair[1].since))
                if not client.has_asked and now - client.since >= SILENT_S:
                    del self._clients[silent]
                    _cut_off(silent)
                elif now >= until:
                    return False
                else:
                    self._changed.wait(0.05)
            self._clients[request] = _Client(time.monotonic())
        return True

    def asked(self, request: socket.socket) -> None:
        """Note that a client's request is in."""
        with self._changed:
            if request in self._clients:
                self._clients[request].has_asked = True

    def shutdown_request(self, request: Any) -> None:
        """Let a client go."""
        with self._changed:
            self._clients.pop(request, None)
            self._changed.notify()
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Every half second: cut off who takes too long."""
        now = time.monotonic()
        with self._changed:
            for client, known in self._clients.items():
                if now - known.since > (CLIENT_TIMEOUT_S if known.has_asked else HEAD_TIMEOUT_S):
                    _cut_off(client)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left, or broke off, is nobody's business."""


def _cut_off(client: socket.socket) -> None:
    """End a client's connection; its thread, which waits for it, closes it."""
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = READ_TIMEOUT_S
    protocol_version = "HTTP/1.1"
    server_version = "runwatch"
    sys_version = ""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def parse_request(self) -> bool:
        """Read the request; return whether it is to be answered still."""
        if not super().parse_request():
            return False
        self.server.asked(self.request)
        if self.command in ("GET", "HEAD"):
            return True
        refusal = {"error": f"{self.command} is not allowed: GET or HEAD"}
        self._send(json_answer(405, refusal), {"Allow": "GET, HEAD"})
        return False

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        scheme, _, given = headers.get("authorization", "").partition(" ")
        token = self.server.token
        if token is not None and not (
            scheme.lower() == "bearer"
            and hmac.compare_digest(given.strip().encode(errors="replace"), token.encode(errors="replace"))
        ):
            self._send(json_answer(401, {"error": "a bearer token is needed"}), {"WWW-Authenticate": "Bearer"})
            return
        path = unquote(urlsplit(self.path).path, errors="replace")
        try:
            answer = self.server.route(path, headers)
        except Exception as error:  # noqa: BLE001 - one request that fails must not end the server
            answer = json_answer(500, {"error": f"{type(error).__name__}: {error}"})
        self._send(answer or json_answer(404, {"error": f"there is nothing at {path}"}))

    def _send(self, answer: Answer, more: Mapping[str, str] | None = None) -> None:
        self.close_connection = True
        self.send_response(answer.status)
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            "Connection": "close",
            "X-Content-Type-Options": "nosniff",
            **answer.headers,
            **(more or {}),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: stderr is the user's."""
