"""What is served at which path: /metrics, /health, /health/<service>.

Must not fold, write or recover anything.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from runwatch.errors import UsageError
from runwatch.sdk.http_server import Answer, HttpServer, is_loopback, json_answer
from runwatch.serve.exposed import Runs
from runwatch.serve.probes import Probes
from runwatch.settings import Settings
from runwatch.units import seconds_between
from runwatch.version import VERSION
from runwatch.views.prometheus import Collector, Encoder, Exposed

AHEAD_S = 2.0
"""How long the start waits for the runs to be read ahead of the first scrape."""
RECENT_S = 300.0
"""How long the health check of a run that has ended says something of today."""
_UP, _DOWN = 200, 503
_OPENMETRICS = "application/openmetrics-text"


class Service:
    """One runs folder, served."""

    def __init__(self, root: Path, settings: Settings, *, host: str, port: int, token: str | None) -> None:
        """Bind. Raises UsageError for an address that cannot be had, and for one beyond loopback without a token."""
        if not is_loopback(host) and not token:
            raise UsageError(
                f"{host} can be reached from other machines: set a token ([serve] token or --token-file), "
                "or listen on --host 127.0.0.1."
            )
        self._root = root
        self._runs = Runs(root)
        self._probes = Probes(settings.services)
        self.http = HttpServer(host, port, self._route, token=token)

    def start(self) -> None:
        """Serve, and have what there is read and written down before anybody scrapes: a first scrape would wait for it.

        Returns when that is done, or after AHEAD_S: a long history, or a slow disk, keeps nobody from asking.
        """
        self.http.start()
        ahead = threading.Thread(target=self._look_ahead, name="ahead", daemon=True)
        ahead.start()
        ahead.join(AHEAD_S)

    def _look_ahead(self) -> None:
        with contextlib.suppress(OSError):  # who scrapes is told of it
            runs, totals = self._runs.now()
            for is_openmetrics in (True, False):
                encode, _ = _form(is_openmetrics=is_openmetrics)
                Collector(runs, totals).text(encode)

    def _route(self, path: str, headers: Mapping[str, str]) -> Answer | None:
        if path == "/metrics":
            return self._metrics(headers.get("accept", ""))
        if path in ("/health", "/health/"):
            return self._health()
        if path.startswith("/health/"):
            return self._one(path.removeprefix("/health/"))
        if path == "/":
            return json_answer(_UP, {"runwatch": VERSION, "paths": ["/metrics", "/health", "/health/<service>"]})
        return None

    def _metrics(self, accept: str) -> Answer:
        from prometheus_client.exposition import choose_encoder

        _, asked = choose_encoder(accept)
        encode, content_type = _form(is_openmetrics=asked.startswith(_OPENMETRICS))
        runs, totals = self._runs.now()
        return Answer(_UP, Collector(runs, totals).text(encode), content_type)

    def _health(self) -> Answer:
        runs, _ = self._runs.now()
        services = self._services(runs)
        down = [name for name, found in services.items() if found["counts"] and not found["healthy"]]
        body = {
            "status": "unhealthy" if down else "healthy",
            "version": VERSION,
            "runs_dir_readable": self._root.is_dir(),
            "live_runs": sum(run.live for run in runs),
            "services": services,
        }
        return json_answer(_DOWN if down else _UP, body)

    def _one(self, name: str) -> Answer | None:
        found = self._services(self._runs.now()[0]).get(name)
        if found is None:
            return None
        return json_answer(_UP if found["healthy"] else _DOWN, {"service": name, **found})

    def _services(self, runs: list[Exposed]) -> dict[str, dict[str, Any]]:
        """Return what the runs said last of each service, and what the probes of the configured ones say now."""
        services: dict[str, dict[str, Any]] = {}
        now = datetime.now(UTC).isoformat()
        for run in runs:
            for health in run.metrics.health:
                if health.time is None or services.get(health.service, {}).get("time", "") >= health.time:
                    continue
                age_s = round(max(0.0, seconds_between(health.time, now)), 1)
                services[health.service] = {
                    "healthy": health.healthy,
                    "source": f"{run.metrics.run.framework}/{run.metrics.run.run_id}",
                    "time": health.time,
                    "age_s": age_s,
                    "latency_s": health.latency_s,
                    "error": health.error,
                    "counts": run.live or age_s <= RECENT_S,
                }
        for name, answer in self._probes.now().items():
            services[name] = {"source": "probe", "counts": True, **answer}
        return services


@cache
def _form(*, is_openmetrics: bool) -> tuple[Encoder, str]:
    """Return one of two encoders and its content type: a client may ask for any version, and texts are kept by form."""
    from prometheus_client.exposition import choose_encoder

    return choose_encoder(f"{_OPENMETRICS}; version=1.0.0" if is_openmetrics else "")
