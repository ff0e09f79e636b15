"""The task registry: open issues, and a lock that is as real as its retry."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from runwatch.demo.registry import TaskRegistry


@pytest.fixture
def registry(tmp_path: Path) -> TaskRegistry:
    registry = TaskRegistry(tmp_path / "folder" / "registry.sqlite")
    registry.create([(18, "second", "b"), (17, "first", "a")])
    return registry


def test_open_issues_come_by_number_until_they_are_resolved(registry: TaskRegistry) -> None:
    assert registry.open_issues() == [(17, "first", "a"), (18, "second", "b")]
    registry.set_status(17, "resolved")
    assert registry.open_issues() == [(18, "second", "b")]


def test_a_registry_that_another_writer_holds_is_busy_at_once_and_free_afterwards(registry: TaskRegistry) -> None:
    with registry.held_by_another(), pytest.raises(sqlite3.OperationalError, match="locked"):
        registry.open_issues()
    assert len(registry.open_issues()) == 2
