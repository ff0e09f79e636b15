"""Reading the configuration: flags before environment before project before user, each value checked where it stands.

Must not write, and must not parse TOML where no file exists: `run` waits for this.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from runwatch.errors import SettingsError
from runwatch.settings.groups import ModelPrice, Settings
from runwatch.settings.kinds import kind_of
from runwatch.settings.places import project_file, user_file

_PREFIX = "RUNWATCH_"
_NOT_SETTINGS = frozenset({"RUNWATCH_RUN_DIR", "RUNWATCH_STEP", "RUNWATCH_DISABLE"})
"""Variables of ours that say something else. **Source**: record.md, "The environment of the command"."""
_SHORT_NAMES = {"RUNWATCH_RUNS_DIR": ("run", "runs_dir")}

_Values = dict[str, dict[str, Any]]
"""Section → field → checked value."""


def load(start: Path, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """Return the configuration in force in the folder `start`.

    `flags` maps dotted keys such as `"capture.mode"` to values; None means that the flag was not given.
    Raises SettingsError, a sentence with file, line, value and nearest known key.
    """
    layers = [
        *reversed(_file_layers(start, environ)),
        _environment_layer(environ, start),
        _flag_layer(flags or {}, start),
    ]
    merged: _Values = {}
    for layer in layers:
        for section, values in _checked(layer).items():
            merged.setdefault(section, {}).update(values)
    if not merged:
        return Settings()
    groups: dict[str, Any] = {}
    for section, values in merged.items():
        kind = _sections()[section].type
        groups[section] = values if get_origin(kind) is dict else kind(**values)
    return Settings(**groups)


def runs_root(settings: Settings, cwd: Path, work_tree: Path | None) -> Path:
    """Return the folder of all runs: as configured, else `runs` at the top of the work tree, else in `cwd`."""
    return (work_tree or cwd) / Path(settings.run.runs_dir or "runs")


def where_set(start: Path, environ: Mapping[str, str], section: str, key: str) -> str:
    """Return where a setting in force comes from: ``runwatch.toml, line 3``, a variable, or that it is the default."""
    for layer in (_environment_layer(environ, start), *_file_layers(start, environ)):
        table = layer.table.get(section)
        if isinstance(table, Mapping) and key in table:
            return layer.where(section, key)
    return "the default"


def file_to_change(start: Path, environ: Mapping[str, str], section: str, key: str) -> Path:
    """Return the file in which a new value of a setting takes effect: the project's where it sets it, else the user's.

    Raises SettingsError where the project's cannot be read.
    """
    project = project_file(start)
    table = _file_layer(project, start, start).table.get(section)
    return project if project is not None and isinstance(table, Mapping) and key in table else user_file(environ)


def _file_layers(start: Path, environ: Mapping[str, str]) -> list[_Layer]:
    """Return the project's file and the user's, the first wins."""
    return [_file_layer(project_file(start), start, start), _file_layer(user_file(environ), start, None)]


def check_value(dotted: str, value: Any) -> None:
    """Raise SettingsError unless the setting `section.key` takes this value."""
    _checked(_flag_layer({dotted: value}, Path()))


msgspec.json.Decoder(ModelPrice)  # known to msgspec from here on, before there are threads: see events/codec.py


class _Layer(NamedTuple):
    """One source of settings."""

    label: str
    """How a person knows it."""
    table: Mapping[str, Any]
    """Section → key → raw value."""
    folder: Path | None = None
    """What a relative path in it is relative to; None: whatever place the run is in."""
    text: str | None = None
    """Content of the file, for line numbers."""
    prefix: tuple[str, ...] = ()
    """Tables of the file that lie around ours."""
    names: Mapping[str, str] | None = None
    """Dotted key → name of the variable that set it."""

    def where(self, *path: str) -> str:
        """Say where `path` is set."""
        if self.names is not None:
            return self.names.get(".".join(path), self.label)
        if self.text is None:
            return self.label
        from runwatch.settings.lines import line_of

        line = line_of(self.text, (*self.prefix, *path))
        return self.label if line is None else f"{self.label}, line {line}"


def _file_layer(path: Path | None, start: Path, folder: Path | None) -> _Layer:
    if path is None:
        return _Layer("", {})
    label = str(path.relative_to(start.absolute())) if path.is_relative_to(start.absolute()) else str(path)
    if not os.path.exists(path):
        return _Layer("", {})
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SettingsError(f"{label}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{label}: byte {error.start} is not UTF-8; save the file as UTF-8.") from error
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, _, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        line_number = line[1] if line else str(text.count("\n") + 1)
        raise SettingsError(f"{label}, line {line_number}: this is not TOML ({problem}).") from error
    prefix: tuple[str, ...] = ()
    if path.name == "pyproject.toml":
        prefix = ("tool", "runwatch")
        tool = table.get("tool")
        table = tool.get("runwatch", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise SettingsError(f"{label}: tool.runwatch must be a table of settings.")
    return _Layer(label, table, path.absolute().parent if folder is not None else None, text, prefix)


def _environment_layer(environ: Mapping[str, str], start: Path) -> _Layer:
    given = {
        name: value
        for name, value in environ.items()
        if name.startswith(_PREFIX) and value and name not in _NOT_SETTINGS
    }
    table: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for name, value in given.items():
        section, key = _SHORT_NAMES.get(name) or _variables().get(name) or (None, None)
        if section is None or key is None:
            _refuse_near_miss(name)
            continue
        table.setdefault(section, {})[key] = _listed(value) if _takes_list(section, key) else value
        names[f"{section}.{key}"] = name
    return _Layer("the environment", table, start.absolute(), names=names)


def _refuse_near_miss(name: str) -> None:
    """Refuse a variable that looks like a misspelled one of ours; any other RUNWATCH_ variable is somebody else's."""
    known = [*_variables(), *_SHORT_NAMES]
    near = _complaints().nearest(name, known, 0.85)
    if near:
        raise SettingsError(f"{name}: unknown variable; the nearest known one is {near}.")


def _flag_layer(flags: Mapping[str, Any], start: Path) -> _Layer:
    table: dict[str, dict[str, Any]] = {}
    for dotted, value in flags.items():
        section, _, key = dotted.partition(".")
        if value is not None:
            table.setdefault(section, {})[key] = value
    return _Layer("the command line", table, start.absolute())


def _checked(layer: _Layer) -> _Values:
    """Turn raw values into typed ones. Raises SettingsError at the first fault."""
    values: _Values = {}
    for name, table in layer.table.items():
        if name not in _sections():
            raise _complaints().unknown_section(layer.where(name), name, table)
        if not isinstance(table, dict):
            raise _complaints().not_a_table(layer.where(name), name)
        values[name] = dict(_checked_items(layer, name, table))
    runs_dir = values.get("run", {}).get("runs_dir")
    if runs_dir is not None:
        path = os.path.expanduser(runs_dir)
        values["run"]["runs_dir"] = path if layer.folder is None else str(layer.folder / path)
    return values


def _checked_items(layer: _Layer, section: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if get_origin(_sections()[section].type) is dict:
        value_type = get_args(_sections()[section].type)[1]
        for key, value in table.items():
            _refuse_odd_parts(layer, (section, key), value, value_type)
            yield key, _converted(layer, (section, key), value, value_type)
        return
    fields = _fields(section)
    for key, value in table.items():
        if key not in fields:
            raise _complaints().unknown_key(layer.where(section, key), f"{section}.{key}")
        _refuse_odd_parts(layer, (section, key), value, fields[key].type)
        yield fields[key].name, _converted(layer, (section, key), value, fields[key].type)


def _refuse_odd_parts(layer: _Layer, path: tuple[str, str], value: Any, value_type: Any) -> None:
    """Refuse keys that a table such as a model's prices does not have; msgspec lets them pass in a TypedDict."""
    known = getattr(getattr(value_type, "__origin__", value_type), "__annotations__", None)
    if known and isinstance(value, dict):
        for part in value:
            if part not in known:
                dotted = ".".join((*path, part))
                raise _complaints().unknown_key(layer.where(*path, part), dotted, _complaints().nearest(part, known))


def _converted(layer: _Layer, path: tuple[str, ...], value: Any, annotation: Any) -> Any:
    # Environment variables are text: only there may "5" stand for a number and "true" for a truth value.
    from_text = layer.names is not None
    kind = kind_of(annotation)
    try:
        if kind is not None:
            read = [kind.read(item) for item in value] if isinstance(value, list | tuple) else kind.read(value)
        else:
            read = value
        return msgspec.convert(read, annotation, strict=not from_text)
    except (msgspec.ValidationError, ValueError) as error:
        raise _complaints().bad_value(layer.where(*path), ".".join(path), value, annotation) from error


def _complaints() -> ModuleType:
    """Import what only a faulty configuration needs."""
    from runwatch.settings import complaints

    return complaints


@cache
def _sections() -> dict[str, msgspec.structs.FieldInfo]:
    return {section.name: section for section in msgspec.structs.fields(Settings)}


@cache
def _fields(section: str) -> dict[str, msgspec.structs.FieldInfo]:
    """Key as it is written in the file → field; empty for a section whose keys are the user's own."""
    kind = _sections()[section].type
    if get_origin(kind) is dict:
        return {}
    return {item.encode_name: item for item in msgspec.structs.fields(kind)}


@cache
def _variables() -> dict[str, tuple[str, str]]:
    """Name of each variable → section and key."""
    return {f"{_PREFIX}{section}_{key}".upper(): (section, key) for section in _sections() for key in _fields(section)}


def _takes_list(section: str, key: str) -> bool:
    return get_origin(_fields(section)[key].type) is tuple


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
