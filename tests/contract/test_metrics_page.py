"""docs/metrics.md is what the code says now: every metric, its unit, definition, sources and places."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from runwatch.events import TYPES

DOCS = Path(__file__).parents[2] / "docs"
WITHOUT_SOURCE = {"schema"}
"""Metrics that no event changes."""


def test_the_page_is_as_the_code_makes_it() -> None:
    code = "import sys, metrics_page; sys.stdout.buffer.write(metrics_page.page().encode())"
    made = subprocess.run([sys.executable, "-c", code], cwd=DOCS, capture_output=True, timeout=300, check=True).stdout
    assert (DOCS / "metrics.md").read_bytes() == made, "`make metrics` writes it"


def test_every_metric_has_a_definition_and_a_source() -> None:
    rows = [line.split(" | ") for line in (DOCS / "metrics.md").read_text("utf-8").splitlines() if line[:3] == "| `"]
    assert len(rows) > 200
    assert [row for row in rows if len(row) != 5 or not row[2].strip() or not row[1].strip()] == []
    assert {row[0].strip("| `") for row in rows if row[3] == "–"} == WITHOUT_SOURCE


def test_the_sample_holds_every_type_of_event() -> None:
    code = "import metrics_sample; print(*sorted(metrics_sample.types()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=DOCS, capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(TYPES)
