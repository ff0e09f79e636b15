"""Health checks of external services."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from runwatch.sdk.health import HealthStatus, check_external_services
from sdk_recording import Recording


class Client:
    """A client whose check answers, raises or waits."""

    def __init__(self, answer: Any = True, waits: threading.Event | None = None) -> None:
        self._answer, self._waits = answer, waits

    def health_check(self) -> Any:
        if self._waits is not None:
            self._waits.wait(60)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class AsyncClient:
    """A client whose check must run in the loop that it belongs to."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop

    async def health_check(self) -> bool:
        await asyncio.sleep(0)
        return self._loop is None or asyncio.get_running_loop() is self._loop


def test_each_client_is_asked_and_told_of_under_its_services_name(recording: Recording) -> None:
    found = check_external_services(
        task_registry_client=Client(),
        llm_client=Client(False),
        repo_pool_client=Client(ConnectionError("refused")),
        artifact_store_client=object(),
        coroutine=AsyncClient(),
        missing_client=None,
        silent=Client(None),
    )
    assert found == {
        "task_registry": True, "llm_service": False, "repo_pool": False, "artifact_store": True, "coroutine": True,
        "missing": False, "silent": True,
    }  # fmt: skip
    events = {event["service"]: event for event in recording.events("service.health")}
    assert {name: event["healthy"] for name, event in events.items()} == found
    assert events["repo_pool"]["error"] == "ConnectionError: refused"
    assert all(event["latency_s"] >= 0 for event in events.values())


@pytest.mark.parametrize(
    ("answer", "is_healthy"),
    [
        ({"status": "unhealthy"}, False), ({"status": "Healthy"}, True), ({"status": "OUT OF SERVICE"}, False),
        ({"healthy": False, "status": "ok"}, False), ({"state": "down"}, False), ({"latency_ms": 3}, True), ({}, False),
        ({"status": 503}, False), ({"status": "degraded"}, True), ("fail", False), ("pass", True), ("", False),
        (SimpleNamespace(status_code=503), False), (SimpleNamespace(ok=True, status_code=200), True),
        (HealthStatus(), True), (MagicMock(), True),
    ],
)  # fmt: skip
def test_an_answer_that_says_in_words_that_it_is_down_is_believed(
    recording: Recording, answer: Any, is_healthy: bool
) -> None:
    class Told:
        async def health_check(self) -> Any:
            return answer

    assert check_external_services(plain=Client(answer), coroutine=Told()) == {
        "plain": is_healthy, "coroutine": is_healthy,
    }  # fmt: skip
    assert [event["healthy"] for event in recording.events("service.health")] == [is_healthy] * 2


def test_checks_run_side_by_side_and_one_that_hangs_counts_as_down(recording: Recording) -> None:
    both = threading.Barrier(2)

    class Meeting:
        def health_check(self) -> bool:
            return both.wait(30) >= 0

    hung = threading.Event()
    try:
        found = check_external_services(timeout_s=2, one=Meeting(), two=Meeting(), late=Client(waits=hung))
    finally:
        hung.set()
    assert found == {"one": True, "two": True, "late": False}
    late = next(event for event in recording.events("service.health") if event["service"] == "late")
    assert late["error"] == "no answer within 2 s"


def test_in_asynchronous_code_the_answer_can_be_awaited_or_read(recording: Recording) -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        hung = threading.Event()
        clients = {"pool": AsyncClient(loop), "store": Client(False), "late": Client(waits=hung)}
        try:
            awaited = await check_external_services(timeout_s=0.5, **clients)  # type: ignore[misc]
        finally:
            hung.set()
        assert awaited == {"pool": True, "store": False, "late": False}
        assert dict(check_external_services(store=Client(), other=AsyncClient())) == {"store": True, "other": True}

    asyncio.run(program())
    assert len(recording.events("service.health")) == 5


def test_a_status_is_healthy_while_all_its_services_are() -> None:
    status = HealthStatus()
    for name in ("task_registry", "repo_pool", "artifact_store", "llm_service"):
        status.update_service_status(name, True)
    assert status.to_dict()["status"] == "healthy"
    status.update_service_status("repo_pool", False)
    assert (status.healthy, status.external_services["repo_pool"]) == (False, False)
    assert status.to_dict() == {
        "status": "unhealthy",
        "external_services": {"task_registry": True, "repo_pool": False, "artifact_store": True, "llm_service": True},
    }
