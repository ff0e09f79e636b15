"""What a server has ready before anybody asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest

from journals import Journal
from runwatch.serve.server import Service
from runwatch.settings import Settings


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A server of two runs that have ended."""
    for name in ("a", "b"):
        journal = Journal()
        journal.run_started(framework="f", run_id=name)
        journal.add("git.operation", operation="merge", result="success")
        journal.run_completed("completed")
        folder = tmp_path / "f" / name
        folder.mkdir(parents=True)
        (folder / "events.jsonl").touch()
        (folder / "metadata.json").write_text("{}")
        (folder / "metrics.json").write_bytes(msgspec.json.encode(journal.metrics()))
    made = Service(tmp_path, Settings(), host="127.0.0.1", port=0, token=None)
    yield made
    made.http.close()


def test_every_run_is_read_and_written_in_both_forms_before_the_first_scrape(service: Service) -> None:
    service.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        runs, totals = service._runs.now()
        if [len(each.written) for each in (*runs, totals)] == [2, 2, 2]:
            break
        time.sleep(0.05)
    else:
        pytest.fail("nobody read ahead")
    with urlopen(f"{service.http.url}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    assert 'run_id="a"' in text
    assert 'git_merge_total{result="success"} 2.0' in text
    again, _ = service._runs.now()
    assert [each is former for each, former in zip(again, runs, strict=True)] == [True, True]
