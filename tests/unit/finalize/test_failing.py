"""Where a run failed and the last that was written there."""

from __future__ import annotations

from pathlib import Path

from runwatch.finalize.failing import failed_step
from runwatch.fold.metrics import Metrics, Run, StepMetrics
from runwatch.journal.paths import RunPaths
from runwatch.redact import Redactor

FAILED = Metrics(
    run=Run(status="failed"),
    steps=[StepMetrics(step=1, status="failed", name="a"), StepMetrics(step=2, status="interrupted", name="b")],
)


def _log(paths: RunPaths, name: str, data: bytes) -> None:
    path = paths.logs / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_the_last_lines_of_the_step_that_failed(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    _log(paths, "step_001/stderr.log", b"".join(b"line %d\n" % number for number in range(5000)) + b"\xff end")
    found = failed_step(paths, FAILED, Redactor({}))
    assert found is not None
    assert (found.step, found.name, found.log) == (1, "a", "logs/step_001/stderr.log")
    assert len(found.lines) == 20
    assert found.lines[-2:] == ("line 4999", "� end")


def test_standard_output_where_standard_error_is_silent(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    _log(paths, "step_001/stdout.log", b"said\n")
    found = failed_step(paths, FAILED, Redactor({}))
    assert found is not None
    assert found.lines == ("said",)


def test_secrets_are_taken_out_and_links_not_followed(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path / "run")
    _log(paths, "step_001/stdout.log", b"token is hunter2hunter2\n")
    (tmp_path / "secret").write_text("elsewhere")
    (paths.logs / "step_001" / "stderr.log").symlink_to(tmp_path / "secret")
    found = failed_step(paths, FAILED, Redactor({"MY_TOKEN": "hunter2hunter2"}))
    assert found is not None
    assert "hunter2" not in str(found)
    assert "elsewhere" not in str(found)


def test_a_key_of_many_lines_whose_beginning_is_not_among_the_last_is_taken_out(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    body = b"".join(b"%064d\n" % number for number in range(30))
    _log(paths, "step_001/stdout.log", b"-----BEGIN " + b"PRIVATE KEY-----\n" + body + b"cut")
    found = failed_step(paths, FAILED, Redactor({}))
    assert found is not None
    assert found.lines == ("[redacted:private-key]",)


def test_a_log_that_went_on_in_other_files_is_shown_from_the_last_back(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    for name, first in (("stdout", 0), ("stdout.1", 100), ("stdout.2", 200)):
        lines = b"".join(b"line %d\n" % number for number in range(first, first + (5 if first == 200 else 100)))
        _log(paths, f"step_001/{name}.log", lines)
    found = failed_step(paths, FAILED, Redactor({}))
    assert found is not None
    assert found.log == "logs/step_001/stdout.2.log"
    assert found.lines == tuple(f"line {number}" for number in (*range(185, 200), *range(200, 205)))


def test_a_run_that_ended_well_failed_nowhere(tmp_path: Path) -> None:
    assert failed_step(RunPaths(tmp_path), Metrics(run=Run(status="merged")), Redactor({})) is None
    assert failed_step(RunPaths(tmp_path), Metrics(), Redactor({})) is None
