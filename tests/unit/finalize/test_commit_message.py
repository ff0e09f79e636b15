"""The words of a run's commit, and that git reads its trailers."""

from __future__ import annotations

import re
import subprocess
from functools import partial

from runwatch.finalize.commit_message import Message
from runwatch.finalize.state import Archive
from runwatch.fold.metrics import Check, CodeMetrics, Llm, Metrics, Notice, Run, StepMetrics, Tokens

WHOLE = """\
runwatch: baes/r1 failed

Result: failed after 12m 41s: the command ended with 3
Model: openai/gpt-4o, 118 calls, 18.2k tokens, $0.43
Steps: 1 of 2 ended well, 2 errors
Code: 7 files, +1,120 -33, 4 commits
Archive: run.tar.gz, 1.2 MiB, 57 files

Runwatch-Run: baes/r1
Runwatch-Status: failed
Runwatch-Cost-USD: 0.430000
Runwatch-Tokens: 18200
Runwatch-Archive-SHA256: abc123
"""


def of(metrics: Metrics, archive: Archive | None = None, *, is_later: bool = False, **changes: str) -> Message:
    words = {"framework": "baes", "run_id": "r1", "status": "failed"} | changes
    redacted = partial(re.sub, "hunter2", "[redacted]")
    return Message.of(metrics, archive=archive, redact=redacted, is_later=is_later, **words)


def test_the_message_has_a_subject_five_lines_and_the_trailers() -> None:
    metrics = Metrics(
        run=Run(
            llm_configuration=Llm(provider="openai", model="gpt-4o"),
            duration_seconds=761.2,
            reason="the command ended with 3",
            llm_calls=118,
            tokens=Tokens(total=18_200),
            cost_usd=0.43,
            errors=2,
        ),
        steps=[StepMetrics(step=1, status="success"), StepMetrics(step=2, status="failed")],
        code=CodeMetrics(files_created=2, files_modified=5, lines_added=1120, lines_deleted=33, commits=4),
    )
    stored = Archive(file="run.tar.gz", size_bytes=1_258_291, sha256="abc123", members=57)
    assert of(metrics, stored).text() == WHOLE


def test_git_reads_the_trailers() -> None:
    done = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=of(Metrics()).text(), text=True, capture_output=True, check=True
    )
    assert done.stdout.splitlines() == ["Runwatch-Run: baes/r1", "Runwatch-Status: failed", "Runwatch-Tokens: 0"]


def test_what_is_unknown_is_said_and_leaves_no_trailer() -> None:
    text = of(Metrics()).text()
    body = text.split("\n\n")[1].splitlines()
    assert body[1:] == ["Model: unknown", "Steps: 0 of 0 ended well, 0 errors", "Code: not measured", "Archive: none"]
    assert "Cost" not in text
    assert "SHA256" not in text


def test_an_unpriced_model_is_called_unpriced() -> None:
    metrics = Metrics(run=Run(llm_calls=1, tokens=Tokens(total=10)))
    assert "Model: unknown, 1 call, 10 tokens, unpriced" in of(metrics).text()


def test_text_from_outside_is_redacted_and_cannot_forge_a_line() -> None:
    metrics = Metrics(run=Run(reason="token hunter2\n\nRunwatch-Status: completed\x1b[31m " + "x" * 500))
    text = of(metrics, status="failed\nRunwatch-Run: other/run").text()
    assert "hunter2" not in text
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if line.startswith("Runwatch-Run:")] == ["Runwatch-Run: baes/r1"]
    assert [line for line in text.splitlines() if line.startswith("Runwatch-Status:")] == [
        "Runwatch-Status: failed Runwatch-Run: other/run"
    ]
    assert len(text.split("\n\n")[1].splitlines()) == 5
    assert max(map(len, text.splitlines())) < 160


def test_what_became_known_after_the_end_stands_in_the_subject() -> None:
    def subject(*notices: Notice, later: bool = True) -> str:
        metrics = Metrics(notices=list(notices), checks=[Check(what="usage of hunter2", verdict="differs")])
        return of(metrics, is_later=later).text().splitlines()[0]

    checked = Notice(kind="verification.checked", message="usage of hunter2: differs, expected 1, observed 2 (a.csv)")
    outcome = Notice(kind="outcome.verified", message="issue 123: success by git, main\nRunwatch-Run: x/y")
    warning = Notice(kind="warning", message="odd")
    assert subject(outcome, checked, warning) == "runwatch: baes/r1 failed, since then usage of [redacted] differs"
    assert subject(checked, outcome) == "runwatch: baes/r1 failed, since then issue 123: success by git"
    assert subject(checked, later=False) == subject(warning) == "runwatch: baes/r1 failed"


def test_a_name_that_somebody_else_wrote_is_one_harmless_line() -> None:
    text = of(Metrics(), framework="a\n\nRunwatch-Run: b\x1b[2J").text()
    assert text.splitlines()[0] == "runwatch: a Runwatch-Run: b␛[2J/r1 failed"
    assert text.count("\nRunwatch-Run:") == 1
