"""What the agent finds out before it changes anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo_parts import memory_run
from git_repos import GitRepo
from runwatch.demo import scratch, understanding
from runwatch.demo.bench import Bench
from runwatch.demo.pace import Pace
from runwatch.demo.story import load

SOURCE = '''"""What the module is for.

More of it.
"""

def plain():
    """Do this."""

class Thing:
    """A thing."""

    def method(self):
        """Do that."""

def silent():
    pass
'''


def test_a_file_is_told_by_the_first_lines_of_its_docstrings() -> None:
    source = understanding._parse("src/a.py", SOURCE)
    assert source.doc == "What the module is for."
    assert source.names == {"plain": "Do this.", "Thing": "", "Thing.method": "Do that.", "silent": ""}


def test_a_busy_registry_is_asked_again_and_nothing_in_the_repository_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with memory_run(monkeypatch) as run:
        bench = Bench(run.run, scratch.make(str(tmp_path / "scratch")), load(), Pace(0))
        before = GitRepo(bench.repository).state()
        assert [number for number, _, _ in understanding.fetch_issues(bench)] == [17, 18]
        assert [event["type"] for event in run.events()] == [
            "service.started", "service.retry", "service.completed", "service.health",
        ]  # fmt: skip
        understanding.understand(bench)
        understanding.plan(bench)
        questions = run.events("hitl.requested", "hitl.answered")
        assert [event["type"] for event in questions] == ["hitl.requested", "hitl.answered"]
        assert GitRepo(bench.repository).state() == before
