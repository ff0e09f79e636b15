"""The seven promises of `finalizer.md`, checked on a finished run from its journal, its archive and git alone.

Must not import runwatch or read what it prints: what has to be there comes from the child's own acknowledgements.
The fault matrix and `benchmarks/faults.py` use it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TRACKED = ("commit.txt", "logs_summary.txt", "metadata.json", "metrics.json", "summary.md")
FINAL = ("completed", "failed", "interrupted", "crashed")
AFTER_ARCHIVE = frozenset({"logs_summary.txt", "metadata.json", "summary.md"})
"""Written once more when the archive's size and hash are known."""
TEMPORARY = re.compile(r"\..+\.tmp\Z|.*\.part\Z")


def git(*arguments: str, cwd: Path) -> str:
    """Run git and return its output."""
    return subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True).stdout


@dataclass
class Work:
    """The user's side of a repository: all that a run's commit must leave alone."""

    status: str
    staged: str
    entries: list[str]
    files: dict[str, bytes]
    head: str

    @classmethod
    def of(cls, repository: Path) -> Work:
        """Return it as it is now."""
        entries = [line for line in git("ls-files", "-s", cwd=repository).splitlines() if "\truns/" not in line]
        files = {
            str(path.relative_to(repository)): path.read_bytes()
            for path in sorted(repository.rglob("*"))
            if path.is_file() and path.relative_to(repository).parts[0] not in (".git", "runs")
        }
        status = git("status", "--porcelain", cwd=repository)
        staged, head = git("diff", "--cached", cwd=repository), git("rev-parse", "HEAD", cwd=repository)
        return cls(status, staged, entries, files, head)


@dataclass
class Expected:
    """What must be true of a run, as its harness knows it."""

    repository: Path
    before: Work
    """The user's work before the run."""
    acknowledged: list[str] = field(default_factory=list)
    """Ids of the events whose emit returned True, in order, from the child's own file."""
    statuses: tuple[str, ...] = FINAL
    exit_code: int | None = None
    signal: str | None = None
    exact: bool = False
    """Whether code and signal are known, None included."""


def faults(run: Path, expected: Expected) -> list[str]:
    """Return every promise that does not hold for a finalized run, one sentence each."""
    lines = run.joinpath("events.jsonl").read_bytes().split(b"\n")
    events = [_event(line) for line in lines]
    seals = [number for number, event in enumerate(events) if event.get("type") == "run.completed"]
    if len(seals) != 1:
        return [f"the journal has {len(seals)} seals"]
    sealed = lines[: seals[0] + 1]
    return [
        *_acknowledged(run, sealed, expected.acknowledged),
        *_status(run, events[seals[0]], expected),
        *_agreement(run, [_event(line) for line in sealed]),
        *_archive(run),
        *_commit(run, expected),
        *left_over(run),
    ]


def _event(line: bytes) -> dict[str, Any]:
    """Return the event of a line, or the whole one behind a torn one."""
    for begin in [0, *(found.start() for found in re.finditer(rb'\{"type":', line))]:
        try:
            value = json.loads(line[begin:])
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}


def _ids(lines: list[bytes]) -> set[str]:
    return {str(event["call_id"]) for event in map(_event, lines) if "call_id" in event}


def _acknowledged(run: Path, sealed: list[bytes], acknowledged: list[str]) -> list[str]:
    """1: every acknowledged event is in the journal and in the archive."""
    with tarfile.open(run / "run.tar.gz") as archive:
        member = archive.extractfile(f"{run.name}/events.jsonl")
        archived = member.read() if member else b""
    found = []
    for where, lines in (("journal", sealed), ("archive", archived.split(b"\n"))):
        lost = sorted(set(acknowledged) - _ids(lines))
        if lost:
            found.append(
                f"1: {len(lost)} of {len(acknowledged)} acknowledged events are not in the {where}: {lost[:3]}"
            )
    return found


def _status(run: Path, seal: dict[str, Any], expected: Expected) -> list[str]:
    """2: a final status with a reason, the same everywhere, exact where it can be known."""
    metadata = json.loads((run / "metadata.json").read_bytes())
    outcome = json.loads((run / "finalize.json").read_bytes())["outcome"]
    found = []
    if metadata["status"] not in expected.statuses:
        found.append(f"2: status {metadata['status']!r} ({metadata['reason']}), not one of {expected.statuses}")
    if metadata["status"] != "completed" and not metadata["reason"]:
        found.append("2: no reason")
    for name in ("status", "exit_code", "signal", "reason"):
        if not metadata[name] == seal.get(name) == outcome[name]:
            found.append(f"2: {name} is {metadata[name]!r}, {seal.get(name)!r} in the seal, {outcome[name]!r} at first")
    known = (metadata["exit_code"], metadata["signal"])
    if expected.exact and known != (expected.exit_code, expected.signal):
        found.append(f"2: code and signal are {known}, not {(expected.exit_code, expected.signal)}")
    return found


def _agreement(run: Path, events: list[dict[str, Any]]) -> list[str]:
    """3: the files exist and agree with the journal."""
    missing = [name for name in TRACKED if not (run / name).is_file()]
    if missing:
        return [f"3: {missing} missing"]
    metrics = json.loads((run / "metrics.json").read_bytes())
    status = json.loads((run / "metadata.json").read_bytes())["status"]
    calls = sum(event.get("type") == "tool.completed" for event in events)
    counted = sum(tool["calls"] for tool in metrics["tools"])
    found = [f"3: {counted} tool calls in metrics.json, {calls} in the journal"] * (counted != calls)
    for name in ("logs_summary.txt", "summary.md"):
        if status not in (run / name).read_text().lower():
            found.append(f"3: {name} does not say {status}")
    open_steps = [step["step"] for step in metrics["steps"] if step["status"] is None]
    found += [f"3: steps {open_steps} are still open"] * bool(open_steps)
    for issue in {str(event["issue"]) for event in events if event.get("issue") is not None}:
        for kind in ("metrics", "report"):
            if not (run / "issues" / f"issue_{issue}_{kind}.json").is_file():
                found.append(f"3: no {kind} of issue {issue}")
    rows = _rows(run.parent.parent / "csv" / "runs.csv", run)
    if [row["status"] for row in rows] != [status]:
        found.append(f"3: {len(rows)} rows in runs/csv/runs.csv with status {[row['status'] for row in rows]}")
    issues = {str(event["issue"]) for event in events if event.get("type") == "issue.started"}
    if sorted(row["issue_id"] for row in _rows(run.parent.parent / "csv" / "issues.csv", run)) != sorted(issues):
        found.append("3: not one row an issue in runs/csv/issues.csv")
    return found


def _rows(path: Path, run: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["run_id"] == run.name]


def _archive(run: Path) -> list[str]:
    """4: a whole tar.gz with the hash that the metadata names, whose members are the files."""
    path = run / "run.tar.gz"
    named = json.loads((run / "metadata.json").read_bytes())["archive"]
    if named is None:
        return ["4: metadata.json names no archive"]
    found = []
    if hashlib.sha256(path.read_bytes()).hexdigest() != named["sha256"]:
        found.append("4: the archive's hash is another one than its metadata say")
    if subprocess.run(["gzip", "-t", path], capture_output=True, check=False).returncode != 0:
        found.append("4: gzip -t finds a fault")
    members = {}
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None or not member.isreg():
                found.append(f"4: {member.name} is no regular file")
            else:
                members[member.name.partition("/")[2]] = file.read()
    # A survivor may go on writing to a log, and to the journal behind the seal: what was archived is a beginning.
    for name, content in members.items():
        on_disk = run / name
        if name not in AFTER_ARCHIVE and on_disk.is_file() and not on_disk.read_bytes().startswith(content):
            found.append(f"4: {name} in the archive is not what is on disk")
    logs = {str(each.relative_to(run)) for each in run.joinpath("logs").rglob("*.log")}
    return found + [f"4: {name} is not archived" for name in sorted(logs - set(members))]


def _commit(run: Path, expected: Expected) -> list[str]:
    """5: one commit with the five files of this run, and everything else as it was."""
    repository = expected.repository
    trailer = f"Runwatch-Run: {run.parent.name}/{run.name}"
    made = git("log", "--format=%H", "--fixed-strings", f"--grep={trailer}", cwd=repository).split()
    if len(made) != 1:
        return [f"5: {len(made)} commits hold the run"]
    names = git("show", "--name-only", "--format=", made[0], cwd=repository).split()
    folder = run.relative_to(repository)
    found = []
    if sorted(names) != sorted(f"{folder}/{name}" for name in TRACKED):
        found.append(f"5: the commit holds {names}")
    for name in TRACKED:
        if git("show", f"{made[0]}:{folder}/{name}", cwd=repository) != (run / name).read_text():
            found.append(f"5: {name} in the commit is not the file")
    after = Work.of(repository)
    for what in ("status", "staged", "entries", "files"):
        if getattr(after, what) != getattr(expected.before, what):
            found.append(f"5: the user's {what} changed: {getattr(after, what)!r:.300}")
    return found


def left_over(run: Path) -> list[str]:
    """Return what a finished run must not leave: temporary files, a socket, a lock that is held, git's own locks."""
    rows = run.parent.parent / "csv"
    left = [path for folder in (run, rows) for path in folder.rglob("*") if TEMPORARY.match(path.name)]
    left += [path for path in (run / "control.sock", run / ".reserve") if path.exists()]
    top = run.parents[2] / ".git"
    left += [path for path in (top / "index.lock", top / "HEAD.lock", top / "runwatch.lock") if path.exists()]
    return [f"6: {path.name} was left behind" for path in left]


def processes(run: Path) -> list[tuple[int, str]]:
    """Return pid and command line of all processes that name the run in their words or their environment."""
    wanted = os.fsencode(run)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z" and (wanted in words.split(b"\0") or b"RUNWATCH_RUN_DIR=" + wanted in environment.split(b"\0")):
            found.append((int(entry.name), words.replace(b"\0", b" ").decode(errors="replace")))
    return found


def contents(run: Path) -> dict[str, bytes]:
    """Return every file of a run but those that tell of finalizing itself."""
    apart = {"finalize.json", ".lock"}
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in run.rglob("*")
        if path.is_file() and path.name not in apart
    }
