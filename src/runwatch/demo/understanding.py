"""Steps 1 to 3: what the package is, what fails, and what is to be done.

Must not change the repository.
"""

from __future__ import annotations

import ast
import sqlite3

import msgspec

from runwatch import service
from runwatch.demo.bench import Bench
from runwatch.demo.checking import Pipelines
from runwatch.demo.pipeline import Result
from runwatch.demo.registry import NAME

_BACKOFF_S = 0.6
"""At normal speed."""


class Source(msgspec.Struct, frozen=True):
    """A Python file and what it defines."""

    file: str
    """Path in the repository."""
    text: str
    """Its content."""
    doc: str
    """First line of its docstring."""
    names: dict[str, str]
    """Function, method or class → first line of its docstring."""


def understand(bench: Bench) -> None:
    """Read every file, and have the model say what each of them and each of their functions is for."""
    files = [file for file in bench.list_files() if file.endswith(".py")]
    bench.say(f"{len(files)} Python files to read")
    _look_for_guidelines(bench)
    sources = [_parse(file, bench.read_file(file)) for file in files]
    for source in sources:
        names = ", ".join(source.names) or "nothing"
        lines = len(source.text.splitlines())
        bench.ask("file", source.text, file=source.file, doc=source.doc, lines=lines, names=names)
        bench.say(f"  {source.file}: {lines} lines")
        if source.file.startswith("src/"):
            for name, doc in source.names.items():
                if doc:
                    bench.ask("function", source.text, file=source.file, name=name, doc=doc)
    bench.ask("whole", "\n".join(f"{source.file}: {source.doc}" for source in sources))
    tests = sum(name.startswith("test_") for source in sources for name in source.names)
    bench.validator.info("the package has %d tests", tests, extra={"tests": tests})


def reproduce(bench: Bench, pipelines: Pipelines) -> Result:
    """Fetch the open issues, run the whole pipeline, and find the issue behind each failure."""
    for number, title, body in fetch_issues(bench):
        bench.say(f"  issue {number}: {title}")
        bench.orchestrator.info("issue %d: %s", number, body, extra={"title": title})
    result = pipelines.run(bench.head(), by="orchestrator")
    material = "\n".join(f"{failure.test}: {failure.message}" for failure in result.tests.failures)
    for failure in result.tests.failures:
        issue = bench.story.issue_of_test(failure.test)
        bench.ask(
            "failure", material, test=failure.test, message=failure.message, issue=issue.id, title=issue.title
        )  # fmt: skip
    bench.ask("flaky", material, failed=len(result.tests.failures))
    return result


def plan(bench: Bench) -> None:
    """Weigh what could be behind each issue, and ask a person whether to go on."""
    for issue in bench.story.issue:
        material = "\n\n".join([issue.title, issue.body, *map(bench.read_file, issue.sources)])
        for hypothesis in issue.hypotheses:
            bench.ask("hypothesis", material, issue=issue.id, hypothesis=hypothesis)
        bench.ask(
            "plan", material, issue=issue.id, choice=issue.choice, risk=issue.risk,
            test_files=" and ".join(issue.test_files),
        )  # fmt: skip
        bench.orchestrator.info("plan for issue %d: %s", issue.id, issue.choice)
        bench.say(f"  issue {issue.id}: {issue.choice}")
    bench.ask("order")
    with bench.run.hitl(bench.story.question) as question:
        bench.say(f"? {bench.story.question}")
        bench.pace.rest(1.2)
        question.answer(bench.story.answer)
    bench.say(f"  {bench.story.answer}")


def fetch_issues(bench: Bench) -> list[tuple[int, str, str]]:
    """Ask the task registry, which is busy with another writer at first."""
    with service(NAME, "list_open") as call:
        try:
            with bench.registry.held_by_another():
                bench.registry.open_issues()
        except sqlite3.OperationalError as error:
            backoff_s = bench.pace.scaled(_BACKOFF_S)
            call.retry(error, backoff_s)
            bench.complain(f"{NAME}: {error}; once more in {backoff_s} s")
            bench.pace.rest(_BACKOFF_S)
        issues = bench.registry.open_issues()
    bench.run.emit("service.health", {"service": NAME, "healthy": True})
    return issues


def _look_for_guidelines(bench: Bench) -> None:
    """See whether the package has rules for contributors; it has none, and the tool says so."""
    try:
        bench.read_file("CONTRIBUTING.md")
    except FileNotFoundError:
        bench.adapter.info("no CONTRIBUTING.md: the style of the files is the guideline")


def _parse(file: str, text: str) -> Source:
    tree = ast.parse(text)
    names: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names[node.name] = _first_line(node)
        elif isinstance(node, ast.ClassDef):
            names[node.name] = ""
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            names |= {f"{node.name}.{method.name}": _first_line(method) for method in methods}
    return Source(file=file, text=text, doc=_first_line(tree), names=names)


def _first_line(node: ast.Module | ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]
