"""Tests of runwatch.views.summary_text and of the modules that hold its sections."""

from __future__ import annotations

import re

import pytest

import metrics_samples as samples
from runwatch.fold.metrics import CallMetrics, CodeMetrics, Llm, Metrics, PipelineMetrics, Run, StepMetrics
from runwatch.units import display_width
from runwatch.views import summary_markdown, summary_text
from runwatch.views.facts import Facts, StageFailure

SECTIONS = [
    "EXPERIMENT RUN SUMMARY",
    "STEP EXECUTION SUMMARY",
    "ISSUES",
    "AGENTS",
    "PIPELINES",
    "DEBUGGING CYCLES",
    "TOOLS AND SERVICES",
    "MODEL AND COST",
    "CODE CHANGES",
    "RESOURCES",
    "ERRORS AND WARNINGS",
    "HUMAN INTERACTIONS",
    "CHECKS AND ALERTS",
    "ARCHIVE",
    "HOW TO GET AT THE DETAILS",
]


def _titles(text: str) -> list[str]:
    return re.findall(r"^={80}\n(.+)\n={80}$", text, re.MULTILINE)


def test_the_sections_stand_in_the_order_of_the_specification() -> None:
    assert _titles(summary_text.render(samples.full(), samples.facts())) == SECTIONS


def test_a_section_with_nothing_says_nothing() -> None:
    text = summary_text.render(Metrics(run=Run(run_id="r", framework="f", status="completed")))
    assert _titles(text) == ["EXPERIMENT RUN SUMMARY", "ARCHIVE", "HOW TO GET AT THE DETAILS"]


def test_a_step_reads_exactly_as_the_specification_has_it() -> None:
    metrics = Metrics(steps=[samples.step(1)])
    block = (
        "\nStep 001: SUCCESS (duration: 2m 34s, retries: 0)\n"
        "  - API Calls: 12\n"
        "  - Tokens (prompt/completion/total): 1234 / 567 / 1801\n"
        "  - LLM Requests: 8\n\n"
    )
    assert block in summary_text.render(metrics)


def test_a_note_stands_below_its_step() -> None:
    note = "Template-based generation (no LLM calls)"
    metrics = Metrics(steps=[StepMetrics(step=1200, status="skipped", note=note)])
    text = summary_text.render(metrics)
    assert "Step 1200: SKIPPED (duration: 0.0s, retries: 0)\n" in text
    assert f"  - LLM Requests: 0\n  - Note: {note}\n" in text


def test_the_names_of_steps_stand_above_them() -> None:
    text = summary_text.render(samples.full())
    assert "3 steps: 1 success, 1 failed, 1 running; 4 planned\n001 schema, 002 models, 003 API\n" in text


def test_names_of_steps_that_differ_in_the_middle_alone_can_be_told_apart() -> None:
    names = [f"stage number {number} with a rather long name" for number in range(1, 13)]
    listed = [StepMetrics(step=number, name=name, status="success") for number, name in enumerate(names, 1)]
    text = summary_text.render(Metrics(steps=listed))
    for number in range(1, 13):
        assert re.search(rf"{number:03d}\s+stage\s+number[\s…]*{number}…", text), text


def test_status_and_reason_and_how_it_ended_are_said() -> None:
    text = summary_text.render(samples.full())
    assert "Status:     FAILED (exit code 3)\nReason:     step 002 failed: 2 checks failed\n" in text
    killed = Metrics(run=Run(status="crashed", signal="SIGKILL"))
    assert "Status:     CRASHED (signal SIGKILL)\n" in summary_text.render(killed)
    assert "Status:     RUNNING\n" in summary_text.render(Metrics())


def test_an_unknown_model_comes_with_a_warning_and_a_known_one_without() -> None:
    nothing = summary_text.render(Metrics())
    assert "Model:      unknown\nWarning:    nothing names the model: set LLM_MODEL" in nothing
    known = summary_text.render(Metrics(run=Run(llm_configuration=Llm(model="gpt-4o"))))
    assert "Model:      gpt-4o\n" in known
    assert "Warning" not in known


def test_everything_that_is_wrong_with_the_record_is_said() -> None:
    text = summary_text.render(samples.full(), samples.facts())
    assert "degraded: 5 events dropped since 2026-10-20 14:23:45 UTC" in text
    assert "unreadable: 2" in text
    assert "recorder replaced: 1 time" in text
    assert "after the end: 4 lines not counted" in text
    assert "Record:" not in summary_text.render(Metrics())


def test_a_stage_that_failed_is_there_with_its_reason_and_its_remedy() -> None:
    failure = StageFailure(stage="archive", reason="no space left on device", remedy="runwatch finalize r1")
    text = summary_text.render(samples.full(), Facts(failures=(failure,)))
    assert "Not done:   archive: no space left on device\n  Repeat:   runwatch finalize r1\n" in text
    assert "Archive:    none: no space left on device\n" in text


def test_the_archive_is_pending_until_it_is_known() -> None:
    assert "Archive:    pending\n" in summary_text.render(samples.full())
    text = summary_text.render(samples.full(), samples.facts())
    assert "pending" not in text
    assert f"SHA-256:    {'ab' * 32}\n" in text
    assert "Size:       1.4 MiB (1,468,006 bytes)\nSHA" in text
    assert "Members:    42\n" in text


def test_the_command_that_repeats_the_run_can_be_pasted() -> None:
    text = summary_text.render(samples.full())
    command = text[text.index("Repeat:     ") + 12 :].replace("\\\n", "")
    assert " ".join(command.split()) == "runwatch run --framework baes -- python experiment.py --name 'two words'"


def test_pipelines_say_their_status_whole_and_no_time_that_nobody_knows() -> None:
    metrics = Metrics(pipelines=[PipelineMetrics(pipeline_id=7, status="interrupted")])
    metrics.pipeline_totals.attempts = 1
    for render in (summary_text.render, summary_markdown.render):
        text = render(metrics)
        assert "interrupted" in text
        assert "queued 0" not in text.lower()
        assert "in all" not in text
    metrics.pipelines[0].duration_s = metrics.pipeline_totals.duration_s = 3.0
    assert "\nRan 3.0s in all\n" in summary_text.render(metrics)
    metrics.pipelines[0].queued_s = metrics.pipeline_totals.queued_s = 0.0
    assert "\nQueued 0.0s, ran 3.0s in all\n" in summary_text.render(metrics)
    assert "Queued 0.0s, ran 3.0s in all" in summary_markdown.render(metrics)


def test_errors_show_the_first_and_then_the_most_frequent() -> None:
    metrics = samples.crowded(40)
    for at, group in enumerate(metrics.errors):
        group.count = at + 1
    text = summary_text.render(metrics)
    body = text[text.index("ERRORS AND WARNINGS") :]
    counts = [int(number) for number in re.findall(r"^  (?:First: )?(\d+) × ", body, re.MULTILINE)]
    assert counts[0] == 1
    assert counts[1] == 40
    assert counts == [1, *sorted(counts[1:], reverse=True)]
    assert re.search(r"\.\.\. \d+ less frequent kinds left out \.\.\.", body)


def test_a_run_without_changes_to_tell_shows_its_branch_alone() -> None:
    text = summary_text.render(Metrics(code=CodeMetrics(commits=0, head="c" * 40)))
    assert "Branch:     detached head, 0 commits since none, head cccccccccccc\n" in text


@pytest.mark.parametrize("number", [0, 1, 17, 5000])
def test_a_run_of_any_length_is_told_in_about_ten_kilobytes(number: int) -> None:
    text = summary_text.render(samples.crowded(number), samples.facts())
    assert len(text.encode()) <= 12_000
    assert max(map(display_width, text.splitlines())) <= 80


def test_no_list_is_cut_while_the_whole_is_short() -> None:
    calls = [CallMetrics(name=f"tool {number:02d}", calls=1) for number in range(40)]
    text = summary_text.render(Metrics(tools=calls[:10], services=calls))
    assert "left out" not in text
    assert all(f"\ntool {number:02d} " in text for number in range(40))
    assert "left out" in summary_text.render(Metrics(tools=calls * 10))


def test_five_thousand_steps_are_cut_in_the_middle_with_their_number_and_their_failures() -> None:
    metrics = Metrics(steps=[samples.step(at + 1, "failed" if at == 2500 else "success") for at in range(5000)])
    text = summary_text.render(metrics)
    assert "5,000 steps: 4,999 success, 1 failed\n" in text
    shown = len(re.findall(r"^Step \d+: ", text, re.MULTILINE))
    assert shown >= 16
    assert f"... {5000 - shown:,} steps ({4999 - shown:,} success, 1 failed) left out ...\n" in text
    assert "Step 001: " in text
    assert "Step 5000: " in text
    assert len(text.encode()) <= 10_000


def test_hostile_text_is_shown_within_eighty_columns_and_never_obeyed() -> None:
    text = summary_text.render(samples.hostile(), samples.hostile_facts())
    lines = text.split("\n")
    assert text.isprintable() or set(filter(lambda char: not char.isprintable(), text)) == {"\n"}
    assert max(map(display_width, lines)) <= 80
    assert _titles(text) == SECTIONS
    assert len(text.encode()) <= 24_000


def test_the_same_metrics_give_the_same_bytes_and_are_left_alone() -> None:
    metrics = samples.full()
    first = summary_text.render(metrics, samples.facts())
    assert summary_text.render(samples.full(), samples.facts()) == first
    assert metrics == samples.full()
