"""Measures the log view beside an empty Textual app, plain newline counting and tail, in one run.

Must not need more than runwatch, wc, tail and strace, whose absence fails it. `python benchmarks/viewing.py [MB]` ends
with 1 when a ratio is missed, or an absolute target on a machine that is quiet enough to tell.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

from _processes import need
from _terminal import Terminal

from runwatch.journal.log_folder import LogFolder
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_times import LineTimes

RUNS = 5
RATES = ((1_000, 0.03, 0.120), (20_000, 0.12, 0.120), (100_000, 0.30, 0.150))
"""Lines a second over 24 files, and the targets: cores, seconds until 95 of 100 lines that are drawn are."""
FOLLOW_S = 6.0
QUIET_FIRST_S = 0.25
"""An empty Textual app shows its first frame within this on a quiet machine."""

_VIEWER = [sys.executable, str(Path(__file__).with_name("_viewer.py"))]
_AT = re.compile(rb"at=(\d+\.\d{4});")
_LAST = b"the-very-last-line"
_WRITER = """
import os, sys, time
root, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
logs, level = [], b'"level":"INFO","component":"adapter","logger":"app.adapter"'
for step in range(1, 7):
    folder = f"{root}/logs/step_{step:03d}"
    os.makedirs(folder, exist_ok=True)
    for name in ("orchestrator", "adapter", "metrics", "validator"):
        logs.append(os.open(f"{folder}/{name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT))
form = b'{"ts":"%s%09.6fZ",' + level + b',"msg":"at=%.4f; answer received","step":3,"n":%d}\\n'
begin, done = time.time(), 0
while (now := time.time()) - begin < seconds:
    due = int((now - begin) * rate)
    minute = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime(now)).encode()
    lines = [[] for _ in logs]
    for number in range(done, due):
        lines[number % 24].append(form % (minute, now % 60, now, number))
    for log, written in zip(logs, lines):
        if written:
            os.write(log, b"".join(written))
    done = due
    time.sleep(0.01)
"""


class Verdict:
    """Collects what was missed."""

    def __init__(self) -> None:
        self.missed = False
        self.quiet = True

    def say(self, what: str, value: float, target: float, unit: str = "", *, absolute: bool = False) -> None:
        """Print one measure; an absolute one counts only on a quiet machine."""
        met = value <= target
        note = "ok" if met else "MISSED" if self.quiet or not absolute else "over (too busy a machine to judge)"
        self.missed |= note == "MISSED"
        print(f"{what:<58}{value:9.3f} {unit:<5} (target ≤ {target:g}) {note}", flush=True)


def main() -> int:
    """Measure everything; 1 when something is missed."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for program in ("wc", "tail", "strace"):
        need(program)
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="runwatch-viewing-") as folder:
        big, small = Path(folder) / "big.log", Path(folder) / "small.log"
        _write_log(small, 1000)
        _write_log(big, megabytes * 1_000_000)
        _opening(verdict, big, small)
        _indexing(verdict, big)
        for rate, cores, p95_s in RATES:
            _following(verdict, Path(folder) / f"run{rate}", rate, cores, p95_s)
        _resting(verdict, Path(folder) / "run1000")
        _reading(verdict, Path(folder) / "strace")
    return int(verdict.missed)


def _write_log(path: Path, size_bytes: int) -> None:
    level = b'"level":"INFO","component":"adapter","logger":"app.adapter"'
    form = b'{"ts":"2026-11-21T%02d:%02d:%02d.%03dZ",' + level + b',"msg":"line-%08d answer received","step":3}\n'
    with path.open("wb") as file:
        number = 0
        while file.tell() < size_bytes:
            count = min(20_000, size_bytes // 140 + 1)
            times = (
                (at // 3_600_000 % 24, at // 60_000 % 60, at // 1000 % 60, at % 1000, at)
                for at in range(number, number + count)
            )
            file.write(b"".join([form % each for each in times]))
            number += count
        file.write(b'{"ts":"2026-11-21T23:59:59.999Z","level":"WARN","msg":"%s"}\n' % _LAST)


def _opening(verdict: Verdict, big: Path, small: Path) -> None:
    first: dict[str, list[float]] = {"empty": [], "big": [], "small": []}
    keys: dict[str, list[float]] = {"empty": [], "end": [], "home": []}
    memory: dict[str, list[float]] = {"empty": [], "big": []}
    big.read_bytes()[:1]  # the page cache is warm for everyone
    for _ in range(RUNS):
        with Terminal([*_VIEWER, "empty"]) as app:
            first["empty"].append(app.wait(b"empty-app-ready")[0] - app.started)
            keys["empty"].append(app.press(b"x", b"pressed"))
            memory["empty"].append(app.memory_mb())
        with Terminal([*_VIEWER, str(small)]) as app:
            first["small"].append(app.wait(_LAST)[0] - app.started)
        with Terminal([*_VIEWER, str(big)]) as app:
            first["big"].append(app.wait(_LAST)[0] - app.started)
            keys["home"].append(app.press(b"g", b"line-00000000"))
            keys["end"].append(app.press(b"G", _LAST))
            app.rest()
            memory["big"].append(app.memory_mb())
    verdict.quiet = _middle(first["empty"]) <= QUIET_FIRST_S
    verdict.say("first screen, over an empty app's", _ratio(first["big"], first["empty"]), 1.67, "×")
    verdict.say("first screen, over that of 1 kB", _ratio(first["big"], first["small"]), 1.15, "×")
    verdict.say("first screen", _middle(first["big"]), 0.35, "s", absolute=True)
    verdict.say("the true end after the key, over an empty app's answer", _ratio(keys["end"], keys["empty"]), 4.0, "×")
    verdict.say("the true end after the key", _middle(keys["end"]), 0.05, "s", absolute=True)
    verdict.say("the beginning after the key", _middle(keys["home"]), 0.05, "s", absolute=True)
    verdict.say("peak memory over an empty app's", _middle(memory["big"]) - _middle(memory["empty"]), 70, "MB")


def _indexing(verdict: Verdict, big: Path) -> None:
    ours, floor = [], []
    for _ in range(RUNS):
        ours.append(_cpu(lambda: _index(big)))
        floor.append(_cpu(lambda: _count(big)))
    before = os.times()
    subprocess.run(["wc", "-l", str(big)], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    wc = after.children_user + after.children_system - before.children_user - before.children_system
    share = big.stat().st_size / 1e9
    print(f"{'wc -l alone':<58}{wc:9.3f} s")
    verdict.say("CPU to index, over counting newlines in plain Python", _ratio(ours, floor), 1.6, "×")
    verdict.say("CPU to index 1 GB", _middle(ours) / share, 1.0, "s", absolute=True)


def _index(path: Path) -> None:
    index = LogIndex(LogStream(LogFolder(path.parent), [path.name]), LineTimes(None))
    index.poll()
    while index.work(0.004):
        pass


def _count(path: Path) -> None:
    buffer, lines = bytearray(1 << 18), 0
    with path.open("rb", buffering=0) as file:
        while length := file.readinto(buffer):
            lines += buffer.count(b"\n", 0, length)


def _cpu(work: Callable[[], None]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _following(verdict: Verdict, run: Path, rate: int, cores: float, p95_s: float) -> None:
    """Follow 24 files that grow, with tail -F beside it on the same files."""
    subprocess.run([sys.executable, "-c", _WRITER, str(run), "1000", "0.2"], check=True)
    logs = sorted(str(path) for path in run.glob("logs/*/*.log"))
    with Terminal([*_VIEWER, str(run)]) as app, Terminal(["tail", "-q", "-n0", "-F", *logs]) as tail:
        app.wait(b"at=")
        app.rest()
        begin, before, tail_before = len(app.sent), app.cpu_s(), tail.cpu_s()
        subprocess.run([sys.executable, "-c", _WRITER, str(run), str(rate), str(FOLLOW_S)], check=True)
        used, tail_used = (app.cpu_s() - before) / FOLLOW_S, (tail.cpu_s() - tail_before) / FOLLOW_S
        ended = time.time()
        time.sleep(1)
        late = _latencies(app, begin, logs)
        caught_up = late[-1][0] + late[-1][1] - ended
    name = f"following {rate:,} lines/s"
    p50, p95 = (statistics.quantiles([late_s for _, late_s in late], n=20)[at] for at in (9, 18))
    print(f"{name + ': tail -F':<58}{tail_used:9.3f} cores")
    print(f"{name + ': p50 to the screen':<58}{p50:9.3f} s")
    verdict.say(name, used, cores, "cores", absolute=True)
    verdict.say(name + ": p95 to the screen", p95, p95_s, "s", absolute=True)
    verdict.say(name + ": caught up after the end", caught_up, 0.15, "s", absolute=True)


def _resting(verdict: Verdict, run: Path) -> None:
    """Watch 24 files to which nothing happens, then one to which one line at a time is added."""
    with Terminal([*_VIEWER, "empty"]) as app:
        app.wait(b"empty-app-ready")
        floor = _share(app)
    late = []
    with Terminal([*_VIEWER, str(run)]) as app:
        app.wait(b"at=")
        app.rest()
        used = _share(app)
        with (run / "logs" / "step_006" / "validator.log").open("ab", buffering=0) as log:
            for number in range(40):
                time.sleep(0.25 + number % 7 * 0.013)
                begin, text = len(app.sent), b"quiet-%04d" % number
                before = time.perf_counter()
                log.write(b'{"ts":%.3f,"level":"INFO","msg":"%s"}\n' % (time.time(), text))
                late.append(app.wait(text, begin)[0] - before)
    verdict.say("idle, 24 files, over an empty app", used - floor, 0.005, "cores", absolute=True)
    verdict.say("one quiet line to the screen, p50", _middle(late), 0.05, "s", absolute=True)


def _share(app: Terminal) -> float:
    time.sleep(1)
    before = app.cpu_s()
    time.sleep(10)
    return (app.cpu_s() - before) / 10


def _latencies(app: Terminal, begin: int, logs: list[str]) -> list[tuple[float, float]]:
    """Return (when written, how much later it or a newer line was on the screen) of every moment of writing.

    Most lines of a flood scroll by undrawn: what counts is how far the screen lags behind the files.
    """
    shift = time.time() - time.perf_counter()
    marks = iter(app.marks)
    length, when = next(marks)
    newest: list[tuple[float, float]] = []
    for found in _AT.finditer(app.sent):
        while length < found.end():
            length, when = next(marks)
        if found.start() >= begin and (not newest or float(found[1]) > newest[-1][0]):
            newest.append((float(found[1]), when + shift))
    late, at = [], 0
    moments = sorted({float(found[1]) for log in logs for found in _AT.finditer(Path(log).read_bytes())})
    for moment in moments[bisect_left(moments, newest[0][0]) :]:
        while at < len(newest) and newest[at][0] < moment:
            at += 1
        if at == len(newest):
            sys.exit("the newest line never came to the screen")
        late.append((moment, newest[at][1] - moment))
    return late


def _reading(verdict: Verdict, run: Path) -> None:
    """Count with strace what following reads of the logs."""
    writer = [sys.executable, "-c", _WRITER, str(run)]
    subprocess.run([*writer, "1000", "0.2"], check=True)
    trace = run / "trace"
    with Terminal(
        ["strace", "-f", "-y", "-qq", "-e", "trace=read,pread64,preadv", "-o", str(trace), *_VIEWER, str(run)]
    ) as app:
        app.wait(b"at=")
        time.sleep(3)
        before_bytes, before_read = _sizes(run), _traced(trace)
        subprocess.run([*writer, "2000", "5"], check=True)
        time.sleep(2)
        appended, read = _sizes(run) - before_bytes, _traced(trace) - before_read
    verdict.say("bytes read while following, over those appended", read / appended, 2.0, "×")
    shutil.rmtree(run)


def _sizes(run: Path) -> int:
    return sum(path.stat().st_size for path in run.glob("logs/*/*.log"))


def _traced(trace: Path) -> int:
    calls = re.finditer(rb"(?:read|pread64|preadv)\(\d+<[^>]*\.log>.* = (\d+)$", trace.read_bytes(), re.MULTILINE)
    return sum(int(call[1]) for call in calls)


def _ratio(ours: list[float], peer: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, peer, strict=True))


def _middle(values: list[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    sys.exit(main())
