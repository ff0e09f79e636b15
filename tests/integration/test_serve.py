"""``runwatch serve`` and ``HealthCheckServer``: a real server, real clients, a real run."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from integration.recorded import PATIENCE_S, RUNWATCH, runwatch, wait_for
from runwatch.sdk.health_server import HealthCheckServer

PROGRAM = """
import runwatch
with runwatch.RunLogger(framework="orch") as run:
    with runwatch.git_metrics.track_merge() as merge:
        merge["conflict_count"] = 2
    with runwatch.llm_metrics.track_request("gpt-4o", "openai") as call:
        call.update(prompt_tokens=10, completion_tokens=5, cost=0.25)
    run.emit("service.health", {"service": "pool", "healthy": HEALTHY, "latency_s": 0.1})
"""


class Served:
    """``runwatch serve`` in a folder."""

    def __init__(self, cwd: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [*RUNWATCH, "serve", "--port", "0", *options], cwd=cwd, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.search(r"http://\S+:(\d+)/metrics", line)
        assert found, line
        self.port = int(found[1])

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, Any]:
        """Return status, body and headers."""
        request = Request(f"http://127.0.0.1:{self.port}{path}", method=method, headers=headers)
        try:
            with urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def values(self) -> dict[str, float]:
        """The samples of /metrics by name and labels."""
        _, text, _ = self.get("/metrics")
        return {
            sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
            for family in parse(text)
            for sample in family.samples
        }


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server over a folder of runs."""
    found = Served(tmp_path)
    yield found
    found.process.kill()
    found.process.communicate()


def _record(cwd: Path, *, healthy: bool = True) -> None:
    program = PROGRAM.replace("HEALTHY", str(healthy))
    subprocess.run([sys.executable, "-c", program], cwd=cwd, check=True, timeout=PATIENCE_S, capture_output=True)


def test_runs_that_come_are_seen_and_add_up(tmp_path: Path, served: Served) -> None:
    assert "git_merge_total" not in served.get("/metrics")[1]
    _record(tmp_path)
    merges = 'git_merge_total{"result": "success"}'
    wait_for(lambda: served.values().get(merges) == 1, "the run")
    _record(tmp_path)
    wait_for(lambda: served.values().get(merges) == 2, "the second run")
    values = served.values()
    assert values['llm_cost_dollars_total{"model": "gpt-4o", "provider": "openai"}'] == 0.5
    assert values['git_conflicts_per_merge_bucket{"le": "2.0"}'] == 2
    assert sum(value for name, value in values.items() if name.startswith("runwatch_run_info")) == 2


def test_the_accept_header_chooses_the_format(served: Served) -> None:
    assert served.get("/metrics")[2]["Content-Type"].startswith("text/plain; version=0.0.4")
    status, text, headers = served.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "application/openmetrics-text")
    assert text.endswith("# EOF\n")
    assert "# UNIT runwatch_run_duration_seconds seconds\n" in text
    # Texts are kept by format, so that a client cannot choose a new one each time.
    for version in ("1.0.7", "2.0.0"):
        _, other, headers = served.get("/metrics", Accept=f"application/openmetrics-text; version={version}")
        assert (headers["Content-Type"].split(";")[1].strip(), other) == ("version=1.0.0", text)


def test_a_service_that_is_down_makes_503_for_it_and_for_all(tmp_path: Path, served: Served) -> None:
    assert served.get("/health")[0] == 200
    _record(tmp_path, healthy=False)
    wait_for(lambda: served.get("/health")[0] == 503, "the bad news")
    body = json.loads(served.get("/health")[1])
    assert (body["status"], body["services"]["pool"]["healthy"]) == ("unhealthy", False)
    assert body["services"]["pool"]["age_s"] >= 0
    assert served.get("/health/pool")[0] == 503
    _record(tmp_path, healthy=True)
    wait_for(lambda: served.get("/health/pool")[0] == 200, "the good news")
    assert served.get("/health/nobody")[0] == 404


def test_configured_services_are_probed(tmp_path: Path) -> None:
    with HealthCheckServer(0) as up, HealthCheckServer(0) as down:
        down.status.update_service_status("x", False)
        urls = f'[services]\nup = "http://127.0.0.1:{up.port}/health"\ndown = "http://127.0.0.1:{down.port}/health"\n'
        (tmp_path / "runwatch.toml").write_text(urls + 'gone = "http://127.0.0.1:1/"\n')
        served = Served(tmp_path)
        try:
            status, text, _ = served.get("/health")
            services = json.loads(text)["services"]
            assert status == 503
            assert {name: found["healthy"] for name, found in services.items()} == {
                "up": True, "down": False, "gone": False,
            }  # fmt: skip
            assert services["down"]["error"] == "answered 503"
            assert served.get("/health/up")[0] == 200
        finally:
            served.process.kill()
            served.process.communicate()


def test_other_methods_and_paths_are_refused_and_head_has_no_body(served: Served) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        status, _, headers = served.get("/metrics", method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert served.get("/nothing")[0] == served.get("/metrics/../../etc/passwd")[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_S)
    connection.request("HEAD", "/metrics")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_clients_that_drip_leave_send_rubbish_or_come_by_the_hundred_hurt_nobody(served: Served) -> None:
    address = ("127.0.0.1", served.port)
    dripping = [socket.create_connection(address) for _ in range(20)]
    for client in dripping:
        client.sendall(b"GET /met")
    huge = b"GET /" + b"a" * 100_000, b"GET / HTTP/1.1\r\nA: " + b"b" * 80_000
    for rubbish in (b"\x00\xff\r\n\r\n", b"GET / HTTP/9\r\n\r\n", *huge):
        with socket.create_connection(address) as client:
            try:
                client.sendall(rubbish)
                client.settimeout(PATIENCE_S)
                client.recv(100)
            except OSError:
                pass  # it was sent away
    with socket.create_connection(address) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")  # and leaves without reading
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: _status(served), range(200)))
    assert set(answers) <= {200, 503}
    assert answers.count(200) > 0
    for client in dripping:
        client.close()
    wait_for(lambda: _status(served) == 200, "an answer again")
    assert served.process.poll() is None


def _status(served: Served) -> int:
    try:
        return served.get("/metrics")[0]
    except OSError:
        return 503  # the listening queue was full


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_cleanly(served: Served, number: signal.Signals, code: int) -> None:
    served.process.send_signal(number)
    _, rest = served.process.communicate(timeout=PATIENCE_S)
    assert (served.process.returncode, rest) == (code, "")


def test_what_cannot_be_served_is_one_sentence(tmp_path: Path, served: Served) -> None:
    cases = {
        ("--port", str(served.port)): "choose another port",
        ("--host", "203.0.113.7", "--token-file", "token"): "Nothing can listen on 203.0.113.7",
        ("--host", "0.0.0.0"): "set a token",
        ("--port", "70000"): "no TCP port",
        ("--host", "0.0.0.0", "--token-file", "missing"): "cannot be read",
    }
    (tmp_path / "token").write_text("secret\n")
    for options, says in cases.items():
        done = runwatch("serve", *options, cwd=tmp_path)
        assert (done.returncode, says in done.stderr.decode()) == (2, True), (options, done.stderr)
        assert len(done.stderr.decode().splitlines()) == 1


def test_beyond_loopback_the_token_is_demanded(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    served = Served(tmp_path, "--host", "0.0.0.0", "--token-file", "token")
    try:
        status, _, headers = served.get("/metrics")
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert served.get("/metrics", Authorization="Bearer s3cre")[0] == 401
        assert served.get("/metrics", Authorization="Bearer s3cret")[0] == 200
    finally:
        served.process.kill()
        served.process.communicate()


def test_a_programs_own_health_server(capfd: pytest.CaptureFixture[str]) -> None:
    with HealthCheckServer(0) as server:
        url = f"http://127.0.0.1:{server.port}/health"
        for name in ("task_registry", "repo_pool", "artifact_store", "llm_service"):
            server.status.update_service_status(name, True)
        with urlopen(url) as answer:
            assert json.loads(answer.read())["status"] == "healthy"
        server.status.update_service_status("repo_pool", False)
        for path, status in (("", 503), ("/repo_pool", 503), ("/llm_service", 200), ("/nobody", 404)):
            try:
                with urlopen(url + path) as answer:
                    found = answer.status
            except HTTPError as error:
                found = error.code
            assert found == status, path
        with HealthCheckServer(server.port):  # taken: told, and the program goes on
            assert f"health is not served on '127.0.0.1', port {server.port}" in capfd.readouterr().err
