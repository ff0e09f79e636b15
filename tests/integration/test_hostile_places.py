"""Links, pipes and sockets that somebody planted in a run or in the runs folder lead nowhere; neither do hostile names.

What lies outside is looked at before and after: nothing there is read into a run, written, changed in mode or deleted.
"""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.recorded import git, record, repository, run_dir, runwatch, start, wait_for
from runwatch.cli.main import run as call

CANARY = "the-canary-that-lives-outside"
"""Stands in every file outside; where it shows up, something was read that should not have been."""


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that no run has any business with, laid out like a run, so that a link to it looks right."""
    folder = tmp_path / "outside"
    (folder / "logs" / "step_001").mkdir(parents=True)
    (folder / "csv").mkdir()
    (folder / "issues").mkdir()
    names = ["events.jsonl", "metadata.json", "metrics.json", "summary.md", "logs_summary.txt", "commit.txt", "any"]
    names += ["finalize.json", "run.tar.gz", ".lock", ".gitignore", ".reserve", ".secrets.json", "csv/runs.csv"]
    names += ["logs/stdout.log", "logs/stderr.log", "logs/run.log", "logs/output.idx", "logs/adapter.log"]
    names += ["logs/step_001/stdout.log", "logs/step_001/stderr.log", "logs/step_001/adapter.log"]
    for name in names:
        (folder / name).write_text(f"{CANARY}\n")
        (folder / name).chmod(0o644)
    for name in ("", "logs", "logs/step_001", "csv", "issues"):
        (folder / name).chmod(0o755)
    return folder


def state(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return what there is below a folder: mode, inode, time of change and content."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        now = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(folder))] = (now.st_mode, now.st_ino, now.st_ctime_ns, content)
    return found


@pytest.fixture
def untouched(outside: Path) -> Iterator[None]:
    """What lies outside is the same when the test is over."""
    before = state(outside)
    yield
    assert state(outside) == before


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one finished run of two steps that failed, the second with an issue."""
    place = repository(tmp_path_factory.mktemp("finished"))
    script = (
        "echo ::group::one; echo out; echo err >&2; echo ::endgroup::; echo ::group::two; "
        f"{sys.executable} -m runwatch.cli.main emit issue.started issue=1; echo last >&2; exit 3"
    )
    done = record("sh", "-c", script, cwd=place)
    assert done.done.returncode == 3, done.done.stderr
    return place


@pytest.fixture
def place(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that repository that a test may spoil, as the current folder."""
    copy = tmp_path / "place"
    shutil.copytree(finished, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def no_canary(place: Path) -> None:
    """Nothing of what lies outside came into the runs folder or into any object of the repository."""
    for path in (place / "runs").rglob("*"):
        if path.is_file() and not path.is_symlink() and not any(part.is_symlink() for part in path.parents):
            data = path.read_bytes()
            if path.suffix == ".gz":
                data = gzip.decompress(data)
            assert CANARY.encode() not in data, path
    assert CANARY not in git("log", "-p", "--all", "--text", cwd=place)


def plant_link(path: Path, target: Path) -> None:
    """Put a link in the place of whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def plant_pipe(path: Path, _: Path) -> None:
    """Put a pipe there that nobody will ever write to."""
    plant_link(path, path)
    path.unlink()
    os.mkfifo(path)


def plant_socket(path: Path, _: Path) -> None:
    """Put a socket there on which nobody listens."""
    plant_link(path, path)
    path.unlink()
    here = os.getcwd()
    os.chdir(path.parent)  # an address holds 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


FILES = [
    *["events.jsonl", "metadata.json", "metrics.json", "summary.md", "logs_summary.txt", "commit.txt", ".lock"],
    *["finalize.json", "run.tar.gz", ".secrets.json", "logs/output.idx", "logs/step_001/stdout.log", "csv/runs.csv"],
    *["logs/step_002/stderr.log", "logs/step_002/orchestrator.log"],
]
FOLDERS = ["logs", "logs/step_001", "logs/step_002", "csv", "issues"]
LOOKS = (["show"], ["show", "--json"], ["show", "--markdown"], ["logs"], ["ls", "--json"], ["verify"])
ENDS = (["finalize", "--from", "close"], ["recover"])


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
def test_a_link_in_a_run_leads_nowhere(
    place: Path, outside: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plant_link(run_dir(place) / name, outside / name if (outside / name).exists() else outside / "any")
    for command in (*LOOKS, *ENDS, *LOOKS):
        call(command)
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err
    assert "Traceback" not in said.err
    no_canary(place)


@pytest.mark.parametrize("plant", [plant_pipe, plant_socket])
@pytest.mark.parametrize("name", FILES)
def test_a_pipe_or_a_socket_in_a_run_holds_nobody_up(
    place: Path, outside: Path, name: str, plant: Callable[[Path, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    plant(run_dir(place) / name, outside)
    for command in (*LOOKS, *ENDS):
        call(command)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("depth", ["run", "framework"])
def test_a_run_that_became_a_link_is_not_finalized(place: Path, outside: Path, depth: str) -> None:
    run = run_dir(place)
    link = run if depth == "run" else run.parent
    moved = outside if depth == "run" else outside.parent
    run_id, framework = run.name, run.parent.name
    plant_link(link, moved)
    for command in (*LOOKS, ["recover"], ["finalize", run_id], ["finalize", f"{framework}/{run_id}"]):
        call(command)
    assert call(["finalize", f"runs/{framework}/{run_id}"]) != 0
    assert CANARY not in git("log", "-p", "--all", "--text", cwd=place)


@pytest.mark.usefixtures("untouched")
def test_a_link_in_place_of_the_framework_or_the_table_folder_is_refused(place: Path, outside: Path) -> None:
    plant_link(place / "runs" / "hostile", outside)
    done = runwatch("run", "--headless", "--framework", "hostile", "--", "true", cwd=place)
    assert b"not recorded" in done.stderr
    assert b"is a symbolic link" in done.stderr
    plant_link(place / "runs" / "csv", outside / "csv")
    plant_link(place / "runs" / ".gitignore", outside / ".gitignore")
    again = runwatch("run", "--headless", "--framework", "other", "--", "echo", "still recorded", cwd=place)
    assert again.returncode == 0
    (made,) = (place / "runs" / "other").iterdir()
    assert b"still recorded" in b"".join(path.read_bytes() for path in made.rglob("stdout.log"))
    no_canary(place)


PLANTER = """
import os, pathlib, shutil, subprocess, sys
run, outside = pathlib.Path(os.environ["RUNWATCH_RUN_DIR"]), pathlib.Path(sys.argv[1])
print("::group::one", flush=True); print("said before", flush=True)
for name in sys.argv[2:]:
    path = run / name
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(outside / name if (outside / name).exists() else outside)
print("::endgroup::", flush=True); print("::group::two", flush=True); print("said after", flush=True)
print("failed", file=sys.stderr, flush=True)
sys.exit(5)
"""


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "names",
    [
        ["logs/step_002", "csv", "issues", "metadata.json", "run.tar.gz", "run.tar.gz.part", "finalize.json", ".lock"],
        ["logs", "metrics.json", "summary.md", "logs_summary.txt", "commit.txt", ".reserve", ".gitignore"],
        ["events.jsonl", "control.sock"],
        ["logs/step_002/stdout.log", "logs/step_002/stderr.log", "logs/step_002/orchestrator.log", ".secrets.json"],
    ],
    ids=lambda names: names[0],
)
def test_links_that_the_command_plants_while_it_runs_lead_nowhere(
    tmp_path: Path, outside: Path, names: list[str]
) -> None:
    place = repository(tmp_path / "place")
    done = record(sys.executable, "-c", PLANTER, str(outside), *names, cwd=place)
    assert done.done.returncode == 5, done.done.stderr
    assert b"said after" in done.done.stdout
    no_canary(place)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_what_a_run_is_made_of_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    place = repository(tmp_path / "place")
    before = os.umask(umask)
    try:
        script = (
            f"echo ::group::a; echo out; {sys.executable} -m runwatch.cli.main emit issue.started issue=7; sleep 0.1"
        )
        process = start("sh", "-c", f"{script}; touch done; while [ -e done ]; do sleep 0.05; done", cwd=place)
        try:
            wait_for(lambda: (place / "done").exists(), "the command")
            own_alone(run_dir(place))
        finally:
            (place / "done").unlink(missing_ok=True)
            process.communicate(timeout=60)
    finally:
        os.umask(before)
    own_alone(place / "runs")


def own_alone(root: Path) -> None:
    """Every file is 0600 (or 0400, once it takes no more), every folder 0700, the control socket in them."""
    for path in (root, *root.rglob("*")):
        found = path.lstat()
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISDIR(found.st_mode):
            assert mode == 0o700, (path, oct(mode))
        elif stat.S_ISREG(found.st_mode):
            assert mode in (0o600, 0o400), (path, oct(mode))


HOSTILE = ["..", ".", "../../escape", "/tmp/escape", "a/b", "a b", "a\nb", "\x1b[2J", "csv", "", "é", "a" * 101]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("option", ["--run-id", "--framework"])
def test_a_hostile_name_is_refused_in_a_sentence_and_nothing_is_made(
    tmp_path: Path, option: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "deep" / "place"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("the command was started"))
    code = call(["run", "--headless", f"{option}={name}", "--", "true"])
    said = capsys.readouterr().err
    assert code == 125, said
    assert said.startswith("runwatch: ")
    assert said.count("\n") == 1
    assert "\x1b" not in said
    assert not any(tmp_path.rglob("*.jsonl"))
    assert [path.name for path in tmp_path.rglob("*")] == ["deep", "place"]


@pytest.mark.parametrize(
    "named", ["/etc", "no/such/run", "a\nb\x1b[2J", "x" * 5000, "/dev/null", "/proc/self/fd"], ids=range(6)
)
def test_a_hostile_run_directory_in_the_environment_is_refused_in_a_sentence(
    tmp_path: Path, named: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNWATCH_RUN_DIR", named)
    for command in (["emit", "error", "message=x"], ["step", "x"]):
        assert call(command) == 1
        said = capsys.readouterr().err
        assert said.startswith("runwatch: ")
        assert said.count("\n") == 1
        assert "\x1b" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("theme", ["../../../../etc/passwd", "/etc/passwd", "a\nb", "..", "*"], ids=range(5))
def test_a_hostile_theme_is_refused_in_a_sentence(
    tmp_path: Path, theme: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("the command was started"))
    assert call(["run", "--headless", f"--theme={theme}", "--", "true"]) == 125
    said = capsys.readouterr().err
    assert said.startswith("runwatch: ")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_umask_that_write_protects_the_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    done = runwatch("run", "--", "sh", "-c", "exit 3", cwd=tmp_path, umask=0o277)
    assert done.returncode == 3
    assert b"the umask of this shell write-protects what it makes" in done.stderr, done.stderr
    assert b"free space" not in done.stderr
