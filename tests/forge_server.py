"""A forge on loopback that answers as the documented APIs do: the routes of a test, and what was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Answer:
    """One answer: JSON or bytes, a status, headers; ``hang`` seconds before it."""

    def __init__(self, body: Any = None, status: int = 200, *, hang: float = 0.0, **headers: str) -> None:
        self.body, self.status, self.hang = body, status, hang
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Forge:
    """The server; ``routes`` maps a path to an answer, or to several of which the last stays."""

    def __init__(self) -> None:
        self.routes: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        """Path and query of each request."""
        self.tokens: set[str | None] = set()
        forge = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                forge._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """End it."""
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def paths(self, ending: str = "") -> list[str]:
        """The paths that were asked for."""
        return [path for path, _ in self.asked if path.endswith(ending)]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.asked.append((parts.path, query))
        self.tokens.add(handler.headers.get("PRIVATE-TOKEN") or handler.headers.get("Authorization"))
        known = self.routes.get(parts.path, Answer({"message": "404 Not found"}, 404))
        if isinstance(known, list):
            known = known.pop(0) if len(known) > 1 else known[0]
        answer = known(query) if callable(known) else known
        answer = answer if isinstance(answer, Answer) else Answer(answer)
        if answer.hang:
            self.released.wait(answer.hang)
        is_raw = isinstance(answer.body, bytes)
        data = answer.body if is_raw else json.dumps(answer.body).encode()
        try:
            handler.send_response(answer.status)
            kind = "application/zip" if is_raw else "application/json"
            for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **answer.headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(data)
        except OSError:
            pass  # the client has left


@contextmanager
def forge() -> Iterator[Forge]:
    """Run a forge."""
    server = Forge()
    try:
        yield server
    finally:
        server.stop()


def reset_time(seconds: float) -> str:
    """The time of the epoch in so many seconds, as GitHub's headers have it."""
    return str(int(time.time() + seconds))
