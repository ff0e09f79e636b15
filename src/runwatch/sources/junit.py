"""Test results from a JUnit XML report.

No journal: a report is the fields of one ``tests.measured`` event. Must not trust the totals that the file claims: it
counts the cases, since nested suites and merged reports often get them wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runwatch.sources.coverage import NoReport
from runwatch.sources.xml import elements, seconds

_WORSE = ("error", "failure", "skipped")
"""What a case's child says of it, the worst first."""
_NAMES = {"error": "errors", "failure": "failed", "skipped": "skipped", None: "passed"}


def read(path: Path) -> dict[str, Any]:
    """Return passed, failed, skipped, errors and duration_s of the report at ``path``.

    A report whose end is missing (a killed test run) counts as far as it goes. Raises OSError and NoReport.
    **Source**: the JUnit XML schema of the Apache Ant JUnit task, as pytest, Jest and Surefire write it.
    """
    counts = dict.fromkeys(_NAMES.values(), 0)
    stated: float | None = None
    summed = 0.0
    depth = 0
    root: str | None = None
    for event, element in elements(path):
        if root is None:
            root = element.tag
            if root not in ("testsuites", "testsuite"):
                raise NoReport(f"its root element is <{root}>, not <testsuites> or <testsuite>")
        if element.tag == "testsuite":
            depth += 1 if event == "start" else -1
            if event == "start" and depth == 1:  # inner ones are part of it
                time = seconds(element.get("time"))
                stated = stated if time is None else (stated or 0.0) + time
        elif element.tag == "testcase" and event == "end":
            found = {child.tag for child in element}
            counts[_NAMES[next((verdict for verdict in _WORSE if verdict in found), None)]] += 1
            summed += seconds(element.get("time")) or 0.0
            element.clear()
    if root is None:
        raise NoReport("it is no XML")
    return {**counts, "duration_s": round(summed if stated is None else stated, 6)}
