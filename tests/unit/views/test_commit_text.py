"""Tests of runwatch.views.commit_text."""

from __future__ import annotations

import metrics_samples as samples
from runwatch.fold.metrics import CodeMetrics, Metrics
from runwatch.views import commit_text


def test_head_base_branch_and_diff_metrics_are_plain_text() -> None:
    assert commit_text.render(samples.full()) == (
        f"head: {'a1' * 20}\nbase: {'b2' * 20}\nbranch: main\ncommits: 4\ndirty: yes\nfiles_created: 2\n"
        "files_modified: 5\nfiles_deleted: 1\nfiles_renamed: 3\nlines_added: 120\nlines_deleted: 33\n"
    )


def test_outside_a_repository_the_file_says_so() -> None:
    assert commit_text.render(Metrics()).startswith("git: none")


def test_an_unborn_branch_and_a_detached_head_are_named() -> None:
    text = commit_text.render(Metrics(code=CodeMetrics(commits=0)))
    assert text.startswith("head: none\nbase: none\nbranch: none (detached head)\n")


def test_a_hostile_branch_stays_on_its_line() -> None:
    text = commit_text.render(Metrics(code=CodeMetrics(commits=0, branch="a\nhead: b\x1b[2J")))
    assert "branch: a head: b␛[2J\n" in text
