"""Step 4: the issues, one after the other, with their agents, pipelines and debugging cycles.

Must not know what is wrong with the package: the story does, and the pipeline judges.
"""

from __future__ import annotations

from runwatch import IssueTracker
from runwatch.demo.bench import Bench, RepairFailed
from runwatch.demo.checking import Pipelines
from runwatch.demo.pipeline import Result
from runwatch.demo.story import Issue, Regression, Repair

_MAX_ATTEMPTS = 3


class PipelineFailed(Exception):
    """What was thought to repair an issue does not."""

    def __init__(self, result: Result) -> None:
        failures = result.tests.failures
        first = f": {failures[0].test}: {failures[0].message}" if failures else ""
        super().__init__(f"pipeline {result.number} {result.status}, {_tests(len(failures))}{first}")
        self.result = result


def repair_all(bench: Bench, pipelines: Pipelines) -> int:
    """Repair every issue; return how often a repair had to be tried again. Raises RepairFailed."""
    return sum(_IssueWork(bench, pipelines, issue).do() for issue in bench.story.issue)


class _IssueWork:
    """The work on one issue."""

    def __init__(self, bench: Bench, pipelines: Pipelines, issue: Issue) -> None:
        self._bench = bench
        self._pipelines = pipelines
        self._issue = issue
        self._tracker: IssueTracker = bench.run.issue(issue.id, issue.title)
        self._commits: list[str] = [bench.head()]
        self._files: dict[str, None] = {}

    def do(self) -> int:
        """Code, debug where needed, test and review; return the number of repairs beyond the first."""
        self._bench.say(f"issue {self._issue.id}: {self._issue.title}")
        tries = self._repair()
        self._write_tests(self._issue.regression[:1])
        for number in range(len(self._issue.objection) + 1):
            if self._review(number):
                break
            self._write_tests(self._issue.regression[number + 1 : number + 2])
        self._tracker.record_outcome(True, "ci")
        self._tracker.finalize_issue("resolved")
        return tries - 1

    # --- coding and debugging

    def _repair(self) -> int:
        """Try the repairs until the pipeline passes; return how many it took."""
        repairs = self._issue.repair or (Repair("Leave everything as it is", "The story holds no repair."),)
        try:
            self._attempt("coding", repairs[0], failure=None)
        except PipelineFailed as failed:
            self._bench.orchestrator.exception("the repair of issue %s is not enough", self._issue.id)
            return 1 + self._debug(failed, repairs[1:])
        return 1

    def _debug(self, failed: PipelineFailed, repairs: tuple[Repair, ...]) -> int:
        """Go through a debugging cycle; return the tries that it took. Raises RepairFailed."""
        error_type = failed.result.error_type or "PipelineFailed"
        self._tracker.record_error(error_type, str(failed))
        with self._tracker.debugging("coding", error_type, str(failed)) as cycle:
            for number, repair in enumerate(repairs, 1):
                cycle.attempt()
                self._bench.say(f"  debugging issue {self._issue.id}, attempt {number}")
                try:
                    self._attempt("debugging", repair, failure=failed)
                except PipelineFailed as again:
                    self._bench.orchestrator.warning("attempt %d: %s", number, again)
                    failed = again
                    continue
                cycle.resolve(f"attempt {number}: {repair.message}")
                return number
            cycle.give_up()
        self._tracker.finalize_issue("failed")
        raise RepairFailed(f"issue {self._issue.id} is not repaired: {failed}")

    def _attempt(self, scene: str, repair: Repair, failure: PipelineFailed | None) -> None:
        """Make one repair, commit it and run the pipeline. Raises PipelineFailed."""
        with self._tracker.agent("coding", max_attempts=_MAX_ATTEMPTS) as agent:
            files = list(dict.fromkeys(edit.file for edit in repair.edit))
            material = "\n\n".join([self._issue.body, *map(self._bench.read_file, self._issue.sources)])
            for edit in repair.edit:
                self._bench.edit(edit)
            diff = self._bench.diff("--", *files)
            first = failure.result.tests.failures[0] if failure and failure.result.tests.failures else None
            self._bench.ask(
                scene, material, issue=self._issue.id, files=" and ".join(files), diff=diff, reason=repair.reason,
                commit_message=repair.message, test=first.test if first else "", message=first.message if first else "",
            )  # fmt: skip
            self._commit(f"{repair.message} (issue {self._issue.id})", files, "coding")
            result = self._check()
            if not result.passed:
                agent.fail(f"pipeline {result.number}: failed {_tests(len(result.tests.failures))}")
                raise PipelineFailed(result)

    def _check(self) -> Result:
        return self._pipelines.run(self._commits[-1], by="coding", targets=self._issue.targets, tracker=self._tracker)

    def _commit(self, message: str, files: list[str], who: str) -> None:
        head = self._bench.commit(message, files, who) if files else self._commits[-1]
        if head == self._commits[-1]:
            self._bench.say(f"  nothing to commit: {message}")
            return
        self._commits.append(head)
        self._files |= dict.fromkeys(files)
        self._bench.say(f"  commit {head[:10]} {message}")

    # --- testing and review

    def _write_tests(self, regressions: tuple[Regression, ...]) -> None:
        for regression in regressions:
            with self._tracker.agent("testing"):
                source = regression.source.removeprefix("\n")
                self._bench.ask(
                    "testing", self._issue.body, issue=self._issue.id, title=self._issue.title, file=regression.file,
                    source=source,
                )  # fmt: skip
                self._bench.write_file(regression.file, source)
                self._commit(regression.message, [regression.file], "testing")

    def _review(self, number: int) -> bool:
        """Read the issue's diff; return whether it is accepted."""
        objection = self._issue.objection[number] if number < len(self._issue.objection) else None
        with self._tracker.agent("review") as agent:
            diff = self._bench.diff(f"{self._commits[0]}..HEAD")
            self._bench.ask(
                "review", diff, issue=self._issue.id, files=" and ".join(self._files),
                remark=objection.remark if objection else "No: what is promised is tested.",
                verdict="Not yet." if objection else "Yes.",
            )  # fmt: skip
            if objection is not None:
                self._bench.orchestrator.warning("review of issue %d: %s", self._issue.id, objection.remark)
                self._bench.say(f"  review: {objection.remark}")
                agent.fail(objection.remark)
        return objection is None


def _tests(number: int) -> str:
    return f"{number} test{'' if number == 1 else 's'}"
