"""Health checks of the services that a program depends on.

Must not raise for a client that does: that is what is asked.
"""

from __future__ import annotations

import asyncio
import enum
import inspect
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runwatch.sdk import active
from runwatch.sdk.beside import beside
from runwatch.sdk.given import seconds, truth
from runwatch.sdk.plain import one_line, text

_RENAMED = {"llm": "llm_service"}
"""What a client is called without ``_client`` → its service, where they differ."""
TIMEOUT_S = 5.0
"""How long one check may take."""
_DOWN = frozenset(
    {
        "unhealthy", "down", "fail", "failed", "failing", "failure", "error", "critical", "unavailable", "unreachable",
        "not_ok", "ko", "false", "no", "bad", "red", "dead", "offline", "stopped", "out_of_service", "not_serving",
        "not_ready", "not_healthy", "disconnected", "timeout", "outage", "major_outage",
    }
)  # fmt: skip
"""Words by which services say that they are down. **Source**: health+json (pass, warn, fail), Spring's actuator, gRPC
health checking, ASP.NET (Degraded still serves)."""
_SAID = ("healthy", "is_healthy", "ok", "is_success")
_NAMED = ("status", "state", "health", "status_code")
"""Under what an answer says it: yes or no, a word or a number of HTTP."""


@dataclass(frozen=True)
class _Check:
    """What one check found."""

    service: str
    healthy: bool
    latency_s: float
    error: str | None


def check_external_services(*, timeout_s: float = TIMEOUT_S, **clients: Any) -> Mapping[str, bool]:
    """Ask each client's ``health_check()``, side by side; return service → whether it is healthy.

    ``task_registry_client=…`` is service ``task_registry``, ``llm_client=…`` is ``llm_service``. A client without a
    check counts as healthy when there is one. An answer of None is healthy, a false one is not, nor is one that says so
    (``{"status": "unhealthy"}``, ``"down"``, a response of 503), nor an exception or one that takes longer than
    ``timeout_s`` seconds. Plain and coroutine checks; in asynchronous code the result can be
    awaited, and the coroutines run in its event loop then. Emits ``service.health`` for each.
    """
    named = {_service(name): client for name, client in clients.items()}
    timeout_s = seconds(timeout_s, "check_external_services timeout_s", TIMEOUT_S)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _in_threads(named, timeout_s)
    return _Awaitable(named, timeout_s)


class _Awaitable(Mapping[str, bool]):
    """The answer in asynchronous code: awaited, or read as it is, whichever the program does."""

    def __init__(self, clients: dict[str, Any], timeout_s: float) -> None:
        self._clients, self._timeout_s = clients, timeout_s
        self._known: dict[str, bool] | None = None

    def __await__(self) -> Generator[Any, None, dict[str, bool]]:
        return self._ask().__await__()

    async def _ask(self) -> dict[str, bool]:
        checks = (_check_here(name, client, self._timeout_s) for name, client in self._clients.items())
        self._known = _emitted(await asyncio.gather(*checks))
        return self._known

    def _answer(self) -> dict[str, bool]:
        if self._known is None:
            self._known = _in_threads(self._clients, self._timeout_s)
        return self._known

    def __getitem__(self, name: str) -> bool:
        return self._answer()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clients)

    def __len__(self) -> int:
        return len(self._clients)

    def __repr__(self) -> str:
        return repr(self._answer())


def _service(client: str) -> str:
    name = client.removesuffix("_client")
    return _RENAMED.get(name, name)


def _in_threads(clients: dict[str, Any], timeout_s: float) -> dict[str, bool]:
    """Run every check in a daemon thread: one that hangs keeps neither us nor the program's exit waiting."""
    found: dict[str, _Check] = {}
    threads = []
    for name, client in clients.items():

        def run(name: str = name, client: Any = client) -> None:
            found[name] = asyncio.run(_check_here(name, client, timeout_s, in_thread=False))

        thread = threading.Thread(target=run, name=f"runwatch health {name}", daemon=True)
        thread.start()
        threads.append(thread)
    deadline = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = {name: _Check(name, False, timeout_s, _late(timeout_s)) for name in clients}
    return _emitted([found.get(name, late[name]) for name in clients])


async def _check_here(name: str, client: Any, timeout_s: float, *, in_thread: bool = True) -> _Check:
    """Run one check in this event loop, a plain one beside it."""
    started = time.monotonic()
    error: str | None = None
    try:
        async with asyncio.timeout(timeout_s):
            answer = await _answer_of(client, in_thread=in_thread)
        healthy = client is not None if answer is None else _is_well(answer)
    except TimeoutError:
        healthy, error = False, _late(timeout_s)
    except Exception as trouble:  # noqa: BLE001 - whatever a client raises, its service is not healthy
        healthy, error = False, one_line(trouble)
    return _Check(name, healthy, round(time.monotonic() - started, 6), error)


def _is_well(answer: Any) -> bool:
    """Return what an answer says: in a word, under a name, or by being true."""
    answer = answer.value if isinstance(answer, enum.Enum) else answer
    if isinstance(answer, str):
        return bool(answer.strip()) and answer.strip().lower().replace(" ", "_").replace("-", "_") not in _DOWN
    for name in (*_SAID, *_NAMED):
        said = answer.get(name) if isinstance(answer, Mapping) else getattr(answer, name, None)
        said = getattr(said, "value", said)  # of an enumeration
        if isinstance(said, bool):
            return said
        if name in _NAMED and isinstance(said, str):
            return _is_well(said)
        if name in _NAMED and isinstance(said, int) and 100 <= said < 600:
            return said < 400
    return bool(answer)


async def _answer_of(client: Any, *, in_thread: bool) -> Any:
    check = getattr(client, "health_check", None)
    if check is None:
        return None
    if inspect.iscoroutinefunction(check) or not in_thread:
        answer = check()
    else:
        answer = await beside(check)
    return await answer if inspect.isawaitable(answer) else answer


def _late(timeout_s: float) -> str:
    return f"no answer within {timeout_s:g} s"


def _emitted(checks: list[_Check]) -> dict[str, bool]:
    emitter = active.emitter()
    for check in checks:
        fields = {"service": check.service, "healthy": check.healthy, "latency_s": check.latency_s}
        emitter.emit("service.health", fields if check.error is None else {**fields, "error": check.error})
    return {check.service: check.healthy for check in checks}


class HealthStatus:
    """What is known of the services a program depends on; safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._services: dict[str, bool] = {}

    def update_service_status(self, name: str, healthy: bool) -> None:
        """Say how a service is."""
        is_so = truth(healthy, "update_service_status healthy")
        with self._lock:
            self._services[text(name)] = is_so

    @property
    def external_services(self) -> dict[str, bool]:
        """Service to whether it is healthy, as of now."""
        with self._lock:
            return dict(self._services)

    @property
    def healthy(self) -> bool:
        """Whether every service is."""
        return all(self.external_services.values())

    def to_dict(self) -> dict[str, Any]:
        """Return ``status`` (healthy or unhealthy) and the services."""
        services = self.external_services
        return {"status": "healthy" if all(services.values()) else "unhealthy", "external_services": services}
