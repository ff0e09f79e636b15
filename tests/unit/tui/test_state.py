"""Which condition a run is in, by what its files and locks say."""

from __future__ import annotations

import pytest

from runwatch.fold.metrics import Metrics, Question, Run
from runwatch.tui.state import STAGES, Ending, Life, Outcome, Pulse, Stage, judge

ALIVE = Pulse(owner=True, recorder=True, heartbeat_age_s=0.4)
COMMAND_ENDED = Ending(outcome=Outcome(status="failed"))
ALL_BUT_THE_COMMIT = Ending(
    outcome=Outcome(status="crashed"), stages={name: Stage(done=True) for name in STAGES[: STAGES.index("commit")]}
)
ALL_DONE = Ending(outcome=Outcome(status="failed"), stages={name: Stage(done=True) for name in STAGES})


@pytest.mark.parametrize(
    ("ending", "pulse", "life"),
    [
        (Ending(), ALIVE, Life.RUNNING),
        (Ending(), Pulse(owner=True, recorder=True, heartbeat_age_s=11.0), Life.STALLED),
        (Ending(), Pulse(owner=True), Life.UNFOLDED),
        (Ending(), Pulse(), Life.DEAD),
        (COMMAND_ENDED, ALIVE, Life.FINALIZING),
        (COMMAND_ENDED, Pulse(finalizer=True), Life.FINALIZING),
        (COMMAND_ENDED, Pulse(), Life.UNFINISHED),
        (ALL_BUT_THE_COMMIT, Pulse(finalizer=True), Life.FINALIZING),
        (ALL_BUT_THE_COMMIT, Pulse(), Life.UNCOMMITTED),
        (ALL_DONE, ALIVE, Life.ENDED),
        (ALL_DONE, Pulse(), Life.ENDED),
    ],
)
def test_a_run_is_judged_by_its_locks_and_the_finalizers_word(ending: Ending, pulse: Pulse, life: Life) -> None:
    assert judge(Metrics(), ending, pulse) is life


def test_a_run_with_an_open_question_waits_for_a_person_and_goes_on_when_it_is_answered() -> None:
    asked = Metrics(questions=[Question(question="deploy?")])
    assert judge(asked, Ending(), ALIVE) is Life.WAITING
    answered = Metrics(questions=[Question(question="deploy?", answer="yes", wait_s=3.0)])
    assert judge(answered, Ending(), ALIVE) is Life.RUNNING


def test_a_fresh_clone_holds_a_status_and_nothing_else_and_has_ended() -> None:
    assert judge(Metrics(run=Run(status="completed")), Ending(), Pulse()) is Life.ENDED


def test_the_stages_are_those_that_the_finalizer_writes() -> None:
    from runwatch.finalize import state

    assert STAGES == state.STAGES


def test_what_the_finalizer_writes_is_what_the_app_reads() -> None:
    import msgspec

    from runwatch.finalize import state

    written = state.FinalizeState(
        outcome=state.Outcome(status="failed", exit_code=3, reason="exit code 3"),
        stages={"commit": state.Stage(error="a merge is under way", remedy="runwatch finalize X")},
        archive=state.Archive(file="run.tar.gz", size_bytes=7, sha256="ab", members=2),
        commit=state.Commit(sha="1a2b", branch="main"),
    )
    read = msgspec.json.decode(msgspec.json.encode(written), type=Ending)
    assert read.outcome is not None
    assert (read.outcome.status, read.outcome.exit_code) == ("failed", 3)
    assert read.stages["commit"].remedy == "runwatch finalize X"
    assert read.archive is not None
    assert read.archive.members == 2
    assert read.commit is not None
    assert read.commit.branch == "main"
    assert not read.complete
    assert read.finished == 1
