"""How a run ended is kept where its disk takes nothing, and is believed only for that."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runwatch.finalize import state as state_module
from runwatch.finalize.state import FinalizeState, Outcome, Stage, load_state, save_state
from runwatch.journal import spare
from runwatch.journal.create import create_run
from runwatch.journal.reserve import set_aside

OUTCOME = Outcome(status="failed", exit_code=7, reason="exit code 7")


def test_an_outcome_that_the_disk_refuses_is_known_until_it_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = create_run(tmp_path, "f", "r1", now=datetime.now(UTC))

    def refuse(path: Path, data: bytes) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    state = FinalizeState(outcome=OUTCOME, stages={"seal": Stage(done=True)})
    with monkeypatch.context() as patch:
        patch.setattr(state_module, "write_surely", refuse)
        with pytest.raises(OSError, match="Read-only"):
            save_state(paths.finalize_state, state)
    assert load_state(paths.finalize_state) == FinalizeState(outcome=OUTCOME)  # of its stages nobody knows
    save_state(paths.finalize_state, FinalizeState(outcome=Outcome(status="crashed")))
    assert load_state(paths.finalize_state).outcome == Outcome(status="crashed")
    assert not Path(spare.name_of(paths.finalize_state)).exists()


def test_a_new_run_of_the_same_name_inherits_nothing(tmp_path: Path) -> None:
    paths = create_run(tmp_path, "f", "r1", now=datetime.now(UTC))
    assert spare.keep(paths.finalize_state, b'{"outcome":{"status":"failed"}}')
    assert spare.keep(paths.losses, b"w 1 2 3 4\n")
    set_aside(paths)
    assert spare.kept(paths.finalize_state) == spare.kept(paths.losses) == b""
    assert load_state(paths.finalize_state) == FinalizeState()
