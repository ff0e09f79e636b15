"""Health of a program's services over HTTP, served by the program itself.

Must not check anything: what is served is what the program said.
"""

from __future__ import annotations

import types
from collections.abc import Mapping

from runwatch.sdk.given import complain
from runwatch.sdk.health import HealthStatus
from runwatch.sdk.http_server import Answer, HttpServer, json_answer
from runwatch.sdk.plain import one_line, shown

_UP, _DOWN = 200, 503


class HealthCheckServer:
    """Serves ``/health`` and ``/health/<service>``: 200 while all is well, 503 else. A context manager."""

    def __init__(self, port: int = 8080, status: HealthStatus | None = None, *, host: str = "127.0.0.1") -> None:
        """Bind to ``port``, any free one for 0. Where that cannot be had, a warning says so and nothing is served."""
        self.status = status if isinstance(status, HealthStatus) else HealthStatus()
        """What is served; the program updates it."""
        self._server: HttpServer | None = None
        try:
            self._server = HttpServer(host, port, self._route)
        except Exception as error:  # noqa: BLE001 - a taken port, or an argument that is none: the program goes on
            cause = error.__cause__ or error
            reason = getattr(cause, "strerror", None) or one_line(cause)
            complain(
                f"health is not served on {shown(host)}, port {shown(port)} ({reason}): give another one, 0 for any.",
                "HealthCheckServer",
            )

    @property
    def port(self) -> int:
        """The port that it listens on; 0 where it could have none."""
        return 0 if self._server is None else self._server.port

    def start(self) -> None:
        """Serve in a thread of its own."""
        if self._server is not None:
            self._server.start()

    def stop(self) -> None:
        """Serve no longer."""
        if self._server is not None:
            self._server.close()

    def __enter__(self) -> HealthCheckServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.stop()

    def _route(self, path: str, headers: Mapping[str, str]) -> Answer | None:
        if path in ("/health", "/health/"):
            return json_answer(_UP if self.status.healthy else _DOWN, self.status.to_dict())
        service = path.removeprefix("/health/")
        healthy = self.status.external_services.get(service) if path.startswith("/health/") else None
        if healthy is None:
            return None
        return json_answer(_UP if healthy else _DOWN, {"service": service, "healthy": healthy})
