"""Times, durations, sizes, counts and money as text, the same in every view.

Must not read a clock or a locale: callers pass what they measured. Nothing here rounds a stored value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import isnan

_SIZES = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_COUNTS = ("k", "M", "G", "T", "P", "E")
_ELLIPSIS = "…"
_MONEY = 9
"""Columns of an amount in the app."""
_MOST = 1e15
"""Beyond it a number is shown by its power of ten: nothing that is measured gets there."""


def parse_time(text: str) -> datetime:
    """Return an RFC 3339 time, whatever its offset, as an aware UTC datetime.

    A time without an offset is taken as UTC; digits beyond microseconds are dropped; a leap second becomes the second
    before it. Raises ValueError for what is no time. **Source**: RFC 3339, section 5.6.
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = _parse_rare(text)
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"time out of range: {text!r}") from None


def _parse_rare(text: str) -> datetime:
    upper = text.strip().upper()
    if upper[16:19] == ":60":
        upper = upper[:16] + ":59" + upper[19:]
    return datetime.fromisoformat(upper)


def format_time(value: datetime) -> str:
    """Return an aware datetime as RFC 3339, UTC, microseconds: ``2026-11-21T01:31:55.123456Z``."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def time_of_day(text: str) -> str:
    """Return the UTC time of day of an RFC 3339 time, to the millisecond: ``14:26:01.120``."""
    return parse_time(text).replace(tzinfo=None).time().isoformat(timespec="milliseconds")


def date_and_time(text: str) -> str:
    """Return an RFC 3339 time as people read it: ``2026-10-20 14:23:45 UTC``; text that is no time stays as it is."""
    try:
        return parse_time(text).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return text


def seconds_between(start: str, end: str) -> float:
    """Return the seconds from one RFC 3339 time to another; negative when ``end`` lies before ``start``."""
    return (parse_time(end) - parse_time(start)).total_seconds()


def _beyond(number: float, unit: str = "") -> str | None:
    """Return the text of a number that is none or too large for any other form, else None."""
    if -_MOST < number < _MOST:
        return None
    held = min(max(number, -1e300), 1e300)
    return "n/a" if isnan(held) else f"{held:.0e}{unit}"


def duration_long(seconds: float) -> str:
    """Return a duration as summaries show it: ``0.4s``, ``2m 34s``, ``1h 02m 03s``, ``2d 01h 02m 03s``."""
    if (text := _beyond(seconds, "s")) is not None:
        return text
    if seconds < 0:
        return "-" + duration_long(-seconds)
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours:02d}h {minutes:02d}m {rest:02d}s"
    if hours:
        return f"{hours}h {minutes:02d}m {rest:02d}s"
    return f"{minutes}m {rest:02d}s"


def duration_short(seconds: float) -> str:
    """Return a duration as the app's lists show it, six columns at most: ``1.3s``, ``45s``, ``2m34s``, ``1h02m``."""
    if (text := _beyond(seconds, "s")) is not None:
        return text
    if seconds < 0:
        return "-" + duration_short(-seconds)
    if round(seconds, 1) < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(max(int(seconds), 10), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:
        days, hours = divmod(hours, 24)
        return f"{days}d{hours:02d}h" if days < 100 else f"{days}d"
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def latency(seconds: float) -> str:
    """Return the duration of a call with three figures: ``340ms``, ``3.52s``, ``12.1s``; from a minute on ``2m34s``."""
    if (text := _beyond(seconds, "s")) is not None:
        return text
    if seconds < 0:
        return "-" + latency(-seconds)
    if seconds < 0.01:
        return f"{seconds * 1000:.1f}ms"
    if round(seconds * 1000) < 1000:
        return f"{seconds * 1000:.0f}ms"
    if round(seconds, 1) >= 60:
        return duration_short(round(seconds))
    return f"{seconds:.2f}s" if round(seconds, 2) < 10 else f"{seconds:.1f}s"


def clock(seconds: float) -> str:
    """Return elapsed time as the header's clock: ``0:07``, ``12:41``, ``1:02:03``."""
    if (text := _beyond(seconds, "s")) is not None:
        return text
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def size(size_bytes: int) -> str:
    """Return a size in binary units: ``512 B``, ``1.4 GiB``."""
    if abs(size_bytes) < 1024:
        return f"{size_bytes} B"
    return _scaled(size_bytes, 1024, _SIZES, " ")


def count_short(number: float) -> str:
    """Return a count in few columns: ``999``, ``18.2k``, ``1.2M``."""
    if not -1e24 < number < 1e24:
        return _beyond(number) or ""
    if abs(number) < 1000:
        return f"{number:g}" if isinstance(number, int) or number == int(number) else f"{number:.1f}"
    return _scaled(number, 1000, _COUNTS, "")


def _scaled(number: float, base: int, names: tuple[str, ...], gap: str) -> str:
    scaled = float(number)
    for name in names:
        scaled /= base
        if abs(round(scaled)) < base or name == names[-1]:
            break
    digits = 1 if abs(round(scaled, 1)) < 100 else 0
    return f"{scaled:.{digits}f}{gap}{name}"


def count(number: int) -> str:
    """Return a count in full, with thousands separators: ``12,442``."""
    return f"{number:,}"


def usd(amount: float | None) -> str:
    """Return money: ``$0.43``; below a cent ``$0.0042``; None, where no price is known, is ``unpriced``."""
    if amount is None:
        return "unpriced"
    if amount < 0:
        return "-" + usd(-amount)
    if amount == 0 or round(amount, 4) >= 0.01:
        return f"${amount:,.2f}"
    return f"${amount:.4f}" if amount >= 0.00005 else "<$0.0001"


def usd_and_limit(amount: float | None, limit: float) -> tuple[str, str]:
    """Return money and its limit with the digits that tell one from the other: ``$0.052`` of ``$0.05``.

    Where more than nine columns would be needed, and where both are the same, they look the same.
    """
    told = usd(amount), usd(limit)
    if amount is None or amount == limit or told[0] != told[1]:
        return told
    for digits in range(3, 7):
        finer = [f"${value:,.{digits}f}" for value in (amount, limit)]
        if max(map(len, finer)) > _MONEY:
            break
        if finer[0] != finer[1]:
            one, other = (text[: 3 - digits - 1] + text[3 - digits - 1 :].rstrip("0") for text in finer)
            return one, other
    return told


def percent(value: float | None, digits: int = 1) -> str:
    """Return a percentage (0 to 100): ``81.2%``; None, a percentage of nothing, is ``n/a``."""
    return "n/a" if value is None else f"{value:.{digits}f}%"


def display_width(text: str) -> int:
    """Return how many terminal columns a text takes: wide characters two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def cut_end(text: str, width: int) -> str:
    """Return the text in at most ``width`` columns, its end replaced by an ellipsis where it is longer."""
    if len(text) * 2 <= width or display_width(text) <= width:
        return text
    return _head(text, width - 1) + _ELLIPSIS if width > 0 else ""


def cut_middle(text: str, width: int) -> str:
    """Return the text in at most ``width`` columns, its middle replaced by an ellipsis where it is longer."""
    if len(text) * 2 <= width or display_width(text) <= width:
        return text
    if width <= 0:
        return ""
    tail = _head(text[: -width - 1 : -1], (width - 1) // 2)[::-1]
    return _head(text, width - 1 - display_width(tail)) + _ELLIPSIS + tail


def cut_apart(texts: Iterable[str], width: int) -> dict[str, str]:
    """Return each text in at most ``width`` columns, cut in the middle.

    Those that would look the same then keep what they differ in: ``#PROJ-…-17-…`` beside ``#PROJ-…-18-…``.
    """
    shown = {text: cut_middle(text, width) for text in texts}
    alike: dict[str, list[str]] = {}
    for text, cut in shown.items():
        if cut != text:
            alike.setdefault(cut.partition(_ELLIPSIS)[0], []).append(text)
    for same in alike.values():
        if len({shown[text] for text in same}) < len(same):
            shown.update(_differing(same, width))  # those that begin alike too, so that all are cut in one place
    return shown


def _differing(texts: Sequence[str], width: int) -> dict[str, str]:
    """Return texts that begin and end alike, cut there; what does not fit even so is cut apart once more."""
    first, last = min(texts), max(texts)
    begin = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    backward = [text[: begin - len(text) - 1 : -1] for text in texts]
    first, last = min(backward), max(backward)
    end = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    cores = {text: text[begin : len(text) - end] for text in texts}
    spare = width - 2 - max(map(display_width, cores.values()))
    if spare < 0:
        if width < 4 or not (begin or end):
            return {text: cut_middle(text, width) for text in texts}
        again = cut_apart(cores.values(), width - 2)
        cores, spare = {text: again[core] for text, core in cores.items()}, 0
    else:
        wider = _word_around(texts[0], begin, end, spare // 2)
        spare -= display_width(texts[0][wider[0] : begin] + texts[0][len(texts[0]) - end : len(texts[0]) - wider[1]])
        begin, end = wider
        cores = {text: text[begin : len(text) - end] for text in texts}
    found = {}
    for text, core in cores.items():
        before, after = text[:begin], text[len(text) - end :]
        head = _head(before, spare - spare // 2)
        tail = _head(after[::-1], spare // 2)[::-1]
        left, right = (_ELLIPSIS if cut else "" for cut in (len(head) < begin, len(tail) < end))
        found[text] = f"{head}{left}{core}{right}{tail}" if core else f"{head}{left or right}{tail}"
    return found


def _word_around(text: str, begin: int, end: int, room: int) -> tuple[int, int]:
    """Return where the word begins and ends that a part of a text is in, as far as it takes no more than ``room``."""
    while begin and text[begin - 1].isalnum() and (room := room - _columns(text[begin - 1])) >= 0:
        begin -= 1
    while end and text[-end].isalnum() and (room := room - _columns(text[-end])) >= 0:
        end -= 1
    return begin, end


def _head(text: str, width: int) -> str:
    if text.isascii():
        return text[: max(width, 0)]
    used = 0
    for index, char in enumerate(text):
        used += _columns(char)
        if used > width:
            return text[:index]
    return text


def pad(text: str, width: int) -> str:
    """Return the text in exactly ``width`` columns: cut in the middle, or filled with spaces on the right."""
    fitting = cut_middle(text, width)
    return fitting + " " * (width - display_width(fitting))
