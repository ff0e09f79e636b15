"""Who is killed × by which signal × when: after each, all seven promises, from the journal, the archive and git.

What must be there is what the program itself acknowledged; nothing here reads what runwatch prints.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fault_subject import Subject, template, wait_for
from promises import git

POLITE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
ALL = (*POLITE, signal.SIGKILL)
PHASES = ("start", "step", "between")
SIGNALS = {"start": (signal.SIGTERM, signal.SIGKILL), "step": ALL, "between": (signal.SIGINT, signal.SIGKILL)}
"""By phase: what a signal does hangs little on the moment, so one of five is sent at each of the others."""
STAGES = (
    "close", "price", "seal", "status", "fold", "reports",
    "summary", "archive", "verify", "summary_final", "commit", "done",
)  # fmt: skip
FAULTING = Path(__file__).parents[1] / "faulting"

Start = Callable[..., Subject]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program in a repository of its own; whatever is left of it at the end is killed."""
    like = template(tmp_path / "like")
    started: list[Subject] = []

    def begin(**options: Any) -> Subject:
        subject = Subject(tmp_path / f"s{len(started)}", like, **options)
        started.append(subject)
        return subject

    yield begin
    for subject in started:
        subject.clean_up()


def led_into(subjects: list[Subject], phase: str, who: str) -> list[int]:
    """Bring all into a phase, and return who is to be killed in each."""
    for subject in subjects:
        subject.lead_into(phase)
    return [subject.pid(who) for subject in subjects]


def expected_of(number: signal.Signals) -> dict[str, Any]:
    """How a run ends whose command died by a signal."""
    status = "crashed" if number == signal.SIGKILL else "interrupted"
    return {"statuses": (status,), "signal": number.name, "exact": True}


@pytest.mark.parametrize("when", PHASES)
def test_a_command_killed_by_a_signal(when: str, start: Start) -> None:
    subjects = [start() for _ in SIGNALS[when]]
    for pid, number in zip(led_into(subjects, when, "command"), SIGNALS[when], strict=True):
        os.kill(pid, number)
    for subject, number in zip(subjects, SIGNALS[when], strict=True):
        assert subject.ended() == -number
        assert (number, subject.faults(**expected_of(number), again=number == signal.SIGKILL)) == (number, [])


@pytest.mark.parametrize("when", PHASES)
def test_a_supervisor_killed_by_a_signal(when: str, start: Start) -> None:
    subjects = [start() for _ in SIGNALS[when]]
    commands = led_into(subjects, when, "command")
    for subject, number in zip(subjects, SIGNALS[when], strict=True):
        subject.pid("recorder")
        os.kill(subject.pid("supervisor"), number)
    for subject, number, command in zip(subjects, SIGNALS[when], commands, strict=True):
        assert subject.ended() == -number
        subject.finalized()
        wait_for(lambda pid=command: not Path(f"/proc/{pid}").exists(), "the command's end")  # type: ignore[misc]  # bound at once
        killed = {"statuses": ("crashed",), "exact": True}
        expected = killed if number == signal.SIGKILL else expected_of(number)
        assert (number, subject.faults(**expected)) == (number, [])


@pytest.mark.parametrize("when", PHASES)
def test_a_recorder_killed_by_a_signal(when: str, start: Start) -> None:
    subjects = [start() for _ in SIGNALS[when]]
    pids = led_into(subjects, when, "recorder")
    for pid, number in zip(pids, SIGNALS[when], strict=True):
        os.kill(pid, number)
    wait_for(lambda: subjects[-1].is_replaced(pids[-1]), "another recorder")
    subjects[-1].let_go()
    for subject, number in zip(subjects, SIGNALS[when], strict=True):
        kill = number == signal.SIGKILL
        assert subject.ended() == (0 if kill else -number)
        expected = {"statuses": ("completed",), "exit_code": 0, "exact": True} if kill else expected_of(number)
        assert (number, subject.faults(**expected)) == (number, [])
    assert (subjects[-1].run / "events.jsonl").read_bytes().count(b'"type":"recorder.replaced"') == 1
    printed = (subjects[-1].run / "logs").rglob("stdout.log")
    assert sum(path.read_bytes().count(b"line ") for path in printed) >= len(subjects[-1].acknowledged())


def test_supervisor_and_recorder_told_at_once_count_as_told_once(start: Start) -> None:
    both = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
    subjects = [start() for _ in both]
    for subject, number in zip(subjects, both, strict=True):
        subject.lead_into("step")
        recorder = subject.pid("recorder")
        for pid in (subject.pid("supervisor"), recorder):
            os.kill(pid, number)
    for subject, number in zip(subjects, both, strict=True):
        assert subject.ended() == -number
        if number == signal.SIGKILL:  # nobody is left: the command goes on until it notices that nobody reads
            subject.let_go()
            wait_for(lambda each=subject: not each.still_there(), "the command's end")  # type: ignore[misc]  # bound at once
            assert subject.runwatch("recover").returncode == 0
            assert subject.faults(statuses=("crashed",), exact=True) == []
        else:
            assert (number, subject.faults(**expected_of(number))) == (number, [])


@pytest.mark.parametrize("when", PHASES)
def test_a_program_that_records_itself_killed_by_a_signal(when: str, start: Start) -> None:
    subjects = [start(alone=True) for _ in SIGNALS[when]]
    for pid, number in zip(led_into(subjects, when, "program"), SIGNALS[when], strict=True):
        os.kill(pid, number)
    for subject, number in zip(subjects, SIGNALS[when], strict=True):
        assert subject.ended() == -number
        subject.finalized()
        noticed = number in (signal.SIGTERM, signal.SIGHUP)
        status = "interrupted" if noticed or number == signal.SIGINT else "crashed"
        name = number.name if noticed else None
        assert (number, subject.faults(statuses=(status,), signal=name, exact=True)) == (number, [])


@pytest.mark.parametrize("who", ["guardian", "recorder"])
def test_a_program_outlives_those_who_watch_over_it(who: str, start: Start) -> None:
    subjects = [start(alone=True) for _ in PHASES]
    for subject, when in zip(subjects, PHASES, strict=True):
        (pid,) = led_into([subject], when, who)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists(), "its end")  # type: ignore[misc]  # bound at once
        subject.let_go()
    for subject in subjects:
        assert subject.ended() == 0
        subject.finalized()
        assert subject.faults(statuses=("completed",), exact=True) == []


@pytest.mark.parametrize("half", [0, 1])
def test_a_finalizer_killed_before_and_behind_each_stage(half: int, start: Start, tmp_path: Path) -> None:
    subjects = []
    for stage in STAGES[half::2]:
        notes = tmp_path / f"notes-{stage}"
        notes.mkdir()
        path = os.pathsep.join([str(FAULTING), os.environ.get("PYTHONPATH", "")])
        subject = start(environ={"FAULT_AT": f"kill {stage}", "FAULT_NOTES": str(notes), "PYTHONPATH": path})
        subject.let_go()
        subjects.append((subject, stage, notes))
    for subject, stage, notes in subjects:
        assert subject.ended() == 0
        assert sorted(os.listdir(notes)) == ["before", "behind"], stage
        assert (stage, subject.faults(statuses=("completed",), exit_code=0, exact=True, again=True)) == (stage, [])


def test_no_polite_signal_interrupts_the_finalizer(start: Start, tmp_path: Path) -> None:
    subjects = []
    for stage in ("close", "archive", "commit"):
        notes = tmp_path / f"notes-{stage}"
        notes.mkdir()
        path = os.pathsep.join([str(FAULTING), os.environ.get("PYTHONPATH", "")])
        subject = start(environ={"FAULT_AT": f"signals {stage}", "FAULT_NOTES": str(notes), "PYTHONPATH": path})
        subject.let_go()
        subjects.append((subject, notes))
    for subject, notes in subjects:
        assert subject.ended() == 0
        assert os.listdir(notes) == ["sent"]
        assert subject.faults(statuses=("completed",), exit_code=0, exact=True) == []


@pytest.mark.parametrize("alone", [False, True])
def test_a_power_cut_is_recovered_and_looking_never_commits(alone: bool, start: Start) -> None:
    subjects = [start(alone=alone) for _ in PHASES]
    for subject, when in zip(subjects, PHASES, strict=True):
        subject.lead_into(when)
        subject.pid("recorder")
        subject.kill_all()
    for subject in subjects:
        commits = git("rev-list", "--all", cwd=subject.repository)
        for look in (["ls"], ["show"]):
            assert subject.runwatch(*look).returncode == 0
        assert git("rev-list", "--all", cwd=subject.repository) == commits
        assert subject.runwatch("recover").returncode == 0
        assert subject.faults(statuses=("crashed",), exact=True) == []


def test_a_container_that_is_stopped_in_time_is_complete_and_one_that_is_not_is_recovered(start: Start) -> None:
    told, cut = start(), start()
    everybody = {}
    for subject in (told, cut):
        subject.lead_into("step")
        everybody[subject] = [subject.pid(who) for who in ("command", "recorder", "supervisor")]
    # Everybody gets SIGTERM at the same time; from the second one the rest of its ten seconds is taken.
    for subject, pids in everybody.items():
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        if subject is cut:
            subject.kill_all()
    assert told.ended() == -signal.SIGTERM
    assert told.faults(**expected_of(signal.SIGTERM)) == []
    assert cut.runwatch("recover").returncode == 0
    assert cut.faults(statuses=("crashed", "interrupted"), again=True) == []
