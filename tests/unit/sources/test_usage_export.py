"""Usage exports in the shapes that providers document, and everything that is none."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runwatch.errors import UsageError
from runwatch.sources.usage_export import UsageRow, read


def rows(tmp_path: Path, content: str | bytes | dict[str, Any] | list[Any], **only: str) -> list[UsageRow]:
    path = tmp_path / "usage"
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read(path, only).rows)


def row(day: str | None, model: str | None, prompt: int | None, completion: int | None, cost: str | None) -> UsageRow:
    money = None if cost is None else Decimal(cost)
    return UsageRow(day=day, model=model, prompt=prompt, completion=completion, cost_usd=money)


def test_openais_usage_counts_cached_input_inside(tmp_path: Path) -> None:
    result = {
        "object": "organization.usage.completions.result", "input_tokens": 1000, "output_tokens": 500,
        "input_cached_tokens": 800, "num_model_requests": 5, "project_id": None, "model": "gpt-4o-2024-08-06",
    }  # fmt: skip
    bucket = {"object": "bucket", "start_time": 1730419200, "end_time": 1730505600, "results": [result]}
    page = {"object": "page", "data": [bucket], "has_more": False, "next_page": None}
    expected = [row("2024-11-01", "gpt-4o-2024-08-06", 1000, 500, None)]
    assert rows(tmp_path, page) == expected
    assert rows(tmp_path, [page, page]) == 2 * expected


def test_openais_costs_are_dollars_by_line_item(tmp_path: Path) -> None:
    result = {"amount": {"value": 0.06, "currency": "usd"}, "line_item": "gpt-4o, input", "project_id": "p"}
    page = {"object": "page", "data": [{"start_time": 1730419200, "results": [result]}], "has_more": False}
    assert rows(tmp_path, page) == [row("2024-11-01", "gpt-4o", None, None, "0.06")]


def test_openais_csv_has_times_twice(tmp_path: Path) -> None:
    text = (
        "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,model,input_tokens,output_tokens,"
        "input_cached_tokens\r\n1730419200,1730419260,2024-11-01T00:00:00+00:00,2024-11-01T00:01:00+00:00,p,2,gpt-4o,"
        "100,50,80\r\n1730419260,1730419320,2024-11-01T00:01:00+00:00,2024-11-01T00:02:00+00:00,,,,,,\r\n"
    )
    assert rows(tmp_path, "\ufeff" + text) == [
        row("2024-11-01", "gpt-4o", 100, 50, None),
        row("2024-11-01", None, None, None, None),
    ]


def test_anthropics_usage_counts_the_cache_beside(tmp_path: Path) -> None:
    result = {
        "uncached_input_tokens": 1500, "cache_read_input_tokens": 200, "output_tokens": 500, "model": "claude-sonnet-4",
        "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
        "server_tool_use": {"web_search_requests": 10},
    }  # fmt: skip
    bucket = {"starting_at": "2025-08-01T00:00:00Z", "ending_at": "2025-08-02T00:00:00Z", "results": [result]}
    assert rows(tmp_path, {"data": [bucket], "has_more": False}) == [
        row("2025-08-01", "claude-sonnet-4", 3200, 500, None)
    ]


def test_anthropics_cost_report_is_in_cents(tmp_path: Path) -> None:
    result = {"currency": "USD", "amount": "123.78912", "model": "claude-sonnet-4", "token_type": "output_tokens"}
    bucket = {"starting_at": "2025-08-01T00:00:00Z", "results": [result]}
    assert rows(tmp_path, {"data": [bucket]}) == [row("2025-08-01", "claude-sonnet-4", None, None, "1.2378912")]


def test_anthropics_console_export(tmp_path: Path) -> None:
    text = (
        "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
        "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
        "usage_output_tokens,web_search_count\n2026-03-22,claude-sonnet-4-20250514,ci,Default,std,≤ 200k,100,20,3,4,"
        '"1,050",0\n2026-03-22,claude-sonnet-4-20250514,other,Default,standard,≤ 200k,9,9,9,9,9,0\n'
    )
    assert rows(tmp_path, text, api_key="ci") == [row("2026-03-22", "claude-sonnet-4-20250514", 127, 1050, None)]


def test_a_table_of_ones_own_and_what_was_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("Day,Model,Prompt_Tokens,Completion_Tokens,Cost_USD,Team\n2026-11-21,m,1,2,$0.5,x\n\n")
    found = read(path)
    assert found.rows == (row("2026-11-21", "m", 1, 2, "0.5"),)
    assert found.unused == ("team",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "usage is empty: export the days"),
        ("when,inptu_tokens\n1,2\n", "usage, line 1: none of its columns (when, inptu_tokens) is known: it needs"),
        ("date,model,input_tokens\n2026-11-21,m,12x\n", "usage, line 2, input_tokens: '12x' is not a number"),
        ("date,input_tokens\n2026-11-21,-1\n", "line 2, input_tokens: '-1' is not a number of tokens: give a whole"),
        ("date,input_tokens\n2026-11-21,1.5\n", "line 2, input_tokens: '1.5' is not a number of tokens"),
        ("date,cost_usd\n2026-11-21,1\n2026-11-22,nan\n", "line 3, cost_usd: 'nan' is not an amount of money"),
        ("date,input_tokens\n21.11.2026,1\n", "line 2, date: '21.11.2026' is not a day: give YYYY-MM-DD"),
        ("date,input_tokens\n2026-11-21\n", "line 2: 1 cells under 2 columns"),
        ("date,input_tokens,date\n", "column 'date' stands there twice"),
        ("date,cost,currency\n2026-11-21,1,EUR\n", "line 2: the currency is 'EUR': export the costs in USD"),
        (b"date,input_tokens\n2026-11-21,\xff\n", "line 2: not UTF-8 (0xff)"),
        ('date,input_tokens\n"2026', "no CSV"),
        ('{"data": [\n,', "line 2: no JSON"),
        ("[" * 100_000, "no JSON"),
        ({"data": [], "has_more": True}, "there are further pages"),
        ([1], "item 1: 1 is no object"),
        ({"data": [{"start_time": 1, "results": [7]}]}, "data[0].results[0]: 7 is no object"),
        ({"data": [{"start_time": 1, "results": [{"input_tokens": True}]}]}, "data[0].results[0], input_tokens: True"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_one_sentence_with_its_place(tmp_path: Path, content: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        rows(tmp_path, content)
    assert says in caught.value.sentence
    assert "\n" not in caught.value.sentence


def test_a_file_that_is_not_there_and_a_column_that_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read \(No such file or directory\)"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(UsageError, match="has no column 'team' to choose rows by: it has date, input_tokens"):
        rows(tmp_path, "date,input_tokens\n2026-11-21,1\n", team="x")
