"""Tests of runwatch.views.summary_markdown, of its folded sections and of runwatch.views.markdown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

import metrics_samples as samples
from runwatch.fold.metrics import Metrics, Run
from runwatch.views import markdown, summary_markdown
from runwatch.views.facts import Facts, FailedStep

OUR_HTML = {"<details>", "</details>"}


def _tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").parse(text):
        yield token
        yield from token.children or ()


def test_the_status_comes_first_then_where_it_failed_then_what_it_cost() -> None:
    text = summary_markdown.render(samples.full(), samples.facts())
    assert text.startswith("## ✗ `failed` (`exit code 3`): `baes/20261020-142345-abc123`\n")
    order = [
        "Reason: `step 002 failed",
        "Failed in step 002 `models`. The last 2 lines of `logs/step_002/stderr.log`:",
        "```text\nTraceback (most recent call last):\nValueError: 2 checks failed\n```",
        "```sh\nrunwatch run --framework baes -- python experiment.py --name 'two words'\n```",
        "| Cost | `$0.43 of $5.00 (unpriced: homemade)` | `$0.40` | +7.5% |",
        "| Tokens | 18,000 of 2,000,000 |",
        "| Duration | 12m 42s | 11m 40s | +8.8% |",
        "<details>",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_only_the_last_twenty_lines_of_the_failed_step_are_shown() -> None:
    failed = FailedStep(lines=tuple(f"line {at}" for at in range(50)), log="logs/stderr.log")
    text = summary_markdown.render(Metrics(run=Run(status="failed", command=["make"])), Facts(failed_step=failed))
    assert "Failed. The last 20 lines of `logs/stderr.log`:" in text
    assert "\nline 30\n" in text
    assert "line 29" not in text


def test_a_run_that_ended_well_has_no_failure_and_no_command_to_repeat() -> None:
    text = summary_markdown.render(Metrics(run=Run(run_id="r", framework="f", status="completed", exit_code=0)))
    assert text.startswith("## ✓ `completed` (`exit code 0`): `f/r`\n")
    assert "Repeat" not in text
    assert "Failed" not in text


def test_a_status_that_is_neither_good_nor_bad_has_its_own_mark() -> None:
    assert summary_markdown.render(Metrics(run=Run(status="interrupted"))).startswith("## ■ `interrupted`")


def test_a_reason_that_only_repeats_the_exit_code_is_not_said_twice() -> None:
    run = Run(status="failed", exit_code=3, reason="exit code 3")
    assert "Reason" not in summary_markdown.render(Metrics(run=run))


def test_without_earlier_runs_there_is_nothing_to_compare() -> None:
    text = summary_markdown.render(samples.full())
    assert "|  | this run |\n" in text
    assert "before" not in text


def test_every_folded_section_is_whole() -> None:
    text = summary_markdown.render(samples.full(), samples.facts())
    assert text.count("<details>") == text.count("</details>") == 14
    assert "<summary>Archive and details</summary>" in text


def test_nothing_hostile_leaves_its_place() -> None:
    text = summary_markdown.render(samples.hostile(), samples.hostile_facts())
    tokens = list(_tokens(text))
    html = [token.content.strip() for token in tokens if token.type in ("html_block", "html_inline")]
    assert all(line in OUR_HTML or line.startswith("<summary>") for block in html for line in block.splitlines())
    assert not {"link_open", "image", "em_open", "strong_open"} & {
        token.type for token in tokens if "**" not in token.markup
    }
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h2"]
    plain = "".join(token.content for token in tokens if token.type == "text")
    assert "@everyone" not in plain
    assert "script" not in plain
    assert "evil" not in plain
    assert "\x1b" not in text
    assert len(text.encode()) < 100_000


def test_hostile_cells_leave_every_row_of_a_table_whole() -> None:
    text = summary_markdown.render(samples.hostile(), samples.hostile_facts())
    tokens = list(_tokens(text))
    widths: list[list[int]] = []
    for token in tokens:
        if token.type == "table_open":
            widths.append([])
        elif token.type == "tr_open":
            widths[-1].append(0)
        elif token.type in ("th_open", "td_open"):
            widths[-1][-1] += 1
    assert len(widths) >= 8
    assert all(len(set(rows)) == 1 for rows in widths)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_is_one_code_span(text: str) -> None:
    span = markdown.code(text)
    inline = MarkdownIt("commonmark").parseInline(f"a {span} b")[0].children or []
    assert [token.type for token in inline] in (["text", "code_inline", "text"], ["text"])
    assert ([token.type for token in inline] == ["text"]) == (span == "(empty)")


@given(st.lists(st.text("`|\\a ", max_size=12), min_size=2, max_size=4))
def test_any_text_is_one_cell_of_a_table(texts: list[str]) -> None:
    lines = markdown.table(
        ["x"] * len(texts), [texts], lambda row: [markdown.code(cell) for cell in row], most=9, what=""
    )
    tokens = list(_tokens("\n".join(lines)))
    assert sum(token.type == "td_open" for token in tokens) == len(texts)
    spans = [token.content for token in tokens if token.type == "code_inline"]
    assert [span.replace("\\", "") for span in spans] == [_shown(text) for text in texts if text.strip()]


def _shown(text: str) -> str:
    return " ".join(text.split()).replace("\\", "")


@pytest.mark.parametrize("line", ["```", "`````", "~~~", "</details>", "text ``` text"])
def test_a_fence_holds_whatever_is_in_it(line: str) -> None:
    tokens = MarkdownIt("commonmark").parse("\n".join([*markdown.fence([line, "end"]), "after"]))
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == f"{line}\nend\n"


def test_money_is_never_taken_for_mathematics() -> None:
    text = summary_markdown.render(samples.full(), samples.facts())
    assert "$" not in "".join(token.content for token in _tokens(text) if token.type == "text")


@pytest.mark.parametrize(("text", "cell"), [("a|b", r"`a\|b`"), (r"a\|b", r"`a\\\|b`"), (r"a\\|b", r"`a\\\\\|b`")])
def test_a_pipe_in_a_cell_stands_behind_an_odd_number_of_backslashes_and_no_backslash_is_lost(
    text: str, cell: str
) -> None:
    # A forge splits a row before it sees code spans, and takes two backslashes for one that escapes nothing.
    assert markdown.table(["x"], [text], lambda item: [markdown.code(item)], most=1, what="")[-1] == f"| {cell} |"
