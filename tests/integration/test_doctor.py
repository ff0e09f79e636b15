"""What would keep a run from being recorded or committed is named before it happens."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from integration.dead_runs import dead_run, small_disk
from integration.recorded import git, repository, runwatch

Found = dict[str, list[dict[str, Any]]]


def doctor(cwd: Path, *options: str, code: int | None = None, **more: Any) -> Found:
    """Examine a place; return the findings by what was looked at."""
    done = runwatch("doctor", "--json", *options, cwd=cwd, **more)
    found: Found = {}
    for each in json.loads(done.stdout):
        found.setdefault(each["check"], []).append(each)
    faults = any(each["level"] == "fault" for group in found.values() for each in group)
    assert done.returncode == (1 if faults else 0)
    if code is not None:
        assert done.returncode == code, found
    return found


def the_fault(found: Found, check: str) -> dict[str, Any]:
    """Return the only fault, which is of ``check``."""
    faults = [each for group in found.values() for each in group if each["level"] == "fault"]
    assert [each["check"] for each in faults] == [check], faults
    return faults[0]


def listing(folder: Path) -> list[str]:
    """Return all that lies below a folder."""
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A healthy repository."""
    return repository(tmp_path / "place")


def test_a_healthy_place_has_no_fault_and_is_left_as_it_was(place: Path) -> None:
    before = listing(place)
    found = doctor(place, code=0)
    assert {"configuration", "runs folder", "disk space", "file locks", "git", "commit", "identity"} <= set(found)
    assert "branch main" in found["commit"][0]["sentence"]
    assert found["commit"][0]["level"] == "ok"
    assert "genai-prices" in found["prices"][0]["sentence"]
    assert listing(place) == before
    told = runwatch("doctor", cwd=place)
    assert told.returncode == 0
    assert told.stdout.decode().splitlines()[-1] == "Runs here are recorded and committed."


def test_a_plain_folder_records_and_does_not_commit(tmp_path: Path) -> None:
    fault = the_fault(doctor(tmp_path, code=1), "commit")
    assert "no git repository" in fault["sentence"]
    assert fault["remedy"] == "git init"
    assert listing(tmp_path) == []
    told = runwatch("doctor", cwd=tmp_path).stdout.decode()
    assert "✗ commit" in told
    assert "→ git init" in told
    ascii_only = runwatch("doctor", cwd=tmp_path, env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert ascii_only.stdout.isascii()
    (tmp_path / "runwatch.toml").write_text('[commit]\nmode = "off"\n')
    doctor(tmp_path, code=0)


def test_what_git_is_in_the_middle_of_is_named(place: Path) -> None:
    (place / ".git" / "MERGE_HEAD").write_text(git("rev-parse", "HEAD", cwd=place))
    fault = the_fault(doctor(place), "commit")
    assert "a merge is under way" in fault["sentence"]
    assert fault["remedy"] == "finish or abort it"


def test_a_stale_index_lock_is_named_with_its_age_and_a_held_one_with_its_holder(place: Path) -> None:
    lock = place / ".git" / "index.lock"
    lock.touch()
    os.utime(lock, (1_760_000_000, 1_760_000_000))
    fault = the_fault(doctor(place), "commit")
    assert str(lock) in fault["sentence"]
    assert "nobody that can be seen" in fault["sentence"]
    assert fault["remedy"].startswith(f"rm {lock}")
    with lock.open():
        fault = the_fault(doctor(place), "commit")
    assert f"process {os.getpid()}" in fault["sentence"]
    assert lock.exists()


def test_a_detached_head_is_a_fault_in_ci_and_a_warning_elsewhere(place: Path) -> None:
    git("checkout", "-q", "--detach", cwd=place)
    assert doctor(place, code=0)["commit"][0]["level"] == "warning"
    assert "detached in CI" in the_fault(doctor(place, env={"CI": "true"}), "commit")["sentence"]


def test_what_would_keep_the_branch_from_moving_is_named(place: Path) -> None:
    for name in ("refs/heads/main.lock", "HEAD.lock"):
        lock = place / ".git" / name
        lock.touch()
        fault = the_fault(doctor(place, code=1), "commit")
        assert f"{name} is held for " in fault["sentence"]
        assert f"rm {lock}" in fault["remedy"]
        done = runwatch("run", "--quiet", "--", "true", cwd=place) if name == "HEAD.lock" else None
        lock.unlink()
    assert done is not None
    assert git("log", "--format=%s", cwd=place) == "first\n", "and it is true"


def test_a_filter_that_must_not_fail_and_fails_is_named(place: Path) -> None:
    (place / ".gitattributes").write_text("*.md filter=sometimes\n*.json filter=always\n")
    git("config", "filter.sometimes.clean", "false", cwd=place)
    git("config", "filter.always.clean", "cat", cwd=place)
    git("config", "filter.always.required", "true", cwd=place)
    doctor(place, code=0)
    git("config", "filter.always.clean", "echo no such day >&2; false", cwd=place)
    before = listing(place)
    fault = the_fault(doctor(place, code=1), "commit")
    assert "json through the filter 'always', which is required" in fault["sentence"]
    assert "filter.always" in fault["remedy"]
    assert listing(place) == before


def test_a_runs_folder_that_leads_out_of_the_repository_is_named(place: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (place / "runs").symlink_to(tmp_path / "outside")
    fault = the_fault(doctor(place, code=1), "commit")
    assert f"{place}/runs is a symbolic link to {tmp_path}/outside, out of the repository {place}" in fault["sentence"]
    assert fault["remedy"] == f"put a folder in place of {place}/runs"
    runwatch("run", "--", "true", cwd=place)
    told = runwatch("finalize", cwd=place).stdout
    assert b"runs is a symbolic link to" in told
    assert b"put a folder in its place" in told


def test_a_runs_folder_in_a_git_folder_is_a_fault(place: Path) -> None:
    fault = the_fault(doctor(place, "--runs-dir", ".git/runs", code=1), "commit")
    assert "'.git', a name that git keeps for itself" in fault["sentence"]


def test_git_variables_are_named_and_change_nothing(place: Path) -> None:
    found = doctor(place, env={"GIT_DIR": "/nowhere", "GIT_NAMESPACE": "x"}, code=0)
    assert "GIT_DIR, GIT_NAMESPACE" in found["environment"][0]["sentence"]


def test_no_git_and_an_old_git_are_faults(place: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    assert "no git program" in the_fault(doctor(place, env={"PATH": str(programs)}), "git")["sentence"]
    (programs / "git").write_text("#!/bin/sh\necho git version 2.17.1\n")
    (programs / "git").chmod(0o755)
    assert "2.17.1 is too old" in the_fault(doctor(place, env={"PATH": str(programs)}), "git")["sentence"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_repository_of_another_user_is_named_with_the_command_that_trusts_it(place: Path) -> None:
    for path in (place, place / ".git"):
        os.chown(path, 12345, 12345)
    fault = the_fault(doctor(place), "commit")
    assert "belongs to another user" in fault["sentence"]
    assert "safe.directory" in fault["remedy"]


def test_signing_without_a_key_is_named(place: Path) -> None:
    (place / "runwatch.toml").write_text("[commit]\nsign = true\n")
    git("config", "gpg.format", "ssh", cwd=place)
    git("config", "gpg.ssh.program", "true", cwd=place)
    assert "knows no key" in the_fault(doctor(place), "signing")["sentence"]
    git("config", "user.signingKey", "/some/key", cwd=place)
    doctor(place, code=0)
    git("config", "gpg.ssh.program", "no-such-program", cwd=place)
    assert "no-such-program" in the_fault(doctor(place), "signing")["sentence"]


def test_without_an_identity_commits_are_by_runwatch(place: Path, tmp_path: Path) -> None:
    found = doctor(place, env={"HOME": str(tmp_path)}, code=0)
    assert (found["identity"][0]["level"], "by runwatch" in found["identity"][0]["sentence"]) == ("note", True)


def test_ignore_rules_that_hide_the_summaries_are_named_with_their_line(place: Path) -> None:
    (place / ".gitignore").write_text("*.pyc\nruns/\n")
    found = doctor(place, code=0)
    assert ".gitignore, line 2," in found["ignore rules"][0]["sentence"]
    assert runwatch("init", cwd=place).returncode == 0
    assert "ignore rules" not in doctor(place, code=0)


def test_a_hook_that_is_not_run_is_named(place: Path) -> None:
    hook = place / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert "pre-commit" in doctor(place, code=0)["hooks"][0]["sentence"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[capture]\nmod = 'pty'\n", ("runwatch.toml, line 2", "mode")),
        ('[run]\n\n[tui]\ntheme = "nope"\n', ("runwatch.toml, line 4", "nope")),
    ],
)
def test_a_bad_configuration_is_named_with_file_and_line(place: Path, text: str, words: tuple[str, ...]) -> None:
    (place / "runwatch.toml").write_text(text)
    fault = the_fault(doctor(place), "configuration")
    for word in words:
        assert word in fault["sentence"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight MiB."""
    folder = tmp_path / "disk"
    if not small_disk(folder):
        pytest.skip("mount is not permitted here: a small file system cannot be made")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def test_a_small_and_a_read_only_disk_are_faults(place: Path, disk: Path) -> None:
    options = ("--runs-dir", str(disk / "runs"))
    (place / "runwatch.toml").write_text('[commit]\nmode = "off"\n')
    assert "are free" in the_fault(doctor(place, *options), "disk space")["sentence"]
    assert list(disk.iterdir()) == []
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(bytes(1 << 16)):
            pass
    full = doctor(place, *options)
    assert "only 0 B are free" in the_fault(full, "disk space")["sentence"]
    assert "Python" in full  # whatever comes behind is looked at all the same
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert "Read-only" in the_fault(doctor(place, *options), "runs folder")["sentence"]


def test_a_runs_folder_below_a_file_is_a_fault(place: Path) -> None:
    fault = the_fault(doctor(place, "--runs-dir", "a.txt/runs"), "runs folder")
    assert f"{place}/a.txt is no folder" in fault["sentence"]


def test_a_runs_folder_where_no_folders_can_be_is_a_fault(place: Path) -> None:
    fault = doctor(place, "--runs-dir", "/proc/x", code=1)["runs folder"][0]
    assert (fault["sentence"], fault["remedy"]) == (
        "/proc takes no folders, so /proc/x cannot be made",
        "choose another folder with --runs-dir",
    )


def test_runs_that_nobody_finalizes_are_counted(place: Path) -> None:
    dead_run(place / "runs")
    found = doctor(place, code=0)
    assert found["unfinished runs"][0]["remedy"] == "runwatch recover"
    assert runwatch("recover", cwd=place).returncode == 0
    assert doctor(place, code=0)["unfinished runs"][0]["level"] == "ok"


def test_few_open_files_are_a_fault(place: Path) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))

    assert "only 60 files" in the_fault(doctor(place, preexec_fn=few), "open files")["sentence"]


def test_a_switch_that_turns_recording_off_is_a_fault(place: Path) -> None:
    assert the_fault(doctor(place, env={"RUNWATCH_DISABLE": "1"}), "switch")["remedy"] == "unset RUNWATCH_DISABLE"


def test_a_cone_that_leaves_the_runs_folder_out_is_named_and_the_remedy_keeps_the_runs(place: Path) -> None:
    for name in ("d1", "d2"):
        (place / name).mkdir()
        (place / name / "a").touch()
    git("add", ".", cwd=place)
    git("commit", "-qm", "folders", cwd=place)
    assert "sparse checkout" not in doctor(place, code=0)
    git("sparse-checkout", "set", "--cone", "d1", cwd=place)
    (found,) = doctor(place, code=0)["sparse checkout"]
    assert (found["level"], found["remedy"]) == ("warning", "git sparse-checkout add runs")
    assert "sparse checkout" not in doctor(place, "--runs-dir", "d1/runs", code=0)

    run = runwatch("run", "--run-id", "r", "--", "sh", "-c", "exit 3", cwd=place)
    assert run.returncode == 3
    assert run.stderr.count(b"git sparse-checkout add runs") == 1
    assert "git sparse-checkout add runs" in " ".join((place / "runs/default/r/logs_summary.txt").read_text().split())
    git(*found["remedy"].split()[1:], cwd=place)
    assert "sparse checkout" not in doctor(place, code=0)
    git("sparse-checkout", "add", "d2", cwd=place)
    git("sparse-checkout", "reapply", cwd=place)
    assert (place / "runs/default/r/events.jsonl").exists()
    assert b"sparse" not in runwatch("run", "--", "true", cwd=place).stderr
    git("sparse-checkout", "set", "--cone", "d1", cwd=place)
    assert not (place / "runs").exists(), "what it warns of is so"
