"""The agent's tools: real files and commits, each call recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo_parts import MemoryRun, memory_run
from git_repos import GitRepo
from runwatch.demo import scratch
from runwatch.demo.bench import Bench
from runwatch.demo.pace import Pace
from runwatch.demo.story import Edit, load


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    with memory_run(monkeypatch) as run:
        yield run


@pytest.fixture
def bench(run: MemoryRun, tmp_path: Path) -> Bench:
    return Bench(run.run, scratch.make(str(tmp_path / "scratch")), load(), Pace(0))


def test_a_commit_holds_the_named_files_only_and_is_the_agents(bench: Bench, run: MemoryRun) -> None:
    repo = GitRepo(bench.repository)
    before = repo.head()
    bench.write_file("NEW.md", "new\n")
    repo.write("README.md", "somebody else's\n")
    head = bench.commit("Add a file", ["NEW.md"], "testing")
    assert (head, repo.git("rev-parse", "HEAD~1").strip()) == (repo.head(), before)
    assert repo.git("show", "--format=%an", "--name-only").split("\n") == ["testing agent (scripted)", "", "NEW.md", ""]
    tools = [event["tool"] for event in run.events("tool.completed")]
    assert tools == ["write_file", "git_commit"]


def test_what_is_as_before_is_not_committed(bench: Bench) -> None:
    head = bench.head()
    bench.write_file("README.md", bench.read_file("README.md"))
    assert bench.commit("Nothing", ["README.md"], "coding") == head


def test_an_edit_replaces_its_text_and_one_that_does_not_fit_leaves_the_file_alone(bench: Bench) -> None:
    bench.edit(Edit(file="README.md", old="# billing\n", new="# invoices\n"))
    assert bench.read_file("README.md").startswith("# invoices\n")
    text = bench.read_file("README.md")
    bench.edit(Edit(file="README.md", old="not there", new="anything"))
    bench.edit(Edit(file="README.md", old="e", new="E"))
    assert bench.read_file("README.md") == text


def test_a_file_that_is_not_there_is_a_failed_tool_call(bench: Bench, run: MemoryRun) -> None:
    with pytest.raises(FileNotFoundError):
        bench.read_file("CONTRIBUTING.md")
    (failed,) = run.events("tool.completed")
    assert failed["success"] is False
    assert "CONTRIBUTING.md" in failed["error"]


def test_a_scene_asks_each_of_its_questions_with_the_facts_filled_in(bench: Bench, run: MemoryRun) -> None:
    facts = {"test": "test_x", "message": "no", "issue": 17, "title": "Half a cent is lost"}
    assert (
        bench.ask("failure", "def f(): ...", **facts) == "Issue 17, 'Half a cent is lost': that is what it describes."
    )
    assert len(run.events("llm.completed")) == 2
