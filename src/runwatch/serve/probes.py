"""Health of the services that the configuration names: their URLs, asked side by side, not more often than need be.

Must not keep a request waiting longer than one probe may take.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

TIMEOUT_S = 3.0
"""How long one answer may take."""
FRESH_S = 5.0
"""How long an answer holds."""
_FAILED = 400


class Probes:
    """The configured services; safe to use from threads."""

    def __init__(self, services: Mapping[str, str]) -> None:
        """``services``: name to URL."""
        self._services = dict(services)
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._answers: dict[str, dict[str, Any]] = {}

    def now(self) -> dict[str, dict[str, Any]]:
        """Return each service's ``healthy``, ``latency_s``, ``age_s`` and, where it is down, ``error``."""
        with self._lock:  # who comes meanwhile gets the same answers
            if time.monotonic() - self._asked > FRESH_S:
                self._answers = self._ask()
                self._asked = time.monotonic()
            age_s = round(time.monotonic() - self._asked, 1)
            return {name: {**answer, "age_s": age_s} for name, answer in self._answers.items()}

    def _ask(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        threads = [
            threading.Thread(target=lambda name=name, url=url: found.update({name: _probe(url)}), daemon=True)
            for name, url in self._services.items()
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + TIMEOUT_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        late = {"healthy": False, "latency_s": TIMEOUT_S, "error": f"no answer within {TIMEOUT_S:g} s"}
        return {name: found.get(name, late) for name in self._services}


def _probe(url: str) -> dict[str, Any]:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    started = time.monotonic()
    error = None
    try:
        request = Request(url, headers={"User-Agent": "runwatch"})
        if request.type not in ("http", "https"):
            error = "its URL is neither http nor https"
        else:
            with urlopen(request, timeout=TIMEOUT_S) as answer:
                answer.read(1)
    except HTTPError as refused:
        error = f"answered {refused.code}" if refused.code >= _FAILED else None
    except (OSError, ValueError) as trouble:
        error = str(getattr(trouble, "reason", trouble)) or type(trouble).__name__
    found: dict[str, Any] = {"healthy": error is None, "latency_s": round(time.monotonic() - started, 4)}
    return found if error is None else {**found, "error": error}
