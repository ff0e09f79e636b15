"""Names that may become files, and where each file lies."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from redaction_corpus import SHAPES
from runwatch.errors import BadName
from runwatch.journal.atomic import write_json
from runwatch.journal.paths import RunPaths, check_name, new_run_id, project_run_id, refuse_key

NOW = datetime(2026, 10, 20, 14, 23, 45, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", ".", "..", "csv", "CSV", "a/b", "a\n", "a b", "é", "x" * 101, "a\x00"])
def test_a_name_that_is_no_file_name_is_refused_with_value_and_remedy(name: str) -> None:
    with pytest.raises(BadName) as error:
        check_name("run id", name)
    assert repr(name) in error.value.sentence
    assert "use 1 to 100" in error.value.sentence


@pytest.mark.parametrize("name", [".git", ".GIT", ".git..", ".gitmodules", ".GitAttributes", ".gitignore.", ".mailmap"])
def test_a_name_that_git_keeps_for_itself_is_refused_with_value_and_remedy(name: str) -> None:
    with pytest.raises(BadName) as error:
        check_name("framework", name)
    assert repr(name) in error.value.sentence
    assert "choose another" in error.value.sentence


KEYS = [secret for secrets in SHAPES.values() for secret in secrets if re.fullmatch(r"[A-Za-z0-9._-]{1,100}", secret)]


@pytest.mark.parametrize("key", KEYS)
def test_a_name_that_is_a_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(BadName) as error:
        refuse_key("framework", key)
    assert "looks like a key" in error.value.sentence
    assert key[:8] not in error.value.sentence


def test_keys_of_many_shapes_are_tried() -> None:
    assert len(KEYS) > 40


@pytest.mark.parametrize(
    "name", ["a-long-name.of_a.branch-2026-11-21", ".github", ".x", "git", "a", "baes", "run_1.2-x", "x" * 100, "..."]
)
def test_an_ordinary_name_is_itself(name: str) -> None:
    assert check_name("run id", name) == name


def test_run_ids_are_made_from_the_time() -> None:
    assert new_run_id(NOW).startswith("20261020-142345-")
    assert len(new_run_id(NOW)) == len("20261020-142345-abc123")
    assert project_run_id(168, NOW) == "run_20261020_142345_project_168"


def test_logs_lie_where_the_specification_says() -> None:
    paths = RunPaths(Path("runs/baes/x"))
    assert (paths.framework, paths.run_id) == ("baes", "x")
    for step, component, expected in [
        (None, "orchestrator", "logs/run.log"),
        (None, "stdout", "logs/stdout.log"),
        (3, "adapter", "logs/step_003/adapter.log"),
        (1234, "stderr", "logs/step_1234/stderr.log"),
        (3, "reconciliation", "logs/reconciliation.log"),
    ]:
        assert paths.component_log(step, component) == paths.root / expected
    with pytest.raises(BadName):
        paths.component_log(1, "../../etc")
    assert paths.issue_file("../x y", "report").name == "issue_..%2Fx%20y_report.json"
    assert paths.issue_file(123, "metrics").name == "issue_123_metrics.json"


def test_issue_ids_of_any_text_and_length_have_a_file_each(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    paths.issues.mkdir()
    long = "遅" * 300
    ids = [long, long + "!", "!" + long, "x" * 5000, "x" * 100, "x" * 101, "\ud800", "é" * 11 + "xé" * 50]
    shortened = paths.issue_file(long, "report").name.removeprefix("issue_").removesuffix("_report.json")
    files = [paths.issue_file(issue, kind) for issue in [*ids, shortened] for kind in ("metrics", "report")]
    assert len(set(files)) == len(files), "not even the id that reads like a shortened one has another's file"
    for file in files:
        write_json(file, 1, durable=False)
    assert max(len(file.name) for file in files) <= 143 - 14, (
        "a temporary name is 14 longer, and 143 is the least limit"
    )
    assert paths.issue_file("x" * 100, "report").name == f"issue_{'x' * 100}_report.json"
    for file in files:
        assert not re.search("%(?![0-9A-F]{2})", file.name), "no half of a character"
