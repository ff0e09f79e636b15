"""The orchestrator of docs/scenarios-orchestrator.md, scraped from ``/metrics`` by prometheus-client's parsers and by a
real Prometheus server: names, types, units, help, buckets and every figure of the page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from integration.doc_pages import blocks
from integration.recorded import PATIENCE_S, RUNWATCH, wait_for
from integration.sdk_programs import Program
from runwatch.events.instruments import COUNT_EDGES, DURATION_EDGES, PROMISED

PAGE = "scenarios-orchestrator.md"
WAITING = textwrap.indent("print('ready', flush=True)\nsys.stdin.readline()\n", "    ")
"""Keeps the run of the page's program live until a line comes."""
_MOVING = re.compile(r"runwatch_run_(duration_seconds|cpu_percent|(peak_)?resident_bytes)")

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _key(name: str, labels: dict[str, str]) -> Any:
    return name, tuple(sorted(labels.items()))


def _values(text: str) -> Values:
    """The samples by name and labels."""
    return {_key(sample.name, sample.labels): sample.value for family in parse(text) for sample in family.samples}


def _of_the_page() -> tuple[Values, Values]:
    """What the page states: what stays after the end, and the gauges of the live run."""
    *lasting, gauges = blocks(PAGE, "text")
    return _values("".join(lasting)), _values(gauges)


class Address:
    """Where something listens, as a pattern finds it in what it says on stderr."""

    def __init__(self, argv: list[str], pattern: str, cwd: Path) -> None:
        self.process = subprocess.Popen(argv, cwd=cwd, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        said = []
        for line in self.process.stderr:
            said.append(line)
            if found := re.search(pattern, line):
                self.address = found[1]
                return
        raise AssertionError("".join(said))

    def get(self, path: str, **query: str) -> bytes:
        with urlopen(f"http://{self.address}{path}?{urlencode(query)}", timeout=PATIENCE_S) as answer:
            return bytes(answer.read())

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Address]:
    """``runwatch serve`` over the folder's runs."""
    found = Address([*RUNWATCH, "serve", "--port", "0"], r"http://(\S+:\d+)/metrics", tmp_path)
    yield found
    found.close()


class Prometheus(Address):
    """A Prometheus server that scrapes one address twice a second."""

    def __init__(self, folder: Path, scraped: str) -> None:
        config = {
            "global": {"scrape_interval": "500ms"},
            "scrape_configs": [{"job_name": "runwatch", "static_configs": [{"targets": [scraped]}]}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        options = {"config.file": "prometheus.yml", "storage.tsdb.path": "tsdb", "web.listen-address": "127.0.0.1:0"}
        argv = ["prometheus", *(f"--{name}={value}" for name, value in options.items())]
        super().__init__(argv, r'"?Listening on"? "?address"?[=:]"?([0-9.]+:\d+)', folder)
        wait_for(self._is_ready, "Prometheus")

    def _is_ready(self) -> bool:
        try:
            return bool(self.get("/-/ready"))
        except HTTPError:
            return False

    def ask(self, path: str, **query: str) -> Any:
        answer = json.loads(self.get(f"/api/v1/{path}", **query))
        assert answer["status"] == "success", answer
        return answer["data"]

    def values(self) -> Values:
        """What it holds now of the scraped samples."""
        found: Values = {}
        for series in self.ask("query", query='{job="runwatch"}')["result"]:
            labels = {name: value for name, value in series["metric"].items() if name not in ("job", "instance")}
            name = labels.pop("__name__")
            if not name.startswith(("up", "scrape_")):
                found[_key(name, labels)] = float(series["value"][1])
        return found

    def metadata(self) -> dict[str, tuple[str, str, str]]:
        """Name to type, help and unit."""
        told = self.ask("targets/metadata", match_target='{job="runwatch"}')
        return {each["metric"]: (each["type"], each["help"], each["unit"]) for each in told}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The page's program, its run live until a line comes."""
    started = Program(tmp_path, blocks(PAGE, "python")[0] + WAITING).start(stdin=subprocess.PIPE)
    yield started
    started.kill()
    started.communicate()


def _end(program: subprocess.Popen[str]) -> None:
    _, errors = program.communicate("\n", timeout=PATIENCE_S)
    assert program.returncode == 0, errors


def _wait_for_all(expected: Values, seen: Callable[[], Values]) -> None:
    try:
        wait_for(lambda: expected.items() <= seen().items(), "every figure of the page")
    except AssertionError:
        found = seen()
        assert {key: found.get(key) for key in expected} == expected
        raise


def _steady(values: Values) -> Values:
    return {key: value for key, value in values.items() if not _MOVING.fullmatch(key[0])}


def _check_buckets(values: Values) -> None:
    """Each promised histogram has the documented buckets, the last without a bound."""
    for instrument in PROMISED.values():
        if instrument.kind == "histogram":
            edges = DURATION_EDGES if instrument.name.endswith("_seconds") else COUNT_EDGES
            bounds = {dict(labels)["le"] for name, labels in values if name == f"{instrument.name}_bucket"}
            assert {float(bound) for bound in bounds} == {*edges, float("inf")}, instrument.name


def test_the_orchestrator_scenario_gives_every_figure_of_its_page(
    served: Address, program: subprocess.Popen[str]
) -> None:
    lasting, gauges = _of_the_page()
    assert len(lasting) > 40
    _wait_for_all(lasting | gauges, lambda: _values(served.get("/metrics").decode()))
    _check_buckets(_values(served.get("/metrics").decode()))
    _end(program)
    over = _key("runwatch_run_live", {"framework": "orchestrator", "run_id": "night-1"})
    wait_for(lambda: _values(served.get("/metrics").decode())[over] == 0, "the end")
    after = _values(served.get("/metrics").decode())
    assert lasting.items() <= after.items()
    assert gauges.keys().isdisjoint(after)


@pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus (Debian package prometheus) is not installed"
)
def test_a_real_prometheus_server_sees_the_same(
    tmp_path: Path, served: Address, program: subprocess.Popen[str]
) -> None:
    lasting, gauges = _of_the_page()
    server = Prometheus(tmp_path, served.address)
    try:
        _wait_for_all(lasting | gauges, server.values)
        metadata = server.metadata()
        for name, promised in PROMISED.items():
            unit = next((unit for unit in ("seconds", "dollars") if f"_{unit}" in name), "")
            told = metadata.get(name) or metadata.get(name.removesuffix("_total"))  # as OpenMetrics calls a counter
            assert told == (promised.kind, promised.help, unit), name
        _check_buckets(server.values())
        _end(program)
        wait_for(lambda: gauges.keys().isdisjoint(server.values()), "the end of the gauges")
        exposed = _steady(_values(served.get("/metrics").decode()))
        wait_for(lambda: _steady(server.values()) == exposed, "the last scrape")
        assert lasting.items() <= exposed.items()
        assert server.ask("query", query='up{job="runwatch"}')["result"][0]["value"][1] == "1"
        rate = server.ask("query", query="histogram_quantile(0.5, git_merge_duration_seconds_bucket)")
        assert 30 <= float(rate["result"][0]["value"][1]) <= 60
    finally:
        server.close()
