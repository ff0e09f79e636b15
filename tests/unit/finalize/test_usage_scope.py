"""An export is held against the calls of the providers that it names, and against no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from journals import Journal
from runwatch.errors import UsageError
from runwatch.finalize import reconciling
from runwatch.finalize.reconciling import Reconciliation
from runwatch.journal.paths import RunPaths
from runwatch.settings import Settings
from runwatch.sources import usage_export
from runwatch.views.reconciliation import lines, log_lines

HEADER = "date,model,input_tokens,output_tokens"
GPT, CLAUDE = ("gpt-4o", "openai", 100), ("claude-sonnet-4-5", "anthropic", 500)


def check(folder: Path, calls: list[tuple[Any, ...]], *rows: str, header: str = HEADER) -> Reconciliation:
    """Return how calls (model, provider, input tokens), each with 50 tokens of output, compare with an export."""
    journal = Journal()  # begins on 2026-11-21
    journal.add("run.started", framework="f", run_id="r", llm={"provider": "openai", "model": "gpt-4o"})
    for number, (model, provider, prompt) in enumerate(calls):
        used = {"prompt_tokens": prompt, "completion_tokens": 50, "request_id": str(number)}
        journal.add("llm.completed", model=model, **({"provider": provider} if provider else {}), **used)
    paths = RunPaths(folder / "f" / "r")
    paths.root.mkdir(parents=True, exist_ok=True)
    paths.journal.write_bytes(b"".join(journal.lines))
    export = folder / "usage.csv"
    export.write_text("\n".join((header, *rows)) + "\n")
    return reconciling.compare(paths, usage_export.read(export), export.name, Settings())


@pytest.mark.parametrize(
    ("row", "beyond"),
    [
        ("2026-11-21,gpt-4o-2024-08-06,100,50", "anthropic, 1 model, 550 tokens"),
        ("2026-11-21,claude-sonnet-4-5-20250929,500,50", "openai, 1 model, 150 tokens"),
    ],
)
def test_what_another_provider_was_asked_is_not_in_an_export_and_is_said(tmp_path: Path, row: str, beyond: str) -> None:
    found = check(tmp_path, [GPT, CLAUDE], row)
    assert (found.verdict, len(found.rows), found.what.startswith("usage of ")) == ("agrees", 1, True)
    assert f"Not in this export: {beyond}." in lines(found)
    assert f"not in this export: {beyond}" in log_lines(found, "now")[-1]


def test_a_model_that_the_exports_own_provider_lacks_differs_and_so_does_what_nobody_recorded(tmp_path: Path) -> None:
    found = check(tmp_path, [GPT, ("gpt-9-new", "openai", 7), ("ft:gpt-4o:me::1", None, 7)], "2026-11-21,gpt-4o,100,50")
    assert (sorted(str(row.model) for row in found.differences), found.outside) == (
        ["ft:gpt-4o:me::1", "gpt-9-new"], []
    )  # fmt: skip
    assert found.what == "usage"
    found = check(tmp_path, [CLAUDE], "2026-11-21,gpt-4o,100,50", "2026-11-21,claude-sonnet-4-5,500,50")
    assert [row.model for row in found.differences] == ["gpt-4o"]


def test_a_provider_is_told_from_other_days_too_and_a_wrong_default_gives_way_to_the_maker(tmp_path: Path) -> None:
    other_day = "2020-01-01,claude-sonnet-4-5,9,9"
    found = check(tmp_path, [GPT, CLAUDE], "2026-11-21,gpt-4o,100,50", other_day)
    assert [row.model for row in found.differences] == ["claude-sonnet-4-5"]
    found = check(tmp_path, [GPT, ("claude-sonnet-4-5", None, 500)], "2026-11-21,gpt-4o,100,50")
    assert (found.agrees, [each.provider for each in found.outside]) == (True, ["anthropic"])


def test_a_column_of_providers_is_heeded_and_a_gateway_stands_for_the_maker(tmp_path: Path) -> None:
    header = f"provider,{HEADER}"
    both = [("gpt-4o", "openai", 100), ("gpt-4o", "azure", 900)]
    for name, prompt, others in (("OpenAI", 100, "azure"), ("azure", 900, "openai")):
        found = check(tmp_path, both, f"{name},2026-11-21,gpt-4o,{prompt},50", header=header)
        assert (found.agrees, [each.provider for each in found.outside]) == (True, [others])
    assert check(tmp_path, both, "2026-11-21,gpt-4o,100,50").agrees, "the model's maker is meant where both are there"
    for gateway in ("litellm", "my-proxy", "azure"):
        found = check(tmp_path, [("gpt-4o", gateway, 100)], "2026-11-21,gpt-4o,100,50")
        assert (found.agrees, found.outside) == (True, []), gateway
    found = check(tmp_path, [("m1", "acme", 100), GPT], "acme,2026-11-21,m1,100,50", header=header)
    assert (found.agrees, [each.provider for each in found.outside]) == (True, ["openai"])


def test_an_export_whose_provider_nobody_knows_is_held_against_all(tmp_path: Path) -> None:
    assert [row.model for row in check(tmp_path, [("m1", None, 100), GPT], "2026-11-21,m1,100,50").differences] == [
        "gpt-4o"
    ]
    assert not check(tmp_path, [GPT, CLAUDE], "2026-11-21,100,50", header="date,input_tokens,output_tokens").agrees


def test_an_export_of_a_provider_that_the_run_never_asked_verifies_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"usage.csv is of openai, and r used anthropic"):
        check(tmp_path, [CLAUDE], "2026-11-21,gpt-4o,0,0")
