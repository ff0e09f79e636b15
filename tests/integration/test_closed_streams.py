"""Started without stdin, stdout or stderr: the command runs as it would without runwatch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

from integration.recorded import PATIENCE_S, RUNWATCH, git, repository, wait_for

COMMAND = """
import os, sys
found = []
for number in (0, 1, 2):
    try:
        os.fstat(number)
        found.append(number)
    except OSError:
        pass
with open(sys.argv[1], "w") as file:
    file.write(repr((found, [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)])))
for number in found[1:] if 0 in found else found:
    os.write(number, b"said\\n")
sys.exit(3)
"""


def _start(
    closed: tuple[int, ...], cwd: Path, *command: str, env: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    redirections = " ".join(f"{number}>&-" for number in closed)
    return subprocess.Popen(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", *command],
        cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_whichever_of_its_three_streams_are_closed_the_command_runs_as_without_us(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    program = tmp_path / "program.py"
    program.write_text(COMMAND)
    cases = [closed for count in (1, 2, 3) for closed in combinations((0, 1, 2), count)]
    runs = {}
    for closed in cases:
        name = "".join(map(str, closed))
        command = [sys.executable, str(program)]
        plain = _start(closed, tmp_path, *command, str(tmp_path / f"plain{name}"))
        own = [*RUNWATCH, "run", "--quiet", "--run-id", f"r{name}", "--"]
        runs[closed] = (plain, _start(closed, repo, *own, *command, str(tmp_path / f"run{name}")))
    for closed, (plain, run) in runs.items():
        name = "".join(map(str, closed))
        without, with_us = plain.communicate(timeout=PATIENCE_S), run.communicate(timeout=PATIENCE_S)
        assert (plain.returncode, run.returncode) == (3, 3), (closed, with_us)
        assert with_us == without, closed
        assert (tmp_path / f"run{name}").read_text() == (tmp_path / f"plain{name}").read_text(), closed
        metadata = json.loads((repo / "runs" / "default" / f"r{name}" / "metadata.json").read_bytes())
        assert (metadata["status"], metadata["exit_code"]) == ("failed", 3), closed
        wait_for(lambda name=name: f"default/r{name} failed" in git("log", "--format=%s", cwd=repo), "the commit")
    assert len(git("log", "--format=%s", cwd=repo).splitlines()) == 1 + len(cases)


def test_switched_off_it_gives_the_command_the_same_streams(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(COMMAND)
    for name, own in (("plain", []), ("off", [*RUNWATCH, "run", "--"])):
        started = _start(
            (0, 1), tmp_path, *own, sys.executable, str(program), str(tmp_path / name),
            env={**os.environ, "RUNWATCH_DISABLE": "1"},
        )  # fmt: skip
        assert started.communicate(timeout=PATIENCE_S) == (b"", b"said\n")
        assert started.returncode == 3
    assert (tmp_path / "off").read_text() == (tmp_path / "plain").read_text()
