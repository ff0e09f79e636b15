"""Kill recorded programs and those who watch over them at random moments, and check the seven promises after each.

``--kills N --seed S`` prints a table; ``--soak N`` lets N short runs end in one process and in many, and looks for what
they leave. What must be there is what the program itself acknowledged, and git; nothing reads what runwatch prints.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import promises
from fault_subject import Died, Subject, template, wait_for

RECORDED = ("command", "supervisor", "recorder", "supervisor and recorder", "everybody")
ALONE = ("program", "guardian", "recorder", "everybody")
POLITE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
LATEST_S = 4.0
"""Kills come between the start and so much later: some before the first event, some while the end is written."""
TARGET_S = 3.0
"""From the recorder's death to a complete run. Source: the issue that asked for this benchmark."""


@dataclass
class Tally:
    """What came of the kills of one kind."""

    kills: int = 0
    too_early: int = 0
    """The program was not recorded yet."""
    recovered: int = 0
    """Nobody was left to finalize: `runwatch recover` did it."""
    events: int = 0
    lost: int = 0
    running: int = 0
    doubled: int = 0
    other: int = 0
    sentences: list[str] = field(default_factory=list)

    def note(self, fault: str) -> None:
        """Count a promise that does not hold."""
        self.sentences.append(fault)
        if "acknowledged events" in fault:
            self.lost += 1
        elif "goes on" in fault or "seals" in fault:
            self.running += 1
        elif "commits hold" in fault or "rows in" in fault or "one row" in fault:
            self.doubled += 1
        else:
            self.other += 1


@dataclass(frozen=True)
class Kill:
    """One experiment."""

    number: int
    alone: bool
    who: str
    sent: signal.Signals
    after_s: float
    let_go_s: float


def plan(number: int, chance: random.Random) -> Kill:
    """Draw who is killed, how and when."""
    alone = chance.random() < 0.4
    who = chance.choice(ALONE if alone else RECORDED)
    sent = signal.SIGKILL if who in ("everybody", "guardian") or chance.random() < 0.6 else chance.choice(POLITE)
    after, let_go = chance.uniform(0.02, LATEST_S), chance.uniform(0.0, LATEST_S)
    return Kill(number, alone, who, sent, after, let_go)


def strike(subject: Subject, kill: Kill) -> bool:
    """Send the signal to whoever of them is there; return whether somebody is left who must finalize."""
    if kill.who == "everybody":
        subject.kill_all()
        return False
    watchers = {"command": "recorder", "recorder": "", "supervisor": "recorder", "program": "guardian"}
    other = watchers.get(kill.who, "")
    watched = bool(other and subject.pid_now(other)) or kill.who in ("recorder", "guardian")
    for name in kill.who.split(" and "):
        pid = subject.process.pid if name in ("supervisor", "program") else subject.pid_now(name)
        if pid is not None:
            try:
                os.kill(pid, kill.sent)
            except ProcessLookupError:
                pass
    return watched


def experiment(kill: Kill, folder: Path, like: Path) -> tuple[Kill, dict[str, object]]:
    """Start, kill, and see what is left."""
    subject = Subject(folder, like, alone=kill.alone)
    watched = False
    try:
        for moment, act in sorted([(kill.after_s, 0), (kill.let_go_s, 1)]):
            time.sleep(max(0.0, subject.started + moment - time.monotonic()))
            if act:
                subject.let_go()
            else:
                watched = watched or strike(subject, kill)
        subject.let_go()
        came = look(subject, silenced=kill.sent == signal.SIGKILL and kill.who not in ("command", "recorder"))
        if watched and came.get("recovered"):
            came["faults"] = [*came["faults"], "2: somebody watched over it, and left it unfinished"]  # type: ignore[misc]  # a list
        return kill, came
    except Died as error:
        return kill, {"faults": [f"2: {error}"], "events": 0}
    finally:
        subject.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


def look(subject: Subject, *, silenced: bool) -> dict[str, object]:
    """Wait for the end, recover where nobody is left, and check the promises.

    ``silenced``: who would have ended as the command did was killed itself.
    """
    code = subject.ended()
    if not subject.runs():
        return {"too_early": True, "faults": [], "events": 0}
    wait_for(lambda: not running(subject), "the end of all processes")
    recovered = not subject.is_finalized()
    said = subject.runwatch("recover") if recovered else None
    acknowledged = subject.acknowledged()
    if not subject.is_finalized():
        if acknowledged:
            return {"faults": [f"2: not recovered, it has no seals: {said}"], "events": len(acknowledged)}
        return {"too_early": True, "faults": [], "events": 0}
    if len(subject.runs()) > 1:
        return {"faults": twins(subject, acknowledged), "events": len(acknowledged), "recovered": recovered}
    faults = subject.faults(again=True)
    metadata = json.loads((subject.run / "metadata.json").read_bytes())
    if not subject.alone and not recovered and not silenced:
        known = signal.Signals[metadata["signal"]] * -1 if metadata["signal"] else metadata["exit_code"]
        if known != code:
            faults.append(f"2: runwatch ended with {code}, the record says {known}")
    return {"faults": faults, "events": len(acknowledged), "recovered": recovered}


def running(subject: Subject) -> bool:
    """Whether a process of any of its runs is there."""
    return any(promises.processes(run) for run in subject.runs())


def twins(subject: Subject, acknowledged: list[str]) -> list[str]:
    """Check a program that came to a run whose supervisor had just been killed, and began one of its own."""
    # The names of both may begin with the same second.
    theirs, own = sorted(subject.runs(), key=lambda run: b'"issue.started"' in (run / "events.jsonl").read_bytes())
    return promises.faults(theirs, promises.Expected(subject.repository, subject.before)) + promises.faults(
        own, promises.Expected(subject.repository, subject.before, acknowledged)
    )


def storm(kills: int, seed: int, at_once: int) -> bool:
    """Run all experiments, print the table, and return whether every promise held."""
    chance = random.Random(seed)
    plans = [plan(number, chance) for number in range(kills)]
    tallies: dict[tuple[str, str, str], Tally] = collections.defaultdict(Tally)
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        like = template(Path(scratch) / "like")
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            begun = [pool.submit(experiment, kill, Path(scratch) / f"k{kill.number}", like) for kill in plans]
            for future in concurrent.futures.as_completed(begun):
                kill, came = future.result()
                kind = "SIGKILL" if kill.sent == signal.SIGKILL else "polite"
                tally = tallies["SDK program" if kill.alone else "`runwatch run`", kill.who, kind]
                tally.kills += 1
                tally.too_early += bool(came.get("too_early"))
                tally.recovered += bool(came.get("recovered"))
                tally.events += int(str(came["events"]))
                for fault in came["faults"]:  # type: ignore[attr-defined]  # a list
                    tally.note(f"{kill}: {fault}")
                    print(f"FAULT {kill}: {fault}", file=sys.stderr, flush=True)
    return table(tallies, seed)


def table(tallies: dict[tuple[str, str, str], Tally], seed: int) -> bool:
    """Print what came of it; return whether nothing was lost, left running, doubled or otherwise wrong."""
    heads = {
        "kills": "kills",
        "too_early": "before the run",
        "recovered": "by `recover`",
        "events": "events acknowledged",
        "lost": "runs that lost any",
        "running": "left running",
        "doubled": "doubled",
        "other": "other faults",
    }
    columns = tuple(heads)
    print("| recorded by | killed | with | " + " | ".join(heads.values()) + " |")
    print("| --- | --- | --- " + "| ---: " * len(columns) + "|")
    for (how, who, kind), tally in sorted(tallies.items()):
        print(f"| {how} | {who} | {kind} | " + " | ".join(f"{getattr(tally, name):,}" for name in columns) + " |")
    totals = {name: sum(getattr(tally, name) for tally in tallies.values()) for name in columns}
    print(f"| **all** | | seed {seed} | " + " | ".join(f"**{totals[name]:,}**" for name in columns) + " |")
    return not any(totals[name] for name in ("lost", "running", "doubled", "other"))


def takeover(times: int) -> bool:
    """Measure from ``kill -9`` of a recorder to a complete run whose command ends at that moment."""
    took = []
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        like = template(Path(scratch) / "like")
        for number in range(times):
            subject = Subject(Path(scratch) / f"t{number}", like)
            try:
                subject.lead_into("between")
                recorder = subject.pid("recorder")
                wait_for((subject.run / "metadata.json").exists, "the first flush")
                begin = time.monotonic()
                os.kill(recorder, signal.SIGKILL)
                subject.let_go()
                wait_for(subject.is_finalized, "the end", 60.0)
                took.append(time.monotonic() - begin)
            finally:
                subject.clean_up()
    middle = statistics.median(took)
    verdict = "ok" if middle <= TARGET_S else "MISSED"
    print(f"recorder killed to complete run: median {middle:.2f} s of {times} (target ≤ {TARGET_S:g}) {verdict}")
    return middle <= TARGET_S


SOAK = """
import os, sys, threading, runwatch
def state():
    return sorted(os.listdir("/proc/self/fd")), threading.active_count()
for number in range(int(sys.argv[1]) + 1):
    with runwatch.RunLogger(run_id=f"soak-{number}", guard=number % 10 == 0) as run, run.step("one"):
        run.emit("tool.completed", {"tool": "t"})
        runwatch.get_logger("app").info("x")
    if number == 0:
        before = state()
sys.exit(state() != before)
"""


def soak(runs: int) -> bool:
    """Let many short runs end, half in one process, and look for what they leave behind."""
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        repository = template(Path(scratch) / "like")
        in_one = subprocess.run([sys.executable, "-c", SOAK, str(runs // 2)], cwd=repository, check=False).returncode
        command = [sys.executable, "-m", "runwatch.cli.main", "run", "--headless", "--quiet", "--", "true"]
        codes = [subprocess.run(command, cwd=repository, check=False).returncode for _ in range(runs - runs // 2)]
        found = [path.parent for path in repository.glob("runs/*/*/finalize.json")]
        left = [fault for run in found for fault in promises.left_over(run)]
        running = [each for run in found for each in promises.processes(run)]
        commits = promises.git("rev-list", "--count", "HEAD", cwd=repository).strip()
    print(
        f"soak: {len(found)} runs, {commits} commits, descriptors or threads left in one process: {bool(in_one)}, "
        f"other exit codes: {sum(map(bool, codes))}, files left: {len(left)}, processes left: {len(running)}"
    )
    return not (in_one or any(codes) or left or running) and int(commits) == len(found) + 1


def main() -> int:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="of who, how and when")
    parser.add_argument("--at-once", type=int, default=2 * (os.cpu_count() or 1), help="how many side by side")
    parser.add_argument("--takeovers", type=int, default=5, help="how often the recorder's death is timed")
    parser.add_argument("--soak", type=int, default=0, help="how many short runs to let end")
    options = parser.parse_args()
    good = storm(options.kills, options.seed, options.at_once) if options.kills else True
    good = (takeover(options.takeovers) if options.takeovers else True) and good
    good = (soak(options.soak) if options.soak else True) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
