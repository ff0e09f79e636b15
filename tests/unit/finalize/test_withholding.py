"""A run that lost what was known of its secrets publishes no text that may hold one, and says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from journals import Journal
from runwatch.finalize.confidential import Confidential
from runwatch.finalize.stages import Finalizer
from runwatch.finalize.withholding import LOST, SENTENCE, withheld
from runwatch.journal.known_secrets import remember
from runwatch.journal.paths import RunPaths
from runwatch.settings import load

VALUE = "correct" + "horse"


def _spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"digest":"', b'"digest":"zz', 1))


@pytest.mark.parametrize(
    "lose", [Path.unlink, lambda path: path.write_bytes(b""), _spoil, None], ids=["missing", "empty", "damaged", "kept"]
)
def test_texts_are_withheld_where_the_journal_tells_of_more_secrets_than_can_be_read(
    tmp_path: Path, lose: Callable[[Path], object] | None
) -> None:
    paths = RunPaths(tmp_path / "runs" / "x" / "r1")
    paths.step_logs(1).mkdir(parents=True)
    remember(paths, {VALUE: "A_TOKEN"})
    journal = Journal()
    journal.run_started(run_id="r1", framework="x", cwd=str(tmp_path), command=["tool", f"--with={VALUE}"])
    journal.add("resource.sample", known_secrets=Confidential(paths, {}).count)
    journal.add("step.started", step=1, name="deploy")
    journal.add("error", step=1, message=f"refused {VALUE}", error_type="Refused")
    journal.add("warning", message=f"tried {VALUE}")
    journal.add("issue.started", issue=1, title=f"sent {VALUE}")
    journal.add("step.completed", step=1, status="failed", note=f"with {VALUE}")
    paths.journal.write_bytes(b"".join(journal.lines))
    (paths.step_logs(1) / "stderr.log").write_text(f"the output has {VALUE}\n")
    if lose:
        lose(paths.secrets)
    finalizer = Finalizer(paths, load(tmp_path, {}), environ={})
    state = finalizer.run(last="summary_final")
    finalizer.close()
    assert all(stage.done for stage in state.stages.values()), state.stages
    published = [paths.metrics, paths.metadata, paths.summary_text, paths.summary_markdown, paths.commit_text]
    published += [*paths.issues.iterdir(), *paths.csv.iterdir()]
    texts = {path.name: path.read_text() for path in published}
    assert not [name for name, text in texts.items() if VALUE in text]
    assert "deploy" in texts["summary.md"]
    assert "its processes are gone" in texts["logs_summary.txt"]
    assert (SENTENCE in texts["metrics.json"]) == (LOST in texts["summary.md"]) == bool(lose)
    assert ("the output has [redacted:env:A_TOKEN]" in texts["summary.md"]) == (lose is None)


def test_what_was_read_once_stays_known(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    remember(paths, {VALUE: "A_TOKEN"})
    secrets = Confidential(paths, {})
    remember(paths, {"another-1": "B_TOKEN"})
    paths.secrets.write_bytes(paths.secrets.read_bytes().splitlines()[-1])  # the first line is gone
    secrets.refresh()
    count = secrets.count
    assert count == 2
    paths.secrets.unlink()
    secrets.refresh()
    secrets.expect(count)
    assert not secrets.is_lost
    assert secrets.redactor.text(f"{VALUE} another-1") == "[redacted:env:A_TOKEN] [redacted:env:B_TOKEN]"


def test_names_numbers_and_times_stay() -> None:
    tree = {
        "run": {"command": ["a", "b"], "status": "failed", "reason": "said so"},
        "steps": [{"name": "a", "step": 1}],
    }
    kept = {"run": {"command": [LOST], "status": "failed", "reason": LOST}, "steps": [{"name": "a", "step": 1}]}
    assert withheld(tree) == kept
