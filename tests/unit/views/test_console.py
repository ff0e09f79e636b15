"""Tests of runwatch.views.console."""

from __future__ import annotations

import re

import metrics_samples as samples
from runwatch.fold.metrics import Metrics, Notice, Run, StepMetrics, TestMetrics, Tokens
from runwatch.tui.panels import errors
from runwatch.views import console, markdown_calls, summary_calls
from runwatch.views.facts import Commit, Facts, StageFailure


def test_a_step_is_one_line() -> None:
    assert console.step(samples.full().steps[1]) == (
        "runwatch: step 002 models: failed in 2m 34s, 1 retry, 1,801 tokens, $0.04, 2 errors"
    )
    assert console.step(StepMetrics(step=7, status="success", duration_s=0.4)) == "runwatch: step 007: success in 0.4s"


def test_an_alert_is_one_line() -> None:
    raised = Notice(kind="alert.raised", message="max_cost_usd: 0.43\nabove 0.40")
    assert console.notice(raised) == "runwatch: alert.raised: max_cost_usd: 0.43 above 0.40"


def test_a_finished_run_ends_in_four_lines() -> None:
    facts = Facts(archive=samples.facts().archive, commit=Commit(sha="1a2b3c4d" * 5, branch="main"))
    run = Run(run_id="r1", framework="f", status="completed", exit_code=0, duration_seconds=12.3)
    assert console.closing(Metrics(run=run), facts) == [
        "runwatch: result   completed (exit code 0) after 12.3s",
        "runwatch: summary  runs/f/r1/logs_summary.txt",
        "runwatch: archive  runs/f/r1/run.tar.gz (1.4 MiB, sha256 abababababab…)",
        "runwatch: commit   1a2b3c4d1a2b on main",
    ]


def test_the_result_says_cost_tokens_errors_and_the_reason() -> None:
    first = console.closing(samples.full())[0]
    assert first == (
        "runwatch: result   failed (exit code 3) after 12m 42s, $0.43 of $5.00 (unpriced: homemade), 18.0k tokens, "
        "7 errors: step 002 failed: 2 checks failed"
    )


def test_a_stage_that_failed_says_why_and_what_to_do_later_in_its_own_line() -> None:
    failures = (
        StageFailure(stage="reports", reason="permission denied", remedy="runwatch finalize r1"),
        StageFailure(stage="verify", reason="member differs"),
        StageFailure(stage="commit", reason="a merge is under way", remedy="runwatch finalize r1"),
    )
    lines = console.closing(Metrics(run=Run(run_id="r1", framework="f", status="completed")), Facts(failures=failures))
    assert lines[2:] == [
        "runwatch: archive  none: member differs",
        "runwatch: commit   none: a merge is under way (later: runwatch finalize r1)",
        "runwatch: reports  failed: permission denied (later: runwatch finalize r1)",
    ]


def test_a_degraded_record_is_said() -> None:
    assert "runwatch: record   degraded: 5 events dropped since 2026-10-20 14:23:45 UTC" in console.closing(
        samples.full()
    )


def test_the_path_is_shown_as_given() -> None:
    lines = console.closing(samples.full(), Facts(run_path="../runs/x", commit=Commit(sha="f" * 40)))
    assert lines[1] == "runwatch: summary  ../runs/x/logs_summary.txt"
    assert lines[3] == "runwatch: commit   ffffffffffff on a detached head"


def test_color_is_there_only_when_asked_for() -> None:
    plain = [*console.closing(samples.full(), samples.facts()), console.step(samples.step(1))]
    assert not any("\x1b" in line for line in plain)
    colored = console.closing(samples.full(), samples.facts(), color=True)[0]
    assert "\x1b[31mfailed\x1b[0m" in colored
    assert "\x1b[32msuccess\x1b[0m" in console.step(samples.step(1), color=True)
    assert "\x1b[33malert.raised\x1b[0m" in console.notice(Notice(kind="alert.raised", message="m"), color=True)


def test_hostile_text_stays_on_its_line_and_is_not_obeyed() -> None:
    metrics = samples.hostile()
    lines = [*console.closing(metrics, samples.hostile_facts()), *map(console.step, metrics.steps)]
    assert all(line.isprintable() for line in lines)
    assert all(line.isprintable() for line in console.detached(samples.HOSTILE))


def test_a_detached_run_says_how_to_watch_wait_and_stop() -> None:
    assert console.detached("r1")[1:] == [
        "runwatch: watch    runwatch watch r1",
        "runwatch: wait     runwatch wait r1",
        "runwatch: stop     runwatch stop r1",
    ]


def test_one_of_a_thing_is_told_in_the_singular() -> None:
    metrics = Metrics(run=Run(tokens=Tokens(total=1), llm_calls=1), tests=TestMetrics(passed=1, errors=1, runs=1))
    metrics.journal.unreadable = metrics.journal.unknown = metrics.journal.after_seal = 1
    shown = [*summary_calls.code_changes(metrics), *markdown_calls.code_changes(metrics)]
    shown.append(console.step(StepMetrics(step=1, name="s", status="success", tokens=Tokens(total=1))))
    shown += [row.content.plain for row in errors.lines(metrics, 100, 20)]
    text = "\n".join(shown)
    assert "1 error" in text
    assert "1 token" in text
    assert "1 event of a type" in text
    assert not re.search(r"\b1 (errors|tokens|events|lines)\b", text)
