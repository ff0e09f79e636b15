"""Recorded usage against a provider's export: by hand and by program, after the end, with one commit each."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import runwatch as public
from git_repos import GitRepo
from integration.recorded import runwatch
from runwatch.finalize import post
from runwatch.finalize.stages import Finalizer
from runwatch.finalize.state import load_state
from runwatch.journal.paths import TRACKED, RunPaths
from runwatch.settings import Settings
from runwatch.settings.groups import Reconcile

PROGRAM = """
import runwatch
config = {"llm_provider": "openai", "llm_model": "gpt-4o"}
with runwatch.RunLogger(framework="f", run_id="r1", config=config) as run:
    issue = run.issue(123)
    for attempt in range(3):
        with issue.agent("review") as agent:
            agent.fail("no")
    for model, ask, answer, cost in (("gpt-4o", 1000, 500, 0.0125), ("gpt-4o", 2000, 1000, 0.025), ("o3", 10, 5, 0.1)):
        with runwatch.llm_metrics.track_request(model, "openai") as call:
            call.update(prompt_tokens=ask, completion_tokens=answer, cost=cost, result="success")
    issue.finalize_issue("failed")
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    """A repository with one finalized run f/r1."""
    monkeypatch.delenv("CI", raising=False)
    made = GitRepo.with_history(tmp_path / "repo")
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=made.path, check=True, timeout=120)
    monkeypatch.chdir(made.path)
    return made


def run_of(repo: GitRepo) -> RunPaths:
    return RunPaths(repo.path / "runs/f/r1")


def day() -> str:
    """The day of the run, in UTC."""
    return str(json.loads(Path("runs/f/r1/metadata.json").read_text())["start_time"])[:10]


def export(repo: GitRepo, *rows: str, header: str = "date,model,input_tokens,output_tokens,cost_usd") -> Path:
    path = repo.path.parent / "usage.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def agreeing(repo: GitRepo) -> Path:
    return export(repo, f"{day()},gpt-4o-2024-08-06,3000,1500,0.0375", f"{day()},o3,10,5,0.1", "2020-01-01,o3,9,9,9")


def test_agreeing_checks_verify_after_as_many_as_configured_and_each_is_one_commit(repo: GitRepo) -> None:
    run = run_of(repo)
    archive = hashlib.sha256(run.archive.read_bytes()).hexdigest()
    journal = run.journal.read_bytes()
    commits = int(repo.git("rev-list", "--count", "HEAD"))
    (repo.path / "runwatch.toml").write_text("[reconcile]\nagreeing_checks = 2\n")
    usage = str(agreeing(repo))
    done = [runwatch("reconcile", "f/r1", "--usage", usage, cwd=repo.path)]
    found = public.UsageReconciler(run.root).check(usage)
    assert (found.agrees, found.verified, found.checks, found.is_repeat) == (True, False, 1, True), "it is the same one"
    done.append(runwatch("reconcile", "f/r1", "--usage", str(agreeing(repo)), cwd=repo.path))
    assert [each.returncode for each in done] == [0, 0], done[0].stderr
    assert b"agrees, check 1 of 2" in done[0].stdout
    assert b"Left out: 1 row of other days" in done[0].stdout
    assert b"verified, 2 checks in a row agreed" in done[1].stdout
    assert found.commit == repo.git("rev-parse", "HEAD~1").strip(), "it is in the commit of the first"
    assert int(repo.git("rev-list", "--count", "HEAD")) == commits + 2
    assert repo.git("log", "--format=%s", "-3").splitlines() == [
        "runwatch: f/r1 completed, since then usage verified",
        "runwatch: f/r1 completed, since then usage agrees",
        "runwatch: f/r1 completed",
    ]
    changed = set(repo.git("diff", "--name-only", "HEAD~1", "HEAD").split())
    assert changed <= {f"runs/f/r1/{name}" for name in TRACKED}
    assert "runs/f/r1/logs_summary.txt" in changed
    assert "usage: verified" in " ".join(run.summary_text.read_text().split())
    assert hashlib.sha256(run.archive.read_bytes()).hexdigest() == archive
    assert run.journal.read_bytes() == journal
    events = [json.loads(line) for line in run.post.read_text().splitlines()]
    assert [(event["type"], event["verdict"]) for event in events] == [
        ("verification.checked", "agrees"), ("verification.checked", "verified"),
    ]  # fmt: skip
    assert len((run.logs / "reconciliation.log").read_text().splitlines()) == 3
    assert repo.git("status", "--short") == "?? runwatch.toml\n"
    assert load_state(run.finalize_state).complete


def test_differences_are_a_table_by_model_and_day_and_begin_the_count_anew(repo: GitRepo) -> None:
    assert runwatch("reconcile", "--usage", str(agreeing(repo)), cwd=repo.path).returncode == 0
    usage = export(repo, f"{day()},gpt-4o,3000,1600,0.0375", f"{day()},gpt-5,7,8,0.1")
    done = runwatch("reconcile", "@1", "--usage", str(usage), "--json", cwd=repo.path)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["verdict"] == "differs"
    assert {row["model"]: row["agrees"] for row in found["rows"]} == {"gpt-4o": False, "gpt-5": False, "o3": False}
    by_model = {row["model"]: row for row in found["rows"]}
    assert by_model["gpt-4o"]["recorded"] == {"prompt": 3000, "completion": 1500, "cost_usd": 0.0375}
    assert by_model["gpt-4o"]["exported"]["completion"] == 1600
    head, noted = repo.head(), run_of(repo).post.read_bytes()
    shown = runwatch("reconcile", "@1", "--usage", str(usage), cwd=repo.path).stdout.decode().splitlines()
    assert (repo.head(), run_of(repo).post.read_bytes()) == (head, noted), "the same again is no news"
    assert shown[-1].startswith("This very export differed before")
    assert shown[0].startswith("f/r1 and usage.csv: differs in 3 rows by more than 1 %.")
    assert [line.split()[:4] for line in shown[2:4]] == [
        [day(), "gpt-4o", "recorded", "3,000"],
        ["exported", "3,000", "1,600", "$0.0375"],
    ]
    again = runwatch("reconcile", "--usage", str(agreeing(repo)), cwd=repo.path)
    assert b"agrees, check 1 of 2" in again.stdout


def test_wrong_use_is_exit_code_2_and_one_sentence(repo: GitRepo) -> None:
    bad = export(repo, f"{day()},gpt-4o,many,1,1")
    for arguments, says in (
        (("--usage", str(bad)), b"usage.csv, line 2, input_tokens: 'many' is not a number of tokens"),
        (("--usage", "nowhere.csv"), b"nowhere.csv cannot be read"),
        ((), b"--usage"),
        (("f/r9", "--usage", str(bad)), b"r9"),
        (("--usage", str(bad), "--only", "x"), b"--only 'x' is no COLUMN=VALUE"),
    ):
        done = runwatch("reconcile", *arguments, cwd=repo.path)
        assert done.returncode == 2, done.stdout
        assert says in done.stderr
        assert done.stderr.count(b"\n") == 1
    assert not run_of(repo).post.exists()


def test_the_program_form_takes_settings_and_rows_of_one_key(repo: GitRepo) -> None:
    header = "date,model,input_tokens,output_tokens,api_key_id"
    usage = export(
        repo, f"{day()},gpt-4o,2990,1500,a", f"{day()},o3,10,5,a", f"{day()},gpt-4o,99999,9,b", header=header
    )
    settings = Settings(reconcile=Reconcile(tolerance_pct=0.5, agreeing_checks=1))
    reconciler = public.UsageReconciler(run_of(repo).root, settings=settings)
    found = reconciler.check(usage, only={"api_key_id": "a"})
    assert (found.agrees, found.verified, found.checks) == (True, True, 1)
    assert found.commit == repo.head()
    strict = public.UsageReconciler(run_of(repo).root, settings=Settings(reconcile=Reconcile(tolerance_pct=0.1)))
    assert [row.model for row in strict.check(usage, only={"api_key_id": "a"}).differences] == ["gpt-4o"]
    failed = reconciler.check(export(repo, "2020-01-01,gpt-4o,1,1,1"))
    assert (failed.verdict, failed.agrees, failed.verified) == ("failed", False, False)
    assert "has no row of" in failed.problems[0]


def test_what_became_known_survives_a_repeated_finalize_and_a_kill_in_between(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(repo)
    truth = {"issue": 123, "agent": "review", "success": True, "source": "forge", "evidence": "https://g/7"}

    def killed(self: Finalizer) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Finalizer, "_stage_summary_final", killed)
        with pytest.raises(KeyboardInterrupt):
            post.publish(run.root, Settings(), [("outcome.verified", truth)])
    assert not load_state(run.finalize_state).complete
    done = runwatch("recover", cwd=repo.path)
    assert done.returncode == 0, done.stderr
    report = json.loads(run.issue_file(123, "report").read_text())
    assert report["status"] == "success"
    review = report["agent_metrics"]["review"]
    assert (review["successes"], review["failures"]) == (1, 2)
    assert (review["reported_successes"], review["reported_failures"]) == (0, 3)
    summary = " ".join(run.summary_text.read_text().split())
    assert "review itself reported 0 successes and 3 failures" in summary
    assert "issue 123 agent review: success by forge, https://g/7" in summary
    assert repo.git("show", "HEAD:runs/f/r1/logs_summary.txt") == run.summary_text.read_text()
    head = repo.head()
    assert runwatch("finalize", "f/r1", "--from", "fold", cwd=repo.path).returncode == 0
    assert repo.head() == head, "the same files again are no further commit"


MERGED = """
import runwatch
with runwatch.RunLogger(framework="f", run_id="r2") as run:
    issue = run.issue(123)
    with issue.agent("review") as agent:
        agent.fail("no")
        runwatch.CodeMetricsCollector().collect_for_branch_sync("feature")
    run.issue(124).finalize_issue("success")
    issue.finalize_issue("failed")
"""


def test_a_branch_that_is_in_the_base_since_the_end_outranks_what_was_said(repo: GitRepo) -> None:
    repo.git("checkout", "-q", "-b", "feature")
    repo.write("feature.py", "done\n")
    repo.commit("the feature")
    repo.git("checkout", "-q", "main")
    subprocess.run([sys.executable, "-c", MERGED], cwd=repo.path, check=True, timeout=120)
    done = runwatch("reconcile", "r2", "--merged", cwd=repo.path)
    assert (done.returncode, done.stdout.count(b"is in no base")) == (1, 1), done.stderr
    run = RunPaths(repo.path / "runs/f/r2")
    assert not run.post.exists()
    repo.git("merge", "-q", "--no-ff", "-m", "merge the feature", "feature")
    repo.git("branch", "-q", "-D", "feature")
    head = repo.head()
    done = runwatch("reconcile", "r2", "--merged", "--issue", "123", "--agent", "review", cwd=repo.path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"issue 123: merged (git: feature at ")
    report = json.loads(run.issue_file(123, "report").read_text())
    review = report["agent_metrics"]["review"]
    assert (report["status"], review["successes"], review["reported_failures"]) == ("success", 1, 1)
    assert json.loads(run.metrics.read_text())["run"]["total_successes"] == 2
    assert repo.git("rev-parse", "HEAD~1").strip() == head
    assert repo.git("log", "-1", "--format=%s").rstrip() == (
        "runwatch: f/r2 completed, since then issue 123 agent review: success by git"
    )
    again = runwatch("reconcile", "r2", "--merged", "--issue", "123", "--agent", "review", "--json", cwd=repo.path)
    assert [each["is_new"] for each in json.loads(again.stdout)] == [False]
    assert repo.git("rev-parse", "HEAD~1").strip() == head
    rows = [line.split(",") for line in (repo.path / "runs/csv/issues.csv").read_text().splitlines()]
    assert sum("r2" in row and "123" in row for row in rows) == 1, "the row is corrected, not added"


LATER = """
import sys
import runwatch
from runwatch.sources.forge import MergeRequest

class Forge:
    def latest_pipeline(self, branch): return None
    def pipeline(self, pipeline_id): return None
    def merge_request(self, branch): return MergeRequest(state="merged", url="https://g/7")

with runwatch.RunLogger(framework="f", run_id="r3") as run:
    issue = run.issue(123)
    for attempt in range(3):
        with issue.agent("review") as agent:
            agent.fail("no")
    issue.finalize_issue("failed")
assert runwatch.PipelineMonitor(Forge(), issue).verify_outcome_sync("feature", agent="review")
"""


def test_a_merge_that_the_forge_tells_of_after_the_end_is_published_too(repo: GitRepo) -> None:
    subprocess.run([sys.executable, "-c", LATER], cwd=repo.path, check=True, timeout=120)
    run = RunPaths(repo.path / "runs/f/r3")
    report = json.loads(run.issue_file(123, "report").read_text())
    review = report["agent_metrics"]["review"]
    assert report["status"] == "success"
    assert [review[name] for name in ("successes", "failures", "reported_successes", "reported_failures")] == [
        1,
        2,
        0,
        3,
    ]
    assert repo.git("show", "HEAD:runs/f/r3/logs_summary.txt") == run.summary_text.read_text()
    assert "itself reported 0 successes and 3 failures" in " ".join(run.summary_text.read_text().split())


def test_a_run_that_is_not_finalized_or_has_no_journal_is_refused(repo: GitRepo) -> None:
    run = run_of(repo)
    kept = run.finalize_state.read_bytes()
    run.finalize_state.unlink()
    (problem,) = public.UsageReconciler(run.root).check(agreeing(repo)).problems
    assert "is not finalized: `runwatch finalize r1` comes first" in problem
    run.finalize_state.write_bytes(kept)
    run.journal.unlink()
    (problem,) = public.UsageReconciler(run.root).check(agreeing(repo)).problems
    assert "has no journal" in problem
