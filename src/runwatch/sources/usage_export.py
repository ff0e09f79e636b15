"""A provider's usage or cost export as rows: OpenAI's and Anthropic's, CSV or JSON, or a table of one's own.

No journal, no comparison. Must not guess: a value that cannot be meant is an error with its place.
**Source**: OpenAI API reference, "Usage" (completions) and "Costs"; Anthropic Admin API, "Get messages usage report"
and "Get cost report" (amounts in cents); the columns of Anthropic's console export.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from runwatch.errors import UsageError

MOST_BYTES = 256 * 1024 * 1024
"""A larger file is no export of one run's days."""

_DAY = ("date", "day", "usage_date_utc", "start_time_iso", "start_time", "starting_at", "timestamp", "time")
_MODEL = ("model", "model_version", "model_name", "snapshot_id", "line_item")
_PROVIDER = ("provider", "provider_name")
_INPUT = ("input_tokens", "prompt_tokens")
_UNCACHED = ("uncached_input_tokens", "usage_input_tokens_no_cache")
_OUTPUT = ("output_tokens", "completion_tokens", "usage_output_tokens")
_READ_INSIDE = ("input_cached_tokens", "cached_tokens", "cache_read_tokens")
_READ_BESIDE = ("cache_read_input_tokens", "usage_input_tokens_cache_read")
_WRITE_INSIDE = ("cache_write_tokens",)
_WRITE_BESIDE = (
    "cache_creation_input_tokens", "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens", "usage_input_tokens_cache_write", "usage_input_tokens_cache_write_5m",
    "usage_input_tokens_cache_write_1h",
)  # fmt: skip
_COST = ("cost_usd", "amount_usd", "amount.value", "amount_value", "cost", "amount")
_CURRENCY = ("currency", "amount.currency", "amount_currency")
_TOKENS = (*_INPUT, *_UNCACHED, *_OUTPUT, *_READ_INSIDE, *_READ_BESIDE, *_WRITE_INSIDE, *_WRITE_BESIDE)
_KNOWN = frozenset((*_DAY, *_MODEL, *_PROVIDER, *_TOKENS, *_COST, *_CURRENCY))
ACCEPTED = "tokens (input_tokens, output_tokens, …) or a cost (cost_usd, …), by day (date, start_time, …)"


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row; None: the export does not say."""

    day: str | None
    """YYYY-MM-DD, UTC."""
    model: str | None
    provider: str | None = None
    """Only a table over several providers has this column."""
    prompt: int | None = None
    """All input, cached included."""
    completion: int | None = None
    cost_usd: Decimal | None = None


class UsageExport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds."""

    rows: tuple[UsageRow, ...]
    unused: tuple[str, ...]
    """Columns that were not looked at."""
    digest: str = ""
    """SHA-256 of the file, hexadecimal."""
    made_s: float = 0.0
    """When the file was written, POSIX seconds."""


def read(path: Path, only: Mapping[str, str] | None = None) -> UsageExport:
    """Return the rows of an export; of ``only``, column to value, those that have the value.

    Raises UsageError, one sentence with file, line or place, value and remedy.
    """
    try:
        status = path.stat()
        size = status.st_size
        data = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): give a file that a provider exported.") from None
    if size > MOST_BYTES:
        raise UsageError(f"{path} has {size} bytes, which is no export of a run's days: export fewer days.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {line}: not UTF-8 ({data[error.start]:#04x}): export it as UTF-8.") from None
    found = list(_json(path, text) if text.lstrip().startswith(("{", "[")) else _csv(path, text))
    columns = dict.fromkeys(name for _, row in found for name in row)
    _check(path, list(columns))
    for name in only or {}:
        if name not in columns:
            raise UsageError(f"{path} has no column {name!r} to choose rows by: it has {', '.join(columns)}.")
    wanted = [
        (at, row) for at, row in found if all(str(row.get(name)) == value for name, value in (only or {}).items())
    ]
    rows = tuple(_row(f"{path}, {at}", row) for at, row in wanted)
    return UsageExport(
        rows=rows,
        unused=tuple(name for name in columns if name not in _KNOWN),
        digest=hashlib.sha256(data).hexdigest(),
        made_s=status.st_mtime,
    )


def _csv(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(lines, [])]
        if not header:
            raise UsageError(f"{path} is empty: export the days of the run, with their header.")
        if len(set(header)) != len(header):
            twice = next(name for name in header if header.count(name) > 1)
            raise UsageError(f"{path}, line 1: column {twice!r} stands there twice: keep one of them.")
        _check(path, header)
        for row in lines:
            if not any(cell.strip() for cell in row):
                continue
            at = f"line {lines.line_num}"
            if len(row) != len(header):
                raise UsageError(f"{path}, {at}: {len(row)} cells under {len(header)} columns: export it again.")
            yield at, {name: cell.strip() for name, cell in zip(header, row, strict=True) if cell.strip()}
    except csv.Error as error:
        raise UsageError(f"{path}, line {lines.line_num}: no CSV ({error}): export it again.") from None


def _json(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of pages, buckets or plain lists, each with its place."""
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise UsageError(f"{path}, line {line}: no JSON ({getattr(error, 'msg', error)}): export it again.") from None
    pages = value if isinstance(value, list) else [value]
    last = pages[-1] if pages else None
    if isinstance(last, dict) and last.get("has_more"):
        raise UsageError(f"{path} ends with has_more: there are further pages; put all of them into one JSON list.")
    for at, page in enumerate(pages):
        place = f"page {at + 1}" if isinstance(page, dict) and "data" in page else f"item {at + 1}"
        if not isinstance(page, dict):
            raise UsageError(f"{path}, {place}: {page!r:.40} is no object: give the provider's pages or rows.")
        buckets = page.get("data", [page])
        for number, bucket in enumerate(buckets if isinstance(buckets, list) else [buckets]):
            yield from _bucket(path, f"{place} data[{number}]" if "data" in page else place, bucket)


def _bucket(path: Path, place: str, bucket: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(bucket, dict):
        raise UsageError(f"{path}, {place}: {bucket!r:.40} is no object: give the provider's pages or rows.")
    results = bucket.get("results", bucket.get("result"))
    if results is None:
        yield place, _flat(bucket)
        return
    times = {name: bucket[name] for name in _DAY if name in bucket}
    for number, row in enumerate(results if isinstance(results, list) else [results]):
        if not isinstance(row, dict):
            raise UsageError(f"{path}, {place}.results[{number}]: {row!r:.40} is no object: export it again.")
        yield f"{place}.results[{number}]", {**times, **_flat(row)}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with nested objects as ``outer.inner``; what is null is left out."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        pairs = {f"{name}.{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {name: value}
        flat |= {key.lower(): each for key, each in pairs.items() if each is not None}
    return flat


def _check(path: Path, columns: list[str]) -> None:
    """Refuse what holds neither tokens nor a cost."""
    if columns and not any(name in columns for name in (*_TOKENS, *_COST)):
        named = ", ".join(columns[:12])
        raise UsageError(f"{path}, line 1: none of its columns ({named}) is known: it needs {ACCEPTED}.")


def _row(place: str, row: Mapping[str, Any]) -> UsageRow:
    inside, uncached = _sum(place, row, _INPUT, most=1), _sum(place, row, _UNCACHED, most=1)
    beside = [each for each in (_sum(place, row, _READ_BESIDE), _sum(place, row, _WRITE_BESIDE)) if each is not None]
    known = inside if inside is not None else uncached
    prompt = None if known is None and not beside else (known or 0) + sum(beside)
    if uncached is not None:
        prompt = (prompt or 0) + (_sum(place, row, (*_READ_INSIDE, *_WRITE_INSIDE)) or 0)
    return UsageRow(
        day=_day(place, row),
        model=next((_model(name, row[name]) for name in _MODEL if name in row), None),
        provider=next((str(row[name]).strip() for name in _PROVIDER if name in row), None),
        prompt=prompt,
        completion=_sum(place, row, _OUTPUT, most=1),
        cost_usd=_cost(place, row),
    )


def _model(column: str, value: Any) -> str:
    """Return a model's name; a line item names it before a comma."""
    return str(value).split(",")[0].strip() if column == "line_item" else str(value).strip()


def _sum(place: str, row: Mapping[str, Any], names: Iterable[str], most: int = 9) -> int | None:
    found = [_tokens(place, name, row[name]) for name in names if name in row]
    return sum(found[:most]) if found else None


def _tokens(place: str, column: str, value: Any) -> int:
    number = _number(place, column, value, "a number of tokens: give a whole one, 0 or more")
    if number != number.to_integral_value():
        raise UsageError(f"{place}, {column}: {value!r} is not a number of tokens: give a whole one, 0 or more.")
    return int(number)


def _number(place: str, column: str, value: Any, what: str) -> Decimal:
    text = str(value).strip().removeprefix("$")
    text = text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text) else text
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or not 0 <= number < 10**15:
        raise UsageError(f"{place}, {column}: {value!r:.60} is not {what}.")
    return number


def _cost(place: str, row: Mapping[str, Any]) -> Decimal | None:
    column = next((name for name in _COST if name in row), None)
    if column is None:
        return None
    currency = next((str(row[name]) for name in _CURRENCY if name in row), "USD")
    if currency.upper() != "USD":
        raise UsageError(f"{place}: the currency is {currency!r:.20}: export the costs in USD.")
    amount = _number(place, column, row[column], "an amount of money: give a number, 0 or more")
    # The buckets of Anthropic's cost report, which alone begin with starting_at, count in cents.
    return amount / 100 if column == "amount" and "starting_at" in row else amount


def _day(place: str, row: Mapping[str, Any]) -> str | None:
    column = next((name for name in _DAY if name in row), None)
    if column is None:
        return None
    value = row[column]
    try:
        if isinstance(value, int | float) or re.fullmatch(r"\d{9,11}(\.\d+)?", str(value)):
            return datetime.fromtimestamp(float(value), UTC).date().isoformat()
        text = str(value)
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        wanted = "give YYYY-MM-DD, RFC 3339 or seconds since 1970"
        raise UsageError(f"{place}, {column}: {value!r:.60} is not a day: {wanted}.") from None
