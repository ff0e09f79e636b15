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
