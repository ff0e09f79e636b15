"""Changing a configuration file, one value at a time, with its comments and its order kept; and the file for a start.

Must not be imported by what only reads: TOML Kit is slow to load.
"""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, get_origin

import msgspec
import tomlkit
from tomlkit.exceptions import ParseError

from runwatch.errors import SettingsError
from runwatch.settings import groups
from runwatch.settings.groups import Settings
from runwatch.settings.kinds import DURATION, kind_of, metas
from runwatch.settings.lines import scan
from runwatch.settings.loading import check_value

_EXAMPLES = {
    "pricing": ['#[pricing."my-model"]', "#input = 0.5", "#output = 1.5", "#cache_read = 0.05", "#cache_write = 0.6"],
    "services": ["[services]", '#api = "http://127.0.0.1:9000/health"'],
    "keys": ["[keys]", '#"logs.search" = "slash"'],
}
"""What stands in the file for a start where the keys are the user's own."""

_NOT_IN_USE = frozenset(
    {"limits", "alerts", "retention", "services", "serve", "commit.push", "commit.hooks", "run.end_leftovers"}
)
"""Sections and keys that are read and checked, but that nothing acts on before what they belong to exists."""


def set_value(path: Path, dotted: str, value: Any) -> None:
    """Set `section.key` in a `runwatch.toml` or a `pyproject.toml`, creating the former; all else stays as it is.

    Raises SettingsError when the key or the value is wrong, or the file cannot be written.
    """
    check_value(dotted, value)
    prefix = ("tool", "runwatch") if path.name == "pyproject.toml" else ()
    try:
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        changed = _with(text, (*prefix, *dotted.split(".", 1)), value)
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, changed)
    except ParseError as error:
        raise SettingsError(f"{path}, line {error.line}: this is not TOML; mend it first.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be changed ({error}); {dotted} was not set.") from error


def _with(text: str, keys: tuple[str, ...], value: Any) -> str:
    """Return the file with one value set; what is new goes where a person would look for it."""
    document = tomlkit.parse(text)
    table: Any = document
    for name in keys[:-1]:
        table = table.get(name, {})
    section = next((line for line in scan(text) if line.kind == "table" and line.path == keys[:-1]), None)
    if keys[-1] in table or (table and section is None):
        # TOML Kit changes a value in its place; a new one it would put behind the comments that lead the next table.
        table[keys[-1]] = value
        return str(tomlkit.dumps(document))
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.removesuffix(ending).split(ending) if text else []
    written = f"{keys[-1]} = {tomlkit.item(value).as_string()}"
    if section is None:
        gap = [""] if lines and lines[-1].strip() else []
        lines += [*gap, f"[{'.'.join(keys[:-1])}]", written]
    else:
        shown = next((line.row for line in scan(text) if line.kind == "comment" and line.path == keys), None)
        at = section.row + 1 if shown is None else shown
        lines[at : at + (shown is not None)] = [written]
    return ending.join(lines) + ending


def _replace(path: Path, text: str) -> None:
    """Write the file anew beside itself, then in its place, behind a link too; its mode stays."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def default_text(sections: Collection[str] | None = None) -> str:
    """Return a `runwatch.toml` with every key as a comment and its meaning: of the named sections, or of all in use."""
    lines = [
        "# Configuration of runwatch. Every key is optional: take its # away to set it.",
        "# A key shows its default, or an example where it has none.",
        "# Flags beat RUNWATCH_<SECTION>_<KEY>, which beat this file, which beats the user's own.",
    ]
    for section in msgspec.structs.fields(Settings):
        if section.name in sections if sections is not None else section.name not in _NOT_IN_USE:
            lines += ["", *_section_lines(section, set() if sections is not None else _NOT_IN_USE)]
    return "\n".join(lines) + "\n"


def _section_lines(section: msgspec.structs.FieldInfo, without: Collection[str]) -> Iterator[str]:
    if get_origin(section.type) is dict:
        yield f"# {meanings(Settings)[section.name]}"
        yield from _EXAMPLES[section.name]
        return
    yield f"# {inspect.getdoc(section.type)}"
    yield f"[{section.name}]"
    meaning = meanings(section.type)
    for item in msgspec.structs.fields(section.type):
        if f"{section.name}.{item.encode_name}" in without:
            continue
        yield f"# {meaning[item.name]}"
        yield f"#{item.encode_name} = {_default(item)}"


def _default(item: msgspec.structs.FieldInfo) -> str:
    """Write the default as TOML; the field's example where there is none."""
    value = item.default
    if value is None or value is msgspec.NODEFAULT:
        value = next(meta.examples[0] for meta in metas(item.type) if meta.examples)
    elif kind_of(item.type) is DURATION:
        value = f"{value:g}s"
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        table.update(value)
        value = table
    written: str = tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string()
    return written


def meanings(group: type) -> dict[str, str]:
    """Return the line of documentation under each field of a group, read from the source."""
    tree = ast.parse(inspect.getsource(groups))
    node = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == group.__name__)
    found: dict[str, str] = {}
    for field, line in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(line, ast.Expr)
            and isinstance(line.value, ast.Constant)
        ):
            found[field.target.id] = str(line.value.value)
    return found
