"""Test coverage from a report file: coverage.py's JSON, Cobertura XML, LCOV.

No journal: a report is the fields of one ``coverage.measured`` event. Must not trust the file: it may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from runwatch.sources.xml import elements, whole


class NoReport(ValueError):
    """The file is no report of a kind that is known; its text says why."""


def read(path: Path) -> dict[str, Any]:
    """Return percent, lines_covered and lines_total of the report at ``path``.

    ``percent`` (0 to 100) is of lines, and of branches with them where the report counts branches, as coverage.py's own
    total. **Source**: coverage.py, "JSON reporting"; Cobertura's ``coverage-04.dtd``; geninfo(1), "FILES".
    Raises OSError and NoReport.
    """
    with path.open("rb") as file:
        head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"{"):
        return _json(path)
    if head.startswith(b"<"):
        return _cobertura(path)
    if head.startswith((b"TN:", b"SF:", b"#")):
        return _lcov(path)
    raise NoReport("neither coverage.py's JSON, Cobertura XML nor LCOV")


class _Totals(msgspec.Struct):
    covered_lines: int
    num_statements: int
    covered_branches: int = 0
    num_branches: int = 0


class _Json(msgspec.Struct):
    totals: _Totals


def _json(path: Path) -> dict[str, Any]:
    try:
        totals = msgspec.json.decode(path.read_bytes(), type=_Json).totals
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoReport(f"not coverage.py's JSON: {error}") from error
    return _fields(totals.covered_lines, totals.num_statements, totals.covered_branches, totals.num_branches)


def _cobertura(path: Path) -> dict[str, Any]:
    for event, element in elements(path):
        if event == "start":  # the root, which has the totals
            if element.tag != "coverage":
                break
            return _totals(element.attrib, path)
    raise NoReport("its root element is not <coverage>")


def _totals(totals: Mapping[str, str], path: Path) -> dict[str, Any]:
    numbers = [whole(totals.get(f"{kind}-{what}")) for kind in ("lines", "branches") for what in ("covered", "valid")]
    if numbers[1]:
        return _fields(numbers[0] or 0, numbers[1], numbers[2] or 0, numbers[3] or 0)
    return _counted(path)  # tools that leave the totals out


def _counted(path: Path) -> dict[str, Any]:
    covered = total = depth = 0
    for event, element in elements(path):
        if element.tag == "methods":  # its lines stand below the class once more
            depth += 1 if event == "start" else -1
        elif event == "end" and element.tag == "line" and not depth:
            total += 1
            covered += bool(whole(element.get("hits")))
        if event == "end":
            element.clear()
    return _fields(covered, total)


def _lcov(path: Path) -> dict[str, Any]:
    sums = dict.fromkeys(("LH", "LF", "BRH", "BRF"), 0)
    with path.open("rb") as file:
        for line in file:
            name, _, number = line.strip().partition(b":")
            key = name.decode("ascii", "replace")
            if key in sums:
                sums[key] += whole(number.decode("ascii", "replace")) or 0
    return _fields(sums["LH"], sums["LF"], sums["BRH"], sums["BRF"])


def _fields(covered: int, total: int, branches_covered: int = 0, branches: int = 0) -> dict[str, Any]:
    if total <= 0 or not 0 <= covered <= total or not 0 <= branches_covered <= branches:
        raise NoReport(f"it counts {covered} of {total} lines")
    percent = 100 * (covered + branches_covered) / (total + branches)
    return {"percent": round(percent, 4), "lines_covered": covered, "lines_total": total}
