"""The scripted agent of the demo: a program like any other that uses runwatch's SDK.

Must not use any name of runwatch but the public ones, nor any model: a stand-in answers, and is recorded as one.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from importlib.metadata import version
from pathlib import Path

from runwatch import RunLogger
from runwatch.demo import closing, repairing, understanding
from runwatch.demo.bench import Bench, RepairFailed
from runwatch.demo.checking import Pipelines
from runwatch.demo.pace import ON_TERMINAL, Pace
from runwatch.demo.story import PACKAGE, load

STEPS = (
    "understand the package",
    "reproduce the failure",
    "plan the repair",
    "repair",
    "verify",
    "report",
)


def main(arguments: list[str] | None = None) -> int:
    """Repair the package in the current folder; return 0 when its pipeline passes, else 1."""
    parser = argparse.ArgumentParser(prog="runwatch.demo.agent", description="The demo's scripted agent.")
    parser.add_argument("--pace", type=float, default=ON_TERMINAL, help="factor of the pauses; 0: none")
    parser.add_argument("--package", type=Path, default=PACKAGE, help="folder of the story that is played")
    options = parser.parse_args(arguments)
    try:
        with RunLogger(framework="demo") as run:
            play(Bench(run, Path.cwd(), load(options.package), Pace(options.pace)))
    except RepairFailed as failure:
        print(f"the package is not repaired: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # As any program that a person stops: by the signal, so that whoever waits for us can tell.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 0


def play(bench: Bench) -> None:
    """Go through the six steps. Raises RepairFailed."""
    run, pipelines = bench.run, Pipelines(bench)
    run.plan(len(STEPS), STEPS)
    _introduce(bench)
    with run.step(STEPS[0]):
        understanding.understand(bench)
    with run.step(STEPS[1]) as step:
        before = understanding.reproduce(bench, pipelines)
        step.note(f"{len(before.tests.failures)} of {before.tests.passed + len(before.tests.failures)} tests fail")
    with run.step(STEPS[2]):
        understanding.plan(bench)
    with run.step(STEPS[3]) as step:
        for _ in range(repairing.repair_all(bench, pipelines)):
            step.retry()
    with run.step(STEPS[4]) as step:
        after = closing.verify(bench, pipelines, before)
        step.note(f"{after.tests.passed} tests pass")
    with run.step(STEPS[5]):
        closing.report(bench, after)


def _introduce(bench: Bench) -> None:
    tools = {"python": platform.python_version(), "pytest": version("pytest"), "coverage": version("coverage")}
    bench.validator.info("python %(python)s, pytest %(pytest)s, coverage %(coverage)s", tools, extra=tools)
    bench.orchestrator.info("a scripted agent begins; its model is a stand-in")
    bench.say("A scripted agent repairs the package `billing`. Its model is a stand-in, all else is real.")


if __name__ == "__main__":
    sys.exit(main())
