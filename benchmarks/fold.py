"""Measures the fold beside plain msgspec decoding and stdlib json.loads of the same lines, in one run.

Must not need anything but runwatch. `python benchmarks/fold.py [events]` prints the memory that a tenfold longer
journal adds, events a second, the ratios, and the cost of one projection; it ends with 1 when memory is not flat, or
when the speed is missed on a machine that is quiet enough to tell.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from runwatch.events.codec import fast_decoder
from runwatch.fold import Fold
from runwatch.pricing import Pricer

TARGET_PER_S = 250_000
TARGET_GROWTH_MIB = 12
"""From a hundred thousand events to a million: the last 100,000 model calls, and little else."""
PRICES = {"gpt-4o": {"input": 2.5, "output": 10}, "gpt-4o-mini": {"input": 0.15, "output": 0.6}}
QUIET_DECODE_US = 1.1
"""Decoding alone takes less than this on a quiet machine."""


def journal(events: int) -> Iterator[bytes]:
    """Yield lines of about 200 bytes as a busy agent run writes them: calls, tools, services, samples, observations."""
    rng = random.Random(7)
    encode = msgspec.json.Encoder().encode
    count = 0

    def line(type_name: str, **fields: object) -> bytes:
        nonlocal count
        count += 1
        second = count / 200
        ts = f"2026-11-21T{int(second / 3600) % 24:02d}:{int(second / 60) % 60:02d}:{second % 60:09.6f}Z"
        envelope = {"type": type_name, "ts": ts, "writer": "5f2c9a01", "seq": count, "pid": 4711, "mono": 1000 + second}
        return encode({**envelope, **fields}) + b"\n"

    yield line("run.started", framework="bench", run_id="r1", llm={"provider": "openai", "model": "gpt-4o"})
    while count < events:
        step = 1 + count * 40 // events
        scope = {"step": step, "issue": 100 + step // 4, "agent": rng.choice(("coding", "testing", "review"))}
        if count % 5000 < 8:
            yield line("step.started", step=step, name=f"step {step}")
        call = f"c{count:07d}"
        model = {"provider": "openai", "model": rng.choice(("gpt-4o", "gpt-4o-mini"))}
        usage = {"prompt_tokens": rng.randrange(9000), "completion_tokens": rng.randrange(900)}
        yield line("llm.started", **scope, call_id=call, **model, max_tokens=4096)
        yield line("llm.completed", **scope, call_id=call, **model, **usage, duration_s=rng.expovariate(0.5))
        for _ in range(3):
            call, tool = f"t{count:07d}", rng.choice(("read_file", "write_file", "shell"))
            yield line("tool.started", **scope, call_id=call, tool=tool, component="adapter")
            yield line("tool.completed", **scope, call_id=call, tool=tool, success=True, duration_s=rng.random())
        call = f"s{count:07d}"
        yield line("service.started", **scope, call_id=call, service="registry", operation="get the task")
        yield line("service.completed", **scope, call_id=call, service="registry", operation="get", duration_s=0.02)
        yield line("metric.observed", name="queue_depth", value=rng.randrange(50), labels={"queue": "main"})
        yield line("resource.sample", cpu_percent=55.5, rss_bytes=120_000_000, processes=4, read_bytes=count)
        if count % 50 < 12:
            yield line("error", **scope, error_type="ValueError", message=f"check {count % 40} failed", where="a.py")


def side_by_side(works: list[Callable[[], object]], lines: int, rounds: int = 5) -> list[float]:
    """Return microseconds a line of each work, the best of some rounds in turn: a busy neighbor slows all alike."""
    found = [float("inf")] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            gc.collect()
            started = time.process_time()
            work()
            found[at] = min(found[at], time.process_time() - started)
    return [seconds / lines * 1e6 for seconds in found]


def fold_all(lines: list[bytes]) -> Fold:
    """Fold all lines as a follower feeds them."""
    fold = Fold(Pricer(PRICES))
    offset = 0
    feed = fold.feed_line
    for line in lines:
        offset += len(line)
        feed(line, offset)
    return fold


def decode_all(lines: list[bytes]) -> None:
    """Decode all lines and drop the events."""
    decode = fast_decoder()
    for line in lines:
        decode(line)


def parse_all(lines: list[bytes]) -> None:
    """Parse all lines with the standard library."""
    for line in lines:
        json.loads(line)


def growth_mib(events: int) -> tuple[float, float]:
    """Return the resident memory that a streamed journal has taken after a tenth of it and after all of it, in MiB."""
    fold = Fold(Pricer(PRICES))
    before = resident_mib()
    early = 0.0
    for number, line in enumerate(journal(events)):
        fold.feed_line(line, number)
        if number == events // 10:
            early = resident_mib() - before
    return early, resident_mib() - before


def resident_mib() -> float:
    """Return the resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> int:
    """Print the numbers."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    early, late = growth_mib(1_000_000)
    print(f"memory             {early:6.1f} MiB after 100,000 events, {late:.1f} MiB after 1,000,000")
    lines = list(journal(events))
    size = sum(map(len, lines)) / len(lines)
    works = [lambda: decode_all(lines), lambda: parse_all(lines), lambda: fold_all(lines)]
    decode_us, parse_us, fold_us = side_by_side(works, len(lines))
    fold = fold_all(lines)
    now = "2026-11-21T23:00:00.000000Z"
    fold.metrics(now)
    project_ms = side_by_side([lambda: [fold.metrics(now) for _ in range(20)]], 20)[0] / 1000
    print(f"{len(lines):,} events of {size:.0f} bytes")
    print(f"decode (msgspec)   {decode_us:6.2f} us  {1e6 / decode_us:12,.0f} events/s")
    print(f"json.loads         {parse_us:6.2f} us  {1e6 / parse_us:12,.0f} events/s")
    print(f"fold with decode   {fold_us:6.2f} us  {1e6 / fold_us:12,.0f} events/s")
    print(f"fold / decode      {fold_us / decode_us:6.2f}    fold / json.loads {fold_us / parse_us:.2f}")
    print(f"one projection     {project_ms:6.2f} ms")
    if late - early > TARGET_GROWTH_MIB:
        print(f"missed: at most {TARGET_GROWTH_MIB} MiB more")
        return 1
    if 1e6 / fold_us < TARGET_PER_S and decode_us < QUIET_DECODE_US:
        print(f"missed: {TARGET_PER_S:,} events/s")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
