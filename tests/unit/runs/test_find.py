"""Which run a person means."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.errors import NotFound, UsageError
from runwatch.journal.atomic import write_json
from runwatch.runs.find import resolve
from runwatch.runs.listing import runs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three runs whose names do not sort as their starts do."""
    for framework, run_id, start in [
        ("baes", "zeta-1", "2026-10-20T10:00:00Z"),
        ("baes", "alpha-1", "2026-10-22T10:00:00Z"),
        ("ghspec", "alpha-2", "2026-10-21T10:00:00Z"),
    ]:
        folder = tmp_path / "runs" / framework / run_id
        folder.mkdir(parents=True)
        write_json(folder / "metadata.json", {"start_time": start, "status": "completed"})
    (tmp_path / "runs" / "csv").mkdir()
    (tmp_path / "runs" / "baes" / "link").symlink_to(tmp_path)
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (None, "baes/alpha-1"),
        ("@1", "baes/alpha-1"),
        ("@3", "baes/zeta-1"),
        ("zeta-1", "baes/zeta-1"),
        ("zet", "baes/zeta-1"),
        ("ghspec/alpha-2", "ghspec/alpha-2"),
        ("ghspec/al", "ghspec/alpha-2"),
    ],
)
def test_a_reference_names_one_run(root: Path, reference: str | None, expected: str) -> None:
    assert resolve(reference, root) == root / expected


def test_a_path_is_a_run(root: Path) -> None:
    assert resolve(str(root / "baes" / "zeta-1"), Path("/nowhere")) == root / "baes" / "zeta-1"


def test_a_prefix_of_several_is_refused_with_their_names(root: Path) -> None:
    with pytest.raises(UsageError, match=r"alpha.*fits 2 runs \(alpha-1, alpha-2"):
        resolve("alpha", root)


@pytest.mark.parametrize(
    ("reference", "words"), [("nope", "runwatch ls"), ("@9", "there are 3"), ("@0", "there are 3")]
)
def test_what_is_not_there_is_said_with_the_remedy(root: Path, reference: str, words: str) -> None:
    with pytest.raises(NotFound, match=words):
        resolve(reference, root)


def test_no_runs_at_all_says_how_to_record_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="runwatch run -- CMD"):
        resolve(None, tmp_path / "runs")


def test_the_list_is_newest_first_whatever_the_names_are(root: Path) -> None:
    assert [each.row.run_id for each in runs(root)] == ["alpha-1", "alpha-2", "zeta-1"]


def test_a_run_without_owner_or_status_is_crashed_never_running(root: Path) -> None:
    folder = root / "baes" / "lost"
    folder.mkdir()
    (folder / "events.jsonl").write_text(
        '{"type":"run.started","framework":"baes","run_id":"lost","ts":"2026-10-23T00:00:00Z"}\n'
    )
    (folder / ".lock").touch()
    row = runs(root)[0].row
    assert (row.run_id, row.status, row.live) == ("lost", "crashed", False)
    assert row.reason == "its processes are gone"


def test_a_broken_file_costs_its_values_not_the_list(root: Path) -> None:
    (root / "baes" / "zeta-1" / "metadata.json").write_bytes(b"\xff{")
    (root / "baes" / "alpha-1" / "metrics.json").write_text("[1]")
    assert len(runs(root)) == 3
