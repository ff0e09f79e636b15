"""Sampling a tree of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from runwatch.sources.process import ProcessSource

TREE = """
import subprocess, sys
children = []
print("up", flush=True)
for line in sys.stdin:
    if line == "child\\n":
        children.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
    elif line == "orphan\\n":
        middle = "import subprocess, sys; subprocess.Popen(['sleep', '600']); print('started', flush=True); input()"
        children.append(subprocess.Popen([sys.executable, "-c", middle], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        children[-1].stdout.readline()
    elif line == "end\\n":
        child = children.pop()
        child.stdin.close()
        child.wait()
    print("done", flush=True)
"""


class Tree:
    """A command that starts and ends processes as it is told."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", TREE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()
        self.source = ProcessSource(self.process.pid)

    def tell(self, word: str) -> None:
        """Have it do something, and wait until it is done."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        self._answer()

    def _answer(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline()

    def sample(self) -> dict[str, Any]:
        """Return a sample of a tree that lives."""
        fields = self.source.sample()
        assert fields is not None
        return fields


@pytest.fixture
def tree() -> Iterator[Tree]:
    made = Tree()
    ours = [psutil.Process(made.process.pid)]
    yield made
    ours += [member.process for member in made.source._seen.values()]
    for process in ours:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    made.process.communicate()


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_processes_count_from_the_sample_after_their_start_until_their_end(tree: Tree) -> None:
    assert tree.sample()["processes"] == 1
    tree.tell("child")
    tree.tell("child")
    assert tree.sample()["processes"] == 3
    tree.tell("end")
    one = tree.sample()
    assert one["processes"] == 2
    assert one["rss_bytes"] > 0
    assert one["read_bytes"] >= 0


def test_a_process_that_lost_its_parent_still_belongs_to_the_tree(tree: Tree) -> None:
    tree.tell("orphan")
    assert tree.sample()["processes"] == 3
    tree.tell("end")
    _until(lambda: tree.sample()["processes"] == 2)


def test_the_command_is_found_with_what_it_had_started_before_the_first_sample(tree: Tree) -> None:
    tree.tell("child")
    tree.tell("orphan")
    assert tree.sample()["processes"] == 4


def test_a_tree_that_has_ended_gives_no_sample(tree: Tree) -> None:
    tree.sample()
    tree.process.kill()
    tree.process.wait()
    assert tree.source.sample() is None


def test_only_processes_that_are_new_are_asked_for_their_parent(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    looked_up = psutil.Process.__init__
    monkeypatch.setattr(
        psutil.Process, "__init__", lambda process, pid=None: (asked.append(pid), looked_up(process, pid))[1]
    )
    there = {os.getpid(), tree.process.pid}
    tree.sample()
    assert there <= set(asked)
    asked.clear()
    tree.tell("child")
    assert tree.sample()["processes"] == 2
    assert not there & set(asked)
    assert tree.source._seen.keys() - {tree.process.pid} <= set(asked)
