"""Journals of every schema and the files they give, compared as bytes.

After a change that is meant, ``python tests/golden/test_golden.py`` (with ``src`` and ``tests`` on PYTHONPATH) writes
the files anew: read the diff before it is committed. The journals are data and are never rewritten: what an old version
recorded must stay readable.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runwatch.events import Event, Unreadable, decode
from runwatch.fold import Fold, FoldSettings, Metrics
from runwatch.views import (
    commit_text,
    console,
    csv_rows,
    event_line,
    issue_report,
    metadata_json,
    metrics_json,
    summary_markdown,
    summary_text,
)
from runwatch.views.facts import Archive, Facts, FailedStep

HERE = Path(__file__).parent
JOURNALS = sorted(path.name for path in HERE.iterdir() if (path / "events.jsonl").exists())

FACTS = Facts(
    version="0.0.0",
    archive=Archive(file="run.tar.gz", size_bytes=1_468_006, sha256="ab" * 32, members=42),
    failed_step=FailedStep(lines=("ValueError: 2 checks failed",), step=3, name="API", log="logs/step_003/stderr.log"),
)


def _lines(folder: Path) -> list[bytes]:
    return (folder / "events.jsonl").read_bytes().splitlines(keepends=True)


def _metrics(folder: Path) -> Metrics:
    fold = Fold(None, FoldSettings())
    offset = 0
    for line in _lines(folder):
        offset += len(line)
        fold.feed_line(line, offset)
    return fold.metrics("2026-11-21T12:00:00.000000Z")


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _log(folder: Path) -> bytes:
    encoded = []
    for raw in _lines(folder):
        try:
            event = decode(raw)
        except Unreadable:
            continue
        if isinstance(event, Event):
            encoded += [event_line.encode(event, line) for line in event_line.render_all(event)]
    return b"".join(encoded)


def files(folder: Path) -> dict[str, bytes]:
    """Return every file that the journal in ``folder`` gives, by name."""
    metrics = _metrics(folder)
    facts = FACTS if metrics.run.status == "failed" else msgspec.structs.replace(FACTS, failed_step=None)
    made = {
        "logs_summary.txt": summary_text.render(metrics, facts).encode(),
        "logs_summary_pending.txt": summary_text.render(metrics).encode(),
        "summary.md": summary_markdown.render(metrics, facts).encode(),
        "metrics.json": _json(metrics_json.render(metrics)),
        "metadata.json": _json(metadata_json.render(metrics, facts)),
        "commit.txt": commit_text.render(metrics).encode(),
        "console.txt": "\n".join([*console.closing(metrics, facts), ""]).encode(),
        "projected.log": _log(folder),
    }
    for issue in metrics.issues:
        made[f"issue_{issue.issue}_report.json"] = _json(issue_report.render(issue))
    for table, rows in csv_rows.tables(metrics).items():
        made[f"{table}.csv"] = csv_rows.file_text(table, rows).encode()
    return made


@pytest.mark.parametrize("journal", JOURNALS)
def test_a_journal_gives_exactly_the_files_beside_it(journal: str) -> None:
    folder = HERE / journal
    expected = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "events.jsonl"}
    made = files(folder)
    assert sorted(made) == sorted(expected)
    for name, data in made.items():
        assert data.decode() == expected[name].decode(), name


def test_there_are_journals() -> None:
    assert len(JOURNALS) >= 3


def _write_all(say: Callable[[str], object]) -> None:
    for journal in JOURNALS:
        folder = HERE / journal
        for path in folder.iterdir():
            if path.name != "events.jsonl":
                path.unlink()
        for name, data in files(folder).items():
            (folder / name).write_bytes(data)
        say(journal)


if __name__ == "__main__":
    _write_all(print)
