"""One rich run: the same metric has the same value in every file and on every screen that shows it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from journals import Journal, scenario_issues
from runwatch.finalize.publish import Publisher
from runwatch.fold import Metrics
from runwatch.journal.paths import RunPaths
from runwatch.settings import Settings
from runwatch.tui.panels import agents, debugging, errors, model, overview, pipelines, tools
from runwatch.units import count, count_short, latency, percent, usd
from runwatch.views import prometheus, summary_markdown, summary_text

RUN_ID = "run_20261121_100000_project_168"
PANELS = {
    "agents": agents.lines, "debugging": debugging.lines, "errors": errors.lines, "model": model.lines,
    "overview": overview.lines, "pipelines": pipelines.lines, "tools": tools.lines,
}  # fmt: skip


class Shown(NamedTuple):
    """One metric: where metrics.json has it, and where each other output does.

    ``texts`` are (output, pattern): the pattern's group must be the value as ``form`` writes it; panels round by
    ``short``.
    """

    json: str
    csv: tuple[str, Mapping[str, str], str] | None = None
    prometheus: tuple[str, Mapping[str, str]] | None = None
    report: str | None = None
    texts: tuple[tuple[str, str], ...] = ()
    form: Callable[[Any], str] = str
    short: Callable[[Any], str] = str


_123 = {"issue_id": "123"}
METRICS = (
    Shown("run.cost_usd", ("runs", {}, "estimated_cost_usd"), ("runwatch_run_cost_dollars", {}), None,
          (("summary", r"Cost: +(\S+)"), ("model", r"cost  (\S+)"), ("overview", r"cost .*(\$\S+)")), usd, usd),
    Shown("run.tokens.total", ("runs", {}, "total_tokens"), ("runwatch_run_tokens", {"kind": "total"}), None,
          (("summary", r"Tokens: +(\S+) \(prompt"), ("model", r"tokens  (\S+)"),
           ("overview", r"tokens\D+?[^\d.]+(\S+) ")),
          count, count_short),
    Shown("run.tokens.prompt", ("runs", {}, "input_tokens"), ("runwatch_run_tokens", {"kind": "prompt"}), None,
          (("summary", r"\(prompt (\S+),"), ("overview", r"(\S+) prompt")), count, count_short),
    Shown("run.tokens.completion", ("runs", {}, "output_tokens"), ("runwatch_run_tokens", {"kind": "completion"}), None,
          (("summary", r"completion (\S+),"), ("overview", r"(\S+) compl")), count, count_short),
    Shown("run.llm_calls", None, ("runwatch_run_llm_calls", {}), None,
          (("summary", r"Calls: +(\S+) for"), ("overview", r"(\S+) calls"))),
    Shown("run.llm_requests", None, ("runwatch_run_llm_requests", {}), None, (("summary", r"for (\S+) requests"),)),
    Shown("run.llm_duration_s", None, ("runwatch_run_llm_seconds", {}), None,
          (("overview", r"(\S+) in calls"),), str, latency),
    Shown("run.duration_seconds", ("runs", {}, "duration_seconds"), ("runwatch_run_duration_seconds", {})),
    Shown("run.exit_code", ("runs", {}, "exit_code"), ("runwatch_run_exit_code", {}), None,
          (("summary", r"exit code (\d+)"),)),
    Shown("run.total_successes", ("runs", {}, "total_successes"), ("runwatch_run_issues", {"outcome": "success"}), None,
          (("summary", r"Successes: (\d+)"), ("overview", r"(\d+)/\d+ +\S+ ended well"))),
    Shown("run.total_errors", ("runs", {}, "total_errors"), ("runwatch_run_issues", {"outcome": "error"}), None,
          (("summary", r"Errors: (\d+)"),)),
    Shown("run.success_rate", ("runs", {}, "success_rate"), ("runwatch_run_success_percent", {}), None,
          (("summary", r"Success rate: (\S+)%"), ("overview", r"(\S+) ended well")), str, percent),
    Shown("run.errors", None, ("runwatch_run_errors", {}), None,
          (("summary", r"(\d+) error of 1 kind"), ("overview", r"errors +(\d+)"), ("errors", r"(\d+)×"))),
    Shown("issues.0.duration_s", ("issues", _123, "duration_seconds"), None, "duration_seconds"),
    Shown("issues.0.total_errors", ("issues", _123, "total_errors"), None, "total_errors",
          (("summary", r"duration 46.0s; errors (\d+)"),)),
    Shown("issues.0.tokens.total", ("issues", _123, "total_tokens"), None, "tokens.total",
          (("summary", r"errors \d+; tokens ([\d,]+);"),), count),
    Shown("issues.1.cost_usd", ("issues", {"issue_id": "124"}, "estimated_cost_usd"), None, None,
          (("summary", r"By issue: +124 (\S+)"), ("model", r"124 +━+ +(\S+)")), usd, usd),
    Shown("cost_by_agent.coding", None, None, None,
          (("summary", r"By agent: +coding (\S+)"), ("agents", r"coding .* (\$\S+)")), usd, usd),
    Shown("issues.0.pipeline_totals.attempts", ("issues", _123, "pipeline_attempts"), None, "pipeline_attempts"),
    Shown("pipeline_totals.attempts", None, None, None,
          (("summary", r"PIPELINES\n=+\nAttempts: (\d+)"), ("pipelines", r"(\d+) ended"))),
    Shown("pipeline_totals.succeeded", None, ("runwatch_run_pipelines", {"result": "success"}), None,
          (("summary", r"Succeeded: (\d+)"), ("pipelines", r"(\d+) succeeded"), ("overview", r"pipelines \D+(\d+)/3"))),
    Shown("pipeline_totals.failed", None, ("runwatch_run_pipelines", {"result": "failed"}), None,
          (("summary", r"Failed: (\d+)"), ("pipelines", r"(\d+) failed"), ("overview", r"(\d+) failed"))),
    Shown("pipeline_totals.success_rate", None, None, None,
          (("summary", r"Failed: \d+ +Success rate: (\S+)%"), ("pipelines", r"(\S+) success rate")), str, percent),
    Shown("issues.0.pipeline_totals.success_rate", None, None, "pipeline_success_rate"),
    Shown("debugging_totals.cycles", ("issues", _123, "debugging_cycles"), ("runwatch_run_debugging_cycles", {}),
          "debugging_cycles", (("summary", r"Cycles: (\d+)"), ("debugging", r"(\d+) cycle"))),
    Shown("debugging_totals.resolved", None, ("runwatch_run_debugging_resolved", {}), "resolved_cycles",
          (("summary", r"Resolved: (\d+)"), ("debugging", r"(\d+) resolved"))),
    Shown("debugging_totals.attempts", ("debugging_cycles", {}, "attempts"), ("runwatch_run_debugging_attempts", {}),
          "debugging_details.0.attempts", (("debugging", r"(\d+) attempts"),)),
    Shown("debugging_totals.success_rate", None, None, "debugging_success_rate",
          (("debugging", r"(\S+) success rate"),), str, percent),
    Shown("debugging.0.duration_s", ("debugging_cycles", {}, "duration_seconds"), None,
          "debugging_details.0.duration_seconds", (("debugging", r"(\S+) mean to"),), str, latency),
    Shown("agents.1.retries", None, ("runwatch_run_agent_retries", {"agent": "testing"}),
          "agent_metrics.testing.retries",
          (("summary", r"testing +1 +1 +0 +(\d+)"), ("agents", r"testing.*━ +1 +– +\S+ +(\d+)"))),
    Shown("issues.0.agents.1.duration_s", ("agents", {"agent": "testing"}, "duration_seconds"), None,
          "agent_metrics.testing.duration"),
    Shown("tools.0.calls", ("tool_usage", {"tool_name": "git"}, "call_count"), None, None,
          (("summary", r"git +(\d+)"), ("tools", r"git +(\d+)"))),
    Shown("tools.0.failures", ("tool_usage", {"tool_name": "git"}, "failure_count"),
          ("runwatch_run_tool_calls", {"tool": "git", "result": "failure"}), None,
          (("summary", r"git +\d+ +\d+ +(\d+)"), ("tools", r"git +\d+ +(\d+)"))),
    Shown("tools.0.durations.total_s", None, ("runwatch_run_tool_seconds", {"tool": "git"}), None,
          (("summary", r"git +\d+ +\d+ +\d+ +\d+ +(\S+)"), ("tools", r"git +\d+ +\d+ +– +(\S+)")), latency, latency),
)  # fmt: skip


class Outputs:
    """Everything that shows the run."""

    def __init__(self, metrics: Metrics, paths: RunPaths) -> None:
        read = {path.name: path.read_text() for path in paths.root.rglob("*.json")}
        self.json = json.loads(read["metrics.json"])
        self.metadata = json.loads(read["metadata.json"])
        self.report = json.loads(read["issue_123_report.json"])
        self.tables = {
            path.stem: list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
            for path in (paths.root / "csv").glob("*.csv")
        }
        exposed = prometheus.Collector(
            [prometheus.Exposed(metrics, live=False)], prometheus.Summed(prometheus.added([metrics.instruments]))
        )
        self.samples = [sample for family in exposed.collect() for sample in family.samples]
        self.texts = {
            name: "\n".join(line.content.plain for line in panel(metrics, 160, 60)) for name, panel in PANELS.items()
        }
        self.texts["summary"] = summary_text.render(metrics)
        self.markdown = summary_markdown.render(metrics)

    def cell(self, table: str, where: Mapping[str, str], column: str) -> str:
        (row,) = [row for row in self.tables[table] if where.items() <= row.items()]
        return row[column]

    def sample(self, name: str, labels: Mapping[str, str]) -> float:
        (found,) = [each for each in self.samples if each.name == name and labels.items() <= each.labels.items()]
        return float(found.value)


def at(data: Any, path: str) -> Any:
    for key in path.split("."):
        data = data[int(key)] if isinstance(data, list) else data[key]
    return data


def rich_run() -> Journal:
    journal = scenario_issues()
    journal.lines.pop()  # the seal
    journal.llm(
        after=3.5, issue=124, agent="coding", step=1, prompt_tokens=12345, completion_tokens=678, cost_usd=1.234567
    )
    journal.add("llm.completed", result="rate_limit", step=1, duration_s=0.25)
    for success in (True, True, False):
        journal.tool("git", 1.5, success=success, agent="coding", issue=124)
    journal.add("error", error_type="ValueError", message="bad", issue=125)
    journal.run_completed("failed", after=1, exit_code=3)
    return journal


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """The files of a run as the finalizer leaves them, and what the screens make of it."""
    paths = RunPaths(tmp_path_factory.mktemp("all") / "runs" / "baes" / RUN_ID)
    paths.root.mkdir(parents=True)
    journal = rich_run()
    journal.write(paths.journal)
    publisher = Publisher(paths, Settings(), {})
    metrics = journal.metrics()
    publisher.live(metrics)
    publisher.close()
    return Outputs(metrics, paths)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.json)
def test_every_output_that_shows_a_metric_shows_the_same_value(outputs: Outputs, metric: Shown) -> None:
    value = at(outputs.json, metric.json)
    assert value, "a zero proves nothing"
    if metric.csv is not None:
        assert float(outputs.cell(*metric.csv)) == value
    if metric.prometheus is not None:
        assert outputs.sample(*metric.prometheus) == value
    if metric.report is not None:
        assert at(outputs.report, metric.report) == value
    for output, pattern in metric.texts:
        found = re.search(pattern, outputs.texts[output])
        assert found is not None, f"{output} does not match {pattern!r}:\n{outputs.texts[output]}"
        assert found[1] == (metric.form if output == "summary" else metric.short)(value), output


def test_the_instruments_of_model_calls_agree_with_the_sums_of_the_run(outputs: Outputs) -> None:
    run = outputs.json["run"]

    def total(name: str) -> float:
        return sum(sample.value for sample in outputs.samples if sample.name == name)

    assert total("llm_requests_total") == total("llm_request_duration_seconds_count") == run["llm_calls"]
    assert total("llm_request_duration_seconds_sum") == run["llm_duration_s"]
    assert total("llm_tokens_total") == run["tokens"]["total"] == sum(outputs.json["series"]["tokens"])
    assert total("llm_cost_dollars_total") == run["cost_usd"]


def test_metadata_and_metrics_say_the_same_of_the_run(outputs: Outputs) -> None:
    for name in ("run_id", "project_id", "mode", "llm_configuration", "total_successes", "total_errors", "status"):
        assert outputs.metadata[name] == outputs.json["run"][name], name


def test_the_summary_of_a_pull_request_has_the_numbers_of_the_text(outputs: Outputs) -> None:
    for fragment in ("16,023", "$1.23", "66.67%", "33.33%", "deepseek-chat"):
        assert fragment in outputs.markdown
        assert fragment in outputs.texts["summary"]
