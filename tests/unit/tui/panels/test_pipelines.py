"""Pipelines and steps on one line of time."""

from __future__ import annotations

from runwatch.fold.metrics import Metrics, PipelineMetrics, Run, StepMetrics
from runwatch.tui.panels import pipelines

START = "2026-10-20T14:00:00Z"
STEPS = [
    StepMetrics(step=1, name="build", status="success", start_time=START, duration_s=50.0),
    StepMetrics(step=2, name="test", start_time="2026-10-20T14:00:50Z", duration_s=50.0),
]


def at(second: int) -> str:
    return f"2026-10-20T14:{second // 60:02d}:{second % 60:02d}Z"


def run(*found: PipelineMetrics, steps: list[StepMetrics] = STEPS) -> Metrics:
    return Metrics(run=Run(start_time=START, duration_seconds=100.0), pipelines=list(found), steps=steps)


def shown(metrics: Metrics, width: int = 140, height: int = 12) -> list[str]:
    return [line.content.plain for line in pipelines.lines(metrics, width, height)]


def test_waiting_and_running_lie_where_they_were_on_the_line_of_time() -> None:
    ended = PipelineMetrics(
        pipeline_id=7, status="failed", start_time=at(20), end_time=at(80), queued_s=20.0, duration_s=40.0
    )
    line = pipelines.lines(run(ended), 140, 12)
    axis, bar = line[2].content.plain, line[4].content
    first = axis.index("0:00")
    width = axis.index("1:40") + 4 - first
    cells = bar.plain[first : first + width]
    assert abs(cells.index("━") - width * 0.2) <= 1
    assert abs(len(cells.rstrip()) - width * 0.8) <= 1
    waited = [span for span in bar.spans if "rw-dim" in str(span.style) and "━" in bar.plain[span.start : span.end]]
    assert len(waited) == 1
    assert abs((waited[0].end - waited[0].start) - width * 0.2) <= 1


def test_the_steps_stand_over_the_pipelines_and_the_newest_pipeline_stands_first() -> None:
    rows = shown(run(*(PipelineMetrics(pipeline_id=n, start_time=at(n)) for n in range(10, 40))))
    steps = rows[3]
    assert steps.split()[0] == "steps"
    assert steps.index("2━") - steps.index("1━") > 10
    assert [row.split()[2] for row in rows[4:7]] == ["39", "38", "37"]


def test_a_pipeline_that_goes_on_reaches_until_now() -> None:
    rows = shown(run(PipelineMetrics(pipeline_id=1, start_time=at(50))))
    axis = rows[2]
    assert len(rows[4].rstrip()) == axis.index("1:40") + 4


def test_on_a_narrow_pane_the_table_stays_and_the_line_of_time_goes() -> None:
    found = PipelineMetrics(
        pipeline_id="a-pipeline-with-a-long-name", issue="PROJECT-1234", status="failed", start_time=at(1),
        failed_jobs=["integration tests on postgres", "lint"], duration_s=3.0,
    )  # fmt: skip
    lines = pipelines.lines(run(found), 75, 6)
    assert all(line.content.cell_length <= 75 for line in lines)
    assert "failed" in lines[1].content.plain
    assert "0:00" not in lines[1].content.plain
    assert "integration tests on postgres, lint" in (lines[-1].whole or "")
    assert "a-pipeline-with-a-long-name" in (lines[-1].whole or "")


def test_times_in_all_are_shown_where_they_are_known() -> None:
    def totals(*found: PipelineMetrics) -> str:
        metrics = run(*found)
        queued = [each.queued_s for each in found if each.queued_s is not None]
        ran = [each.duration_s for each in found if each.duration_s is not None]
        metrics.pipeline_totals.queued_s = sum(queued) if queued else None
        metrics.pipeline_totals.duration_s = sum(ran) if ran else None
        return shown(metrics)[0].partition("success rate")[2].strip()

    assert totals(PipelineMetrics(pipeline_id=1)) == ""
    assert totals(PipelineMetrics(pipeline_id=1, duration_s=3.0)) == "3.00s running"
    both = PipelineMetrics(pipeline_id=1, queued_s=0.0, duration_s=3.0)
    assert totals(both, PipelineMetrics(pipeline_id=2)) == "0.0ms queued  3.00s running"


def test_times_that_are_none_break_nothing() -> None:
    odd = PipelineMetrics(pipeline_id=1, start_time="never", end_time="", status="failed")
    assert any("1" in row for row in shown(run(odd, PipelineMetrics(pipeline_id=2))))


def test_a_run_without_pipelines_shows_its_steps_and_what_would_come() -> None:
    rows = shown(run())
    assert rows[1].startswith("✓  001  build")
    assert "━" in rows[2]
    assert "no pipelines yet" in rows[-1]
    assert shown(run(steps=[])) == []


def test_what_began_before_the_line_of_time_is_marked_and_an_unknown_start_is_not_left_blank() -> None:
    long = PipelineMetrics(pipeline_id=1, status="success", end_time=at(90), queued_s=5.0, duration_s=600.0)
    whole = PipelineMetrics(pipeline_id=2, status="failed", start_time=at(0), end_time=at(90), duration_s=90.0)
    rows = shown(run(long, whole, steps=[]))
    first = rows[2].index("0:00")
    assert [row[first : first + 2] for row in rows[3:5]] == ["━━", "◂━"]
    assert rows[4].split()[1] == "–"


def test_pipelines_and_issues_whose_long_names_begin_and_end_alike_can_be_told_apart() -> None:
    names = [f"PROJ-1-something-very-long-{number:03d}-日本語" for number in (7, 8, 17)]
    found = [PipelineMetrics(pipeline_id=name, issue=f"the-issue-of-{name}", status="failed") for name in names]
    for width in (75, 92, 150):
        rows = pipelines.lines(run(*found, steps=[]), width, 12)[3:]
        for number, shown in zip(("17", "08", "07"), rows, strict=True):
            assert shown.content.plain.count(number) == 2
            assert f"the-issue-of-PROJ-1-something-very-long-0{number}-日本語" in (shown.whole or "")
            assert shown.content.cell_length <= width
