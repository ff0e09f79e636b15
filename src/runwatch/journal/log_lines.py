"""One log line and its parts, decided line by line: JSON, logfmt or text.

No file, no clock; never raises, whatever the bytes are. Nothing here is yet safe for a terminal: color sequences are
left out of every part but the whole text, all others stay.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import msgspec

from runwatch.journal.log_time import TIME_KEYS, line_time, text_time, value_time
from runwatch.visible import without_color_bytes, without_colors

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""Every level a line can have here, least severe first; other names are mapped to these."""

_LEVEL_NAMES = {
    "TRACE": "TRACE", "VERBOSE": "TRACE", "DEBUG": "DEBUG", "DBG": "DEBUG", "INFO": "INFO", "INF": "INFO",
    "INFORMATION": "INFO", "NOTICE": "INFO", "SUCCESS": "INFO", "WARN": "WARN", "WARNING": "WARN", "WRN": "WARN",
    "ERROR": "ERROR", "ERR": "ERROR", "SEVERE": "ERROR", "CRITICAL": "FATAL", "CRIT": "FATAL", "FATAL": "FATAL",
    "PANIC": "FATAL", "ALERT": "FATAL", "EMERG": "FATAL", "EMERGENCY": "FATAL",
}  # fmt: skip
_LEVEL_KEYS = ("level", "levelname", "severity", "lvl")
_MESSAGE_KEYS = ("msg", "message", "event")
_COMPONENT_KEYS = ("component", "logger", "logger_name", "name")
_KINDS = {
    **dict.fromkeys(TIME_KEYS, "time"),
    **dict.fromkeys(_LEVEL_KEYS, "level"),
    **dict.fromkeys(_MESSAGE_KEYS, "message"),
    **dict.fromkeys(_COMPONENT_KEYS, "component"),
}
_LEVEL_REACH = 60
"""A level word further right in a text line is part of its message."""

_WORDS = "TRACE|DEBUG|INFO|NOTICE|SUCCESS|WARNING|WARN|ERROR|CRITICAL|FATAL|PANIC"
_LEVEL_FIRST = re.compile(
    rf"[\s\-|:,]*(?:\[\s*(?P<a>{_WORDS}|ERR|CRIT)\s*\]|(?P<b>{_WORDS}|ERR|CRIT)\b)", re.IGNORECASE
)
_NAME_THEN_LEVEL = re.compile(
    rf"[\s\-|:\]]*\[?(?P<name>[A-Za-z_][\w.\-]*)\]?\s*(?:[\-|:]\s*)?\[?(?P<level>{_WORDS})\]?(?=\W|\Z)"
)
_LEVEL_INSIDE = re.compile(
    rf"(?<![\w.\-/])(?:(?P<a>{_WORDS})(?![\w.\-/])|\[(?P<b>(?i:{_WORDS}|err|crit))\]|(?P<c>(?i:error|warning|fatal)):\s)"
)
_GLOG = re.compile(r"([IWEF])\d{4} (?=\d\d:\d\d:\d\d)")
_LETTER = re.compile(r"([TDIWEF])(?:/| (?=\S)|  )")
_LETTERS = {"T": "TRACE", "D": "DEBUG", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}
_AFTER_LEVEL = re.compile(r"[\]\s:|,\-]*")
_LOGFMT_START = re.compile(r"\s*[A-Za-z_@][\w.@\-]*=")
_LOGFMT_PAIR = re.compile(r'([A-Za-z_@][\w.@/\-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?:\s+|\Z)')
_TORN_PAIR = re.compile(r'"(\w+)"\s*:\s*"((?:[^"\\]|\\.)*)"')


_OWN_LINE = {"ts", "level", "component", "logger", "msg"}
"""Keys by which a line of the SDK or the recorder is known. Source: record.md, "Logs"."""
_BOOKKEEPING = frozenset({"at", "event", "logger", "run_id"})
"""Keys of such a line that say nothing to a reader of one run; the whole record still has them."""


class LogLine(NamedTuple):
    """The parts of a line; ``text`` is the whole of it."""

    time: float | None
    """Seconds since the epoch as the line says it."""
    level: str | None
    """One of LEVELS; None where the line has none (a traceback's further lines, plain output)."""
    component: str | None
    """Component, else logger, named by the line."""
    message: str
    """What is left for reading."""
    fields: tuple[tuple[str, str], ...]
    """Further keys with their values as text, in the order of the line."""
    text: str
    """The line as it is, invalid UTF-8 replaced."""


def parse_line(raw: bytes, *, near: float | None = None, whole: bool = True) -> LogLine:
    """Return the parts of one line, with or without its line feed.

    Of a line redrawn with carriage returns only its last state is left. ``near`` (seconds since the epoch) tells the
    day of a time of day; ``whole=False`` says that the end of the line was cut off.
    """
    raw = last_state(raw)
    if b"\x1b[" in raw:
        return _parts(without_color_bytes(raw), near, whole=whole)._replace(text=raw.decode("utf-8", "replace"))
    line = _parts(raw, near, whole=whole)
    if b"1b[" in raw or b"1B[" in raw:  # as JSON writes them
        fields = tuple((without_colors(key), without_colors(value)) for key, value in line.fields)
        return line._replace(message=without_colors(line.message), fields=fields)
    return line


def _parts(raw: bytes, near: float | None, *, whole: bool) -> LogLine:
    text = raw.decode("utf-8", "replace")
    stripped = text.strip()
    if stripped[:1] == "{":
        found = _from_json(raw, stripped, text) if whole else _from_torn_json(raw, text)
        if found is not None:
            return found
    elif "=" in stripped[:64] and _LOGFMT_START.match(stripped):
        found = _from_logfmt(raw, stripped, text, near)
        if found is not None:
            return found
    return _from_text(raw, text, near)


def last_state(raw: bytes) -> bytes:
    """Return what a terminal would leave of a line redrawn with carriage returns, its end of line taken off."""
    raw = raw.rstrip(b"\r\n") if raw[-1:] in b"\r\n" else raw
    at = raw.rfind(b"\r")
    return raw if at < 0 else raw[at + 1 :]


def is_folded(raw: bytes, size_bytes: int, *, whole: bool) -> bool:
    """Return True for a line of which only the last state is shown, or was read."""
    return (whole and size_bytes > len(raw)) or b"\r" in raw.rstrip(b"\r\n")


def level_name(value: Any) -> str | None:
    """Return one of LEVELS for a level's name or number, or None.

    Numbers as Bunyan and Pino write them: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
    """
    if isinstance(value, str):
        return _LEVEL_NAMES.get(value.strip().upper())
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100:
        return LEVELS[min(max(value // 10, 1), 6) - 1]
    return None


def _from_json(raw: bytes, stripped: str, text: str) -> LogLine | None:
    record = _decode(raw, stripped)
    if not isinstance(record, dict):
        return None
    level = component = message = seconds = None
    rank = len(_COMPONENT_KEYS)
    rest: list[tuple[str, str]] = []
    unsaid = _BOOKKEEPING if record.keys() >= _OWN_LINE else ()
    for key, value in record.items():
        if key in unsaid and (key != "logger" or value == "runwatch"):
            continue
        kind = _KINDS.get(key)
        if kind is None:
            pass
        elif kind == "time":
            if seconds is None and (seconds := value_time(value)) is not None:
                continue
        elif kind == "level":
            if level is None and (level := level_name(value)) is not None:
                continue
        elif kind == "message":
            if message is None:
                message = _text_of(value)
                continue
        elif isinstance(value, str) and value and _COMPONENT_KEYS.index(key) < rank:
            rank, component = _COMPONENT_KEYS.index(key), value
        rest.append((key, _text_of(value)))
    if component is not None and (_COMPONENT_KEYS[rank], component) in rest:
        rest.remove((_COMPONENT_KEYS[rank], component))
    return LogLine(seconds, level, component, message or "", tuple(rest), text)


def _decode(raw: bytes, stripped: str) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(stripped)  # takes NaN and what was not UTF-8
    except (ValueError, RecursionError):
        return None


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (ValueError, RecursionError, UnicodeEncodeError):  # lone surrogates, numbers beyond 64 bits
        return str(value)


def _from_torn_json(raw: bytes, text: str) -> LogLine | None:
    pairs = dict(_TORN_PAIR.findall(text[:4096]))
    level = next((name for key in _LEVEL_KEYS if (name := level_name(pairs.get(key)))), None)
    component = next((pairs[key] for key in _COMPONENT_KEYS if key in pairs), None)
    message = next((_unquote(pairs[key]) for key in _MESSAGE_KEYS if key in pairs), None)
    seconds = line_time(raw)
    if level is None and seconds is None and message is None:
        return None
    return LogLine(seconds, level, component, message or text, (), text)


def _from_logfmt(raw: bytes, stripped: str, text: str, near: float | None) -> LogLine | None:
    at, level, component, message, rest = 0, None, None, None, []
    while at < len(stripped):
        pair = _LOGFMT_PAIR.match(stripped, at)
        if not pair:
            return None
        at = pair.end()
        key, value = pair[1], _unquote(pair[2]) if pair[2] is not None else pair[3]
        if key in _LEVEL_KEYS and level is None and level_name(value):
            level = level_name(value)
        elif key in _MESSAGE_KEYS and message is None:
            message = value
        elif key in ("component", "logger") and component is None:
            component = value
        elif key not in TIME_KEYS:
            rest.append((key, value))
    seconds = line_time(raw, near)
    if level is None and message is None and seconds is None:
        return None
    return LogLine(seconds, level, component, message or "", tuple(rest), text)


def _unquote(value: str) -> str:
    if "\\" not in value:
        return value
    try:
        return str(json.loads(f'"{value}"'))
    except ValueError:
        return value


def _from_text(raw: bytes, text: str, near: float | None) -> LogLine:
    seconds, taken = text_time(raw, near)
    rest = raw[taken:].decode("utf-8", "replace") if taken else text
    if taken:
        rest = re.sub(r"^\s*[\])>]?", "", rest, count=1)
    before = re.search(rf"\b({_WORDS})\b", raw[:taken].decode("ascii", "replace")) if taken else None
    if before:
        return LogLine(seconds, level_name(before[1]), None, _clean(rest), (), text)
    level, component, message = _level_of_text(rest, timed=bool(taken))
    return LogLine(seconds, level, component, message, (), text)


def _level_of_text(rest: str, *, timed: bool) -> tuple[str | None, str | None, str]:
    reach = rest[:_LEVEL_REACH]
    first = _LEVEL_FIRST.match(reach)
    if first and (timed or first["a"] or first["b"].isupper()):
        end = _AFTER_LEVEL.match(rest, first.end())
        return level_name(first["a"] or first["b"]), None, rest[end.end() if end else 0 :]
    named = _NAME_THEN_LEVEL.match(reach) if timed else None
    if named:
        end = _AFTER_LEVEL.match(rest, named.end())
        return level_name(named["level"]), named["name"], rest[end.end() if end else 0 :]
    letter = _GLOG.match(reach) or (_LETTER.match(reach) if timed or reach.startswith("E ") else None)
    if letter:
        return _LETTERS[letter[1]], None, rest[letter.end() :] if timed else rest
    inside = _LEVEL_INSIDE.search(reach)
    level = level_name(inside["a"] or inside["b"] or inside["c"]) if inside else None
    return level, None, _clean(rest) if timed else rest


def _clean(rest: str) -> str:
    end = _AFTER_LEVEL.match(rest)
    return rest[end.end() if end else 0 :]
