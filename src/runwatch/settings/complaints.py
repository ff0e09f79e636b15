"""What a bad configuration is told: file, line, value, what is expected, the nearest known key.

Must not be needed while everything is right: it is imported when the first fault is found.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

import msgspec

from runwatch.errors import SettingsError
from runwatch.settings.groups import Settings
from runwatch.settings.kinds import kind_of

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def not_a_table(where: str, name: str) -> SettingsError:
    """Say that a section is not one."""
    return SettingsError(f"{where}: {name} must be a table of settings.")


def unknown_section(where: str, name: str, table: object) -> SettingsError:
    """Say that there is no such section; what it holds tells which one was meant."""
    first_key = next(iter(table), None) if isinstance(table, dict) else None
    nearest = nearest_key(f"{name}.{first_key}" if first_key else name)
    return unknown_key(where, name, nearest.partition(".")[0] if first_key else nearest)


def unknown_key(where: str, dotted: str, nearest: str | None = None) -> SettingsError:
    """Say that no setting has this name."""
    nearest = nearest or nearest_key(dotted)
    return SettingsError(f'{where}: unknown key "{dotted}"; the nearest known key is "{nearest}".')


def bad_value(where: str, dotted: str, value: object, annotation: Any) -> SettingsError:
    """Say that a value is not of the kind that its setting takes."""
    sentence = f"{where}: {dotted} is {_shown(value)}, but must be {_expected(annotation)}"
    choices = _choices(annotation)
    if near := nearest(str(value), choices, 0.6):
        sentence += f'; the nearest is "{near}"'
    return SettingsError(sentence + ".")


def nearest_key(dotted: str) -> str:
    """Return the known key that was most likely meant: in its own section first, then by its name alone, then any."""
    section, _, key = dotted.partition(".")
    known = list(known_keys())
    own = [name for name in known if name.startswith(f"{section}.")]
    return (
        nearest(dotted, own, 0.75)
        or next((name for name in known if name.endswith(f".{key or section}")), None)
        or nearest(dotted, known, 0.6)
        or nearest(dotted, own or known, 0.0)
        or known[0]
    )


def nearest(name: str, known: Iterable[str], at_least: float = 0.0) -> str | None:
    """Return the most similar of the `known` names, if one is similar enough (0–1)."""
    return next(iter(difflib.get_close_matches(name, list(known), 1, at_least)), None)


def known_keys() -> Iterable[str]:
    """Yield every key as `section.key`, and the bare name of a section whose keys are the user's own."""
    for section in msgspec.structs.fields(Settings):
        if get_origin(section.type) is dict:
            yield section.name
        else:
            yield from (f"{section.name}.{item.encode_name}" for item in msgspec.structs.fields(section.type))


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _bare(annotation: Any) -> tuple[Any, list[msgspec.Meta]]:
    """Take `Annotated` and `| None` off: the setting's plain type and what bounds it."""
    metas: list[msgspec.Meta] = []
    while True:
        options = [option for option in get_args(annotation) if option is not type(None)]
        if hasattr(annotation, "__metadata__"):
            metas += [meta for meta in annotation.__metadata__ if isinstance(meta, msgspec.Meta)]
            annotation = annotation.__origin__
        elif type(None) in get_args(annotation) and len(options) == 1:
            annotation = options[0]
        else:
            return annotation, metas


def _choices(annotation: Any) -> list[str]:
    plain, _ = _bare(annotation)
    if get_origin(plain) is tuple:
        plain, _ = _bare(get_args(plain)[0])
    return [str(choice) for choice in get_args(plain)] if get_origin(plain) is Literal else []


def _expected(annotation: Any) -> str:
    plain, metas = _bare(annotation)
    kind = kind_of(annotation)
    if get_origin(plain) is tuple:
        return f"a list, each item {_expected(get_args(plain)[0])}"
    if get_origin(plain) is Literal:
        return f"one of {', '.join(_choices(plain))}"
    if kind is not None:
        return kind.expected
    if plain not in _WORDS:
        keys = plain.__required_keys__ or plain.__annotations__
        return f"a table of numbers that are not negative: {', '.join(sorted(keys))}"
    return _WORDS[plain] + "".join(_bounds(meta) for meta in metas)


def _bounds(meta: msgspec.Meta) -> str:
    if meta.pattern:
        return f' like "{(meta.examples or [""])[0]}"'
    words = {" above ": meta.gt, " of at least ": meta.ge, " and at most ": meta.le}
    return "".join(f"{word}{bound}" for word, bound in words.items() if bound is not None)
