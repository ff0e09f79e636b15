"""Names of instruments and labels as Prometheus takes them: no two that differ are ever exposed as one.

Must not know what an instrument measured. Source: the OpenMetrics text format, "Overall Structure".
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator

from runwatch.events.instruments import PROMISED

_METRIC_NAME = re.compile(r"[^a-zA-Z0-9_:]")
_LABEL_NAME = re.compile(r"[^a-zA-Z0-9_]")
_RESERVED = {"le", "quantile"}
_SAMPLES = {
    "counter": ("", "_total", "_created"),
    "histogram": ("", "_bucket", "_count", "_sum", "_created"),
    "gauge": ("",),
}
"""Kind to what its samples may be called behind the family's name; none of it may be another family's."""


def metric_name(name: str) -> str:
    """Return a name that Prometheus takes; others may become the same."""
    clean = _METRIC_NAME.sub("_", name)[:200] or "_"
    return f"_{clean}" if clean[0].isdigit() else clean


def metric_names(instruments: Iterable[tuple[str, str]], taken: set[str]) -> dict[str, str]:
    """Return the name to expose for each instrument, given by name and kind; ``taken`` grows by all they may use.

    The promised names and those that Prometheus takes as they are stay what they are; of others that would clash, and
    of those whose samples are another's (a counter ``h_count`` beside a histogram ``h``), a hash tells them apart.
    """
    found = {}
    for name, kind in sorted(instruments, key=lambda each: (each[0] not in PROMISED, *_order(metric_name, each[0]))):
        clean = metric_name(name)
        end = "_total" if kind == "counter" and clean.endswith("_total") else ""
        base = clean.removesuffix(end) or "_"
        for form in _forms(base, name):
            samples = {form + ending for ending in _SAMPLES.get(kind, ("",))}
            if not samples & taken:
                taken |= samples
                found[name] = form + end
                break
    return found


def label_names(labels: Iterable[str]) -> dict[str, str]:
    """Return the name to expose for each label of one instrument, in the order of these names."""
    found: dict[str, str] = {}
    for name in sorted(set(labels), key=lambda each: _order(_label_name, each)):
        known = set(found.values())
        found[name] = next(form for form in _forms(_label_name(name), name) if form not in known)
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _label_name(name: str) -> str:
    clean = _LABEL_NAME.sub("_", name)[:100] or "_"
    clean = f"_{clean}" if clean[0].isdigit() else clean
    return f"label_{clean.lstrip('_')}" if clean.startswith("__") or clean in _RESERVED else clean


def _order(cleaned: Callable[[str], str], name: str) -> tuple[bool, str]:
    return cleaned(name) != name, name


def _forms(clean: str, name: str) -> Iterator[str]:
    """Yield names to try: as it is, with a hash of the whole, with a number as well."""
    yield clean
    told = f"{clean}_{zlib.crc32(name.encode(errors='surrogatepass')):08x}"
    yield told
    number = 2
    while True:
        yield f"{told}_{number}"
        number += 1
