"""The examples for Prometheus and Grafana name only metrics that there are, and Prometheus's own tool takes them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import metrics_samples as samples
from runwatch.events.instruments import PROMISED
from runwatch.views.prometheus import Collector, Exposed, Summed

FOLDER = Path(__file__).parents[2] / "docs" / "prometheus"
_NAME = re.compile(r"\b(?:runwatch_run|llm|git|task|tasks|dispatch)_\w+")


def _known() -> set[str]:
    runs = {family.name for family in Collector([Exposed(samples.full(), live=True)], Summed([])).collect()}
    instruments = {
        f"{name}{end}"
        for name, one in PROMISED.items()
        for end in (("_bucket", "_count", "_sum") if one.kind == "histogram" else ("",))
    }
    return runs | instruments


def test_every_metric_that_the_examples_name_is_exposed() -> None:
    rules = " ".join(re.findall(r"expr: (.*)", (FOLDER / "alerts.yml").read_text()))
    panels = json.loads((FOLDER / "grafana.json").read_text())["panels"]
    dashboard = " ".join(target["expr"] for panel in panels for target in panel["targets"])
    for text in (rules, dashboard):
        named = set(_NAME.findall(text))
        assert len(named) > 5
        assert named <= _known()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_prometheus_takes_the_configuration_and_the_rules() -> None:
    for command in (["config", "prometheus.yml"], ["rules", "alerts.yml"]):
        done = subprocess.run(["promtool", "check", *command], cwd=FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_a_run_that_failed_raises_its_alert_for_half_an_hour_only(tmp_path: Path) -> None:
    run = 'framework="a", run_id="r"'
    series = {
        f'runwatch_run_info{{{run}, status="failed"}}': "1x60",
        f"runwatch_run_dropped_events{{{run}}}": "3x60",
        f"runwatch_run_end_timestamp_seconds{{{run}}}": "0x60",
    }
    wanted = [
        {"eval_time": time, "alertname": alert, "exp_alerts": alerts if time == "5m" else []}
        for alert, alerts in {
            "RunFailed": [{
                "exp_labels": {"severity": "warning", "framework": "a", "run_id": "r", "status": "failed"},
                "exp_annotations": {"summary": "a/r failed"},
            }],
            "EventsDropped": [{
                "exp_labels": {"severity": "critical", "framework": "a", "run_id": "r"},
                "exp_annotations": {"summary": "r could not record 3 events: is the disk full?"},
            }],
        }.items()
        for time in ("5m", "31m")
    ]  # fmt: skip
    given = [{"series": name, "values": values} for name, values in series.items()]
    tests = [{"interval": "1m", "input_series": given, "alert_rule_test": wanted}]
    (tmp_path / "test.yml").write_text(json.dumps({"rule_files": [str(FOLDER / "alerts.yml")], "tests": tests}))
    done = subprocess.run(
        ["promtool", "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
