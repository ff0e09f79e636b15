"""The small HTTP server on loopback, with clients that do as they like."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator, Mapping

import pytest

from runwatch.sdk import http_server
from runwatch.sdk.http_server import MOST_CLIENTS, Answer, HttpServer


def _route(path: str, headers: Mapping[str, str]) -> Answer | None:
    return Answer(200, b"{}") if path == "/" else None


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    running = HttpServer("127.0.0.1", 0, _route, token="s3cret")
    running.start()
    try:
        yield running
    finally:
        running.close()


def _status(server: HttpServer, method: str = "GET", authorization: str = "Bearer s3cret") -> tuple[int, str | None]:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with contextlib.closing(client):
        client.request(method, "/", headers={"Authorization": authorization})
        answer = client.getresponse()
        answer.read()
        return answer.status, answer.getheader("Allow")


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer s3cret", 200), ("bearer s3cret", 200), ("BEARER  s3cret", 200),
        ("Bearer S3CRET", 401), ("Basic s3cret", 401), ("s3cret", 401), ("Bearer", 401), ("", 401),
    ],
)  # fmt: skip
def test_the_scheme_of_a_token_may_be_in_any_case_and_the_token_may_not(
    server: HttpServer, authorization: str, status: int
) -> None:
    assert _status(server, authorization=authorization)[0] == status


@pytest.mark.parametrize("method", ["POST", "FOO", "OPTIONS", "get"])
def test_every_other_method_is_not_allowed(server: HttpServer, method: str) -> None:
    assert _status(server, method) == (405, "GET, HEAD")


def test_clients_that_say_nothing_or_half_a_request_give_their_places_to_who_asks(server: HttpServer) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(2 * MOST_CLIENTS):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            if number % 2:
                idle.sendall(b"GET / HTTP/1.1\r\nX-A: b\r\n")
            if number == MOST_CLIENTS - 1:
                assert _status(server)[0] == 200
        assert _status(server)[0] == 200


def test_a_request_that_drips_in_is_cut_off_before_any_token_is_read(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "HEAD_TIMEOUT_S", 0.1)
    ended = threading.Event()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX-A: ")

        def drip() -> None:
            with contextlib.suppress(OSError):
                while not ended.wait(0.05):
                    slow.sendall(b"b")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            with contextlib.suppress(ConnectionError):
                assert slow.recv(1) == b""
        finally:
            ended.set()
            dripping.join()


def test_two_hundred_at_once_are_all_answered(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "SILENT_S", 60.0)  # on a slow machine a client may seem silent,
    monkeypatch.setattr(http_server, "QUEUE_S", 60.0)  # and wait
    found: list[int] = []
    clients = [threading.Thread(target=lambda: found.append(_status(server)[0])) for _ in range(200)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert found == [200] * 200
