"""Creating run directories."""

from __future__ import annotations

import os
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.errors import BadName, RecordError, UsageError
from runwatch.journal.create import create_run

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_run_is_private_and_named_after_the_time(tmp_path: Path) -> None:
    paths = create_run(tmp_path / "runs", "baes", now=NOW)
    assert paths.root.name.startswith("20261121-010203-")
    assert paths.root.parent == tmp_path / "runs" / "baes"
    assert [mode(paths.root), mode(paths.logs), mode(paths.root.parent)] == [0o700] * 3
    assert mode(paths.ignore) == 0o600


def test_a_key_is_refused_wherever_it_would_become_a_name(tmp_path: Path) -> None:
    key = "gh" + "p_" + "mm9fucGa9iHXMS9NxyKn0OrBzt7T11Ova0Y4"
    with pytest.raises(BadName, match=r"framework gh.* looks like a key"):
        create_run(tmp_path, key, now=NOW)
    with pytest.raises(BadName, match=r"run id gh.* looks like a key"):
        create_run(tmp_path, "f", key, now=NOW)
    with pytest.raises(BadName, match=r"project id gh.* looks like a key"):
        create_run(tmp_path, "f", project_id=key, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_taken_project_name_gets_a_number(tmp_path: Path) -> None:
    names = [create_run(tmp_path, "f", project_id=168, now=NOW).run_id for _ in range(3)]
    first = "run_20261121_010203_project_168"
    assert names == [first, first + "_2", first + "_3"]


def test_eight_creators_at_once_get_eight_directories(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: create_run(tmp_path, "f", project_id=1, now=NOW).run_id, range(8)))
    assert len(set(runs)) == 8


def test_a_taken_run_id_is_one_sentence(tmp_path: Path) -> None:
    create_run(tmp_path, "f", "one", now=NOW)
    with pytest.raises(UsageError, match=r"'one' is taken"):
        create_run(tmp_path, "f", "one", now=NOW)


@pytest.mark.parametrize("bad", ["", "..", "a/b", "csv", "x" * 101, "a\n", "ä"])
def test_a_bad_name_creates_nothing(tmp_path: Path, bad: str) -> None:
    root = tmp_path / "runs"
    with pytest.raises(BadName):
        create_run(root, bad, now=NOW)
    with pytest.raises(BadName):
        create_run(root, "f", bad, now=NOW)
    if bad:
        with pytest.raises(BadName):
            create_run(root, "f", project_id="/" + bad, now=NOW)
    assert not root.exists()


def test_an_unwritable_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(RecordError, match=r"cannot create a run below .*--runs-dir"):
        create_run(tmp_path / "runs", "f", now=NOW)


def git(folder: Path, *args: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return subprocess.run(["git", *args], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


def test_a_run_never_shows_in_git_status(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    paths = create_run(tmp_path / "runs", "f", now=NOW)
    paths.journal.write_text("x")
    assert git(tmp_path, "status", "--porcelain", "-uall") == ""
    paths.ignore.unlink()
    assert git(tmp_path, "status", "--porcelain", "-uall") == "", "runs/.gitignore hides it too"


def test_where_init_has_been_only_the_run_itself_is_ignored(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("!/runs/\n/runs/*\n!/runs/*/\n/runs/*/*\n!/runs/*/*/metadata.json\n")
    create_run(tmp_path / "runs", "f", now=NOW)
    assert not (tmp_path / "runs" / ".gitignore").exists()


def test_an_ignore_file_of_the_user_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("!keep\n")
    create_run(tmp_path, "f", now=NOW)
    assert (tmp_path / ".gitignore").read_text() == "!keep\n"


@pytest.mark.parametrize("runs_dir", [".", "src"])
def test_what_else_lies_in_the_runs_folder_stays_visible_to_git(tmp_path: Path, runs_dir: str) -> None:
    repository = tmp_path / "r"
    (repository / "src").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=repository, check=True)
    (repository / "new").touch()
    (repository / "src" / "new").touch()

    def status() -> str:
        command = ["git", "status", "--short", "--untracked-files=all"]
        return subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout

    before = status()
    for _ in range(2):
        paths = create_run(repository / runs_dir, "fw", now=NOW)
        (paths.root / "events.jsonl").touch()
        (repository / runs_dir / "csv" / "runs.csv").touch()
        assert status() == before
        paths.ignore.unlink()
        assert status() == before, "also when the run's own ignore file is gone"


def test_a_runs_folder_that_git_could_not_check_out_is_refused_and_not_made(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path / "repo")
    (tmp_path / "link").symlink_to(repo.path / ".git")
    for runs in (
        repo.path / ".git/runs",
        repo.path / "x/GIT~1/runs",
        tmp_path / "link/runs",
        tmp_path / "none/.git/runs",
    ):
        with pytest.raises(BadName, match="choose another"):
            create_run(runs, "f", now=NOW)
        assert not runs.exists()
    bare = GitRepo.create(tmp_path / "as-it-is-cloned/.git", "--bare")
    assert create_run(bare.path / "runs", "f", now=NOW).root.is_dir()


def test_a_file_system_that_takes_no_folders_is_named_as_such() -> None:
    with pytest.raises(RecordError, match="below /proc/x: /proc takes no folders: choose another with --runs-dir"):
        create_run(Path("/proc/x"), "f", now=NOW)
