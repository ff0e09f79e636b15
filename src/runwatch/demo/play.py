"""``runwatch demo``: makes the scratch repository, records the agent in it, and says where everything is.

Must not touch the caller's repository, configuration or environment; starts runwatch as a person would.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import types
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from runwatch.demo import git_cli, scratch
from runwatch.demo.environment import clean
from runwatch.demo.pace import ON_TERMINAL, UNWATCHED
from runwatch.demo.story import PACKAGE

PACE = "RUNWATCH_DEMO_PACE"
"""Variable for tests: factor of the pauses, 0 for none."""
_REMEDY = "pip install 'runwatch[demo]'"
_RUNWATCH = ("-P", "-m", "runwatch.cli.main")


def play(*, headless: bool, folder: str | None, package: Path = PACKAGE) -> int:
    """Record the demo in ``folder``, else in a new temporary one; return the exit code of the run."""
    missing = [name for name in ("pytest", "coverage") if find_spec(name) is None]
    if missing:
        return _refuse(f"the demo needs {' and '.join(missing)}: {_REMEDY}", 1)
    if shutil.which("git") is None:
        return _refuse("the demo needs git, which is not on the PATH: install it.", 1)
    try:
        root = scratch.make(folder, package)
    except scratch.ScratchTaken as taken:
        return _refuse(str(taken), 2)
    except (OSError, git_cli.GitFailed) as error:
        return _refuse(f"the scratch repository cannot be made: {error}", 1)
    watched = not headless and sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")
    pace = _pace(os.environ, watched=watched)
    _say(f"runwatch demo: a scripted agent repairs a small package in {root}")
    agent = [sys.executable, "-P", "-m", "runwatch.demo.agent", "--pace", f"{pace:g}"]
    if package != PACKAGE:
        agent += ["--package", str(package)]
    command = [sys.executable, *_RUNWATCH, "run", "--framework", "demo"]
    command += [*(["--headless"] if headless else []), "--", *agent]
    code = _run(command, root)
    _say(*_closing(root, code, os.environ))
    return code


def _run(command: list[str], root: Path) -> int:
    """Run a command there and wait for it, whatever signal comes; return its code as a shell gives it."""
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: types.FrameType | None) -> None:
        # What the terminal sends has reached the child already; what a process sent us has not.
        if child is not None and number != signal.SIGINT:
            child.send_signal(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.getsignal(number) for number in numbers}
    # An ignored signal stays ignored (nohup), for the child too; a handler of ours does not survive its exec.
    watched = [number for number in numbers if former[number] is not signal.SIG_IGN]
    for number in watched:
        signal.signal(number, pass_on)
    try:
        child = subprocess.Popen(command, cwd=root, env=clean(os.environ))
        code = child.wait()
    finally:
        for number in watched:
            signal.signal(number, former[number])
    return 128 - code if code < 0 else code


def _closing(root: Path, code: int, environ: Mapping[str, str]) -> list[str]:
    """Return where everything is and what to try next, in commands that work as they stand, in 80 columns."""
    if not any(root.glob("runs/*/*/events.jsonl")):
        return ["", f"runwatch demo: nothing was recorded ({code}). The scratch repository is in {root}"]
    if code:
        result = f"the run ended with {code}"
    else:
        result = "the run goes on" if _goes_on(root) else "the package is repaired"
    runwatch, preparation = _how_to_call(environ)
    # A run that did not end well may not have come as far as the repair.
    logs = {"logs @1": "its logs, merged by time"} if code else {"logs @1 --step 4": "the repair, line by line"}
    tries = {
        f"{runwatch} watch @1": "the run in the app, live or again",
        f"{runwatch} show @1": "its summary",
        **{f"{runwatch} {command}": what for command, what in logs.items()},
        f"git log --stat {scratch.BASE}..": "the agent's commits and runwatch's",
    }
    width = max(map(len, tries))
    return [
        "",
        f"runwatch demo: {result}. Everything stays in this folder:",
        f"  cd {shlex.quote(str(root))}",
        "Try next, there:",
        *(f"  {line}" for line in preparation),
        *(f"  {command:<{width}}  # {what}" for command, what in tries.items()),
    ]


def _goes_on(root: Path) -> bool:
    """Whether a person has left the app and the run alone."""
    for path in root.glob("runs/*/*/metadata.json"):
        try:
            return json.loads(path.read_bytes())["status"] is None
        except (OSError, ValueError, KeyError):
            continue
    return True  # nothing is written yet


def _how_to_call(environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the name that this runwatch has in the caller's shell, and what must be typed before for it to mean us."""
    before = ["unset RUNWATCH_RUNS_DIR"] if "RUNWATCH_RUNS_DIR" in environ else []
    script = Path(sys.executable).parent / "runwatch"
    if not script.is_file():
        return shlex.join([sys.executable, *_RUNWATCH]), before
    found = shutil.which("runwatch", path=environ.get("PATH"))
    if not found or not os.path.samefile(found, script):
        before.append(f"PATH={shlex.quote(str(script.parent))}:$PATH")
    return "runwatch", before


def _pace(environ: Mapping[str, str], *, watched: bool) -> float:
    try:
        return max(0.0, float(environ[PACE]))
    except (KeyError, ValueError):
        return ON_TERMINAL if watched else UNWATCHED


def _refuse(sentence: str, code: int) -> int:
    _say(f"runwatch: {sentence}")
    return code


def _say(*lines: str) -> None:
    sys.stdout.flush()
    print(*lines, sep="\n", file=sys.stderr, flush=True)
