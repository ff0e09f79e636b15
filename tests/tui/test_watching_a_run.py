"""What a person does to see how a run goes: looks, picks steps, components and panels, folds the window."""

from __future__ import annotations

from pathlib import Path

from runwatch.fold import metrics as m
from runwatch.settings import Settings
from runwatch.tui.panels.deck import PANELS
from runwatch.tui.state import Life, Snapshot
from runwatch.tui.widgets.issues_pane import IssuesPane
from runwatch.tui.widgets.log_pane import LogPane
from runwatch.tui.widgets.steps_pane import StepsPane
from tui import sample
from tui.driving import drive, live, make_run, watching


def test_the_header_says_which_run_how_it_stands_and_what_it_cost(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("● running")
            header = app.rows()[0]
            for fact in ("baes / 20261020-142345-abc123", "gpt-4o · temp 0", "12:41", "$0.43", "18.2k tok", "2 errors"):
                assert fact in header

    drive(task())


def test_nothing_in_the_header_moves_when_numbers_grow(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("18.2k tok")
            before = app.rows()[0]
            grown = sample.metrics()
            grown.run.tokens, grown.run.cost_usd, grown.run.errors = m.Tokens(total=999_999), 99.99, 12
            await app.show(live(metrics=grown))
            await app.sees("$99.99")
            after = app.rows()[0]
            for word in (" tok", " errors", "● running"):
                assert before.index(word) == after.index(word)

    drive(task())


def test_steps_show_state_duration_what_is_planned_and_how_far_it_is(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("▶ 003 generate API   1m02s")
            for row in ("✓ 001 schema         2m34s", "· 004 tests", "2/6", "33%"):
                assert row in app.text()

    drive(task())


def test_brackets_walk_through_the_steps_and_the_newest_is_followed_again(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path, steps=4)) as app:
            await app.sees("step 003 · generate API")
            await app.press("left_square_bracket", "left_square_bracket")
            await app.sees("step 001 · schema")
            later = sample.metrics()
            later.steps.append(m.StepMetrics(step=4, name="tests", start_time=sample.START))
            later.current_step = 4
            await app.show(live(metrics=later))
            assert app.run.selected == 1, "a step that was picked stays"
            await app.press(*["right_square_bracket"] * 3)
            await app.sees("step 004 · tests")
            later.steps.append(m.StepMetrics(step=5, name="review", start_time=sample.START))
            later.current_step = 5
            await app.show(live(metrics=later, read_ratio=0.99))
            await app.sees("step 005 · review")

    drive(task())


def test_who_reads_further_up_stays_there_when_the_next_step_begins(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = make_run(tmp_path, steps=4)
        (run_dir / "logs/step_003/adapter.log").write_text("".join(f"line {number}\n" for number in range(200)))
        async with watching(run_dir) as app:
            await app.sees("line 199")
            await app.press("pageup")
            await app.sees("paused")
            later = sample.metrics()
            later.steps.append(m.StepMetrics(step=4, name="tests", start_time=sample.START))
            later.current_step = 4
            await app.show(live(metrics=later))
            assert app.run.selected == 3
            await app.press("f")
            await app.show(live(metrics=later, read_ratio=0.99))
            await app.sees("step 004 · tests")

    drive(task())


def test_a_step_is_shown_by_moving_the_cursor_or_clicking_it(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("▶ 003")
            await app.press("t", "up")
            await app.sees("step 002 · models")
            await app.pilot.click(StepsPane, offset=(6, 1))
            await app.sees("step 001 · schema")

    drive(task())


def test_components_are_tabs_that_c_and_the_mouse_go_through(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("all │ ")
            pane = app.run.query_one(LogPane)
            names = pane.components
            assert set(names) == {"adapter", "orchestrator", "stdout"}
            await app.press("c")
            assert pane.component == names[0]
            await app.press("c", "c", "c")
            assert pane.component is None
            await app.press("C")
            assert pane.component == names[-1]
            at = app.rows()[1].index(names[1])
            await app.pilot.click(offset=(at + 1, 1))
            await app.until(lambda: pane.component == names[1])

    drive(task())


def test_a_component_that_begins_to_log_gets_a_tab_by_itself(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = make_run(tmp_path)
        async with watching(run_dir) as app:
            await app.sees("orchestrator")
            assert "validator" not in app.text()
            (run_dir / "logs" / "step_003" / "validator.log").write_text("2 checks failed\n")
            await app.show(live(logs=1))
            await app.sees("validator")

    drive(task())


def test_digits_and_the_mouse_show_every_panel(tmp_path: Path) -> None:
    shows = {
        "overview": "completion"[:5],
        "model": "openai/gpt-4o-mini",
        "tools": "apply_patch",
        "agents": "fail  retry",
        "pipelines": "unit, lint",
        "debugging": "mean to resolution",
        "git": "feature/orders-api",
        "system": "12.0 MiB written",
        "errors": "2 checks failed",
    }

    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("● running")
            for number, panel in enumerate(PANELS, 1):
                await app.press(str(number))
                await app.sees(shows[panel.name])
            row = next(row for row in range(40) if "Overview" in app.rows()[row])
            await app.pilot.click(offset=(app.rows()[row].index("Git") + 1, row))
            await app.sees("feature/orders-api")

    drive(task())


def test_the_list_of_issues_follows_those_at_work_until_somebody_scrolls_up(tmp_path: Path) -> None:
    def with_issues(count: int) -> Snapshot:
        metrics = sample.metrics()
        metrics.issues = [m.IssueMetrics(issue=number, status="merged") for number in range(1, count)]
        metrics.issues.append(m.IssueMetrics(issue=count))
        return live(metrics=metrics)

    async def task() -> None:
        async with watching(make_run(tmp_path), with_issues(40)) as app:
            await app.sees("▶ #40")
            await app.show(with_issues(45))
            await app.sees("▶ #45")
            pane = app.run.query_one(IssuesPane)
            pane.focus()
            await app.press("home", "up", *["pageup"] * 4)
            await app.sees("✓ #1 ")
            await app.show(with_issues(60))
            await app.sees("1/60")
            assert "#60" not in app.text()

    drive(task())


def test_what_is_not_read_yet_is_not_said_to_be_missing(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = make_run(tmp_path, steps=0)
        run_dir.mkdir(parents=True)
        part = Snapshot(metrics=m.Metrics(), life=Life.ENDED, read_ratio=0.2)
        async with watching(run_dir, part, mode="watch") as app:
            for number in range(1, len(PANELS) + 1):
                await app.press(str(number))
                await app.until(lambda: app.text().count("Reading…") >= 4)
                assert "No " not in app.text()
                assert "Nothing" not in app.text()
            await app.show(Snapshot(metrics=m.Metrics(), life=Life.ENDED))
            for text in ("No log in this run.", "No issues", "No steps yet"):
                await app.sees(text)
            assert "Reading…" not in app.text()

    drive(task())


def test_every_panel_of_a_run_that_does_nothing_says_what_would_fill_it(tmp_path: Path) -> None:
    bare = m.Metrics(run=m.Run(run_id=sample.RUN_ID, framework="sh"))

    async def task() -> None:
        async with watching(make_run(tmp_path, steps=0), live(metrics=bare)) as app:
            await app.sees("No steps yet")
            await app.sees("No issues")
            for number, panel in enumerate(PANELS, 1):
                await app.press(str(number))
                await app.sees(panel.empty[0])

    drive(task())


def test_at_80_columns_the_side_folds_to_one_line_and_t_brings_it_back(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), size=(80, 24)) as app:
            await app.sees("003 generate API  1m02s")
            assert not app.run.query_one(IssuesPane).is_on_screen
            assert "✓ ✓ ▶ · · ·" in app.rows()[1]
            for fact in (sample.RUN_ID, "● running", " 12:41", "$0.43", "2 errors"):
                assert fact in app.rows()[0]
            await app.press("t")
            await app.sees("✓ 001 schema")
            await app.press("t")
            await app.sees_no("✓ 001 schema")

    drive(task())


def test_the_window_can_be_made_smaller_and_larger_at_any_time(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("✓ 001 schema")
            for size in ((80, 24), (200, 50), (40, 12), (120, 40)):
                await app.pilot.resize_terminal(*size)
                await app.until(
                    lambda size=size: app.app.screen.size == size and {len(row) for row in app.rows()} == {size[0]}
                )
            await app.sees("✓ 001 schema")

    drive(task())


def test_keys_can_be_remapped_and_the_footer_says_so(tmp_path: Path) -> None:
    async def task() -> None:
        settings = Settings(keys={"panel.git": "f7", "app.help": "f1"})
        async with watching(make_run(tmp_path), settings=settings) as app:
            await app.sees("f1 help")
            await app.press("f7")
            await app.sees("feature/orders-api")

    drive(task())


def test_the_question_mark_lists_the_keys_as_they_are_bound(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), settings=Settings(keys={"run.stop": "x"})) as app:
            await app.press("question_mark")
            await app.sees("esc closes")
            row = next(row for row in app.rows() if "Stop the run" in row)
            assert "x" in row.split("Stop the run")[0]
            await app.press("escape")
            await app.sees_no("esc closes")

    drive(task())


def test_every_action_is_in_the_command_palette(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            offered = {command.title for command in app.app.get_system_commands(app.app.screen)}
            assert {"System panel", "Search the log", "Stop the run", "Theme: runwatch-light"} <= offered
            await app.press("colon")
            await app.until(lambda: type(app.app.screen).__name__ == "CommandPalette")
            await app.press(*"system")
            await app.sees("System panel")
            await app.press("enter", "enter")
            await app.until(lambda: app.run.panel == 7)

    drive(task())


def test_a_bad_theme_is_refused_with_its_reason_and_the_house_theme_worn(tmp_path: Path) -> None:
    async def task() -> None:
        settings = Settings(tui=Settings().tui.__class__(theme="no-such-theme"))
        async with watching(make_run(tmp_path), settings=settings) as app:
            await app.sees("There is no theme")
            assert app.app.theme == "runwatch-dark"

    drive(task())
