"""A scrape of ``/metrics`` over a hundred runs, beside prometheus-client's own server with as many series.

Must not need anything but runwatch. Both serve over loopback, in processes of their own, and are asked in turn. Ninety
runs have ended and ten go on; first nothing changes, then those ten do before every scrape.
"""

from __future__ import annotations

import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import msgspec

from runwatch.fold import Fold
from runwatch.journal.atomic import write_json
from runwatch.journal.lock import Role, RunLock
from runwatch.views import metrics_json

RUNS, LIVE, SCRAPES = 100, 10, 40
TARGET_MS = 50.0
ACCEPTS = {
    "text": "text/plain",
    "OpenMetrics": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",  # as Prometheus asks
}
PEER = """
import sys, threading
from prometheus_client import CollectorRegistry, Gauge, start_http_server
registry, series = CollectorRegistry(), int(sys.argv[1])
for number in range(46):
    gauge = Gauge(f"peer_run_figure_{number}", "A figure.", ["framework", "run_id", "kind"], registry=registry)
    for at in range(series // 46):
        gauge.labels("bench", f"run_20261121_100000_{at % 100:03d}", f"kind {at // 100}").set(at * 1.25)
server, _ = start_http_server(0, "127.0.0.1", registry)
print(f"http://127.0.0.1:{server.server_port}/metrics", flush=True)
threading.Event().wait()
"""


def journal(number: int, events: int) -> list[bytes]:
    """Return the lines of a run with issues, agents, tools, services, samples and every kind of instrument."""
    rng = random.Random(number)
    encode = msgspec.json.Encoder().encode
    ts = f"2026-11-21T10:{number % 60:02d}:00.000000Z"
    lines: list[dict[str, Any]] = [
        {"type": "run.started", "framework": "bench", "run_id": f"run_20261121_100000_{number:03d}"}
    ]
    for count in range(events):
        at = {"step": 1 + count % 4, "issue": count % 6, "agent": ("coding", "testing", "review")[count % 3]}
        model = {"provider": "openai", "model": ("gpt-4o", "gpt-4o-mini")[count % 2]}
        took = {"duration_s": rng.expovariate(0.5)}
        worker = {"worker_profile": f"profile {count % 4}", "phase": ("plan", "build", "check")[count % 3]}
        result = ("success", "conflict", "failed")[count % 3]
        lines += [
            {"type": "agent.started", **at},
            {"type": "llm.completed", **at, **model, **took, "prompt_tokens": 900, "completion_tokens": 90},
            {"type": "tool.completed", **at, "tool": f"tool {count % 8}", **took},
            {"type": "service.completed", **at, "service": f"service {count % 5}", **took},
            {"type": "agent.completed", **at, "success": bool(count % 5)},
            {"type": "git.operation", "operation": "merge", "result": result, "conflict_count": count % 4, **took},
            {"type": "git.operation", "operation": "checkout", **took},
            {"type": "task.completed", **worker, "status": "done", "retry_count": count % 3, **took},
            {"type": "tasks.state", "states": {"ready": count, "running": 2}},
            {"type": "dispatch.cycle", "dispatched": 3, "completed": 2, **took},
        ]
    return [encode({**line, "ts": ts}) for line in lines]


class Made:
    """A run whose metrics.json is there; live while its lock is held here."""

    def __init__(self, root: Path, number: int, *, live: bool) -> None:
        self.folder = root / "bench" / f"run_20261121_100000_{number:03d}"
        self.folder.mkdir(parents=True)
        (self.folder / "events.jsonl").touch()
        self.fold = Fold()
        for line in journal(number, 30):
            self.fold.feed_line(line)
        self.count = 0
        if live:
            RunLock.of(self.folder / ".lock").acquire(Role.OWNER)
            self.change()
        else:
            self.write("run.completed", status="completed")
            (self.folder / "metadata.json").write_text('{"status": "completed"}')

    def write(self, type_name: str, **fields: object) -> None:
        """Fold one more event and flush."""
        self.count += 1
        ts = f"2026-11-21T11:{self.count // 60 % 60:02d}:{self.count % 60:02d}.000000Z"
        self.fold.feed_line(msgspec.json.encode({"type": type_name, "ts": ts, **fields}))
        write_json(self.folder / "metrics.json", metrics_json.render(self.fold.metrics(ts)))

    def change(self) -> None:
        """Another model call has ended, and a merge."""
        self.write("llm.completed", provider="openai", model="gpt-4o", prompt_tokens=10, duration_s=0.5)
        self.write("git.operation", operation="merge", result="success", duration_s=0.5)


class Server:
    """A program that says on a line where it serves."""

    def __init__(self, argv: list[str], *, says_on: str, cwd: Path) -> None:
        self._process = subprocess.Popen(argv, cwd=cwd, text=True, **{says_on: subprocess.PIPE})
        line = getattr(self._process, says_on).readline()
        found = re.search(r"http://\S+/metrics", line)
        if found is None:
            sys.exit(f"{argv}: {line}")
        self._url = found[0]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def scrape(self, accept: str) -> tuple[float, int]:
        """Return the milliseconds until all was there, and how many samples it was."""
        started = time.perf_counter()
        with urlopen(Request(self._url, headers={"Accept": accept})) as answer:
            text = answer.read()
        took = (time.perf_counter() - started) * 1000
        return took, sum(not line.startswith(b"#") for line in text.splitlines())


def in_turn(ours: Server, peer: Server, accept: str, changing: list[Made]) -> float:
    """Print the medians of scrapes in turn, and of their ratios; return ours in milliseconds."""
    found: list[tuple[float, float]] = []
    for number in range(SCRAPES + 1):
        for run in changing:
            run.change()
        pair = ours.scrape(accept)[0], peer.scrape(accept)[0]
        if number:
            found.append(pair)
    mine, theirs = (statistics.median(times) for times in zip(*found, strict=True))
    ratio = statistics.median(one / other for one, other in found)
    slowest = max(one for one, _ in found)
    print(f"  ours {mine:6.1f} ms (slowest {slowest:.1f}), peer {theirs:6.1f} ms, ratio {ratio:.2f}")
    return mine


def main() -> int:
    """Print the figures; 1 when a scrape takes longer than the target."""
    medians: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "runs"
        runs = [Made(root, number, live=number < LIVE) for number in range(RUNS)]
        serve = [sys.executable, "-m", "runwatch.cli.main", "serve", "--port", "0"]
        with Server(serve, says_on="stderr", cwd=Path(folder)) as ours:
            cold, series = ours.scrape(ACCEPTS["text"])
            medians.append(cold)
            print(f"{RUNS} runs, {series:,} samples; the first scrape {cold:.1f} ms")
            argv = [sys.executable, "-c", PEER, str(series)]
            with Server(argv, says_on="stdout", cwd=Path(folder)) as peer:
                for changing in ([], runs[:LIVE]):
                    for name, accept in ACCEPTS.items():
                        print(f"{name}, {len(changing)} runs changing")
                        medians.append(in_turn(ours, peer, accept, changing))
    if max(medians) > TARGET_MS:
        print(f"missed: at most {TARGET_MS:g} ms")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
