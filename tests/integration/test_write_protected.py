"""A dead run that this user may not write to: `recover` and `finalize` say so in the same sentence, with the remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.dead_runs import dead_run, files
from integration.recorded import RUNWATCH

STRANGER = 31_999
"""A user whom nobody named."""


def _call(place: Path, *arguments: str, user: int = 0) -> tuple[int, str]:
    """Call runwatch without the rights to write or read what its modes forbid; return exit code and what it said."""
    as_user = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is not installed: root may write anywhere")
        as_user = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        if user:
            rights = "-all,+dac_read_search"  # so that the other user finds the interpreter wherever it lies
            as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
            as_user += [f"--inh-caps={rights}", f"--ambient-caps={rights}"]
    elif user:
        pytest.skip("only root can be somebody else")
    done = subprocess.run(
        [*as_user, *RUNWATCH, *arguments], cwd=place, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def _protect(run: Path) -> None:
    run.chmod(0o500)


def _protect_lock(run: Path) -> None:
    (run / ".lock").chmod(0o400)


def _open(run: Path) -> None:
    for path in (run.parents[3], *run.parents[:3], run):
        path.chmod(0o755)


@pytest.mark.parametrize(
    ("deed", "user", "why"),
    [
        (_protect, 0, "it is write-protected: `chmod u+w {run}`"),
        (_protect_lock, 0, ".lock is write-protected: `chmod u+w {run}/.lock`"),
        (_open, STRANGER, "it belongs to user 'root': be that user, not user 31999,"),
    ],
    ids=["folder", "lock", "owner"],
)
def test_why_a_run_cannot_be_finalized_is_said_in_one_sentence_whatever_was_to_finalize_it(
    tmp_path: Path, deed: Callable[[Path], None], user: int, why: str
) -> None:
    run = dead_run(tmp_path / "runs")
    before = files(run)
    deed(run)
    said = f"{run} cannot be finalized, for {why.format(run=run)} and try again"
    try:
        assert _call(tmp_path, "recover", user=user) == (1, f"failed     f/r1  {said}\n")
        assert _call(tmp_path, "finalize", "r1", user=user) == (1, f"runwatch: {said}.\n")
    finally:
        run.chmod(0o700)
    assert files(run) == before


def test_a_runs_folder_of_somebody_else_is_not_called_empty(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs")
    run.parent.parent.chmod(0)
    try:
        for command in ("ls", "recover", "finalize"):
            code, said = _call(tmp_path, command)
            assert (code, said.startswith(f"runwatch: {run.parent.parent} ")) == (1, True)
            assert "cannot be read" in said
    finally:
        run.parent.parent.chmod(0o700)
